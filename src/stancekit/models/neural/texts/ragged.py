"""Things on words in a batch: spans, mentions and their answers, padded, and the vectors of spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stancekit.models.neural.texts.batches import Batch, Row

TABLE = -1
"""Stands for the number of columns of a field that is a list of lists, both of any length."""


def fill(rows: Sequence[Row], fields: Mapping[str, tuple[int, int]]) -> Batch:
    """Return the named fields of rows as tensors of whole numbers, each padded to its longest row.

    `fields` maps a name to its number of columns (0: a plain list, `TABLE`: lists of any length) and the number that
    fills up. A field that no row has is left out; a row without it has nothing there.
    """
    found: Batch = {}
    for name, (columns, empty) in fields.items():
        if any(name in row for row in rows):
            values = [row.get(name, ()) for row in rows]
            found[name] = torch.from_numpy(_table(values, empty) if columns == TABLE else _list(values, columns, empty))
    return found


def _list(values: Sequence[Any], columns: int, empty: int) -> NDArray[np.int64]:
    arrays = [np.asarray(v, dtype=np.int64).reshape(-1, *([columns] if columns else [])) for v in values]
    whole = np.full((len(arrays), max(1, *map(len, arrays), 1), *arrays[0].shape[1:]), empty, dtype=np.int64)
    for at, array in enumerate(arrays):
        whole[at, : len(array)] = array
    return whole


def _table(values: Sequence[Any], empty: int) -> NDArray[np.int64]:
    height = max(1, 1, *(len(v) for v in values))
    width = max(1, 1, *(len(line) for v in values for line in v))
    whole = np.full((len(values), height, width), empty, dtype=np.int64)
    for at, lines in enumerate(values):
        for number, line in enumerate(lines):
            whole[at, number, : len(line)] = line
    return whole


def at_words(hidden: torch.Tensor, firsts: torch.Tensor) -> torch.Tensor:
    """Return the vectors of words, (n, words, width), by their first pieces (n, words); padding takes piece 0."""
    index = firsts.clamp(min=0)[:, :, None].expand(-1, -1, hidden.shape[2])
    return hidden.gather(1, index)


def span_vectors(words: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """Return the mean vectors of spans: words (n, words, width), spans (n, spans, 2) as first and last + 1.

    A padded span (−1, −1) has a vector of zeros.
    """
    places = torch.arange(words.shape[1], device=words.device)
    inside = (places >= spans[:, :, :1]) & (places < spans[:, :, 1:])
    weights = inside / inside.sum(dim=2, keepdim=True).clamp(min=1)
    return torch.einsum("nsw,nwh->nsh", weights.to(words.dtype), words)


def mean(words: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return the mean vector of each row's real words, (n, width)."""
    weights = real / real.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.einsum("nw,nwh->nh", weights.to(words.dtype), words)


def fitted(tags: torch.Tensor, width: int) -> torch.Tensor:
    """Return tags over exactly `width` words: other fields of the batch may have padded it otherwise."""
    return nn.functional.pad(tags, (0, max(0, width - tags.shape[-1])), value=-1)[..., :width]
