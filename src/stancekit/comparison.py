"""Comparing runs with the first of them, paired by example; a run of a richer task is seen as the first one's task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stancekit import evaluation, scoring
from stancekit.errors import fail
from stancekit.evaluation import Evaluated
from stancekit.runs import headline, viewed
from stancekit.runs.headline import Headline
from stancekit.runs.run import Run
from stancekit.runs.run import load as load_run
from stancekit.schema import Prediction
from stancekit.scoring import Score, Scores
from stancekit.stats.resample import bootstrap, paired
from stancekit.tasks import Part


@dataclass(frozen=True)
class Rival:
    """One that is compared: a run, or a predictions file of any tool, which has no model and no task of its own.

    `dev` is what the run noted of itself on dev: task, metric, value and number of examples.
    """

    path: str
    name: str
    predictions: tuple[Prediction, ...] = field(repr=False)
    model: str = ""
    task: str = ""
    dev: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A rival on one line: its headline figure with an interval, and the difference to that of the first."""

    name: str
    model: str
    task: str
    dev: Mapping[str, Any]
    value: Score
    difference: Score | None


@dataclass(frozen=True, repr=False)
class Comparison(Scores):
    """Every figure's difference to the first run, and a line for each run, the first included."""

    lines: tuple[Line, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON."""
        return super().to_json() | {"lines": [asdict(line) for line in self.lines]}


def compare(runs: Sequence[str | Path | Run], part: str, *, resamples: int, seed: int) -> Comparison:
    """Compare runs with the first on an evaluated part, over the groups and by the headline of the first."""
    first = runs[0] if isinstance(runs[0], Run) else load_run(runs[0])
    reference = evaluation.stored(first, part)
    rivals = [_rival(first, first, reference.predictions), *(_rival_of(run, first, reference) for run in runs[1:])]
    plan = first.experiment.evaluation
    drawn: dict[str, Any] = {"groups_by": plan.groups, "resamples": resamples, "seed": seed}
    return of(reference.part, rivals, headline.of(first.task, plan.headline), **drawn)


def of(part: Part, rivals: Sequence[Rival], own: Headline, **drawn: Any) -> Comparison:
    """Compare rivals over the examples of a part; `drawn` is how `scoring.compare` resamples."""
    answers = {rival.path: rival.predictions for rival in rivals}
    if len(answers) < len(rivals):
        raise fail("compare", "a run is named twice", "name each once")
    found = scoring.compare(part, answers, **drawn)
    return Comparison(found.rows, found.signature, (), found.notes, lines=_lines(part, rivals, own, **drawn))


def _rival_of(other: str | Path | Run, first: Run, reference: Evaluated) -> Rival:
    """Return a run or predictions file over the examples of the first run."""
    if not isinstance(other, Run) and Path(other).is_file():
        return Rival(str(other), Path(other).stem, evaluation.read_predictions(Path(other), reference.part))
    run = other if isinstance(other, Run) else load_run(other)
    if run.path.resolve() == first.path.resolve():
        raise fail(run.path, "this is the run to compare with", "give another one")
    found = evaluation.stored(run, reference.part_name)
    part, predictions = found.part, found.predictions
    if run.task.name != first.task.name:
        part, answers = viewed.view(first.task, part, predictions)
        predictions = tuple(answers)
        if not len(part):
            what = f"its answers ({run.task.name}) do not say what {first.path} answers ({first.task.name})"
            raise fail(run.path, what, "compare runs of one task, or of one that the first one's follows from")
    if part.examples != reference.part.examples or part.gold != reference.part.gold:
        what = f"its {reference.part_name} part differs from that of {first.path}"
        raise fail(run.path, what, "compare runs of one split")
    return _rival(run, first, predictions)


def _rival(run: Run, first: Run, predictions: tuple[Prediction, ...]) -> Rival:
    """Return a run with its figure on dev: of the first run's task where it noted that, else of its own."""
    noted = run.manifest.get("dev", {})
    task = first.task.name if first.task.name in noted else run.task.name
    dev = {"task": task, **noted[task]} if task in noted else {}
    name, model = run.experiment.name, run.experiment.model["name"]
    return Rival(str(run.path), name, predictions, model, run.task.name, dev)


def _lines(
    part: Part, rivals: Sequence[Rival], own: Headline, *, groups_by: Sequence[str] = ("document",), **drawn: Any
) -> tuple[Line, ...]:
    """Return a line for each rival by one figure; values and differences rest on the same resamples."""
    groups, _ = scoring.groups_of(part.examples, groups_by)
    metric = own.metric
    answers = [[p.answer for p in scoring.join(part, rival.predictions)] for rival in rivals]
    counts = [scoring.count(metric, part, given) for given in answers]
    support = metric.support(counts[0].sum(axis=0))
    found: list[Line] = []
    for rival, its in zip(rivals, counts, strict=True):
        value = scoring.rows_of(metric, support, bootstrap(its, groups, metric.score, **drawn), "")[own.row]
        difference = None
        if found:
            between = paired(counts[0], its, groups, metric.score, **drawn)
            title = f"{rival.path} − {rivals[0].path}"
            difference = scoring.rows_of(metric, support, between, title)[own.row]
        found.append(Line(rival.name, rival.model, rival.task, rival.dev, value, difference))
    return tuple(found)
