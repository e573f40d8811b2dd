"""Windows as arrays, so that the pieces of a long list of texts are kept for further seeds and runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from stancekit.models.neural.texts.window import Window
from stancekit.models.tensors import Tensors


def packed(windows: Sequence[Sequence[Window]]) -> Tensors:
    """Return the windows of many readings as a few arrays."""
    flat = [window for own in windows for window in own]
    return {
        "counts": np.array([len(own) for own in windows], dtype=np.int64),
        "lengths": np.array([len(window) for window in flat], dtype=np.int64),
        "ids": np.concatenate([w.ids for w in flat]).astype(np.int32),
        "types": np.concatenate([w.types for w in flat]).astype(np.int8),
        "offsets": np.concatenate([w.offsets for w in flat]).astype(np.int32),
    }


def unpacked(arrays: Tensors) -> list[list[Window]]:
    """Return the windows that `packed` made arrays of."""
    ids, types, offsets = (arrays[name].astype(np.int64) for name in ("ids", "types", "offsets"))
    ends = np.concatenate([[0], np.cumsum(arrays["lengths"])])
    flat = [Window(ids=ids[a:b], types=types[a:b], offsets=offsets[a:b]) for a, b in pairwise(ends)]
    owners = np.concatenate([[0], np.cumsum(arrays["counts"])])
    return [flat[a:b] for a, b in pairwise(owners)]
