"""What an experiment works on: the data it names, split and cut into examples of its task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stancekit import components, scoring, tasks
from stancekit.codebook import Codebook
from stancekit.config import Experiment, TaskConfig
from stancekit.config_data import AlsoConfig, DataConfig
from stancekit.data import also as also_module
from stancekit.data import load as load_module
from stancekit.data import split as split_module
from stancekit.data.dataset import Dataset
from stancekit.data.split import PARTS, Split
from stancekit.errors import Problems, StancekitError, fail
from stancekit.files import dump_json, sha256
from stancekit.resources import bundled
from stancekit.runs import headline
from stancekit.tasks import Part, Task


@dataclass(frozen=True)
class Material:
    """The data of an experiment, its split, and the labelled examples of each part.

    `absent` holds the content hashes, by id, of further data sets that were not read.
    """

    dataset: Dataset
    task: Task
    split: Split
    parts: Mapping[str, Part]
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """The data hash: over all data sets, also those that were not read."""
        if not self.absent:
            return self.dataset.hash
        return sha256(dump_json([*self.dataset.hashes.items(), *self.absent.items()]).encode())


def gather(
    experiment: Experiment, frozen: Path | None = None, *, task: Task | None = None, parts: Sequence[str] = PARTS
) -> Material:
    """Load, split and cut the data of an experiment; every problem of every file is reported at once.

    With `frozen`, the split file of a run, its sides are kept, and rows that changed since are refused; its `task` can
    be given then. Further data sets (`data.also`) are not read where none of the asked `parts` has sentences of theirs.
    """
    in_dev = any(one.dev for one in experiment.data.also)
    further = frozen is None or "train" in parts or (in_dev and "dev" in parts)
    known = Split.read(frozen) if frozen is not None else None
    files, also = load_all(experiment.data, further=further)
    dev, also = _drawn(experiment, also, known)
    if task is None:
        task = build_task(experiment.task, *files.values(), *also)
        headline.of(task, experiment.evaluation.headline)
    _check_fits(experiment.model["name"], task)
    main, split = _split(experiment, files, task)
    absent: Mapping[str, str] = {}
    if known is None:
        dataset = also_module.joined(main, also, split, dev)
        split = also_module.placed(split, dataset, dev)
    else:
        split = known
        if not further:
            split, absent = also_module.apart(split, len(experiment.data.also))
        dataset = also_module.joined(main, also, split, dev)
        split_module.verify(split, dataset).raise_any()
    found = cut(task, dataset, split)
    return Material(dataset, task, split, {name: found[name] for name in parts}, absent)


def load_all(data: DataConfig, *, further: bool = True) -> tuple[dict[str, Dataset], list[Dataset]]:
    """Load the files of an experiment by key, and the further data sets; the problems of all are raised at once."""
    problems, files, also = Problems(), {}, []
    for name, path in data.files.items():
        with problems.catching():
            files[name] = load(data, path)
    for number, one in enumerate(data.also if further else (), start=1):
        with problems.catching(f"data.also.{number - 1}"):
            own = load(one.model_copy(update={"codebook": one.codebook or data.codebook}), one.path or "")
            named = replace(own, name=f"{one.format} {own.name}") if one.format else own
            also.append(also_module.numbered(named, number))
            for main in list(files.values())[:1]:
                problems.found.extend(also_module.clashes(also[-1], main.codebook))
    problems.raise_any()
    return files, also


def _split(experiment: Experiment, files: Mapping[str, Dataset], task: Task) -> tuple[Dataset, Split]:
    """Return the data set that is divided, without further ones, and its split."""
    plan = experiment.split
    stratify, lock = task if plan.stratify else None, _lock(plan.lock)
    if "path" in files:
        dataset = files["path"]
        return dataset, split_module.make_split(
            dataset, by=plan.by, test=plan.test, dev=plan.dev, stratify=stratify, seed=plan.seed, lock=lock
        )
    return split_module.from_parts(files, by=plan.by, dev=plan.dev, stratify=stratify, seed=plan.seed, lock=lock)


def _drawn(
    experiment: Experiment, also: Sequence[Dataset], known: Split | None
) -> tuple[frozenset[str], list[Dataset]]:
    """Return the ids of further data sets that go to dev, and the sets as far as they are drawn.

    A split that is `known` says both, whatever a file has gained since.
    """
    if known is not None:
        kept = [also_module.placed_by(known, one) for one in also]
        ids = {s.id for one in kept for s in one}
        return frozenset(i for i in known.parts["dev"] if i in ids), kept
    plan, problems, dev = experiment.split, Problems(), frozenset[str]()
    for number, (one, own) in enumerate(zip(also, experiment.data.also, strict=True)):
        with problems.catching(f"data.also.{number}"):
            dev |= also_module.for_dev(one, own.dev, plan.by, plan.seed)
    problems.raise_any()
    pairs = zip(also, experiment.data.also, strict=True)
    return dev, [also_module.drawn(one, own.share, dev, plan.seed) for one, own in pairs]


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


def load(data: DataConfig | AlsoConfig, path: str) -> Dataset:
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
        if task.inner:
            task = tasks.over([*(_with_labels(one, datasets) for one in task.inner), *_own_sets(task, datasets)])
    else:
        labels = plan.labels or codebook.names(plan.column or plan.name)
        task = tasks.own(plan.name, plan.kind, labels, plan.metrics or (), plan.column or "")
        _refuse_shadow(task, datasets)
    labels = tuple(plan.labels or task.labels)
    if not labels:
        labels = _observed(task, datasets)
    if not labels and not task.inner:
        raise fail(datasets[0].path, f"no sentence has an answer for the task {plan.name!r}", _columns(task, datasets))
    metrics = tuple(plan.metrics or task.metrics)
    built = replace(task, labels=labels, metrics=metrics)
    scoring.build_metrics(built)
    return built


def _refuse_shadow(task: Task, datasets: Sequence[Dataset]) -> None:
    """Refuse a task of a user's own where the data answers only the built-in one of its name."""
    if task.name not in components.names("task"):
        return
    sentences = [s for d in datasets for s in d]
    if any(task.view(s.gold) is not None for s in sentences):
        return
    built_in = tasks.built_in(task.name, datasets[0].codebook)
    if any(built_in.view(s.gold) is not None for s in sentences):
        what = f"it answers the built-in task {task.name!r}, and has no label column {task.needs[0]!r}"
        raise fail(datasets[0].path, what, f"write `task: {task.name}`, without a kind")


