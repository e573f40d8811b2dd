"""How readily a tagger leaves a token outside all spans: one number, chosen on dev."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from stancekit.models.viterbi import Floats
from stancekit.text.tags import OUTSIDE, ranges

Ranges = list[tuple[int, int, str]]


class Tags(Protocol):
    """What gives tags for scores: a chain by CRFsuite, or a layer of a network."""

    @property
    def labels(self) -> Sequence[str]:
        """The tags' names."""

    def tag(self, scores: Sequence[Floats], /) -> list[list[str]]:
        """Return the best tags of each sentence."""


_GRID = (0.0, -0.1, 0.1, -0.2, 0.2, -0.4, 0.4, -0.8, 0.8, -1.2, -1.6)


def shifted(scores: Sequence[Floats], chain: Tags, bias: float) -> list[Floats]:
    """Return the scores with `bias` added to the outside tag."""
    if not bias or OUTSIDE not in chain.labels:
        return list(scores)
    row = [bias if label == OUTSIDE else 0.0 for label in chain.labels]
    return [score + row for score in scores]


def best_bias(chain: Tags, scores: Sequence[Floats], gold: Sequence[Ranges]) -> float:
    """Return the bias of the outside tag with the best mean of exact and overlapping span F1; 0 wins a tie."""
    return best(lambda bias: [ranges(tags) for tags in chain.tag(shifted(scores, chain, bias))], gold)


def best(found: Callable[[float], Sequence[Ranges]], gold: Sequence[Ranges]) -> float:
    """Return the bias under which what is found has the best mean of exact and overlapping span F1; 0 wins a tie."""
    quality = {bias: _quality(found(bias), gold) for bias in _GRID}
    return max(_GRID, key=lambda bias: quality[bias])


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
