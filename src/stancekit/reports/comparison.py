"""The comparison of runs: one line a run, and every difference to the first with its paired interval and p-value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stancekit.comparison import Comparison, Line
from stancekit.files import dump_json
from stancekit.reports import tables
from stancekit.reports.rendering import number, render
from stancekit.scoring import Score

_NAMED = 3
"""A title names so many runs; of more it says how many they are."""
_SCALES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Ends of the figure's scale: a quarter of each is a round number."""


def comparison_files(found: Comparison) -> dict[str, bytes]:
    """Return `compare.html`, `.md`, `.json` and `.tex`, with the runs in the order they were compared."""
    value = _facts(found)
    files = {f"compare.{ending}": render(f"compare.{ending}", value).encode() for ending in ("html", "md", "tex")}
    return files | {"compare.json": (dump_json(value, indent=1) + "\n").encode()}


def _facts(found: Comparison) -> dict[str, Any]:
    """Return all that the page draws: of times and parameters nothing, so that it is the same each time."""
    names = [line.name for line in found.lines]
    pairs = list(dict.fromkeys(row.slice for row in found.rows))
    own = found.lines[0].value
    runs = [_run(line, own) for line in found.lines]
    return {
        "title": " · ".join(names) if len(names) <= _NAMED else f"{names[0]} and {len(names) - 1} others",
        "first": names[0],
        "task": found.signature["task"],
        "headline": {"metric": own.metric, "name": tables.name(own.metric)},
        "runs": runs,
        "scale": _scale(runs),
        "signature_line": found.signature_line,
        "notes": list(found.notes),
        "reach": _reach([_row(row) for row in found.rows]),
        "tables": [
            {"other": other, "rows": [_row(row) for row in found.rows if row.slice == pair]}
            for other, pair in zip(names[1:], pairs, strict=True)
        ],
    }


def _run(line: Line, first: Score) -> dict[str, Any]:
    """Return a run's line; `ceiling` is where the figure draws the first run's value beside the others."""
    row = {"value": line.value.value, "low": line.value.low, "high": line.value.high}
    row |= {"ceiling": first.value if line.difference else None}
    named = {"name": line.name, "model": line.model, "task": line.task, "dev": _dev(line)}
    return named | row | {"difference": _row(line.difference) if line.difference else None}


def _dev(line: Line) -> str:
    """Return what a run noted of itself on dev, in words; nothing for a predictions file."""
    return f"{tables.name(line.dev['metric'])} {number(line.dev['value'])}" if line.dev else ""


def _scale(runs: Sequence[Mapping[str, Any]]) -> float:
    """Return the end of a scale from 0 on which every value and interval has room."""
    most = max([x for run in runs for x in (run["value"], run["high"]) if x is not None] or [1.0])
    return next((end for end in _SCALES if end >= most), _SCALES[-1])


def _reach(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the end of a scale around 0 that fits the widest interval."""
    ends: list[float] = [abs(x) for row in rows for x in (row["value"], row["low"], row["high"]) if x is not None]
    return max([0.01, *ends])


def _row(row: Score) -> dict[str, Any]:
    found = {"metric": row.metric, "name": tables.name(row.metric), "label": row.label, "support": row.support}
    found |= {"value": row.value, "low": row.low, "high": row.high, "p": row.p}
    clear = row.low is not None and row.high is not None and (row.low > 0 or row.high < 0)
    return found | {"clear": clear}
