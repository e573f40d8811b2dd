"""A language model's answers as a predictions file, checked against the requests, with model, date and prompt kept."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit.data import load as load_module
from stancekit.data import predictions as predictions_file
from stancekit.data.predictions import Predictions
from stancekit.errors import Problem, Problems, fail
from stancekit.files import parse_json, read_json, read_text, spare, write_json, write_lines
from stancekit.prompting.asking import ABOUT, ASKED
from stancekit.prompting.responses import Response
from stancekit.runs.answered import answered
from stancekit.runs.run import restore_task
from stancekit.schema import Answer, Layers, Prediction, Sentence, Span, Target
from stancekit.tasks import Task, nothing

EMPTY = "empty"
_ROW = {"id", "text", "sentence", "document", "index", "meta"}
_AGAIN = "ask again for this one, or count it as a label with --fallback (`empty` for lists)"


@dataclass(frozen=True, repr=False)
class Answers:
    """Checked answers in the order of the requests; `problems` are those of answers that the fallback replaced."""

    predictions: Predictions
    counts: Mapping[str, int]
    problems: tuple[Problem, ...]

    def __repr__(self) -> str:
        lines = [f"{len(self.predictions)} answers", *(f"  {what}: {count}" for what, count in self.counts.items())]
        return "\n".join(lines)


def answers(
    responses: str | Path,
    requests: str | Path,
    to: str | Path,
    *,
    model: str,
    date: str,
    fallback: str | None = None,
    records: str | Path | None = None,
) -> Answers:
    """Check a language model's answers and write them as predictions, with `NAME.meta.json` beside.

    `responses` has {id, answer} or {id, response} a line: the answer as JSON, or the text that holds it.
    `requests` is the folder that `prompt` wrote, or its `requests.jsonl`. Every request must be answered, once;
    all problems are raised at once, unless `fallback` names the label (for lists: `empty`) that an answer that is
    missing or cannot be read counts as. `records` also writes native sentences with the answers in the place of
    gold, as an annotator's.
    """
    folder = Path(requests) if Path(requests).is_dir() else Path(requests).parent
    written = to, predictions_file.about(Path(to)), records
    spare([responses, folder / ASKED, folder / ABOUT], *written)
    about, rows = _requests(folder)
    task = restore_task(about["task"])
    _check_date(date)
    counts: Counter[str] = Counter()
    problems = Problems()
    found = _read(Path(responses), rows, task, about["sets"], counts, problems)
    if fallback is None:
        problems.raise_any()
    else:
        counts["answers that could not be read, replaced"] = len(rows) - len(found)
        found = {name: _fallback(task, fallback, row["text"]) for name, row in rows.items()} | found
    predictions = Predictions(
        [Prediction(id=i, answer=found[i]) for i in rows], {i: r["text"] for i, r in rows.items()}
    )
    write_lines(Path(to), map(predictions_file.dump, predictions))
    meta = {"model": model, "date": date, "prompt": about["prompt"], "codebook": about["codebook"]}
    write_json(predictions_file.about(Path(to)), meta | {"task": task.name, "counts": dict(+counts)})
    if records is not None:
        load_module.save(_sentences(task, rows, found), records, codebook=about["codebook"])
    return Answers(predictions, dict(+counts), tuple(problems))


def _requests(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `prompt` noted of its requests, and the requests by id."""
    about, asked = read_json(folder / ABOUT), folder / ASKED
    rows = [parse_json(line, asked, number) for number, line in _lines(asked)]
    whole = isinstance(about, dict) and about.keys() >= {"task", "prompt", "codebook", "sets", "requests"}
    if not whole or len(rows) != about["requests"] or not all(isinstance(r, dict) and r.keys() >= _ROW for r in rows):
        raise fail(folder, "the requests are not as `prompt` wrote them", "write them again with the same settings")
    return about, {row["id"]: row for row in rows}


def _check_date(date: str) -> None:
    try:
        datetime.date.fromisoformat(date)
    except ValueError as error:
        raise fail("date", f"{date!r} is no date", "write it as 2031-04-12") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line


def _read(
    path: Path,
    rows: Mapping[str, Any],
    task: Task,
    sets: Mapping[str, Sequence[str]],
    counts: Counter[str],
    problems: Problems,
) -> dict[str, Answer]:
    """Return the answers that can be read, noting the problems of the others."""
    known = {name: tuple(labels) for name, labels in sets.items()}
    found: dict[str, Answer] = {}
    seen: dict[str, str] = {}
    for number, line in _lines(path):
        where = f"{path}:{number}"
        with problems.catching(where):
            raw = parse_json(line, path, number)
            name = str(raw.get("id")) if isinstance(raw, dict) else ""
            if name not in rows:
                raise fail(where, f"there is no request {name!r}", "answer exactly the requests")
            if seen.setdefault(name, where) != where:
                raise fail(where, f"{name!r} is answered twice, first at {seen[name]}", "keep one of the two")
            found[name] = Response(task, known, rows[name]["text"], where, counts).read(raw)
    for name in rows.keys() - seen.keys():
        problems.add(path, f"the request {name!r} is not answered", _AGAIN)
    return found


def _fallback(task: Task, name: str, text: str) -> Answer:
    if task.kind in ("single", "targeted"):
        if name in task.labels:
            return name
        raise fail("fallback", f"{name!r} is no label of {task.name}", "one of: " + ", ".join(task.labels))
    if name != EMPTY:
        raise fail("fallback", f"{name!r} is no answer to {task.name}", f"its answers are lists: give {EMPTY!r}")
    if task.kind == "layers":
        return Layers(text=text, attributions=(), devices=())
    return nothing(task.kind)


def _sentences(task: Task, rows: Mapping[str, Any], found: Mapping[str, Answer]) -> Iterable[Sentence]:
    """Yield the sentences of the requests with the answers in the place of gold."""
    groups: dict[str, list[str]] = {}
    for name, row in rows.items():
        groups.setdefault(row["sentence"], []).append(name)
    for sentence_id, names in groups.items():
        row = rows[names[0]]
        bare = Sentence(
            id=sentence_id, text=row["text"], document=row["document"], index=row["index"], meta=row["meta"]
        )
        targets = [_target(rows[name].get("target")) for name in names]
        yield answered(bare, task, [found[name] for name in names], targets)


def _target(raw: Mapping[str, Any] | None) -> Target | None:
    return Target(raw["name"], Span(*raw["span"]) if raw["span"] else None) if raw else None
