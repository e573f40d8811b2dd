"""What agreement is measured by: alpha and kappa of labels, alpha on units, F1 between annotators, and the ceiling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from stancekit import __version__, scoring
from stancekit.consensus import Case, majority
from stancekit.data.annotators import Annotators
from stancekit.metrics.base import Counts, Metric
from stancekit.metrics.labels import mean_defined
from stancekit.metrics.spans import items
from stancekit.schema import Answer
from stancekit.scoring import Score, Scores
from stancekit.stats.agreement import MISSING, Codes, Cohen, Fleiss, NominalAlpha, OrdinalAlpha, UnitizedAlpha
from stancekit.stats.resample import bootstrap
from stancekit.tasks import Part, Task, labels_in

_BETWEEN = {
    "spans": ("span_exact", "span_overlap"),
    "devices": ("span_exact", "span_overlap"),
    "relations": ("span_exact", "span_overlap", "linked_exact", "linked_overlap"),
}
"""Metrics between two annotators, by kind of task; F1 where none stands here."""
_NONE: Mapping[str, float] = {}


@dataclass(frozen=True)
class Plan:
    """What is measured on, and how its intervals are drawn."""

    annotators: Annotators
    task: Task
    cases: Sequence[Case]
    groups_by: tuple[str, ...]
    resamples: int
    seed: int

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of annotators, by number."""
        return list(combinations(range(len(self.annotators.names)), 2))

    @property
    def pair_names(self) -> list[str]:
        """The slice that each pair is reported under."""
        names = self.annotators.names
        return [f"pair={names[a]} ~ {names[b]}" for a, b in self.pairs]

    def groups(self) -> tuple[list[tuple[Any, ...]], list[str]]:
        """Return the group of every case, and notes."""
        return scoring.groups_of([case.example for case in self.cases], self.groups_by)

    def signature(self) -> dict[str, Any]:
        """Return the settings that stand under every number."""
        line: dict[str, Any] = {"task": self.task.name, "annotators": len(self.annotators.names)}
        line |= {"data": self.annotators.hash[:8], "n": sum(len(case.given) > 1 for case in self.cases)}
        line |= {"groups": f"{'+'.join(self.groups_by)}({len(set(self.groups()[0]))})", "resamples": self.resamples}
        return line | {"seed": self.seed, "level": 0.95, "stancekit": __version__}

    def support(self) -> dict[str, float]:
        """Return how often each label was given in examples with two answers or more; under "" their number."""
        paired = [case for case in self.cases if len(case.given) > 1]
        found = Counter(label for case in paired for answer in case.given for label in _labels_given(answer))
        return {**found, "": float(len(paired))}

    def rows(
        self, names: Sequence[tuple[str, str, str]], counts: Counts, score: Any, shared: Mapping[str, float] = _NONE
    ) -> list[Score]:
        """Return a row for each (metric, label, slice) that `score` gives, with its interval over groups.

        `shared` holds the number of examples behind each slice.
        """
        groups: list[Hashable] = list(self.groups()[0])
        found = bootstrap(counts, groups, score, resamples=self.resamples, seed=self.seed)
        support = {**self.support(), **shared}
        numbers = zip(names, found.values, found.low, found.high, strict=True)
        return [
            Score(metric, slice_, label, _number(value), _number(low), _number(high), support.get(slice_ or label, 0.0))
            for (metric, label, slice_), value, low, high in numbers
        ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _labels_given(answer: Answer) -> list[str]:
    return [item.label for item in items(answer)] if isinstance(answer, tuple) else labels_in(answer)


def agreement(plan: Plan, order: Sequence[str]) -> Scores:
    """Measure how far annotators agree; `order` lists labels from low to high, for ordinal alpha."""
    rows = _on_labels(plan, order) if plan.task.kind in ("single", "multi", "targeted") else _on_units(plan)
    for metric in scoring.build_metrics(plan.task, _BETWEEN.get(plan.task.kind, ("f1",))).values():
        rows += _averaged(plan, metric, [_pair_counts(plan, metric, a, b) for a, b in plan.pairs], plan.pair_names, _f1)
    notes = plan.groups()[1]
    if any(row.metric == "fleiss_kappa" and row.value is None for row in rows):
        notes = [*notes, "no Fleiss' kappa: it needs examples that every annotator answered, and two labels in them"]
    return Scores(tuple(rows), plan.signature(), (), tuple(notes))


def _on_labels(plan: Plan, order: Sequence[str]) -> list[Score]:
    """Return alpha, kappa and observed agreement of labels; a set of labels is one value."""
    values = sorted({_value(answer) for case in plan.cases for answer in case.given})
    codes, size = _codes(plan.cases, {value: number for number, value in enumerate(values)}), len(values)
    rows = []
    for measure in (NominalAlpha(size), Fleiss(size, codes.shape[1])):
        rows += plan.rows([(name, "", "") for name in measure.rows], measure.count(codes), measure.score)
    if order:
        ranks = _codes(plan.cases, {label: number for number, label in enumerate(order)})
        ordinal = OrdinalAlpha(len(order))
        rows += plan.rows([(ordinal.rows[0], "", "")], ordinal.count(ranks), ordinal.score)
    cohen = Cohen(size, plan.pairs)
    names = [("cohen_kappa", "", slice_) for slice_ in ("", *plan.pair_names)]
    each = cohen.count(codes)
    shared = dict(zip(plan.pair_names, cohen.shared(each.sum(axis=0)), strict=True))
    rows += plan.rows(names, each, lambda counts: _with_mean(cohen.score(counts), cohen.shared(counts)), shared)
    binary = NominalAlpha(2)
    for label in plan.task.labels:
        held = np.array([[_holds(answer, label) for answer in case.answers] for case in plan.cases], dtype=np.int64)
        alpha = plan.rows([("alpha_nominal", label, "")], binary.count(held), lambda c: binary.score(c)[..., :1])
        rows += alpha if plan.support().get(label) else []
    return rows


def _value(answer: Answer) -> str:
    return answer if isinstance(answer, str) else "+".join(labels_in(answer))


def _codes(found: Sequence[Case], numbers: Mapping[str, int]) -> Codes:
    rows = [[MISSING if a is None else numbers[_value(a)] for a in case.answers] for case in found]
    return np.array(rows, dtype=np.int64)


def _holds(answer: Answer | None, label: str) -> int:
    return MISSING if answer is None else int(label in labels_in(answer))


def _with_mean(values: Counts, weights: Counts) -> Counts:
    """Put the weighted mean over the last axis before its values."""
    return np.concatenate([np.asarray(mean_defined(values, weights))[..., None], values], axis=-1)


def _on_units(plan: Plan) -> list[Score]:
    """Return alpha on units of each label, and of all labels together."""
    labels, measure = [label for label in plan.task.labels if plan.support().get(label)], UnitizedAlpha()
    counts = np.zeros((len(plan.cases), len(labels), measure.size))
    for row, case in enumerate(plan.cases):
        given = [None if answer is None else items(answer) for answer in case.answers]
        for column, label in enumerate(labels):
            units = [None if g is None else [p for i in g if i.label == label for p in i.parts] for g in given]
            counts[row, column] = measure.count(len(case.example.sentence.text), units)
    names = [("alpha_unit", label, "") for label in (*labels, "")]
    shape = (len(labels), measure.size)
    flat = counts.reshape(len(plan.cases), -1)
    return plan.rows(names, flat, lambda c: measure.score(c.reshape(*c.shape[:-1], *shape)))


def _f1(metric: str) -> bool:
    return metric.endswith("f1") and metric != "weighted_f1"


def _pair_counts(plan: Plan, metric: Metric, gold: int, given: int) -> Counts:
    return _counts(plan, metric, [(case.answers[gold], case.answers[given]) for case in plan.cases])


def _counts(plan: Plan, metric: Metric, pairs: Sequence[tuple[Answer | None, Answer | None]]) -> Counts:
    """Return 1 and the counts where both have an answer, else nothing, shape (cases, 1 + size)."""
    found = np.zeros((len(pairs), 1 + metric.size))
    both = [(k, one, other) for k, (one, other) in enumerate(pairs) if one is not None and other is not None]
    if both:
        examples = tuple(plan.cases[k].example for k, _, _ in both)
        part = Part(plan.task, examples, tuple(one for _, one, _ in both))
        rows = [k for k, _, _ in both]
        found[rows, 0] = 1.0
        found[rows, 1:] = scoring.count(metric, part, [other for _, _, other in both])
    return found


def _averaged(plan: Plan, metric: Metric, blocks: Sequence[Counts], slices: Sequence[str], wanted: Any) -> list[Score]:
    """Return the wanted figures of a metric as means over blocks of counts, and those over all labels by block.

    Blocks weigh as many examples as they have: two annotators may share few.
    """
    chosen = [k for k, (name, _) in enumerate(metric.rows) if wanted(name)]
    whole = [k for k, at in enumerate(chosen) if not metric.rows[at][1]]

    def score(counts: Counts) -> Counts:
        shaped = counts.reshape(*counts.shape[:-1], len(blocks), 1 + metric.size)
        each = np.swapaxes(metric.score(shaped[..., 1:])[..., chosen], -1, -2)
        single = each[..., whole, :].reshape(*counts.shape[:-1], -1)
        return np.concatenate([mean_defined(each, shaped[..., None, :, 0]), single], axis=-1)

    names = [(*metric.rows[at], "") for at in chosen]
    names += [(metric.rows[chosen[k]][0], "", slice_) for k in whole for slice_ in slices]
    shared = {slice_: float(block[:, 0].sum()) for slice_, block in zip(slices, blocks, strict=True)}
    return plan.rows(names, np.concatenate(blocks, axis=1), score, shared)


def ceiling(plan: Plan) -> Scores:
    """Score each annotator against the majority of the others, and average: what a model can be expected to reach."""
    raters = range(len(plan.annotators.names))
    pairs = {k: [(_others(case, k), case.answers[k]) for case in plan.cases] for k in raters}
    slices = [f"annotator={name}" for name in plan.annotators.names]
    rows: list[Score] = []
    for name, metric in scoring.build_metrics(plan.task).items():
        if name != "confusion":
            rows += _averaged(plan, metric, [_counts(plan, metric, pairs[k]) for k in raters], slices, lambda _: True)
    note = "each annotator against the majority of the others (of a tie, the first one's word), averaged"
    return Scores(tuple(rows), plan.signature(), (), (note, *plan.groups()[1]))


def _others(case: Case, rater: int) -> Answer | None:
    given = [answer for k, answer in enumerate(case.answers) if k != rater and answer is not None]
    return majority(given) if given else None
