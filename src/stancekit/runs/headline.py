"""The headline: the one figure of a task by which checkpoints are chosen on dev, and which a run notes of itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from stancekit import components, scoring
from stancekit.errors import StancekitError, did_you_mean, fail
from stancekit.metrics.base import Metric
from stancekit.schema import Prediction
from stancekit.tasks import Part, Task

DEFAULTS: dict[str, str] = {
    "single": "macro_f1",
    "multi": "macro_f1",
    "targeted": "macro_f1",
    "spans": "span_overlap_f1",
    "devices": "span_overlap_f1",
    "relations": "linked_overlap_f1",
    "layers": "holder_f1",
}
"""By kind of task, the figure that is meant where an experiment names none."""
OVER_LAYERS = "layers_mean"
"""That of a task over several layers of which gold may lack some: holders may not be told in it."""


@dataclass(frozen=True)
class Headline:
    """One row of a metric: its `name` as reports print it, and its place among the metric's rows."""

    name: str
    metric: Metric
    row: int

    def of(self, part: Part, predictions: Sequence[Prediction]) -> float | None:
        """Return the figure over a part, between 0 and 1; None where it is not defined."""
        answers = [p.answer for p in scoring.join(part, predictions)]
        counts = scoring.count(self.metric, part, answers).sum(axis=0)
        value = float(self.metric.score(counts)[self.row])
        return None if math.isnan(value) else value

    def judge(self, part: Part, predictions: Sequence[Prediction]) -> float:
        """Return the figure to choose a checkpoint by, higher is better; one that is not defined counts as 0."""
        return self.of(part, predictions) or 0.0


def of(task: Task, name: str | None = None) -> Headline:
    """Return a task's headline: the figure of this name, or that of its kind.

    Any figure over all labels will do, of the task's own metrics or of another one for its kind.
    """
    wanted = name or (OVER_LAYERS if task.inner else DEFAULTS[task.kind])
    found = {h.name: h for h in _figures(task)}
    if wanted not in found:
        what = f"{wanted!r} is no figure over all labels of the task {task.name}"
        raise fail("evaluation.headline", what, did_you_mean(wanted, found))
    return found[wanted]


def _figures(task: Task) -> Iterator[Headline]:
    """Yield the figures over all labels of every metric that fits, those of the task's own metrics last."""
    for name in (*components.names("metric"), *task.metrics):
        with suppress(StancekitError):  # it is for another kind, or for labels that the task does not have
            (metric,) = scoring.build_metrics(replace(task, metrics=(name,))).values()
            for row, (figure, label) in enumerate(metric.rows):
                if not label:
                    yield Headline(figure, metric, row)
