"""What is said of a device beside its span: the target, and negation, scored apart."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stancekit.metrics.base import Counts
from stancekit.metrics.labels import f1, ratio
from stancekit.metrics.matching import match
from stancekit.metrics.spans import items
from stancekit.schema import Answer, Device
from stancekit.tasks import Task


def matched_devices(gold: Answer, predicted: Answer) -> list[tuple[Device, Device]]:
    """Return the devices that overlap with the same frame, one to one."""
    own = [d for d in gold if isinstance(d, Device)] if isinstance(gold, tuple) else []
    given = [d for d in predicted if isinstance(d, Device)] if isinstance(predicted, tuple) else []
    one, other = items(tuple(own)), items(tuple(given))
    pairs = match(range(len(own)), range(len(given)), lambda i, j: one[i].overlaps(other[j]))
    return [(own[i], given[j]) for i, j in pairs]


class DeviceAttributes:
    """Target accuracy over matched devices (all, and those with a gold target), and F1 of negation over them."""

    kinds: ClassVar[frozenset[str]] = frozenset({"devices"})
    rows = (("device_target_accuracy", ""), ("device_target_accuracy_named", ""), ("device_negation_f1", ""))
    size = 7

    def __init__(self, task: Task) -> None:
        self.task = task

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return right targets, matched devices, negation's tp, fp and fn, right targets and devices that have one."""
        counts = np.zeros(7)
        for own, given in matched_devices(gold, predicted):
            counts[0] += own.target == given.target
            counts[1] += 1
            counts[2] += own.negated and given.negated
            counts[3] += given.negated and not own.negated
            counts[4] += own.negated and not given.negated
            counts[5] += own.target is not None and own.target == given.target
            counts[6] += own.target is not None
        return counts

    def score(self, counts: Counts) -> Counts:
        """Return the target accuracies and negation F1; NaN where no device matched, has a target, or is negated."""
        negation = f1(counts[..., 2], counts[..., 3], counts[..., 4])
        targets = [ratio(counts[..., 0], counts[..., 1]), ratio(counts[..., 5], counts[..., 6])]
        return np.stack([*targets, negation], axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the matched devices, those with a gold target, and the negated ones among them in gold."""
        return np.array([counts[1], counts[6], counts[2] + counts[4]])
