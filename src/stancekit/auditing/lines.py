"""An audit as lines of text: the findings that cross a border first, then figure by figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stancekit.auditing.findings import contradiction

Row = Sequence[str]
_TOLD = 5
_NAMES = ("where", "column", "sides", "baseline", "sees", "by")


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of an audit's JSON."""
    sizes = ", ".join(f"{side} {size}" for side, size in found["sizes"].items())
    yield f"{found['source']}: {sizes} sentences of {found['documents']} documents"
    yield from ("", "What stands out", *(f"  {one}" for one in found["findings"] or ["nothing"]))
    yield from _duplicates(found["duplicates"])
    yield from _sides(found["sides"])
    for task in found["tasks"]:
        yield from _task(task)
    yield ""
    for one in found["exceeded"]:
        yield f"LIMIT {one['figure']} is {one['value']:.3f}, allowed is {one['limit']:g}"
    if found["limits"] and not found["exceeded"]:
        yield "every figure is within its limit"


def _duplicates(found: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "Duplicates: sentences with a copy, in the second of two sides")
    rows = [
        (t["name"], str(t["sentences"]), str(t["exact"]), str(t["near"]), f"{t['share']:.1%}") for t in found["twins"]
    ]
    yield from table(("where", "sentences", "exact", "exact or near", "share"), rows)
    for task, count in found["contradictions"].items():
        yield f"  {contradiction(task, count)}"
    for pair in found["pairs"][:_TOLD]:
        differ = f"; different {', '.join(pair['differ'])}" if pair["differ"] else ""
        yield f"  {(' = ' if pair['exact'] else ' ~ ').join(pair['ids'])} ({pair['jaccard']:.2f}{differ})"
    if found["pairs_found"] > _TOLD:
        yield f"  … {found['pairs_found']} pairs in all"


def _sides(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if found:
        yield from (
            "",
            "Groups on two sides: values that both have, and the share of the second side's sentences in them",
        )
        rows = [
            (s["column"], "-".join(s["sides"]), f"{len(s['values'])} of {s['of']}", f"{s['share']:.1%}") for s in found
        ]
        yield from table(("column", "sides", "values", "share"), rows)


def _task(task: Mapping[str, Any]) -> Iterator[str]:
    labels = ", ".join(f"{label} {count}" for label, count in task["labels"].items())
    cut = "" if task["examples"] == task["of"] else f", measured on {task['examples']} of them in whole documents"
    yield from ("", f"Task {task['name']}: {task['of']} examples{cut}; {labels}")
    yield from (f"  note: {note}" for note in task["notes"])
    if task["shortcuts"]:
        yield from _shortcuts(task["shortcuts"])
        yield from _gaps(task["gaps"])
        yield from _noise(task)


def _shortcuts(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for side, title in (("folds", "out of random folds"), ("test", "learnt from train, on test")):
        if found[0][side]:
            yield from ("", f"Shortcuts, {title}")
            header = ["baseline", "sees", *(name for measure in found[0][side] for name in (measure, "95 %"))]
            rows = [(s["name"], s["sees"], *(c for figure in s[side].values() for c in cells(figure))) for s in found]
            yield from table(header, rows)


def _gaps(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if found:
        yield from ("", "Gaps: macro-F1 of the text in folds by group, and how far that is below random folds")
        rows = [
            (
                g["column"],
                str(g["groups"]),
                str(g["folds"]),
                *cells(g["grouped"]),
                *cells(g["gap"]),
                shared(g["shared"]),
            )
            for g in found
        ]
        yield from table(("by", "groups", "folds", "macro_f1", "95 %", "gap", "95 %", "shared in random folds"), rows)


def _noise(task: Mapping[str, Any]) -> Iterator[str]:
    share, macro = task["noise_found"] / task["examples"], cells(task["shortcuts"][-1]["folds"]["macro_f1"])[0]
    doubted = (
        f"Doubted labels: {task['noise_found']} ({share:.1%}), by a baseline of macro-F1 {macro}; to be read again"
    )
    yield from ("", doubted)
    for c in task["noise"][:_TOLD]:
        likelier = f"likelier {c['likely']} ({c['likely_confidence']:.2f})"
        yield f"  {c['id']}: {c['given']} ({c['confidence']:.2f}), {likelier}"


def cells(estimate: Mapping[str, float | None]) -> tuple[str, str]:
    """Return a figure and its interval as text."""
    value, low, high = (estimate[key] for key in ("value", "low", "high"))
    shown = "–" if value is None else f"{value:.3f}"
    return shown, "–" if low is None or high is None else f"{low:.3f} – {high:.3f}"


def shared(span: Sequence[float]) -> str:
    """Return a range of shares as text."""
    return f"{span[0]:.0%} – {span[1]:.0%}"


def table(header: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Yield lines in columns: names to the left, numbers to the right."""
    widths = [max(len(row[k]) for row in (header, *rows)) for k in range(len(header))]
    for row in (header, *rows):
        padded = [
            cell.ljust(width) if name in _NAMES else cell.rjust(width)
            for cell, name, width in zip(row, header, widths, strict=True)
        ]
        yield ("  " + "  ".join(padded)).rstrip()
