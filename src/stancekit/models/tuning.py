"""How readily a tagger begins a span: one number, chosen on dev."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from stancekit.models.viterbi import Floats
from stancekit.text.tags import ranges

Ranges = list[tuple[int, int, str]]


class Tags(Protocol):
    """What gives tags for scores: a chain by CRFsuite, or a layer of a network."""

    def tag(self, scores: Sequence[Floats], readiness: float, /) -> list[list[str]]:
        """Return the best tags of each sentence, spans begun so readily."""


_GRID = (0.0, 0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 1.5, 2.0, 2.5, 3.0, 4.0)


def best_readiness(chain: Tags, scores: Sequence[Floats], gold: Sequence[Ranges]) -> float:
    """Return the readiness with the best mean of exact and overlapping span F1; 0 wins a tie."""
    return best(lambda readiness: [ranges(tags) for tags in chain.tag(scores, readiness)], gold)


def best(found: Callable[[float], Sequence[Ranges]], gold: Sequence[Ranges]) -> float:
    """Return the readiness under which what is found has the best mean of exact and overlapping span F1."""
    quality = {readiness: _quality(found(readiness), gold) for readiness in _GRID}
    return max(_GRID, key=lambda readiness: quality[readiness])


def _quality(predicted: Sequence[Ranges], gold: Sequence[Ranges]) -> float:
    exact = overlap = total = 0
    for found, wanted in zip(predicted, gold, strict=True):
        total += len(found) + len(wanted)
        exact += 2 * len(set(found) & set(wanted))
        overlap += sum(any(_touch(a, b) for b in found) for a in wanted)
        overlap += sum(any(_touch(a, b) for b in wanted) for a in found)
    return (exact + overlap) / (2 * total) if total else 0.0


def _touch(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one[2] == other[2] and one[0] < other[1] and other[0] < one[1]
