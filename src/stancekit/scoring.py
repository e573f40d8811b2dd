"""Scores: metric counts of gold and predictions, summed, grouped and resampled, each row under a signature."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stancekit import components
from stancekit.data import columns
from stancekit.errors import Problems, fail
from stancekit.metrics.base import Counts, Metric
from stancekit.metrics.holder import has_holders
from stancekit.schema import Answer, Example, Layers, Prediction
from stancekit.stats.resample import LEAST_GROUPS, Difference, Interval, bootstrap, paired
from stancekit.tasks import KINDS, METRICS, Part, Task

if TYPE_CHECKING:
    import pandas as pd

_ORDER = ("task", "split", "n", "groups", "resamples", "slice_resamples", "seed", "level", "train_seed", "data")
_OFTEN = 0.05
SLICE_RESAMPLES = 1_000
"""Slices are many and small, so they are resampled less often; the signature says so."""


@dataclass(frozen=True)
class Score:
    """One number of a report: a metric, on a slice, for a label, with its 95 % interval and gold support.

    `slice` is `""` for the whole part, else `column=value`. A value that is not defined is None; so are the ends of
    an interval that cannot be had (too few groups). In a comparison `p` is the two-sided p-value.
    """

    metric: str
    slice: str
    label: str
    value: float | None
    low: float | None
    high: float | None
    support: float
    p: float | None = None


@dataclass(frozen=True)
class Scores:
    """Score rows under the signature of their settings; `left_out` names labels that no average counts.

    `ceiling` holds what annotators reach against each other in the same metrics, where it is known.
    """

    rows: tuple[Score, ...]
    signature: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ceiling: tuple[Score, ...] = ()

    def find(self, metric: str, label: str = "", slice: str = "") -> Score:
        """Return one row."""
        for row in self.rows:
            if (row.metric, row.label, row.slice) == (metric, label, slice):
                return row
        raise fail("scores", f"there is no {metric!r} for label {label!r} on slice {slice!r}", "see `to_frame()`")

    @property
    def signature_line(self) -> str:
        """The settings in one line, to stand under every number."""
        keys = sorted(self.signature, key=lambda key: (_ORDER.index(key) if key in _ORDER else len(_ORDER), key))
        return "|".join(f"{key}:{self.signature[key]}" for key in keys)

    def to_json(self) -> dict[str, Any]:
        """Return the scores as JSON."""
        value = {"signature": dict(self.signature), "signature_line": self.signature_line, "rows": _dump(self.rows)}
        value |= {"left_out": list(self.left_out), "notes": list(self.notes)}
        return value | ({"ceiling": _dump(self.ceiling)} if self.ceiling else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scores:
        """Read what `to_json` returned."""
        rows, ceiling = (tuple(Score(**row) for row in value.get(key, ())) for key in ("rows", "ceiling"))
        return cls(rows, dict(value["signature"]), tuple(value["left_out"]), tuple(value["notes"]), ceiling)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a score."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    @property
    def main(self) -> tuple[Score, ...]:
        """The rows to show first: of the whole part, or of every comparison; without the cells of a confusion."""
        whole = [row for row in self.rows if not row.slice] or self.rows
        return tuple(row for row in whole if row.metric != "confusion")

    def __repr__(self) -> str:
        return "\n".join([*(_line(row) for row in self.main if not row.label), self.signature_line])

    def _repr_html_(self) -> str:
        return str(Scores(self.main).to_frame().to_html(index=False, escape=True))


def _dump(rows: Sequence[Score]) -> list[dict[str, Any]]:
    return [{k: v for k, v in asdict(row).items() if k != "p" or v is not None} for row in rows]


def _line(row: Score) -> str:
    value = "–" if row.value is None else f"{row.value:.3f}"
    interval = "" if row.low is None or row.high is None else f" [{row.low:.3f}, {row.high:.3f}]"
    last = f"n={row.support:g}" if row.p is None else f"p={row.p:.4f}  {row.slice}"
    return f"{row.metric:32} {value}{interval}  {last}"


def join(part: Part, predictions: Sequence[Prediction]) -> list[Prediction]:
    """Return the predictions in the examples' order; a missing, extra or doubled id is an error."""
    problems = Problems()
    found = {p.id: p for p in predictions}
    doubled = [i for i, times in Counter(p.id for p in predictions).items() if times > 1]
    wanted = {e.id for e in part.examples}
    for what, ids in (
        ("is missing", [e.id for e in part.examples if e.id not in found]),
        ("is not in gold", [i for i in found if i not in wanted]),
        ("stands twice", doubled),
    ):
        for id_ in ids:
            problems.add("predictions", f"the example {id_!r} {what}", "predict every gold example once")
    problems.raise_any()
    return [found[e.id] for e in part.examples]