def _with_labels(task: Task, datasets: Sequence[Dataset]) -> Task:
    """Return a task with the labels of the data where its codebook has none."""
    return task if task.labels else replace(task, labels=_observed(task, datasets))


def _observed(task: Task, datasets: Sequence[Dataset]) -> tuple[str, ...]:
    return tasks.observed_labels(task, (s for d in datasets for s in d.sentences))


def _own_sets(task: Task, datasets: Sequence[Dataset]) -> Iterator[Task]:
    """Yield a task for every label set that some data set has under a name of its own: of targets, sentences or spans.

    Its labels are a codebook's where one has the set. Nothing of it is mapped to the stance layer.
    """
    kinds: dict[str, dict[str, Dataset]] = {}
    for dataset in datasets:
        for key, answer in (item for s in dataset.sentences for item in s.gold.labels.items() if item[1]):
            kind = next(kind for kind, fits in tasks.SHAPES.items() if fits(answer))
            kinds.setdefault(key, {}).setdefault(kind, dataset)
    for key, found in sorted(kinds.items()):
        first = next(iter(found.values()))
        if key in [one.name for one in task.inner]:
            what = f"the label set {key!r} has the name of a layer"
            raise fail(first.path, what, "give it another with a label_map: `rename_sets: {old: new}`")
        if len(found) > 1:
            what = f"the label set {key!r} is of kind " + " here, ".join(sorted(found)) + " there"
            raise fail(first.path, what, "give one of them another name with a label_map: `rename_sets: {old: new}`")
        labels = next(filter(None, (d.codebook.names(key) for d in datasets)), ())
        yield _with_labels(tasks.own(key, next(iter(found)), labels), datasets)


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
