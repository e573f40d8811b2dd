"""What stands out in an audit, in sentences: what a reviewer would write first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NEAR = 0.9
"""A shortcut that gets this far from the majority to the text baseline is told."""


def findings(found: Mapping[str, Any]) -> list[str]:
    """Return the findings of an audit's JSON, empty where nothing stands out."""
    told = [*_copies(found["duplicates"]), *_sides(found["sides"]), *(f for t in found["tasks"] for f in _task(t))]
    told += [f"{name}: {why}" for name, why in found["passed_over"].items()]
    return told if found["tasks"] or found["passed_over"] else [*told, "no sentence has a label"]


def _copies(found: Mapping[str, Any]) -> Iterator[str]:
    for row in found["twins"]:
        if row["crosses"] and row["near"]:
            one, _, other = row["name"].partition("-")
            where, of = (one, f" of {other}") if other else ("another document", "")
            yield f"{row['near']} of {row['sentences']} sentences{of} have a copy in {where} ({row['exact']} exact)"
    for task, count in found["contradictions"].items():
        yield contradiction(task, count)


def contradiction(task: str, count: int) -> str:
    """Say how many groups of copies contradict one another."""
    return f"groups of exact copies with different answers of {task}: {count}"


def _sides(found: list[Mapping[str, Any]]) -> Iterator[str]:
    for row in found:
        if row["values"]:
            one, other = row["sides"]
            yield f"{row['share']:.1%} of {other} share their {row['column']} with {one} ({len(row['values'])} values)"


def _task(task: Mapping[str, Any]) -> Iterator[str]:
    if not task["shortcuts"]:
        yield from (f"{task['name']}: {note}" for note in task["notes"])
    scores = {s["name"]: s["folds"]["macro_f1"]["value"] for s in task["shortcuts"]}
    least, text = scores.pop("majority", None), scores.pop("text", None)
    if least is not None and text is not None:
        for name, value in scores.items():
            if value is not None and text > least and value >= least + NEAR * (text - least):
                yield f"{task['name']}: {name} reaches macro-F1 {value:.3f}, the text {text:.3f}"
    for gap in task["gaps"]:
        if gap["gap"]["low"] is not None and gap["gap"]["low"] > 0:
            fall = f"{gap['gap']['value']:.3f} [{gap['gap']['low']:.3f}, {gap['gap']['high']:.3f}]"
            yield f"{task['name']}: macro-F1 is {fall} higher in random folds than in folds by {gap['column']}"
