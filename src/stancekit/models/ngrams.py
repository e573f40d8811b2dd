"""N-grams of texts, counted once: folds, seeds and settings that see a text again find its n-grams numbered.

The store of an analyser lives as long as the process. It holds 8 bytes for each different n-gram of a text and
some 100 bytes for each different n-gram of all, and is emptied when there are more of them than `MOST_COUNTED`
or `MOST_TERMS`: about 450 MB at most an analyser, beyond what one call itself needs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

MOST_COUNTED = 32_000_000
MOST_TERMS = 2_000_000
_WORD = re.compile(r"\w+")

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Analyser:
    """How a lower-cased text is cut: n-grams of `low` to `high` units.

    `word` n-grams are of runs of word characters, `token` n-grams of what stands between spaces, and
    `char_wb` n-grams of characters inside a token with one space at either side (scikit-learn's name and rule).
    """

    unit: str
    low: int
    high: int

    def split(self, text: str) -> list[str]:
        """Return the units of a text, or the tokens whose characters are the units."""
        text = text.lower()
        return _WORD.findall(text) if self.unit == "word" else text.split()


@dataclass(frozen=True)
class Counted:
    """The n-grams of some texts: those of text k stand from `bounds[k]` to `bounds[k + 1]`."""

    numbers: Numbers
    counts: Numbers
    bounds: NDArray[np.int64]


class Store:
    """Numbers the n-grams of texts in order of appearance, and keeps the numbers of each text."""

    def __init__(self, analyser: Analyser) -> None:
        self.analyser = analyser
        self.generation = 0
        self._empty()

    def _empty(self) -> None:
        self.generation += 1
        self._counted = 0
        self._texts: dict[str, tuple[Numbers, Numbers]] = {}
        self._tokens: dict[str, Numbers] = {}
        self._terms: defaultdict[str, int] = defaultdict()
        self._terms.default_factory = self._terms.__len__

    def count(self, texts: Sequence[str]) -> Counted:
        """Return the numbers of the different n-grams of each text, and how often each stands there.

        Numbers are those of this `generation`: they hold until the next call.
        """
        if self._counted > MOST_COUNTED or len(self._terms) > MOST_TERMS:
            self._empty()
        rows = [self._row(text) for text in texts]
        bounds = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(numbers) for numbers, _ in rows], out=bounds[1:])
        none = [np.zeros(0, np.int32)]
        return Counted(
            np.concatenate([r[0] for r in rows] or none), np.concatenate([r[1] for r in rows] or none), bounds
        )

    def numbers(self, terms: Sequence[str]) -> Numbers:
        """Return the numbers of some n-grams; new ones are given a number."""
        return np.fromiter(map(self._terms.__getitem__, terms), np.int32, len(terms))

    def terms(self) -> list[str]:
        """Return every n-gram of this generation, in the order of its number."""
        return list(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def _row(self, text: str) -> tuple[Numbers, Numbers]:
        found = self._texts.get(text)
        if found is None:
            units = self.analyser.split(text)
            grams = self._characters(units) if self.analyser.unit == "char_wb" else self.numbers(self._joined(units))
            numbers, counts = np.unique(grams, return_counts=True)
            found = self._texts[text] = numbers, counts.astype(np.int32)
            self._counted += len(numbers)
        return found

    def _joined(self, units: list[str]) -> list[str]:
        low, high = self.analyser.low, self.analyser.high
        grams = list(units) if low == 1 else []
        for n in range(max(low, 2), high + 1):
            grams.extend(map(" ".join, zip(*(units[k:] for k in range(n)), strict=False)))
        return grams

    def _characters(self, tokens: list[str]) -> Numbers:
        """Look up the n-grams of each token: a text's tokens are few different ones, met again and again."""
        rows = []
        for token in tokens:
            found = self._tokens.get(token)
            if found is None:
                found = self._tokens[token] = self.numbers(list(_inside(f" {token} ", self.analyser)))
            rows.append(found)
        return np.concatenate(rows) if rows else np.zeros(0, np.int32)


def _inside(padded: str, analyser: Analyser) -> Iterator[str]:
    """Yield the n-grams of a padded token; one no longer than n counts once, whole, and ends it."""
    for n in range(analyser.low, analyser.high + 1):
        if n >= len(padded):
            yield padded
            return
        for at in range(len(padded) - n + 1):
            yield padded[at : at + n]


@cache
def store(analyser: Analyser) -> Store:
    """Return the process's one store of an analyser."""
    return Store(analyser)
