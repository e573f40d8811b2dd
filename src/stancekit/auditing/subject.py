"""What is audited: a data set with the tasks it is labelled for, and a split where an experiment makes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from stancekit import components, config, tasks
from stancekit.config import TaskConfig
from stancekit.data import load as load_module
from stancekit.data.dataset import Dataset
from stancekit.data.parts import PARTS, Split
from stancekit.errors import did_you_mean, fail
from stancekit.runs.material import build_task, gather
from stancekit.schema import Layers, Sentence, Span, Stance
from stancekit.tasks import Part, Task

LABELLED = ("single", "multi", "targeted")
"""The kinds of task whose answers are labels; the baselines of an audit need one."""
_STANDS_FOR = {"devices": "frames", "layers": "frames", "relations": "voice"}


@dataclass(frozen=True)
class Subject:
    """Sentences, the tasks over them, and the sides of a split (`train` alone, under the name `data`, without one).

    `passed_over` says of the other labels of the data why nothing can be learnt from them.
    """

    source: str
    dataset: Dataset
    tasks: tuple[Task, ...]
    split: Split | None = None
    passed_over: Mapping[str, str] = field(default_factory=dict)

    @property
    def sides(self) -> dict[str, tuple[Sentence, ...]]:
        """The sentences of each part that has some, or all of them under `data`."""
        if self.split is None:
            return {"data": self.dataset.sentences}
        return {part: self.split.of(self.dataset, part) for part in PARTS if self.split.parts[part]}

    def part(self, task: Task, *names: str) -> Part:
        """Return the labelled examples of some parts; without a split, all belong to train."""
        if self.split is None:
            return tasks.part(task, self.dataset.sentences if "train" in names else ())
        wanted = [self.split.of(self.dataset, name) for name in names]
        return tasks.part(task, [sentence for sentences in wanted for sentence in sentences])


def subject(
    source: str | Path,
    overrides: Sequence[str] = (),
    *,
    task: str | None = None,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Subject:
    """Return what a data file, a bundled data set or an experiment holds to audit.

    Without `task`, data is audited for every task it is labelled for, an experiment for its own. Spans are
    audited as the set of their labels, relations as the voice they give.
    """
    path = Path(source)
    if path.suffix not in (".yaml", ".yml") and load_module.exists(source):
        if overrides:
            raise fail(source, f"{overrides[0]!r} overrides an experiment, and this is data", "leave it out")
        dataset = load_module.load(source, format=format, options=options or {})
        found = [_task(task, dataset)] if task else _labelled_for(dataset)
        passed_over = {} if task else {one.name: why for one in found if (why := _useless(one, dataset))}
        chosen = tuple(one for one in found if one.name not in passed_over)
        return Subject(str(source), dataset, chosen, passed_over=passed_over)
    if path.suffix not in ("", ".yaml", ".yml"):
        raise fail(source, "there is no such file", "give a data file, a bundled data set, or an experiment")
    material = gather(config.load(source, overrides))
    one = _task(task, material.dataset) if task else _as_labels(material.task, material.dataset)
    return Subject(str(source), material.dataset, (one,), material.split)


def _labelled_for(dataset: Dataset) -> list[Task]:
    """Return the tasks that some sentence is labelled for."""
    named = {"voice": "attributions", "frames": "devices", "stance": "stances"}
    found = [name for name, layer in named.items() if any(getattr(s.gold, layer) is not None for s in dataset)]
    found += sorted({name for s in dataset for name in s.gold.labels})
    return [_task(name, dataset) for name in found]


def _useless(task: Task, dataset: Dataset) -> str:
    """Say why nothing can be learnt from a task's labels; empty where something can."""
    answers = [answer for s in dataset if (answer := _plain(task, s)) is not None]
    if len(set(answers)) < 2:
        return same_answer(len(answers))
    if len(task.labels) > len(dataset) / 2:
        return f"{len(task.labels)} labels for {len(dataset)} sentences: too few of each to learn from"
    return ""


def same_answer(examples: int) -> str:
    """Say that there is one answer only."""
    return f"all of its {examples} examples have the same answer: there is nothing to learn from"


def _task(name: str, dataset: Dataset) -> Task:
    """Return the labelled task of a name: a built-in one, or a label column of the data."""
    own = sorted({key for s in dataset for key in s.gold.labels})
    if name in own:
        answers = [s.gold.labels[name] for s in dataset if name in s.gold.labels]
        kind = next((_kind(answer) for answer in answers if answer), "multi")
        return _as_labels(build_task(TaskConfig(name=name, kind=kind), dataset), dataset)
    known = [*components.names("task"), *own]
    if name not in known:
        raise fail("task", f"the data has no task {name!r}", did_you_mean(name, known))
    return _as_labels(build_task(TaskConfig(name=name), dataset), dataset)


def _kind(answer: object) -> str:
    if isinstance(answer, str):
        return "single"
    if isinstance(answer, tuple) and isinstance(answer[0], Span):
        return "spans"
    return "targeted" if isinstance(answer, tuple) else "multi"


def _as_labels(task: Task, dataset: Dataset) -> Task:
    """Return the task itself where its answers are labels, else one with labels that are derived from them."""
    if task.kind in LABELLED:
        return task
    if task.kind in _STANDS_FOR:
        return build_task(TaskConfig(name=_STANDS_FOR[task.kind]), dataset)

    def view(layers: Layers) -> frozenset[str] | None:
        answer = task.view(layers)
        return None if answer is None else frozenset(tasks.labels_in(answer))

    return replace(task, kind="multi", metrics=("f1",), view=view)


def _plain(task: Task, sentence: Sentence) -> object:
    """Return a sentence's answer without offsets, so that those of two copies can be compared; None where absent."""
    answer = task.view(sentence.gold)
    if isinstance(answer, tuple):
        return frozenset((s.target.name, s.label) for s in answer if isinstance(s, Stance))
    return answer


def differing(all_tasks: Sequence[Task], sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """Return the names of the tasks for which some sentences, copies of one another, have different answers."""
    return tuple(t.name for t in all_tasks if len({_plain(t, s) for s in sentences} - {None}) > 1)


def cut(part: Part, most: int, seed: int) -> Part:
    """Return at most about `most` examples of whole documents, drawn at random, in the order of the data."""
    documents = [e.sentence.document or e.sentence.id for e in part.examples]
    if len(part) <= most:
        return part
    names = sorted(set(documents))
    sizes = dict.fromkeys(names, 0)
    for name in documents:
        sizes[name] += 1
    order = [names[k] for k in np.random.default_rng(seed).permutation(len(names))]
    room = np.cumsum([sizes[name] for name in order]) <= most
    kept = {name for name, fits in zip(order, room, strict=True) if fits} or {order[0]}
    return take(part, [k for k, name in enumerate(documents) if name in kept])


def take(part: Part, rows: Sequence[int]) -> Part:
    """Return some examples of a part."""
    return Part(part.task, tuple(part.examples[k] for k in rows), tuple(part.gold[k] for k in rows))
