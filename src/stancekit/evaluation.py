"""Scoring a run on a part, or any tool's predictions file against gold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stancekit import __version__, ceiling, components, scoring
from stancekit import tasks as tasks_module
from stancekit.config import EvaluationConfig, TaskConfig, amended
from stancekit.data import columns
from stancekit.data import predictions as predictions_file
from stancekit.data.dataset import Dataset
from stancekit.data.parts import PARTS
from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import dump_json, read_json, sha256
from stancekit.models.base import Model
from stancekit.profile import SIDES
from stancekit.runs import otherdata, runfolder
from stancekit.runs.material import build_task, gather
from stancekit.runs.run import Run
from stancekit.schema import Example, Prediction
from stancekit.scoring import Scores
from stancekit.tasks import Part, Task

Progress = Callable[[str, int, int], None]
_BATCH = 512
LEARNT = "learnt"
"""The slice that tells what of a sentence a run has learnt from: its `text`, its `document` or neither (`no`)."""


@dataclass(frozen=True)
class Evaluated:
    """The outcome of one evaluation: gold, predictions and scores, all that a report draws."""

    part_name: str
    part: Part
    predictions: tuple[Prediction, ...]
    scores: Scores


def _new_in(plan: EvaluationConfig, known: EvaluationConfig) -> EvaluationConfig:
    """Return a plan without the experiment's columns: training checked them; a note tells where a part lacks one."""
    new = {name: [c for c in getattr(plan, name) if c not in getattr(known, name)] for name in ("groups", "slices")}
    return plan.model_copy(update=new)


def part_of(run: Run, name: str) -> tuple[Part, str]:
    """Return a part of the run's data with the data hash, refusing changed rows.

    Data sets that were for train alone need not be there to evaluate on dev or test.
    """
    if name not in PARTS:
        raise fail(run.path, f"there is no part {name!r}", did_you_mean(name, PARTS))
    otherdata.expect_here(run)
    runfolder.verify(run.path, run.manifest, "split.json")
    material = gather(run.experiment, frozen=run.path / "split.json", task=run.task, parts=[name])
    return material.parts[name], material.hash


def check_plan(plan: EvaluationConfig, task: str, examples: Sequence[Example]) -> Problems:
    """Return what is wrong with a plan: columns that no example has, a ceiling that is not there or of no such task.

    An experiment's is checked before it is trained, so that nobody learns of it hours later.
    """
    problems = columns.check("groups", plan.groups, examples)
    problems.found.extend(columns.check("slices", plan.slices, examples, [LEARNT]))
    if plan.ceiling is not None:
        with problems.catching("ceiling"):
            ceiling.read(plan.ceiling, task)
    return problems


def predict_all(model: Model, part: Part, progress: Progress, least: int = _BATCH) -> tuple[Prediction, ...]:
    """Predict in batches of whole documents, telling how far it is; the answers come in the order of the part."""
    found: list[Prediction] = []
    for batch in _batches(part.examples, least):
        found += model.predict(batch)
        progress("predicting", len(found), len(part))
    place = {example.id: number for number, example in enumerate(part.examples)}
    return tuple(sorted(found, key=lambda p: place.get(p.id, len(place))))


def _batches(examples: Sequence[Example], least: int) -> Iterator[list[Example]]:
    """Yield whole documents, at least so many examples at a time, so that no document is cut.

    A model may look at the sentences around a sentence: its answers must not hang on where a batch ends.
    """
    documents: dict[str | tuple[str], list[Example]] = {}
    for example in examples:
        alone = (example.sentence.id,)  # no document: a sentence without neighbours
        documents.setdefault(example.sentence.document or alone, []).append(example)
    batch: list[Example] = []
    for members in documents.values():
        batch += members
        if len(batch) >= least:
            yield batch
            batch = []
    if batch:
        yield batch


def evaluate_run(
    run: Run,
    name: str,
    other: Dataset | None,
    overrides: Mapping[str, Any],
    progress: Progress,
) -> tuple[Evaluated, dict[str, bytes]]:
    """Predict and score a part, or all of another data set, under a name; return the outcome and files for the run."""
    if other is None:
        part, data_hash = part_of(run, name)
    else:
        part, data_hash = tasks_module.part(run.task, other.sentences), other.hash
    if not len(part):
        raise fail(
            run.path, f"the part {name!r} has no examples for {run.task.name}", "give other data, or another split"
        )
    plan = amended(run.experiment.evaluation, overrides)
    check_plan(_new_in(plan, run.experiment.evaluation), run.task.name, part.examples).raise_any()
    predictions = predict_all(run.model, part, progress)
    signature = {"task": run.task.name, "split": name, "data": data_hash[:8], "train_seed": run.manifest["seed"]}
    notes: tuple[str, ...] = ()
    if other is not None or name not in SIDES:
        part, notes = exposed(run, part)
        slices = [*plan.slices, *([LEARNT] if notes else [])]
        plan = plan.model_copy(update={"slices": list(dict.fromkeys(slices))})
    evaluated = score_part(name, part, predictions, plan, signature, progress)
    evaluated = replace(evaluated, scores=replace(evaluated.scores, notes=(*notes, *evaluated.scores.notes)))
    lines = "".join(f"{dump_json(predictions_file.dump(p))}\n" for p in predictions)
    contents = {
        f"predictions.{name}.jsonl": lines.encode(),
        f"scores.{name}.json": (dump_json(evaluated.scores.to_json(), indent=1) + "\n").encode(),
    }
    return evaluated, contents


