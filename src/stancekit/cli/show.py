"""What the commands print: tables, progress and tagged articles, in colour on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from stancekit.data.check import CheckReport
from stancekit.runs.run import Run
from stancekit.runs.summary import Summary
from stancekit.schema import Sentence
from stancekit.scoring import Score
from stancekit.tagged import TaggedArticle, told

if TYPE_CHECKING:
    from stancekit.comparison import Comparison

console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
_ROLE_STYLES = {"source": "bold cyan", "cue": "italic", "content": "none"}
_HOLDERS = {"author": "the outlet", "source": "the source", "distanced": "distanced"}


def line(text: str) -> None:
    """Print a line of text as it is."""
    console.print(text, markup=False, soft_wrap=True)


def raw(text: str) -> None:
    """Write text for machines: no colour, no wrapping."""
    sys.stdout.write(text + "\n")


def aside(text: str) -> None:
    """Print a dim line on stderr, where it is in no machine's way."""
    Console(stderr=True, highlight=False).print(Text(text, style="dim"), soft_wrap=True)


def nothing(text: str) -> None:
    """Print nothing."""


class Progress:
    """A bar for long work and lines for its steps, on stderr; silent when told so or when not on a terminal."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, highlight=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        note = TextColumn("{task.fields[note]}", style="dim", markup=False)
        self.bars = Bars(*columns, TimeRemainingColumn(), note, console=self.console, transient=True, disable=quiet)
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
            self.tasks[text] = self.bars.add_task(text, total=None, note="")

    def __call__(self, step: str, done: int, total: int, note: str = "") -> None:
        """Move the bar of a step, with a note and the time left behind it."""
        if step not in self.tasks:
            self.tasks[step] = self.bars.add_task(step, total=total, note=note)
        self.bars.update(self.tasks[step], completed=done, total=total, note=note)


def check(report: CheckReport, as_json: bool) -> None:
    """Print what a check found: counts first, then every problem."""
    if as_json:
        raw(json.dumps(report.to_json(), ensure_ascii=False))
        return
    for title, counts in report.counts.items():
        line(f"{title}: " + ", ".join(f"{label} {count}" for label, count in counts.items()))
    for note in report.notes:
        line(note)
    for warning in report.warnings:
        line(f"note: {warning}")
    for problem in report.problems:
        console.print(Text(str(problem), style="red"))
    count = len(report.problems)
    line(f"{count} problem{'s' * (count != 1)}" if count else "no problems")


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
        rows = [r for r in found.rows if r.metric != "confusion"]
        if any(r.p is not None for r in rows):
            console.print(_differences([r for r in rows if not r.label]))
        else:
            console.print(_whole([r for r in rows if not r.slice and not r.label], found.ceiling))
            _pivot("label", [r for r in rows if r.label and not r.slice])
            main = [r for r in rows if r.slice and not r.label and not r.metric.endswith(("precision", "recall"))]
            _pivot("slice", main)
        for note in found.notes:
            line(f"note: {note}")
        if found.left_out:
            line("labels without gold or predicted support, in no average: " + ", ".join(found.left_out))
        console.print(Text(found.signature_line, style="dim"), soft_wrap=True)


def compared(found: Comparison, as_json: bool) -> None:
    """Print every difference, and then one line a run: its headline figure and how far it is from the first."""
    scores(found, as_json)
    if as_json:
        return
    table = _grid(["run", "model"], [found.lines[0].value.metric, "95 %", "difference", "95 %", "p"])
    for one in found.lines:
        far = one.difference
        told = (_value(far.value), _interval(far), _value(far.p, 4)) if far else ("", "", "")
        model = one.model if one.task in ("", found.signature["task"]) else f"{one.model} of {one.task}"
        table.add_row(one.name, model, _value(one.value.value), _interval(one.value), *told)
    console.print()
    console.print(table)


def _grid(left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _value(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _interval(row: Score) -> str:
    return "–" if row.low is None or row.high is None else f"{row.low:.3f} – {row.high:.3f}"


def _whole(rows: Sequence[Score], ceiling: Sequence[Score]) -> Table:
    """Return one line a figure, with what annotators reach where that is known."""
    top = {(row.metric, row.label): _value(row.value) for row in ceiling}
    table = _grid(["metric"], ["value", "95 %", *(["annotators"] if top else []), "support"])
    for row in rows:
        reached = [top.get((row.metric, row.label), "–")] if top else []
        table.add_row(row.metric, _value(row.value), _interval(row), *reached, f"{row.support:g}")
    return table


def _differences(rows: Sequence[Score]) -> Table:
    table = _grid(["metric", "comparison"], ["difference", "95 %", "p"])
    for row in rows:
        table.add_row(row.metric, row.slice, _value(row.value), _interval(row), _value(row.p, 4))
    return table


def _pivot(key: str, rows: Sequence[Score]) -> None:
    """Print one line a label or slice and one column a metric; the intervals stand in the report."""
    if not rows:
        return
    metrics = list(dict.fromkeys(row.metric for row in rows))
    cells = {(getattr(row, key), row.metric): row for row in rows}
    for start in range(0, len(metrics), 4):
        some = metrics[start : start + 4]
        table = _grid([key], [*some, "support"])
        for name in dict.fromkeys(getattr(row, key) for row in rows):
            found = [cells.get((name, metric)) for metric in some]
            supports = [row.support for row in found if row is not None]
            if supports:
                values = [_value(row.value) if row else "" for row in found]
                table.add_row(name, *values, f"{max(supports):g}")
        console.print()
        console.print(table)


def tagged(article: TaggedArticle) -> None:
    """Print a tagged article in colour: sources, cues, devices with frame, target and holder."""
    devices: dict[str, list[dict[str, Any]]] = {}
    for row in article.rows():
        devices.setdefault(row["sentence"], []).append(row)
    for sentence in article.sentences:
        console.print(_marked(sentence))
        for row in devices.get(sentence.id, []):
            who = row["antecedent"] or row["source"]
            held = who if row["holder"] == "source" and who else _HOLDERS[row["holder"]]
            if row["holder"] == "distanced" and who:
                held = f"distanced from {who}"
            target = f" of {row['target']}" if row["target"] else ""
            denied = ", negated" if row["negated"] else ""
            console.print(Text(f"    {row['frame']}{target}{denied}: “{row['device']}” – {held}", style="yellow"))
        for stance in sentence.gold.stances or ():
            if stance.label != "none":
                console.print(Text(f"    {stance.label} {stance.target.name}", style="magenta"))
        for name, answer in sentence.gold.labels.items():
            if words := told(answer, sentence.text):
                console.print(Text(f"    {name}: {words}", style="green"))
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
