"""Figures of several seeds: counted together, with intervals over documents, printed and noted in the ledger."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import ledger
from neural_common import Run, Settings, is_neural
from stancekit import scoring
from stancekit.metrics.base import Counts
from stancekit.schema import Example, Prediction
from stancekit.scoring import Score
from stancekit.stats.resample import bootstrap, paired
from stancekit.tasks import Part

RESAMPLES = 10_000


@dataclass(frozen=True)
class Figure:
    """A figure to print: the metric that counts it, its row, and its label."""

    metric: str
    row: str
    label: str = ""

    @property
    def name(self) -> str:
        """The row with its label."""
        return f"{self.row} {self.label}".strip()

    def of(self, part: Part, predictions: Sequence[Prediction]) -> float:
        """Return the figure without an interval."""
        metric = scoring.build_metrics(part.task, [self.metric])[self.metric]
        counts = scoring.count(metric, part, [p.answer for p in scoring.join(part, predictions)]).sum(axis=0)
        return float(metric.score(counts)[metric.rows.index((self.row, self.label))])


def together(runs: Sequence[Sequence[Prediction]], held: Part) -> tuple[Part, list[Prediction]]:
    """Return the held-out part once a seed, with ids of its own, and all predictions over it."""
    examples: list[Example] = []
    found: list[Prediction] = []
    for number, predictions in enumerate(runs):
        examples += [replace(e, id=f"{number}:{e.id}") for e in held.examples]
        found += [replace(p, id=f"{number}:{p.id}") for p in predictions]
    return Part(held.task, tuple(examples), held.gold * len(runs)), found


def shown(score: Score) -> str:
    """Return a figure in percent with its interval; a difference with its sign and p-value."""
    form = ".1f" if score.p is None else "+.1f"
    numbers = ["–" if v is None else f"{100 * v:{form}}" for v in (score.value, score.low, score.high)]
    return f"{numbers[0]} [{numbers[1]}, {numbers[2]}]" + ("" if score.p is None else f" p {score.p:.4f}")


def rates(runs: Sequence[Run]) -> str:
    """Return examples a second, the mean over seeds, where they were measured."""
    found = []
    for name in ("examples a second, training", "examples a second, predicting"):
        values = [run.facts[name] for run in runs if name in run.facts]
        found += [f"{sum(values) / len(values):.0f} {name}"] if values else []
    return "; ".join(found)


@dataclass(frozen=True)
class Book:
    """Where figures go: the screen, and the ledger under the data's name and part unless the run is a trial."""

    given: argparse.Namespace
    data: str
    part: str

    def figures(
        self, title: str, held: Part, runs: Sequence[Sequence[Prediction]], wanted: Sequence[Figure], own: Settings
    ) -> None:
        """Print and note the figures of a row: all seeds counted together, then the mean and each seed."""
        scores = scoring.score(*together(runs, held), metrics=_metrics(wanted), resamples=RESAMPLES)
        for figure in wanted:
            each = [figure.of(held, run) for run in runs]
            self.tell(title, figure.name, scores.find(figure.row, figure.label), own, each)

    def differences(
        self,
        title: str,
        other: str,
        held: Part,
        runs: Mapping[str, Sequence[Sequence[Prediction]]],
        wanted: Sequence[Figure],
        own: Settings,
    ) -> None:
        """Print and note how much a row is above another one, paired by example, the seeds counted together."""
        whole = together(runs[title], held)[0]
        pair = {name: together(runs[name], held)[1] for name in (other, title)}
        scores = scoring.compare(whole, pair, metrics=_metrics(wanted), resamples=RESAMPLES)
        for figure in wanted:
            score = scores.find(figure.row, figure.label, f"{title} − {other}")
            sides = [[figure.of(held, run) for run in runs[name]] for name in (title, other)]
            each = [ours - theirs for ours, theirs in zip(*sides, strict=True)]
            self.tell(f"{title} − {other}", figure.name, score, own, each)

    def tell(self, row: str, figure: str, score: Score, own: Settings, each: Sequence[float] = ()) -> None:
        """Print a figure, and note it with the seeds of a model that has an encoder."""
        form = ".1f" if score.p is None else "+.1f"
        mean, *seeds = (f"{100 * value:{form}}" for value in (sum(each) / max(1, len(each)), *each))
        mean = f"  mean {mean} of {' '.join(seeds)}" if len(each) > 1 else ""
        print(f"{row:28} {figure:28} {shown(score)}{mean}", flush=True)
        setting = {**own, "seeds": self.given.seeds} if is_neural(own) else own
        if is_neural(own) and each:
            setting = {**setting, "by seed": [round(value, 4) for value in each]}
        self.note(score, f"{row} {score.label}".strip(), setting)

    def note(self, score: Score, row: str, setting: Settings) -> None:
        """Add a reading to the ledger, unless this is a trial or the same one stands there (kept predictions)."""
        if not self.given.limit:
            ledger.append(self.data, self.part, score, row, setting, once=True)


def _metrics(wanted: Sequence[Figure]) -> list[str]:
    return list(dict.fromkeys(figure.metric for figure in wanted))


def counted(metric: str, counts: Counts, groups: Sequence[Hashable], score: Callable[[Counts], Any]) -> Score:
    """Return a figure of counts (examples, k) that stancekit has no metric for, with its interval over groups."""
    found = bootstrap(counts, groups, lambda c: np.asarray(score(c))[..., None], resamples=RESAMPLES)
    return Score(metric, "", "", float(found.values[0]), *_ends(found.low[0], found.high[0]), float(len(counts)))


def counted_difference(
    metric: str, first: Counts, second: Counts, groups: Sequence[Hashable], score: Callable[[Counts], Any]
) -> Score:
    """Return how much the figure of the second counts is above that of the first, paired over groups."""
    found = paired(first, second, groups, lambda c: np.asarray(score(c))[..., None], resamples=RESAMPLES)
    ends = _ends(found.low[0], found.high[0])
    return Score(metric, "", "", float(found.values[0]), *ends, float(len(first)), float(found.p[0]))


def _ends(low: float, high: float) -> tuple[float | None, float | None]:
    return (None, None) if np.isnan(low) else (float(low), float(high))
