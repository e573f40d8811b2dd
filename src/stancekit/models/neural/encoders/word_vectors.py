"""Vectors of words from a frozen encoder, and their principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.models.encoder import Seen
from stancekit.models.neural.encoders.frozen import Frozen
from stancekit.models.neural.texts.reading import Reading
from stancekit.models.neural.texts.words import WordRow, best_rows, word_rows
from stancekit.models.tensors import Tensors

Floats = NDArray[Any]
_KIND = "<f2"
"""Words are some thirty times as many as sentences, and what half precision drops, the reduction drops too."""
_SCALE = 0.2
"""With larger values a CRF leans on the vectors where the strings know better (events of train left out in turn)."""


class WordReader:
    """Reads the words of sentences by a frozen encoder; what was read last is kept until something else is."""

    def __init__(self, frozen: Frozen) -> None:
        self.frozen = frozen
        self._last: tuple[list[str], list[Floats]] = [], []

    def of(self, seen: Sequence[Seen]) -> list[Floats]:
        """Return the mean vector of each word's pieces, (words, width) a sentence; zeros where it has none."""
        texts = [s.text for s in seen]
        if texts != self._last[0]:
            self._last = texts, self._read(seen)
        return self._last[1]

    def forget(self) -> None:
        """Let go of what was read last."""
        self._last = [], []

    def _read(self, seen: Sequence[Seen]) -> list[Floats]:
        reads = [Reading(s.text) for s in seen]
        windows = self.frozen.kit.cutter.windows(reads)
        laid = [word_rows(s.toks, read, own) for s, read, own in zip(seen, reads, windows, strict=True)]
        flat = [_row(row, s) for s, rows in zip(seen, laid, strict=True) for row in rows]
        vectors = iter(self.frozen.vectors(flat, _KIND))
        return [_together(rows, [next(vectors) for _ in rows], len(s.toks)) for s, rows in zip(seen, laid, strict=True)]


def _row(row: WordRow, seen: Seen) -> dict[str, NDArray[Any]]:
    """Return a window's inputs, with the mean of each of its words' pieces as a pool."""
    toks = [seen.toks[k] for k in row.words]
    pools = np.zeros((len(row.window), len(toks)), np.float32)
    for place, token in enumerate(toks):
        own = row.window.inside(token.start, token.end)
        pools[own, place] = 1.0 / len(own)
    return {"ids": row.window.ids, "types": row.window.types, "pools": pools}


def _together(rows: Sequence[WordRow], vectors: Sequence[Floats], count: int) -> Floats:
    own, place = best_rows(rows, count)
    found = np.zeros((count, vectors[0].shape[1]), vectors[0].dtype)
    for number, each in enumerate(vectors):
        found[own == number] = each[place[own == number]]
    return found


class WordVectors:
    """The vectors of words along the `dims` directions in which those of train differ most (Pearson 1901).

    Along each, train has the same variance. A word without a vector stays at zero, the mean of train.
    """

    def __init__(self, dims: int) -> None:
        self.dims = dims
        self.mean = np.zeros(0, np.float32)
        self.directions = np.zeros((0, 0), np.float32)

    def learn(self, words: Sequence[Floats]) -> None:
        """Find the directions, (width, dims), from the words of train."""
        width = words[0].shape[1]
        count = sum(map(len, words))
        mean = sum((own.sum(axis=0, dtype=np.float64) for own in words), np.zeros(width)) / count
        spread = sum((_square(own - mean) for own in words), np.zeros((width, width))) / count
        values, vectors = np.linalg.eigh(spread)
        kept = np.argsort(-values, kind="stable")[: self.dims]
        scaled = vectors[:, kept] * _SCALE / np.sqrt(np.maximum(values[kept], np.finfo(np.float32).eps))
        signs = np.sign(scaled[np.abs(scaled).argmax(axis=0), np.arange(len(kept))])
        self.mean = mean.astype(np.float32)
        self.directions = np.ascontiguousarray(scaled * signs, np.float32)  # as they lie once loaded, to the last bit

    def of(self, words: Sequence[Floats]) -> list[NDArray[np.float32]]:
        """Return the words along the directions, (words, dims) a sentence."""
        return [np.asarray((own - self.mean) @ self.directions * own.any(axis=1, keepdims=True)) for own in words]

    def arrays(self) -> Tensors:
        """Return what was learnt."""
        return {"mean": self.mean, "directions": self.directions}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `arrays` returned."""
        self.mean, self.directions = arrays["mean"], arrays["directions"]


def _square(own: NDArray[np.float64]) -> NDArray[np.float64]:
    return own.T @ own
