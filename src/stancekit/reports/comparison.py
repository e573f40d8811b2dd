"""The comparison of runs: differences to the first one, with paired intervals and p-values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stancekit.files import dump_json
from stancekit.reports import tables
from stancekit.reports.rendering import render
from stancekit.scoring import Score, Scores


def comparison_files(scores: Scores, names: Sequence[str]) -> dict[str, bytes]:
    """Return `compare.html`, `.md`, `.json` and `.tex` of what `scoring.compare` found.

    `names` are the runs' names for reading, in the order they were compared.
    """
    value = _facts(scores, names)
    found = {f"compare.{ending}": render(f"compare.{ending}", value).encode() for ending in ("html", "md", "tex")}
    return found | {"compare.json": (dump_json(value, indent=1) + "\n").encode()}


def _facts(scores: Scores, names: Sequence[str]) -> dict[str, Any]:
    """Return all that the page draws; a scale of its own fits the widest interval."""
    pairs = list(dict.fromkeys(row.slice for row in scores.rows))
    ends = [abs(x) for row in scores.rows for x in (row.value, row.low, row.high) if x is not None]
    return {
        "title": " · ".join(names),
        "first": names[0],
        "signature_line": scores.signature_line,
        "notes": list(scores.notes),
        "reach": max([*ends, 0.01]),
        "tables": [
            {"other": other, "rows": [_row(row) for row in scores.rows if row.slice == pair]}
            for other, pair in zip(names[1:], pairs, strict=True)
        ],
    }


def _row(row: Score) -> dict[str, Any]:
    found = {"metric": row.metric, "name": tables.name(row.metric), "label": row.label, "support": row.support}
    found |= {"value": row.value, "low": row.low, "high": row.high, "p": row.p}
    clear = row.low is not None and row.high is not None and (row.low > 0 or row.high < 0)
    return found | {"clear": clear}
