"""Metadata columns by which examples can be grouped, told apart or held out."""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.data.columns import value
from stancekit.errors import Problems, did_you_mean
from stancekit.schema import Example
from stancekit.text.article import PLACE

USUAL = ("document", "event", "outlet", "author", "date")
"""The columns that groups are usually made of; they come first."""


def groups_of(examples: Sequence[Example], column: str) -> list[str]:
    """Return the group of every example; one without a value is a group of its own."""
    return [value(e, column) or f"\0{e.sentence.id}" for e in examples]


def usable(examples: Sequence[Example], wanted: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Return the columns that group some of the examples, but not all, and notes on those left out.

    Left out are columns that most examples have no value for; of columns that make the same groups the first
    is kept. `wanted` names the columns to look at; all else, but a sentence's place in its article.
    """
    meta = sorted({key for e in examples for key in e.sentence.meta})
    known = list(dict.fromkeys([*USUAL, "target", *meta]))
    problems = Problems()
    for name in wanted:
        if name not in known:
            problems.add("columns", f"there is no column {name!r}", did_you_mean(name, known))
    problems.raise_any()
    kept: dict[tuple[int, ...], str] = {}
    notes = []
    for column in wanted or [name for name in known if name not in PLACE]:
        missing = sum(value(e, column) is None for e in examples)
        if missing == len(examples) and not wanted:
            continue
        number: dict[str, int] = {}
        partition = tuple(number.setdefault(group, len(number)) for group in groups_of(examples, column))
        why = _left_out(len(number), missing, len(examples))
        if partition in kept:
            why = f"makes the same groups as {kept[partition]}"
        if missing and not why:
            notes.append(f"{missing} examples have no {column}; each counts as a group of its own")
        if why:
            notes.append(f"left out: {column} {why}")
        else:
            kept[partition] = column
    return list(kept.values()), notes


def _left_out(distinct: int, missing: int, examples: int) -> str:
    """Say why a column groups nothing, or nothing."""
    if missing > examples / 2:
        return f"is missing in {missing} of {examples} examples"
    if distinct == 1:
        return "is the same for every example"
    return "is different for every example" if distinct == examples else ""
