"""Columns by which examples are grouped or told apart: their document, their target, and what metadata they have."""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.data.groups import value_of
from stancekit.errors import Problems, did_you_mean
from stancekit.schema import Example


def value(example: Example, column: str) -> str | None:
    """Return an example's value of `target`, `document` or a metadata column; None where it has none."""
    if column == "target" and example.target is not None:
        return example.target.name
    found = example.sentence.document if column == "document" else value_of(example.sentence, column)
    return None if found is None or found == "" else str(found)


def check(where: str, columns: Sequence[str], examples: Sequence[Example], more: Sequence[str] = ()) -> Problems:
    """Return a problem for every column that no example has, misspelt most likely; `more` are known besides."""
    known = {"id", "document", *more} | {key for e in examples for key in e.sentence.meta}
    known |= {"target"} if any(e.target is not None for e in examples) else set()
    problems = Problems()
    for column in columns:
        if column not in known:
            problems.add(where, f"there is no column {column!r}", did_you_mean(column, known))
    return problems
