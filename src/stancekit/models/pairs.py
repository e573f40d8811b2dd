"""Features paired with the target's name: what a word says of one target and not of all (Daumé 2007)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stancekit.models.features import Matrix
from stancekit.models.tensors import Tensors
from stancekit.schema import Example

LEAST = 20
"""Fewer train examples of a target than this give it no weights of its own."""


class Pairs:
    """Copies the features that a frequent target had in train, filled in that target's rows alone.

    Weights on the copies correct those that all targets share; `weight` scales the copies, so a larger one
    lets targets differ more. Copies that train never fills are left out: they could learn nothing.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.columns: dict[str, NDArray[np.int32]] = {}

    def fit(self, matrix: Matrix, examples: Sequence[Example]) -> None:
        """Learn the targets with at least `LEAST` examples, and the features that each of them has."""
        counts = Counter(name for e in examples if (name := _name(e)))
        names = sorted(name for name, count in counts.items() if count >= LEAST) if self.weight else []
        self.columns = {name: np.unique(matrix[_rows(examples, name)].indices).astype(np.int32) for name in names}

    def transform(self, matrix: Matrix, examples: Sequence[Example]) -> Matrix:
        """Return the matrix with the copies beside it, shape (n, terms) → (n, terms + copies)."""
        blocks = [matrix]
        for name, columns in self.columns.items():
            rows = _rows(examples, name)
            place = sparse.csr_matrix(
                (np.full(len(rows), self.weight), (rows, np.arange(len(rows)))), (len(examples), len(rows))
            )
            blocks.append(place @ matrix[rows][:, columns])
        return sparse.hstack(blocks, format="csr")

    def arrays(self) -> Tensors:
        """Return the copied columns of each target, by its place in `columns`."""
        return {f"pair.{place}": columns for place, columns in enumerate(self.columns.values())}

    def restore(self, names: Sequence[str], arrays: Tensors) -> None:
        """Take back what `arrays` gave, for the names in the order of `columns`."""
        self.columns = {name: arrays[f"pair.{place}"] for place, name in enumerate(names)}


def _name(example: Example) -> str:
    return example.target.name if example.target else ""


def _rows(examples: Sequence[Example], name: str) -> NDArray[np.int64]:
    return np.flatnonzero([_name(e) == name for e in examples])
