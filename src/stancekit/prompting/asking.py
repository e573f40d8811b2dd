"""Requests for a language model: the codebook as instructions, an answer schema, worked examples, the sentences."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit import codebook as codebooks
from stancekit import evaluation
from stancekit import tasks as tasks_module
from stancekit.codebook import Codebook
from stancekit.data import load as load_module
from stancekit.errors import fail
from stancekit.files import sha256, spare, write_json, write_lines, write_text
from stancekit.prompting.schemas import schema_of
from stancekit.prompting.wording import instructions, shown
from stancekit.runs.run import describe_task
from stancekit.runs.run import load as load_run
from stancekit.schema import Answer, Example
from stancekit.tasks import Part, Task

ASKED, ABOUT = "requests.jsonl", "prompt.json"
"""The files of the requests, and of what they are about: `answers` reads both."""

SETS = ("source_type", "cue_stance")
"""The codebook's sets that attributes of relations are checked against."""


@dataclass(frozen=True)
class Requests:
    """The requests written: how many, the prompt's hash, and the files."""

    count: int
    prompt: str
    files: tuple[Path, ...]


def prompt(
    data: str | Path,
    to: str | Path,
    *,
    task: str | None = None,
    part: str = "test",
    examples: int = 0,
    examples_from: str | Path | None = None,
    codebook: str | Path | None = None,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 13,
) -> Requests:
    """Write requests for a language model: one a sentence (and target), with codebook, answer schema and examples.

    `data` is a run, whose held-out part is then asked for and whose train part gives the `examples`, so that the
    answers can be compared with the run's; or a data set with a `task`, and `examples_from` another one. Of
    labelled data the labelled sentences are asked for. Into the folder `to` go `instructions.md`,
    `schema.json`, `requests.jsonl` ({id, prompt, …} a line) and `prompt.json` (task, codebook, prompt hash).
    """
    of_run = (Path(data) / "manifest.json").exists()
    files = tuple(Path(to) / name for name in ("instructions.md", "schema.json", ASKED, ABOUT))
    spare([None if of_run else data, examples_from, codebook], *files)
    plan = _of_run(Path(data), part) if of_run else None
    plan = plan or _of_data(data, task, examples_from, codebook, format, options or {})
    worked = _choose(plan, examples, seed)
    schema = schema_of(plan.task, plan.codebook)
    before = instructions(plan.task, plan.codebook, schema, worked)
    digest = sha256(before.encode())[:16]
    about: dict[str, Any] = {
        "task": describe_task(plan.task),
        "codebook": plan.codebook.stamp,
        "prompt": digest,
        "data": plan.name,
    }
    about |= {"sets": {name: plan.codebook.names(name) for name in SETS}, "requests": len(plan.examples)}
    write_text(files[0], before)
    write_json(files[1], schema)
    write_lines(files[2], (_request(example, before) for example in plan.examples))
    write_json(files[3], about | {"examples": [example.id for example, _ in worked]})
    return Requests(len(plan.examples), digest, files)


@dataclass(frozen=True)
class _Plan:
    """What is asked: the examples of a task, and the labelled ones of other data that may be shown."""

    name: str
    task: Task
    codebook: Codebook
    examples: tuple[Example, ...]
    shown: Part


def _of_run(path: Path, part: str) -> _Plan:
    run = load_run(path)
    asked, _ = evaluation.part_of(run, part)
    given = run.experiment.data.codebook
    codebook = codebooks.load(Path(given)) if given else codebooks.default()
    return _Plan(f"{path} ({part})", run.task, codebook, asked.examples, evaluation.part_of(run, "train")[0])


def _of_data(
    data: str | Path,
    task: str | None,
    examples_from: str | Path | None,
    codebook: str | Path | None,
    format: str | None,
    options: Mapping[str, Any],
) -> _Plan:
    if task is None:
        raise fail(data, "a data set needs a task", "give --task NAME, or a run")
    dataset = load_module.load(data, format=format, options=options, codebook=codebook)
    other = load_module.load(examples_from, codebook=codebook) if examples_from is not None else None
    built = evaluation.task_of(task, other or dataset)
    asked = tasks_module.part(built, dataset.sentences).examples
    if not asked and built.kind != "targeted":
        asked = tuple(Example(id=s.id, sentence=s) for s in dataset)
    if not asked:
        raise fail(data, f"no sentence has a target for {task}", "give the targets as stances with any label")
    return _Plan(dataset.name, built, dataset.codebook, asked, tasks_module.part(built, other or ()))


def _choose(plan: _Plan, count: int, seed: int) -> list[tuple[Example, Answer]]:
    """Return labelled examples to show, every label before any a second time; none is asked for."""
    asked = {e.sentence.text for e in plan.examples}
    pairs = [(e, a) for e, a in zip(plan.shown.examples, plan.shown.gold, strict=True) if e.sentence.text not in asked]
    if count > len(pairs):
        hint = "give labelled sentences that are not asked for (--examples-from FILE), or fewer examples"
        raise fail("examples", f"{count} examples are asked, {len(pairs)} are there", hint)
    random.Random(seed).shuffle(pairs)
    chosen: list[tuple[Example, Answer]] = []
    seen: Counter[str] = Counter()
    while len(chosen) < count:
        best = min(pairs, key=lambda pair: _commonest(pair[1], seen))
        pairs.remove(best)
        chosen.append(best)
        seen.update(set(tasks_module.labels_in(best[1])) or {""})
    return chosen


def _commonest(answer: Answer, seen: Counter[str]) -> int:
    return max(seen[label] for label in set(tasks_module.labels_in(answer)) or {""})


def _request(example: Example, before: str) -> dict[str, Any]:
    sentence = example.sentence
    row: dict[str, Any] = {"id": example.id, "prompt": before + shown(example) + "\n", "text": sentence.text}
    row |= {
        "sentence": sentence.id,
        "document": sentence.document,
        "index": sentence.index,
        "meta": dict(sentence.meta),
    }
    if example.target is not None:
        span = example.target.span
        row["target"] = {"name": example.target.name, "span": [span.start, span.end] if span else None}
    return row
