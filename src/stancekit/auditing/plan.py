"""How an audit is measured: folds, repeats and seeds, and how much of large data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stancekit.errors import Problems

Progress = Callable[[str, int, int], None]
Tell = Callable[[], None]
REPEATED_UP_TO = 5_000
"""Folds of more examples than this are cut once: another cut hardly moves their figures."""


@dataclass(frozen=True)
class Plan:
    """Settings of an audit.

    `threshold` is the Jaccard of word sets from which two sentences are near duplicates; `most` the number of
    examples that baselines are measured on, whole documents drawn at random where there are more.
    """

    folds: int = 5
    repeats: int = 3
    seed: int = 13
    threshold: float = 0.7
    most: int = 10_000

    def check(self) -> None:
        """Refuse settings that make no sense, all at once."""
        problems = Problems()
        for name, least in (("folds", 2), ("repeats", 1), ("most", 50)):
            if getattr(self, name) < least:
                problems.add(name, f"it is {getattr(self, name)}", f"give {least} or more")
        if not 0 < self.threshold <= 1:
            problems.add("threshold", f"it is {self.threshold}", "give a Jaccard above 0, up to 1")
        problems.raise_any()

    def seeds(self, examples: int) -> list[int]:
        """Return the seed of every repeat."""
        return [self.seed + k for k in range(self.repeats if examples <= REPEATED_UP_TO else 1)]
