"""What an experiment works on: the data it names, split and cut into examples of its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stancekit import components, headline, scoring, tasks
from stancekit.codebook import Codebook
from stancekit.config import DataConfig, Experiment, TaskConfig
from stancekit.data import load as load_module
from stancekit.data import split as split_module
from stancekit.data.dataset import Dataset
from stancekit.data.split import Split
from stancekit.errors import Problems, StancekitError, fail
from stancekit.resources import bundled
from stancekit.tasks import Part, Task


@dataclass(frozen=True)
class Material:
    """The data of an experiment, its split, and the labelled examples of each part."""

    dataset: Dataset
    task: Task
    split: Split
    parts: Mapping[str, Part]


def gather(experiment: Experiment, frozen: Path | None = None) -> Material:
    """Load, split and cut the data of an experiment; every problem of every file is reported at once.

    With `frozen`, the split file of a run, its sides are kept, and rows that changed since are refused.
    """
    data = experiment.data
    split_plan = experiment.split
    if data.path is not None:
        dataset = load(data, data.path)
        task = build_task(experiment.task, dataset)
        split = split_module.make_split(
            dataset,
            by=split_plan.by,
            test=split_plan.test,
            dev=split_plan.dev,
            stratify=task if split_plan.stratify else None,
            seed=split_plan.seed,
            lock=_lock(split_plan.lock),
        )
    else:
        problems, files = Problems(), {}
        for name in ("train", "dev", "test"):
            path = getattr(data, name)
            if path is not None:
                with problems.catching():
                    files[name] = load(data, path)
        problems.raise_any()
        task = build_task(experiment.task, *files.values())
        dataset, split = split_module.from_parts(
            files,
            by=split_plan.by,
            dev=split_plan.dev,
            stratify=task if split_plan.stratify else None,
            seed=split_plan.seed,
            lock=_lock(split_plan.lock),
        )
    _check_fits(experiment.model["name"], task)
    headline.of(task, experiment.evaluation.headline)
    if frozen is not None:
        split = Split.read(frozen)
        split_module.verify(split, dataset).raise_any()
    return Material(dataset, task, split, cut(task, dataset, split))


def _check_fits(model: str, task: Task) -> None:
    """Refuse a model that is not made for the task's kind of answer."""
    kinds = getattr(components.find("model", model), "kinds", None)
    if kinds is not None and task.kind not in kinds:
        fitting = [n for n in components.names("model") if task.kind in components.find("model", n).kinds]
        what = f"the model {model!r} does not fit {task.name}, a task of kind {task.kind!r}"
        raise fail("model", what, "models that do: " + ", ".join(fitting))


def _lock(name: str | None) -> Path | None:
    """Return the path of a lock file; the bundled one may be named as in the repository from anywhere."""
    if name is None or Path(name).exists():
        return Path(name) if name else None
    try:
        return bundled(name)
    except StancekitError:
        return Path(name)


def load(data: DataConfig, path: str) -> Dataset:
    """Load one file or folder of an experiment's data."""
    return load_module.load(
        path,
        format=data.format,
        options=data.options,
        codebook=data.codebook,
        label_map=data.label_map,
        on_error=data.on_error,
    )


def build_task(plan: TaskConfig, *datasets: Dataset) -> Task:
    """Return the task of an experiment with its labels: declared, the codebook's, or those of the data."""
    codebook: Codebook = datasets[0].codebook
    if plan.kind is None:
        task = tasks.built_in(plan.name, codebook)
    else:
        labels = plan.labels or codebook.names(plan.column or plan.name)
        task = tasks.own(plan.name, plan.kind, labels, plan.metrics or (), plan.column or "")
    labels = tuple(plan.labels or task.labels)
    if not labels:
        labels = tasks.observed_labels(task, (s for d in datasets for s in d.sentences))
    if not labels:
        raise fail(datasets[0].path, f"no sentence has an answer for the task {plan.name!r}", _columns(task, datasets))
    metrics = tuple(plan.metrics or task.metrics)
    built = replace(task, labels=labels, metrics=metrics)
    scoring.build_metrics(built)
    return built


def _columns(task: Task, datasets: tuple[Dataset, ...]) -> str:
    have = sorted({name for d in datasets for s in d.sentences for name in s.gold.labels})
    layers = {
        k for d in datasets for s in d.sentences for k in ("attributions", "devices", "stances") if getattr(s.gold, k)
    }
    return f"it needs {', '.join(task.needs)}; the data has " + (", ".join(have + sorted(layers)) or "no labels at all")


def cut(task: Task, dataset: Dataset, split: Split) -> dict[str, Part]:
    """Return the labelled examples of each part of a split, in the order of the data."""
    side = {id_: name for name, ids in split.parts.items() for id_ in ids}
    sentences: dict[str, list[object]] = {name: [] for name in split.parts}
    for sentence in dataset.sentences:
        if sentence.id in side:
            sentences[side[sentence.id]].append(sentence)
    return {name: tasks.part(task, members) for name, members in sentences.items()}  # type: ignore[arg-type]
