"""One input of an encoder: pieces with the characters that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """One input of the encoder.

    `ids` and `types` are (pieces,); `offsets` is (pieces, 2): characters of the reading's text, −1 for special
    pieces and those of the second text.
    """

    ids: Ints
    types: Ints
    offsets: Ints

    def __len__(self) -> int:
        return len(self.ids)

    def inside(self, start: int, end: int) -> Ints:
        """Return the pieces that share a character with start to end (exclusive)."""
        return np.flatnonzero((self.offsets[:, 0] < end) & (self.offsets[:, 1] > start))
