"""TF-IDF features: blocks of n-grams, each with its own vocabulary and length, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stancekit.errors import fail
from stancekit.models.ngrams import Analyser, Counted, Numbers, store
from stancekit.schema import Example

View = Callable[[Example], str]
Matrix = Any
"""A scipy CSR matrix of float64, one row an example."""


@dataclass(frozen=True)
class Block:
    """One kind of feature: a view of the example as text, and how that text is cut into n-grams."""

    name: str
    view: View
    analyser: Analyser


class Tfidf:
    """TF-IDF weights of one block: (1 + ln tf) · (ln((1 + n) / (1 + df)) + 1), rows of length one.

    The formula is scikit-learn's with `sublinear_tf`; columns are the n-grams in sorted order.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        self.terms: list[str] = []
        self.idf: NDArray[np.float64] = np.zeros(0)
        self._columns: tuple[int, Numbers] = (0, np.zeros(0, np.int32))

    def fit_transform(self, examples: Sequence[Example], min_df: int) -> Matrix:
        """Learn the n-grams that stand in at least `min_df` examples; return the matrix of the examples."""
        grams = store(self.block.analyser)
        counted = grams.count([self.block.view(e) for e in examples])
        frequency = np.bincount(counted.numbers, minlength=len(grams))
        names = grams.terms()
        kept = sorted(np.flatnonzero(frequency >= min_df).tolist(), key=names.__getitem__)
        self.terms = [names[number] for number in kept]
        self.idf = np.log((1 + len(examples)) / (1 + frequency[kept])) + 1
        self._columns = (0, np.zeros(0, np.int32))
        return self._weighted(counted)

    def transform(self, examples: Sequence[Example]) -> Matrix:
        """Return the matrix of some examples, shape (examples, terms)."""
        return self._weighted(store(self.block.analyser).count([self.block.view(e) for e in examples]))

    def _lookup(self) -> Numbers:
        """Return the column of every n-gram of the store, -1 for those that were not learnt."""
        grams = store(self.block.analyser)
        generation, columns = self._columns
        if generation != grams.generation:
            own = grams.numbers(self.terms)
            columns = np.full(len(grams), -1, np.int32)
            columns[own] = np.arange(len(own), dtype=np.int32)
        if len(columns) < len(grams):
            columns = np.concatenate([columns, np.full(len(grams) - len(columns), -1, np.int32)])
        self._columns = grams.generation, columns
        return columns

    def _weighted(self, counted: Counted) -> Matrix:
        columns = self._lookup()[counted.numbers]
        known = columns >= 0
        bounds = np.concatenate([[0], np.cumsum(known)])[counted.bounds]
        shape = (len(bounds) - 1, len(self.terms))
        matrix = sparse.csr_matrix((counted.counts[known].astype(np.float64), columns[known], bounds), shape=shape)
        matrix.sort_indices()  # before anything is summed: the order of the store's numbers is no part of the result
        matrix.data = (1 + np.log(matrix.data)) * self.idf[matrix.indices]
        rows = np.repeat(np.arange(shape[0]), np.diff(bounds))
        matrix.data /= np.sqrt(np.bincount(rows, matrix.data**2, minlength=shape[0]))[rows]
        return matrix


class Features:
    """Several blocks side by side."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = [Tfidf(block) for block in blocks]

    def fit_transform(self, examples: Sequence[Example], min_df: int) -> Matrix:
        """Learn every block's vocabulary; return the matrix of the examples, shape (examples, all terms)."""
        matrix = sparse.hstack([b.fit_transform(examples, min_df) for b in self.blocks], format="csr")
        if not matrix.shape[1]:
            hint = f"give more data, or a smaller min_df than {min_df}"
            raise fail("train", "there is no n-gram to learn from in these texts", hint)
        return matrix

    def transform(self, examples: Sequence[Example]) -> Matrix:
        """Return the matrix of some examples, shape (examples, all terms)."""
        return sparse.hstack([b.transform(examples) for b in self.blocks], format="csr")

    def names(self) -> list[str]:
        """Return the features in the order of their columns, as `block=n-gram`."""
        return [f"{b.block.name}={term}" for b in self.blocks for term in b.terms]

    def vocabulary(self) -> dict[str, list[str]]:
        """Return the n-grams of every block by its name."""
        return {b.block.name: b.terms for b in self.blocks}

    def idf(self) -> dict[str, NDArray[np.float64]]:
        """Return the idf of every block by its name."""
        return {b.block.name: b.idf for b in self.blocks}

    def restore(self, vocabulary: Mapping[str, list[str]], idf: Mapping[str, NDArray[np.float64]]) -> None:
        """Take back what `vocabulary` and `idf` gave."""
        for block in self.blocks:
            block.terms, block.idf = vocabulary[block.block.name], idf[block.block.name]
