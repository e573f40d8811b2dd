"""What the commands print: tables, progress and tagged articles, in colour on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from stancekit.data.check import CheckReport
from stancekit.run import Run
from stancekit.schema import Sentence
from stancekit.scoring import Score
from stancekit.summary import Summary
from stancekit.tagged import TaggedArticle

console = Console(highlight=False, soft_wrap=True)
_ROLE_STYLES = {"source": "bold cyan", "cue": "italic", "content": "none"}
_HOLDERS = {"author": "the outlet", "source": "the source", "distanced": "distanced"}


def line(text: str) -> None:
    """Print a line of text as it is."""
    console.print(text, markup=False)


def raw(text: str) -> None:
    """Write text for machines: no colour, no wrapping."""
    sys.stdout.write(text + "\n")


class Progress:
    """A bar for long work and lines for its steps, on stderr; silent when told so or when not on a terminal."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, highlight=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.bars = Bars(*columns, TimeRemainingColumn(), console=self.console, transient=True, disable=quiet)
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def say(self, text: str) -> None:
        """Tell of a step that has begun, with a spinner until the next one."""
        for task in self.tasks.values():
            self.bars.remove_task(task)
        self.tasks.clear()
        if not self.quiet:
            self.console.print(f"[dim]{text}[/]")
            self.tasks[text] = self.bars.add_task(text, total=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        """Move a bar."""
        if step not in self.tasks:
            self.tasks[step] = self.bars.add_task(step, total=total)
        self.bars.update(self.tasks[step], completed=done)


def check(report: CheckReport, as_json: bool) -> None:
    """Print what a check found: counts first, then every problem."""
    if as_json:
        raw(json.dumps(report.to_json(), ensure_ascii=False))
        return
    for title, counts in report.counts.items():
        line(f"{title}: " + ", ".join(f"{label} {count}" for label, count in counts.items()))
    for warning in report.warnings:
        line(f"note: {warning}")
    for problem in report.problems:
        console.print(Text(str(problem), style="red"))
    line(f"{len(report.problems)} problems" if report.problems else "no problems")


def trained(runs: Sequence[Run], as_json: bool) -> None:
    """Print where the runs lie."""
    if as_json:
        raw(json.dumps([{"run": str(run.path), "data": run.manifest["data"]} for run in runs], ensure_ascii=False))
        return
    for run in runs:
        sizes = ", ".join(f"{name} {size}" for name, size in run.manifest["data"]["sizes"].items())
        line(f"{run.path}: {run.task.name} by {run.experiment.model['name']} ({sizes}; {run.manifest['duration_s']} s)")


def scores(found: Any, as_json: bool) -> None:
    """Print scores with intervals (or a summary over seeds), and the signature line."""
    if as_json:
        raw(json.dumps(found.to_json(), ensure_ascii=False))
    elif isinstance(found, Summary):
        line(repr(found))
    else:
        whole = [r for r in found.rows if r.metric != "confusion" and not (r.slice and r.label and r.p is None)]
        console.print(_table(whole, compared=any(r.p is not None for r in whole)))
        for note in found.notes:
            line(f"note: {note}")
        if found.left_out:
            line("labels without gold or predicted support, in no average: " + ", ".join(found.left_out))
        console.print(Text(found.signature_line, style="dim"))


def _table(rows: Sequence[Score], compared: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("metric", "label", "comparison" if compared else "slice"):
        table.add_column(name)
    for name in ("difference" if compared else "value", "95 %", "p" if compared else "support"):
        table.add_column(name, justify="right")
    for row in rows:
        interval = "–" if row.low is None or row.high is None else f"{row.low:.3f} – {row.high:.3f}"
        value = "–" if row.value is None else f"{row.value:.3f}"
        last = f"{row.p:.4f}" if row.p is not None else "–" if compared else f"{row.support:g}"
        table.add_row(row.metric, row.label, row.slice, value, interval, last)
    return table


def tagged(article: TaggedArticle) -> None:
    """Print a tagged article in colour: sources, cues, devices with frame, target and holder."""
    for sentence in article.sentences:
        console.print(_marked(sentence))
        for row in (r for r in article.rows() if r["sentence"] == sentence.id):
            who = row["antecedent"] or row["source"]
            held = who if row["holder"] == "source" and who else _HOLDERS[row["holder"]]
            if row["holder"] == "distanced" and who:
                held = f"distanced from {who}"
            target = f" of {row['target']}" if row["target"] else ""
            denied = ", negated" if row["negated"] else ""
            console.print(Text(f"    {row['frame']}{target}{denied}: “{row['device']}” – {held}", style="yellow"))
    for note in article.notes():
        console.print(Text(note, style="dim"))


def _marked(sentence: Sentence) -> Text:
    text = Text(sentence.text)
    for relation in sentence.gold.attributions or ():
        for role, style in _ROLE_STYLES.items():
            for part in getattr(relation, role):
                text.stylize(style, part.start, part.end)
    for device in sentence.gold.devices or ():
        for part in device.parts:
            text.stylize("bold yellow", part.start, part.end)
    return text
