"""One-to-one matching of gold and predicted items: as many pairs as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Gold = TypeVar("Gold")
Given = TypeVar("Given")


def match(gold: Sequence[Gold], given: Sequence[Given], fits: Callable[[Gold, Given], bool]) -> list[tuple[int, int]]:
    """Return a maximum matching as (gold, predicted) indices (augmenting paths, Kuhn 1955).

    Deterministic: earlier items are served first, so that equal answers always pair alike.
    """
    edges = [[j for j, b in enumerate(given) if fits(a, b)] for a in gold]
    taken: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in edges[i]:
            if j not in tried:
                tried.add(j)
                if j not in taken or place(taken[j], tried):
                    taken[j] = i
                    return True
        return False

    for i in range(len(gold)):
        place(i, set())
    return sorted((i, j) for j, i in taken.items())
