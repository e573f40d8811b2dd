"""Batches of rows of similar length, shuffled by seed and epoch, and padded to their own longest row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

Row = Mapping[str, Any]
Batch = dict[str, torch.Tensor]
_POOL = 50
"""Rows are sorted by length within this many shuffled batches, so that batches stay random in their content."""


class Rows(Dataset[Row]):
    """Rows in memory, as torch wants them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> Row:
        return self.rows[at]


class Bucketed(Sampler[int]):
    """Gives rows so that each stretch of `size` has similar lengths; the order depends on seed and epoch alone."""

    def __init__(self, lengths: Sequence[int], size: int, seed: int) -> None:
        self.lengths, self.size, self.seed = np.asarray(lengths), size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch's order."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(len(self.lengths))
        batches: list[np.ndarray] = []
        for start in range(0, len(order), self.size * _POOL):
            pool = order[start : start + self.size * _POOL]
            pool = pool[np.argsort(-self.lengths[pool], kind="stable")]
            batches += [pool[k : k + self.size] for k in range(0, len(pool), self.size)]
        last = [b for b in batches if len(b) < self.size]  # a short batch goes last, so that no other is cut
        full = [b for b in batches if len(b) == self.size]
        for k in rng.permutation(len(full)):
            yield from full[k].tolist()
        for batch in last:
            yield from batch.tolist()


def by_length(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Yield the numbers of rows for prediction, longest first, at most `most` padded pieces a batch."""
    order = sorted(range(len(lengths)), key=lambda k: (-lengths[k], k))
    start = 0
    while start < len(order):
        size = max(1, most // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


Filler = Callable[[Sequence[Row], int], Batch]
"""Turns what a model put beside the pieces of its rows into tensors, given the padded length."""


class Collate:
    """Pads the pieces of rows (`ids`, `types`) to the longest of them; a filler adds a model's own fields.

    `most` is how many pieces the encoder has places for (None: as many as wanted), `device` where they are to be read.
    """

    def __init__(
        self,
        pad: int,
        with_types: bool,
        filler: Filler | None = None,
        most: int | None = None,
        device: str = "auto",
    ) -> None:
        self.pad, self.with_types, self.filler, self.most, self.device = pad, with_types, filler, most, device

    def __call__(self, rows: Sequence[Row]) -> Batch:
        """Return the fields of a batch, each (rows, longest, …)."""
        longest = max(len(row["ids"]) for row in rows)
        rounded = longest + -longest % 8  # kernels like multiples of eight
        longest = rounded if self.most is None else max(longest, min(rounded, self.most))
        found = {"input_ids": padded([r["ids"] for r in rows], longest, self.pad)}
        found["attention_mask"] = padded([np.ones(len(r["ids"]), np.int64) for r in rows], longest, 0)
        if self.with_types:
            found["token_type_ids"] = padded([r["types"] for r in rows], longest, 0)
        return found | (self.filler(rows, longest) if self.filler else {})


def padded(values: Sequence[Any], longest: int, fill: float) -> torch.Tensor:
    """Return rows of values as one tensor, (rows, longest) or (rows, longest, …), filled up at the end."""
    arrays = [np.asarray(v) for v in values]
    found = np.full((len(arrays), longest, *arrays[0].shape[1:]), fill, dtype=arrays[0].dtype)
    for at, array in enumerate(arrays):
        found[at, : len(array)] = array
    return torch.from_numpy(found)
