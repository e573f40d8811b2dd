"""All layers of a sentence in one answer: each scored by the metrics of its own task, where gold has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import ClassVar

import numpy as np

from stancekit import components
from stancekit.errors import fail
from stancekit.metrics.base import Counts, Metric
from stancekit.metrics.labels import mean_defined
from stancekit.schema import Answer, Layers, Stance
from stancekit.tasks import Task, nothing

LEADS = {
    "relations": "linked_overlap_f1",
    "devices": "span_overlap_f1",
    "spans": "span_overlap_f1",
    **dict.fromkeys(("targeted", "single", "multi"), "macro_f1"),
}
"""By kind of layer, the figure that `layers_mean` takes."""
MEAN = ("layers_mean", "")

Pair = tuple[Answer, Answer]


class EachLayer:
    """Every layer by the metrics of its own task, on the sentences where gold has it; figures begin with its name.

    Stances count over gold's targets: one that was not answered is wrong, others are not looked at.
    `layers_mean` averages linked F1, span F1 (both overlapping) and macro-F1 of the layers that have one.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"layers"})

    def __init__(self, task: Task) -> None:
        self.inner: list[tuple[Task, list[Metric]]] = [
            (one, [components.build("metric", name, {"task": one}) for name in one.metrics]) for one in task.inner
        ]
        metrics = [(one, metric) for one, built in self.inner for metric in built]
        self.metrics = [metric for _, metric in metrics]
        self.names = [one.name for one, _ in metrics]
        each = [(one, f"{one.name} {row}", label) for one, metric in metrics for row, label in metric.rows]
        self.leads = [k for k, (one, name, label) in enumerate(each) if (name, label) == (_lead(one), "")]
        self.rows = (*([MEAN] if self.leads else []), *((name, label) for _, name, label in each))
        self.edges = list(accumulate((metric.size for metric in self.metrics), initial=0))
        self.size = self.edges[-1]

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return the counts of every layer's metrics, one after the other; zeros where gold lacks the layer."""
        if not isinstance(gold, Layers) or not isinstance(predicted, Layers):
            what = f"whole layers are expected, not {type(predicted).__name__}"
            raise fail("predictions", what, "predict whole layers, or score another task")
        found = [np.zeros(0)]
        for one, metrics in self.inner:
            pairs = list(_pairs(one, gold, predicted))
            found += [sum((m.count(*pair, text) for pair in pairs), np.zeros(m.size)) for m in metrics]
        return np.concatenate(found)

    def score(self, counts: Counts) -> Counts:
        """Return the mean over the layers, then the scores of every layer's metrics."""
        found = [metric.score(part) for metric, part in zip(self.metrics, self._cut(counts), strict=True)]
        each = np.concatenate([np.zeros((*counts.shape[:-1], 0)), *found], axis=-1)
        return np.concatenate([mean_defined(each[..., self.leads])[..., None], each], axis=-1) if self.leads else each

    def support(self, counts: Counts) -> Counts:
        """Return the gold items behind each row; behind the mean, those of all its figures."""
        found = [metric.support(part) for metric, part in zip(self.metrics, self._cut(counts), strict=True)]
        each = np.concatenate([np.zeros(0), *found])
        return np.concatenate([[each[self.leads].sum()], each]) if self.leads else each

    def left_out(self, counts: Counts) -> list[str]:
        """Return the labels without gold or predicted support, each after its layer's name."""
        found = []
        for name, metric, part in zip(self.names, self.metrics, self._cut(counts), strict=True):
            found += [f"{name} {label}" for label in getattr(metric, "left_out", lambda _: [])(part)]
        return found

    def _cut(self, counts: Counts) -> list[Counts]:
        return [counts[..., start:end] for start, end in pairwise(self.edges)]


def _lead(one: Task) -> str:
    return f"{one.name} {LEADS[one.kind]}"


def _pairs(one: Task, gold: Layers, predicted: Layers) -> Iterator[Pair]:
    """Yield gold and predicted answers of one layer: one pair, or one for each gold target; none where gold lacks it.

    A layer that a prediction leaves out is empty. Which targets of devices are asked for is what gold's stances say,
    on both sides.
    """
    own = one.view(gold)
    if own is None:
        return
    if one.kind == "targeted":
        yield from by_target(_stances(own), _stances(one.view(predicted)))
    else:
        yield own, one.view(replace(predicted, stances=gold.stances)) or nothing(one.kind)


def _stances(answer: Answer | None) -> list[Stance]:
    return [s for s in answer if isinstance(s, Stance)] if isinstance(answer, tuple) else []


def by_target(gold: Sequence[Stance], predicted: Sequence[Stance]) -> Iterator[tuple[str, str]]:
    """Return the gold and the predicted label of every gold target; no label where it was not answered.

    Equal targets are joined first (the k-th to the k-th, as a mention may repeat), then those of one name.
    """
    left, given = list(predicted), [""] * len(gold)
    for same_span in (True, False):
        for number, stance in enumerate(gold):
            if given[number]:
                continue
            fits = (
                s for s in left if (s.target == stance.target if same_span else s.target.name == stance.target.name)
            )
            found = next(fits, None)
            if found is not None:
                left.remove(found)
                given[number] = found.label
    return zip((stance.label for stance in gold), given, strict=True)