def score(
    part: Part,
    predictions: Sequence[Prediction],
    *,
    groups_by: Sequence[str] = ("document",),
    slices: Sequence[str] = (),
    resamples: int = 10_000,
    seed: int = 13,
    metrics: Sequence[str] | None = None,
    signature: Mapping[str, Any] | None = None,
) -> Scores:
    """Score predictions against gold, with intervals resampled over groups, on the whole part and on slices."""
    answers = [p.answer for p in join(part, predictions)]
    groups, notes = groups_of(part.examples, groups_by)
    slices_of, absent = _slices(part.examples, slices)
    notes += absent
    few = min(resamples, SLICE_RESAMPLES)
    rows: list[Score] = []
    left_out: list[str] = []
    for name, metric in build_metrics(_asked(part), metrics).items():
        counts = count(metric, part, answers)
        found = bootstrap(counts, groups, metric.score, resamples=resamples, seed=seed)
        rows += rows_of(metric, metric.support(counts.sum(axis=0)), found, "")
        left_out += getattr(metric, "left_out", lambda _: [])(counts.sum(axis=0))
        notes += _undefined(metric, found, resamples)
        for title, members in {} if name == "confusion" else slices_of.items():
            inside = [groups[i] for i in members]
            found = bootstrap(counts[members], inside, metric.score, resamples=few, seed=seed)
            rows += rows_of(metric, metric.support(counts[members].sum(axis=0)), found, title)
    line = {**(signature or {}), "n": len(part), "groups": f"{'+'.join(groups_by)}({len(set(groups))})"}
    line |= {"resamples": resamples, "seed": seed, "level": 0.95}
    if slices:
        line["slice_resamples"] = few
    return Scores(tuple(rows), line, tuple(dict.fromkeys(left_out)), tuple(notes))


def compare(
    part: Part,
    runs: Mapping[str, Sequence[Prediction]],
    *,
    groups_by: Sequence[str] = ("document",),
    resamples: int = 10_000,
    seed: int = 13,
    metrics: Sequence[str] | None = None,
) -> Scores:
    """Compare runs with the first one, paired by example over the same groups: each row is a difference to it.

    A row's `slice` is `other − first`; its value, interval and p-value are those of the difference.
    """
    names = list(runs)
    answers = {name: [p.answer for p in join(part, runs[name])] for name in names}
    groups, notes = groups_of(part.examples, groups_by)
    rows: list[Score] = []
    for key, metric in build_metrics(_asked(part), metrics).items():
        if key == "confusion":
            continue
        counts = {name: count(metric, part, answers[name]) for name in names}
        own = metric.support(counts[names[0]].sum(axis=0))
        for name in names[1:]:
            found = paired(counts[names[0]], counts[name], groups, metric.score, resamples=resamples, seed=seed)
            rows += rows_of(metric, own, found, f"{name} − {names[0]}")
    line = {"task": part.task.name, "n": len(part), "groups": f"{'+'.join(groups_by)}({len(set(groups))})"}
    line |= {"test": "paired bootstrap", "resamples": resamples, "seed": seed}
    return Scores(tuple(rows), line, (), tuple(notes))


