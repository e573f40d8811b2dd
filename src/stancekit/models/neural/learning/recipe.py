"""How a network is trained: one set of settings that all neural models share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from stancekit.errors import Problems, did_you_mean

PRECISIONS = ("auto", "fp32", "bf16")
DEVICES = ("auto", "cpu", "cuda", "mps")
CLASSIFYING: dict[str, Any] = {
    "epochs": 4.0,
    "least_steps": 800,
    "learning_rate": 1e-4,
    "head_rate": 5.0,
    "average": 0.3,
}
"""What models that classify begin from: the small encoder that comes along learns faster than base-sized ones, and
on few examples four epochs are too few steps (Mosbach et al. 2021): of 1,500 sentences it had learnt next to nothing.
"""
TAGGING: dict[str, Any] = {"epochs": 8.0, "learning_rate": 2e-4, "head_rate": 5.0, "average": 0.3}
"""What models that tag words begin from: at 5e-5 a small encoder has not learnt where spans end after six epochs."""


_MOST = 30
"""So many passes over few rows are enough."""


@dataclass(frozen=True)
class Recipe:
    """Settings under `training`.

    `epochs` passes over train in batches of `batch_size` rows of similar length, `accumulate` of them a step; more
    passes, up to 30, where they make less than `least_steps` steps (only when `epochs` is not given).
    `learning_rate` rises over the first `warmup` share of the steps and falls to 0; `head_rate` multiplies it for
    parameters that are not pretrained; each layer below the top has it times `layer_decay` once more. With
    `freeze_embeddings` the table of the vocabulary's vectors stays as it is: half of a small encoder's weights, whose
    gradients and steps cost a twelfth of the time. Without `encoder_dropout` the encoder drops none of its activations
    while it learns (its heads still do), which saves a fifth of the time on a processor.
    `average` is the share of the steps, at the end, whose weights are averaged (0: none). Dev is scored
    `evaluations` times an epoch, the best weights are kept, and training ends after `patience` scores without a
    better one (0: never). `precision` is bf16 where `auto` finds hardware for it. `checkpointing` recomputes
    activations to save memory. A checkpoint is written every `save_steps` steps.
    """

    epochs: float = 3.0
    least_steps: int = 0
    batch_size: int = 16
    accumulate: int = 1
    learning_rate: float = 5e-5
    head_rate: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.1
    layer_decay: float = 1.0
    freeze_embeddings: bool = False
    encoder_dropout: bool = True
    average: float = 0.0
    evaluations: int = 1
    patience: int = 0
    precision: str = "auto"
    device: str = "auto"
    checkpointing: bool = False
    save_steps: int = 500
    max_grad_norm: float = 1.0

    @classmethod
    def parse(cls, values: Mapping[str, Any] | None, problems: Problems, **defaults: Any) -> Recipe:
        """Read the settings over a model's own defaults, noting every mistake."""
        given = values or {}
        values = {**defaults, **({"least_steps": 0} if "epochs" in given else {}), **given}
        known = {f.name: getattr(cls, f.name) for f in fields(cls)}
        for name in [*values]:
            if name not in known:
                problems.add("training", f"there is no setting {name!r}", did_you_mean(name, known))
                del values[name]
            elif not _fits(values[name], known[name]):
                kind = type(known[name]).__name__
                problems.add("training", f"{name} is {values[name]!r}", f"{kind} is expected, 0 or more")
                del values[name]
            elif isinstance(known[name], float):
                values[name] = float(values[name])
        found = cls(**values)
        found.check(problems)
        return found

    def lengthened(self, rows: int, processes: int = 1) -> Recipe:
        """Return the recipe with as many epochs over so many rows as `least_steps` asks for."""
        steps = math.ceil(rows / (self.batch_size * self.accumulate * processes))
        return replace(self, epochs=max(self.epochs, min(_MOST, math.ceil(self.least_steps / max(1, steps)))))

    def check(self, problems: Problems) -> None:
        """Note settings with which nothing could be learnt."""
        for name in ("epochs", "batch_size", "accumulate", "evaluations", "save_steps"):
            if getattr(self, name) <= 0:
                problems.add("training", f"{name} is 0", "more than 0 is expected")
        for name in ("warmup", "layer_decay", "average"):
            if not 0 <= getattr(self, name) <= 1:
                problems.add("training", f"{name} is {getattr(self, name)}", "a share from 0 to 1 is expected")
        for name, choices in (("precision", PRECISIONS), ("device", DEVICES)):
            if getattr(self, name) not in choices:
                hint = did_you_mean(getattr(self, name), choices)
                problems.add("training", f"there is no {name} {getattr(self, name)!r}", hint)


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool | str):
        return type(value) is type(default)
    if isinstance(default, int):
        return type(value) is int and value >= 0
    return type(value) in (int, float) and value >= 0
