"""The metric protocol: additive counts per example, and scores computed from any sum of them."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from stancekit.schema import Answer

Counts = NDArray[np.float64]


class Metric(Protocol):
    """Counts agreement per example; sums, group sums and resampled sums all go through the same `score`.

    The constructor takes the `Task`. `rows` names what `score` returns: (metric, label) pairs, label `""`
    for a figure over all labels. `kinds` names the kinds of task that the metric fits.
    """

    kinds: ClassVar[frozenset[str]]
    rows: tuple[tuple[str, str], ...]
    size: int

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return the counts of one example, shape (size,); `text` is its sentence, for metrics on tokens."""

    def score(self, counts: Counts) -> Counts:
        """Return the scores of summed counts, shape (…, size) → (…, len(rows)); NaN where undefined."""

    def support(self, counts: Counts) -> Counts:
        """Return the number of gold items behind each row, shape (size,) → (len(rows),)."""
