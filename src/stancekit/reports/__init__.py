"""Reports: what an evaluation, a comparison or a tagged article says, as self-contained pages, Markdown, TeX and JSON.

Reports only draw: every figure comes from the scores. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from stancekit.errors import fail
from stancekit.evaluation import Evaluated
from stancekit.files import dump_json, read_json
from stancekit.reports.article import article_page
from stancekit.reports.card import card
from stancekit.reports.comparison import comparison_files
from stancekit.reports.facts import of_predictions, of_run
from stancekit.reports.rendering import render
from stancekit.runs.run import Run

__all__ = ["article_page", "card", "comparison_files", "files", "files_of_predictions", "without_text"]

MISTAKES = 10
"""So many mistakes the Markdown report lists."""


def files(run: Run, evaluated: Evaluated, *, no_text: bool = False) -> dict[str, bytes]:
    """Return the report of an evaluated part of a run: `report.PART.html`, `.md`, `.json` and `.tex`.

    With `no_text` no sentence stands in any of them.
    """
    return _files(f"report.{evaluated.part_name}", of_run(run, evaluated, no_text=no_text))


def files_of_predictions(name: str, evaluated: Evaluated, *, no_text: bool = False) -> dict[str, bytes]:
    """Return the report of a predictions file without a run: `report.html`, `.md`, `.json` and `.tex`."""
    return _files("report", of_predictions(name, evaluated, no_text=no_text))


def without_text(report: Path) -> dict[str, bytes]:
    """Return a stored report (its `report.PART.json`) drawn again without its sentences: the data is not needed."""
    try:
        return _files(report.stem, {**read_json(report), "sentences": [], "no_text": True})
    except (KeyError, TypeError, UndefinedError) as error:
        raise fail(report, "another version of stancekit drew it", "draw it anew: `stancekit report RUN`") from error


def _files(stem: str, value: Mapping[str, Any]) -> dict[str, bytes]:
    shown = {**value, "wrong": [row for row in value["sentences"] if not row["right"]][:MISTAKES]}
    found = {f"{stem}.{ending}": render(f"report.{ending}", shown).encode() for ending in ("html", "md", "tex")}
    return found | {f"{stem}.json": (dump_json(value) + "\n").encode()}