def exposed(run: Run, part: Part) -> tuple[Part, tuple[str, ...]]:
    """Return a part with what the run has learnt of each sentence as metadata, and a note on it.

    The part stays as it is, without a note, where the run has learnt from none of its texts or documents.
    """
    known = [run.profile.learnt(example.sentence) for example in part.examples]
    texts, documents = known.count("text"), known.count("document")
    if not texts + documents:
        return part, ()
    marked = [
        replace(example, sentence=replace(example.sentence, meta={**example.sentence.meta, LEARNT: how}))
        for example, how in zip(part.examples, known, strict=True)
    ]
    note = (
        f"of {len(part):,} examples the run has learnt from {texts:,} by their text and from {documents:,} others by a "
        f"document of that name (its train or dev): the slice `{LEARNT}` tells them apart"
    )
    return replace(part, examples=tuple(marked)), (note,)


def score_part(
    name: str,
    part: Part,
    predictions: Sequence[Prediction],
    plan: EvaluationConfig,
    signature: Mapping[str, Any],
    progress: Progress,
) -> Evaluated:
    """Score predictions with intervals and slices."""
    progress("scoring", 0, 1)
    scores = scoring.score(
        part,
        predictions,
        groups_by=plan.groups,
        slices=plan.slices,
        resamples=plan.resamples,
        seed=plan.seed,
        signature={**signature, "stancekit": __version__},
    )
    if plan.ceiling is not None:
        top = ceiling.read(plan.ceiling, part.task.name)
        scores = replace(scores, ceiling=tuple(row for row in top.rows if not row.slice))
    progress("scoring", 1, 1)
    return Evaluated(name, part, tuple(predictions), scores)


def evaluate_file(predictions: Path, gold: Dataset, task: str, plan: EvaluationConfig, progress: Progress) -> Evaluated:
    """Score a predictions file of any tool against gold."""
    built = task_of(task, gold)
    part = tasks_module.part(built, gold.sentences)
    check_plan(plan, task, part.examples).raise_any()
    read = read_predictions(predictions, part)
    signature = {"task": task, "split": gold.name, "data": gold.hash[:8]}
    signature |= {"predictions": sha256(predictions.read_bytes())[:8], **predictions_file.provenance(predictions)}
    return score_part(gold.name, part, read, plan, signature, progress)


def read_predictions(path: Path, part: Part) -> tuple[Prediction, ...]:
    """Read a predictions file of any tool over the examples of a part."""
    texts = {e.id: e.sentence.text for e in part.examples}
    return tuple(predictions_file.read(path, part.task.kind, texts))


def task_of(name: str, dataset: Dataset) -> Task:
    """Return a task by its name: built in, or the user's own over the answers of that name in the data."""
    built_in = name in components.names("task")
    return build_task(TaskConfig(name=name) if built_in else _own_task(name, dataset), dataset)


def _own_task(name: str, gold: Dataset) -> TaskConfig:
    """Guess the kind of a task of the user's own from its gold answers."""
    answers = [s.gold.labels[name] for s in gold.sentences if name in s.gold.labels]
    if not answers:
        known = {key for s in gold.sentences for key in s.gold.labels} | set(components.names("task"))
        raise fail(gold.path, f"there is no task {name!r} in the gold data", did_you_mean(name, known))
    first = next((a for a in answers if a), answers[0])
    if isinstance(first, str):
        return TaskConfig(name=name, kind="single")
    if isinstance(first, frozenset):
        return TaskConfig(name=name, kind="multi")
    targeted = isinstance(first, tuple) and first and hasattr(first[0], "target")
    return TaskConfig(name=name, kind="targeted" if targeted else "spans")


def stored(run: Run, name: str) -> Evaluated:
    """Read back what an earlier evaluation left in the run, without the model."""
    part, _ = part_of(run, name)
    texts = {e.id: e.sentence.text for e in part.examples}
    predictions = run.predictions(name, texts)
    runfolder.verify(run.path, run.manifest, f"scores.{name}.json")
    scores = Scores.from_json(read_json(run.path / f"scores.{name}.json"))
    return Evaluated(name, part, tuple(predictions), scores)