def build_metrics(task: Task, names: Sequence[str] | None = None) -> dict[str, Metric]:
    """Return the metrics of a task by name; one that does not fit the task's kind or labels is an error."""
    problems = Problems()
    found: dict[str, Metric] = {}
    for name in names or task.metrics:
        kinds = getattr(components.find("metric", name), "kinds", KINDS)
        if task.kind not in kinds:
            fitting = "metrics for it: " + ", ".join(METRICS.get(task.kind, ()))
            problems.add(f"task {task.name}", f"the metric {name!r} is not for tasks of kind {task.kind!r}", fitting)
            continue
        with problems.catching(f"task {task.name}"):
            found[name] = components.build("metric", name, {"task": task})
    problems.raise_any()
    return found


def _asked(part: Part) -> Task:
    """Return the task of a part with those of its inner layers that gold has somewhere: others have no figures.

    Nor have holders where no sentence has both layers that they follow from.
    """
    golds = [gold for gold in part.gold if isinstance(gold, Layers)]
    inner = tuple(one for one in part.task.inner if any(one.view(gold) is not None for gold in golds))
    left_out = METRICS["layers"] if part.task.inner and not any(map(has_holders, golds)) else ()
    return replace(part.task, inner=inner, metrics=tuple(m for m in part.task.metrics if m not in left_out))


def count(metric: Metric, part: Part, answers: Sequence[Answer]) -> Counts:
    """Return the counts of every example, shape (examples, size)."""
    texts = [e.sentence.text for e in part.examples]
    at_once = getattr(metric, "count_all", None)
    if at_once is not None:
        counts: Counts = at_once(part.gold, answers, texts)
        return counts
    found = [metric.count(g, a, t) for g, a, t in zip(part.gold, answers, texts, strict=True)]
    return np.array(found).reshape(-1, metric.size)


def groups_of(examples: Sequence[Example], by: Sequence[str]) -> tuple[list[tuple[Any, ...]], list[str]]:
    """Return the group of every example, and notes on missing values (the sentence is then its own group)."""
    groups, notes = [], []
    for example in examples:
        groups.append(tuple(columns.value(example, name) or example.sentence.id for name in by))
    for name in by:
        missing = sum(columns.value(e, name) is None for e in examples)
        if missing:
            notes.append(f"{missing} of {len(examples)} examples have no {name}; each counts as a group of its own")
    if len(set(groups)) < LEAST_GROUPS:
        notes.append(f"no interval is given: it needs at least {LEAST_GROUPS} groups, here are {len(set(groups))}")
    return groups, notes


def _slices(examples: Sequence[Example], by: Sequence[str]) -> tuple[dict[str, list[int]], list[str]]:
    """Return the indices of the examples of each value of columns, under `column=value`; notes name absent columns."""
    found: dict[str, list[int]] = {}
    notes = []
    for column in by:
        members: dict[str, list[int]] = {}
        for number, example in enumerate(examples):
            value = columns.value(example, column)
            if value is not None:
                members.setdefault(value, []).append(number)
        found |= {f"{column}={value}": members[value] for value in sorted(members)}
        if not members:
            notes.append(f"no example has {column}: it gives no slices")
    return found, notes


def _undefined(metric: Metric, found: Interval, resamples: int) -> list[str]:
    """Note the figures that many resamples leave undefined: their intervals rest on the others."""
    often = np.flatnonzero((found.undefined > resamples * _OFTEN) & ~np.isnan(found.values))
    if not len(often):
        return []
    names = ", ".join(" ".join(filter(None, metric.rows[i])) for i in often)
    return [f"undefined in more than {_OFTEN:.0%} of the resamples, which its interval leaves out: {names}"]


def rows_of(metric: Metric, support: Counts, found: Interval, title: str) -> list[Score]:
    """Return a row for each figure of a metric, on a slice or for a comparison of this title."""
    p_values = found.p if isinstance(found, Difference) else np.full(len(metric.rows), np.nan)
    numbers = zip(found.values, found.low, found.high, support, p_values, strict=True)
    return [
        Score(name, title, label, _number(value), _number(low), _number(high), float(n), _number(p))
        for (name, label), (value, low, high, n, p) in zip(metric.rows, numbers, strict=True)
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
