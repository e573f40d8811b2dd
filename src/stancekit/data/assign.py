"""Groups to parts: a seeded greedy start, then moves and swaps while they bring sizes and label shares nearer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
_SWAPS_UP_TO = 1000
_PASSES = 10
_STARTS, _STARTS_UP_TO = 8, 200  # few groups are hard to balance, and cheap to try again
_GAIN = 1e-12


def assign(
    counts: Mapping[str, Mapping[str, int]], fixed: Mapping[str, str], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Return the part of every group by name.

    `counts` holds each group's size under `""` and its label counts; groups in `fixed` stay where they are;
    `shares` are the wanted sizes of the parts, summing to 1. The same seed gives the same parts, whatever the order.
    """
    parts = list(shares)
    names = sorted(name for name in counts if fixed.get(name, parts[0]) in shares)
    if not names:
        return {}
    rows = _matrix([counts[name] for name in names])
    sides = np.array([parts.index(fixed[name]) if name in fixed else -1 for name in names])
    targets = np.array(list(shares.values()))[:, None] * rows.sum(axis=0)
    random = np.random.default_rng(seed)
    free = np.flatnonzero(sides < 0)
    tries = []
    for _ in range(_STARTS if len(free) <= _STARTS_UP_TO else 1):
        order = [int(g) for g in random.permutation(free)]
        tries.append(_State(rows, sides.copy(), targets))
        tries[-1].start(order)
        tries[-1].improve(order)
    best = min(tries, key=lambda state: float((state.surplus**2).sum()))
    return {names[g]: parts[best.sides[g]] for g in free}


def _matrix(counts: Sequence[Mapping[str, int]]) -> Numbers:
    """Return counts as shares of their totals, a row a group; the size weighs as much as all labels together."""
    columns = sorted({key for row in counts for key in row})
    matrix = np.array([[row.get(key, 0) for key in columns] for row in counts], dtype=np.float64)
    matrix /= np.maximum(matrix.sum(axis=0), 1)
    matrix[:, columns.index("")] *= np.sqrt(max(len(columns) - 1, 1))
    return matrix


class _State:
    """Parts in the making; `surplus` is what each part holds beyond its target, shape (parts, columns)."""

    def __init__(self, rows: Numbers, sides: NDArray[np.int64], targets: Numbers) -> None:
        self.rows, self.sides = rows, sides
        self.surplus = -targets
        self.open: Mask = targets.sum(axis=1) > 0
        self.members = np.zeros(len(targets), dtype=np.int64)
        for g in np.flatnonzero(sides >= 0):
            self.put(int(g), int(sides[g]))

    def put(self, g: int, side: int) -> None:
        self.sides[g] = side
        self.surplus[side] += self.rows[g]
        self.members[side] += 1

    def take(self, g: int) -> int:
        side = int(self.sides[g])
        self.surplus[side] -= self.rows[g]
        self.members[side] -= 1
        return side

    def start(self, free: Sequence[int]) -> None:
        for done, g in enumerate(free):
            empty: Mask = self.open & (self.members == 0)
            allowed = empty if len(free) - done <= empty.sum() else self.open
            self.put(g, self._best(g, allowed))

    def _best(self, g: int, allowed: Mask) -> int:
        row = self.rows[g]
        cost = 2 * self.surplus @ row + row @ row
        return int(np.argmin(np.where(allowed, cost, np.inf)))

    def improve(self, free: Sequence[int]) -> None:
        for _ in range(_PASSES):
            moved = [self._move(g) for g in free]
            swapped = [self._swap(g, free) for g in free] if len(free) <= _SWAPS_UP_TO else []
            if not any(moved) and not any(swapped):
                return

    def _move(self, g: int) -> bool:
        if self.members[self.sides[g]] == 1:
            return False
        old = self.take(g)
        new = self._best(g, self.open)
        gain = 2 * (self.surplus[old] - self.surplus[new]) @ self.rows[g]
        self.put(g, new if gain > _GAIN else old)
        return bool(gain > _GAIN)

    def _swap(self, g: int, free: Sequence[int]) -> bool:
        """Swap a group with the one of another part that gains most."""
        others = np.array([h for h in free if self.sides[h] != self.sides[g]], dtype=np.int64)
        if not len(others):
            return False
        change = self.rows[others] - self.rows[g]
        towards = self.surplus[self.sides[g]] - self.surplus[self.sides[others]]
        gains = -2 * ((change * towards).sum(axis=1) + (change**2).sum(axis=1))
        best = int(np.argmax(gains))
        if gains[best] <= _GAIN:
            return False
        h = int(others[best])
        here, there = self.take(g), self.take(h)
        self.put(g, there)
        self.put(h, here)
        return True
