"""Learning which examples belong together: batches mixed of all labels, and losses over all pairs of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler

from stancekit.models.calibrate import Truth

Ints = NDArray[np.int64]
TEMPERATURE = 0.1
"""Likeness is divided by it: the lower, the more the nearest others count."""


class Mixed(Sampler[int]):
    """Gives rows two by two from the same group, so that every row of a batch meets one of its kind.

    Groups take part by the square root of their size: rare ones more often than they are. An epoch gives
    `readings` times as many rows as there are, in batches of `size` (even); the order depends on seed and epoch alone.
    No list of pairs is ever made.
    """

    def __init__(self, groups: Sequence[Ints], rows: int, size: int, readings: int, seed: int) -> None:
        self.groups, self.size, self.seed = [g for g in groups if len(g)], size, seed
        self.batches = max(1, round(readings * rows / size))
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch's order."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches * self.size

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        streams = [_endless(group, rng) for group in self.groups]
        ends = np.cumsum(np.sqrt([len(group) for group in self.groups]))
        pairs = self.size // 2
        for _ in range(self.batches):
            marks = (np.arange(pairs) + rng.random()) * ends[-1] / pairs
            for group in np.searchsorted(ends, marks, side="right").clip(max=len(ends) - 1):
                yield next(streams[group])
                yield next(streams[group])


def _endless(rows: Ints, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(rows).tolist()


def groups_of(truth: Truth, multi: bool) -> list[Ints]:
    """Return the rows of each class, truth is (n, classes); of several labels also the rows that have none."""
    found = [np.flatnonzero(column) for column in truth.T]
    return [*found, np.flatnonzero(~truth.any(axis=1))] if multi else found


def overlap(wanted: torch.Tensor) -> torch.Tensor:
    """Return how alike the label sets of rows are (Jaccard; two empty ones are alike), (n, classes) to (n, n)."""
    shared = wanted @ wanted.T
    sizes = wanted.sum(dim=1)
    either = sizes[:, None] + sizes[None, :] - shared
    return torch.where(either > 0, shared / either.clamp(min=1e-9), 1.0)


def loss(vectors: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return how far rows are from lying nearer to their kind than to others, over all pairs of a batch.

    Supervised contrastive loss (Khosla et al. 2020): `vectors` (n, width) have length one, `wanted` is (n, classes);
    each row's others are chosen by a softmax over their likeness, and the share of each is its overlap in labels.
    """
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    chosen = (vectors @ vectors.T / TEMPERATURE).masked_fill(itself, float("-inf")).log_softmax(dim=1)
    alike = overlap(wanted.to(vectors.dtype)).masked_fill(itself, 0.0)
    total = alike.sum(dim=1)
    each = (alike * chosen.masked_fill(itself, 0.0)).sum(dim=1)
    kind = total > 0
    return -(each[kind] / total[kind]).sum() / kind.sum().clamp(min=1)
