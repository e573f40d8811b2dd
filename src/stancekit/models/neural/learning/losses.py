"""Losses over labels: hard or soft targets, class weights, and forms for rare labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from stancekit.errors import Problems, did_you_mean

NAMES = ("cross_entropy", "focal", "asymmetric")
BESIDE = 0.3
"""What a span is (frame, target, source type) counts so much beside where it is, whose losses are a word's."""
_FOCUS = 2.0
_EASY, _SHIFT = 4.0, 0.05


def check(
    name: str, class_weight: Any, problems: Problems, *, multi: bool | None = None, labels: Sequence[str] | None = None
) -> None:
    """Note a loss that does not exist or does not fit the kind of answer, and weights that weigh no label.

    `multi` and `labels` are None while the task is not known yet.
    """
    if name not in NAMES:
        problems.add("loss", f"there is no loss {name!r}", did_you_mean(str(name), NAMES))
    if name == "asymmetric" and multi is False:
        problems.add("loss", "the asymmetric loss is for several labels an example", "take focal or cross_entropy")
    if isinstance(class_weight, Mapping):
        _check_weights(class_weight, labels, problems)
    elif class_weight is not None and class_weight != "balanced":
        hint = "null, balanced, or a weight by label is expected"
        problems.add("class_weight", f"{class_weight!r} weighs nothing", hint)


def _check_weights(class_weight: Mapping[str, Any], labels: Sequence[str] | None, problems: Problems) -> None:
    for label, value in class_weight.items():
        if type(value) not in (int, float) or not 0 <= value < math.inf:
            problems.add("class_weight", f"the weight of {label!r} is {value!r}", "a number is expected, 0 or more")
        if labels is not None and label not in labels:
            problems.add("class_weight", f"there is no label {label!r}", did_you_mean(str(label), labels))


def weights(
    class_weight: str | Mapping[str, float] | None, truth: torch.Tensor, labels: Sequence[str]
) -> torch.Tensor | None:
    """Return one weight a class; `balanced` is examples / (classes × examples of the class), as in scikit-learn."""
    if class_weight is None:
        return None
    if isinstance(class_weight, Mapping):
        return torch.tensor([float(class_weight.get(label, 1.0)) for label in labels])
    counts = truth.sum(dim=0).clamp(min=1.0)
    return (len(truth) / (len(labels) * counts)).float()


def exclusive(name: str, logits: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return the mean loss of exclusive classes; logits and wanted shares are (n, classes).

    Focal: each class's share is weighed by (1 − p)² (Lin et al. 2017).
    """
    log_p = F.log_softmax(logits.float(), dim=-1)
    each = -wanted * log_p
    if name == "focal":
        each = each * (1 - log_p.exp()) ** _FOCUS
    if weight is None:
        return each.sum(dim=-1).mean()
    weight = weight.to(logits.device)
    return (each * weight).sum() / (wanted * weight).sum().clamp(min=1e-9)


def several(name: str, logits: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return the mean loss of labels that may stand together; logits and wanted shares are (n, classes).

    `weight` counts a class's positive side. Asymmetric: easy negatives count little, the easiest not at all
    (Ridnik et al. 2021).
    """
    logits = logits.float()
    positive, negative = -F.logsigmoid(logits), -F.logsigmoid(-logits)
    if name == "focal":
        p = torch.sigmoid(logits)
        positive, negative = positive * (1 - p) ** _FOCUS, negative * p**_FOCUS
    elif name == "asymmetric":
        p = (torch.sigmoid(logits) - _SHIFT).clamp(min=0.0)
        negative = -torch.log((1 - p).clamp(min=1e-8)) * p**_EASY
    if weight is not None:
        positive = positive * weight.to(logits.device)
    return (wanted * positive + (1 - wanted) * negative).mean()


def disagreement(one: torch.Tensor, other: torch.Tensor, multi: bool) -> torch.Tensor:
    """Return the symmetric divergence of two readings of the same rows (R-Drop, Liang et al. 2021)."""
    if multi:
        p, q = torch.sigmoid(one.float()), torch.sigmoid(other.float())
        return ((p - q) * (one.float() - other.float())).mean()
    p, q = F.log_softmax(one.float(), dim=-1), F.log_softmax(other.float(), dim=-1)
    forth = F.kl_div(p, q, log_target=True, reduction="batchmean")
    return (forth + F.kl_div(q, p, log_target=True, reduction="batchmean")) / 2
