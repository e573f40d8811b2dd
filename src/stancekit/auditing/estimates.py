"""Figures of predictions with their intervals: counts averaged over repeats, resampled over groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stancekit import scoring
from stancekit.metrics.base import Counts
from stancekit.schema import Prediction
from stancekit.stats.resample import Interval, bootstrap, paired
from stancekit.tasks import Part, Task

RESAMPLES = 1_000
Runs = Sequence[Sequence[Prediction]]
"""Predictions of the same examples, one sequence a repeat."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; None where it is not defined or cannot be had."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Measure:
    """One figure of a metric: its name, how examples are counted, and how counts make the figure."""

    name: str
    count: Callable[[Part, Sequence[Prediction]], Counts]
    score: Callable[[Counts], Counts]


def measures(task: Task) -> dict[str, Measure]:
    """Return macro-F1, and where the labels are stances, the mean of F1(favor) and F1(against)."""
    names = {"macro_f1": "f1"}
    if task.kind == "targeted" and {"favor", "against"} <= set(task.labels):
        names["f_avg"] = "f_avg"
    return {row: _measure(task, metric, row) for row, metric in names.items()}


def _measure(task: Task, name: str, row: str) -> Measure:
    metric = scoring.build_metrics(task, [name])[name]
    at = metric.rows.index((row, ""))
    return Measure(
        row,
        lambda part, run: scoring.count(metric, part, [p.answer for p in run]),
        lambda counts: metric.score(counts)[..., at : at + 1],
    )


def estimate(measure: Measure, part: Part, runs: Runs, groups: Sequence[str], seed: int) -> Estimate:
    """Return the figure of the mean counts of some repeats, with an interval over groups."""
    return _of(bootstrap(_mean(measure, part, runs), groups, measure.score, resamples=RESAMPLES, seed=seed))


def difference(measure: Measure, part: Part, runs: Runs, others: Runs, groups: Sequence[str], seed: int) -> Estimate:
    """Return the figure of `runs` minus that of `others`, with a paired interval over groups."""
    first, second = _mean(measure, part, others), _mean(measure, part, runs)
    return _of(paired(first, second, groups, measure.score, resamples=RESAMPLES, seed=seed))


def _mean(measure: Measure, part: Part, runs: Runs) -> Counts:
    counts: Counts = np.mean([measure.count(part, run) for run in runs], axis=0)
    return counts


def _of(found: Interval) -> Estimate:
    return Estimate(*(None if np.isnan(x[0]) else float(x[0]) for x in (found.values, found.low, found.high)))
