"""From probabilities to answers: the likeliest label, or every label above its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stancekit.errors import Problems
from stancekit.models import calibrate
from stancekit.models.calibrate import Floats, Truth
from stancekit.schema import Answer, Example, Prediction

_DIGITS = 6
"""Probabilities are rounded, since a batch's composition moves them by some 1e-7."""


def check(threshold: Any, problems: Problems) -> None:
    """Note a threshold that is none."""
    if threshold != "tuned" and not (type(threshold) in (int, float) and 0 <= threshold <= 1):
        problems.add("threshold", f"{threshold!r} is no threshold", "tuned, or a probability from 0 to 1, is expected")


class Answers:
    """Answers by label; `threshold` is a probability, or `tuned` for the best F1 of each label on dev."""

    def __init__(self, labels: Sequence[str], multi: bool, threshold: str | float) -> None:
        self.labels, self.multi, self.tuned = tuple(labels), multi, threshold == "tuned"
        start = 0.5 if isinstance(threshold, str) else float(threshold)
        self.thresholds = np.full(len(self.labels), start)

    def tune(self, probabilities: Floats, truth: Truth) -> None:
        """Choose the thresholds of labels that dev has enough examples of, (n, labels) each."""
        if not (self.multi and self.tuned):
            return
        for k in range(len(self.labels)):
            if calibrate.is_enough(truth[:, k]):
                best = calibrate.best_threshold(probabilities[:, k].round(_DIGITS), truth[:, k])
                self.thresholds[k] = round(best, _DIGITS + 1)

    def predictions(self, examples: Sequence[Example], probabilities: Floats) -> list[Prediction]:
        """Return an answer for every example, with the probability of each label, (n, labels)."""
        rounded = probabilities.round(_DIGITS)
        return [
            Prediction(
                id=e.id, answer=self._answer(row), probabilities=dict(zip(self.labels, row.tolist(), strict=True))
            )
            for e, row in zip(examples, rounded, strict=True)
        ]

    def _answer(self, row: Floats) -> Answer:
        if self.multi:
            given = zip(self.labels, row >= self.thresholds, strict=True)
            return frozenset(label for label, yes in given if yes)
        return self.labels[int(row.argmax())]

    def dump(self) -> dict[str, Any]:
        """Return labels and thresholds as JSON."""
        return {"labels": self.labels, "thresholds": self.thresholds.tolist()}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.thresholds = np.array(plain["thresholds"], dtype=np.float64)
