"""Which gold and predicted items agree: right, partly right, or alone – the marks beneath a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from stancekit.metrics.holder import same_holder
from stancekit.metrics.linked import LinkedExact, LinkedOverlap
from stancekit.metrics.matching import match
from stancekit.metrics.spans import items
from stancekit.schema import Attribution, Device, Holder, Span
from stancekit.tasks import Task

Thing = TypeVar("Thing")
Fits = Callable[[Any, Any], bool]
RIGHT, PARTLY, ALONE = "right", "partly", "alone"


def agree(gold: Sequence[Thing], given: Sequence[Thing], right: Fits, partly: Fits) -> tuple[list[str], list[str]]:
    """Return the outcome of each gold and each predicted item: whole matches first, then partial ones."""
    own, other = [ALONE] * len(gold), [ALONE] * len(given)
    for outcome, fits in ((RIGHT, right), (PARTLY, partly)):
        left = [i for i, found in enumerate(own) if found == ALONE]
        free = [j for j, found in enumerate(other) if found == ALONE]
        for i, j in match([gold[i] for i in left], [given[j] for j in free], fits):
            own[left[i]] = other[free[j]] = outcome
    return own, other


def relations(task: Task, gold: Sequence[Attribution], given: Sequence[Attribution]) -> tuple[list[str], list[str]]:
    """Compare relations: every role exactly, or every role overlapping."""
    return agree(gold, given, LinkedExact(task).fits, LinkedOverlap(task).fits)


def spans(gold: Sequence[Span | Device], given: Sequence[Span | Device]) -> tuple[list[str], list[str]]:
    """Compare spans or devices: equal in everything, or overlapping with the same label."""
    return agree(gold, given, lambda a, b: bool(a == b), lambda a, b: _overlap(a, b))


Held = tuple[Device, Holder]


def held(gold: Sequence[Held], given: Sequence[Held]) -> tuple[list[str], list[str]]:
    """Compare devices with holders as holder-F1 does: overlapping with the same frame and holder, or without it."""
    return agree(
        gold,
        given,
        lambda a, b: _overlap(a[0], b[0]) and same_holder(a[1], b[1]),
        lambda a, b: _overlap(a[0], b[0]),
    )


def _overlap(one: Span | Device, other: Span | Device) -> bool:
    return items((one,))[0].overlaps(items((other,))[0])  # type: ignore[arg-type]
