"""Groups that stand on two sides of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from stancekit.auditing.columns import USUAL
from stancekit.data.groups import value_of
from stancekit.schema import Sentence


@dataclass(frozen=True)
class SharedGroups:
    """How many values of a column stand on both of two sides, and the share of the later side's sentences in them."""

    column: str
    sides: tuple[str, str]
    values: tuple[str, ...]
    of: int
    share: float


def shared_groups(sides: Mapping[str, Sequence[Sentence]], also: Sequence[str]) -> list[SharedGroups]:
    """Return the values on two sides, for every pair of sides and every usual column that the data has, and `also`."""
    found = []
    for column in dict.fromkeys([*USUAL, *(name for name in also if name != "id")]):
        values = {side: [_value(s, column) for s in sentences] for side, sentences in sides.items()}
        for one, other in combinations(values, 2):
            here, there = set(values[one]) - {""}, set(values[other]) - {""}
            if here and there:
                inside = sum(value in here for value in values[other] if value)
                both = tuple(sorted(here & there))
                found.append(SharedGroups(column, (one, other), both, len(there), inside / len(values[other])))
    return found


def _value(sentence: Sentence, column: str) -> str:
    """Return a sentence's value as text, empty where it has none."""
    found = sentence.document if column == "document" else value_of(sentence, column)
    return "" if found is None else str(found)
