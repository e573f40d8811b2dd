"""Metrics on labels: accuracy, F1 in its averages, F_avg(favor, against), confusion.

Per label the counts are true positives, false positives and false negatives; everything else is derived.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from stancekit.errors import fail
from stancekit.metrics.base import Counts
from stancekit.schema import Answer
from stancekit.tasks import Task, labels_in


def ratio(above: Counts, below: Counts) -> Counts:
    """Return above / below, NaN where below is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def f1(tp: Counts, fp: Counts, fn: Counts) -> Counts:
    """Return F1 from counts, NaN where neither gold nor predicted has the label."""
    return ratio(2 * tp, 2 * tp + fp + fn)


def mean_defined(values: Counts, weights: Counts | None = None) -> Counts:
    """Return the mean over the last axis of what is defined, NaN where nothing is."""
    defined = ~np.isnan(values)
    share = defined.astype(np.float64) if weights is None else np.where(defined, weights, 0.0)
    return ratio((np.where(defined, values, 0.0) * share).sum(axis=-1), share.sum(axis=-1))


def indicators(answers: Sequence[Answer], labels: Sequence[str]) -> Counts:
    """Return which labels each answer has, shape (answers, labels), as 0 and 1."""
    column = {label: number for number, label in enumerate(labels)}
    found = np.zeros((len(answers), len(labels)))
    for row, answer in enumerate(answers):
        for label in labels_in(answer):
            if label in column:
                found[row, column[label]] = 1.0
    return found


class Accuracy:
    """The share of examples answered right; of label sets, those that are exactly right."""

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "multi", "targeted"})
    rows = (("accuracy", ""),)
    size = 2

    def __init__(self, task: Task) -> None:
        self.task = task

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return (right, examples)."""
        return np.array([float(gold == predicted), 1.0])

    def score(self, counts: Counts) -> Counts:
        """Return the accuracy."""
        return ratio(counts[..., :1], counts[..., 1:])

    def support(self, counts: Counts) -> Counts:
        """Return the number of examples."""
        return counts[1:]


class F1:
    """Precision, recall and F1 of each label, and their macro, micro and weighted averages.

    Macro-F1 averages the labels that have gold or predicted support; with one label an example, micro-F1 is accuracy.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "multi", "targeted"})

    def __init__(self, task: Task) -> None:
        self.labels = task.labels
        self.size = 3 * len(self.labels)
        averages = tuple((f"{name}_f1", "") for name in ("macro", "micro", "weighted"))
        each = tuple((name, label) for name in ("precision", "recall", "f1") for label in self.labels)
        self.rows = averages + each

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return true positives, false positives and false negatives of every label."""
        counts: Counts = self.count_all([gold], [predicted], [text])[0]
        return counts

    def count_all(self, gold: Sequence[Answer], predicted: Sequence[Answer], texts: Sequence[str]) -> Counts:
        """Return the counts of many examples, shape (n, size)."""
        own, given = indicators(gold, self.labels), indicators(predicted, self.labels)
        return np.concatenate([own * given, (1 - own) * given, own * (1 - given)], axis=1)

    def score(self, counts: Counts) -> Counts:
        """Return macro, micro and weighted F1, then precision, recall and F1 of every label."""
        tp, fp, fn = np.split(counts, 3, axis=-1)
        each = f1(tp, fp, fn)
        averages: list[Counts] = [
            mean_defined(each),
            f1(tp.sum(axis=-1), fp.sum(axis=-1), fn.sum(axis=-1)),
            mean_defined(each, tp + fn),
        ]
        return np.concatenate([np.stack(averages, axis=-1), ratio(tp, tp + fp), ratio(tp, tp + fn), each], axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the gold support of each label, and its sum for the averages."""
        tp, _, fn = np.split(counts, 3)
        own = tp + fn
        return np.concatenate([np.full(3, own.sum()), own, own, own])

    def left_out(self, counts: Counts) -> list[str]:
        """Return the labels without gold or predicted support, which no average counts."""
        used = np.sum(np.split(counts, 3), axis=0)
        return [label for label, value in zip(self.labels, used, strict=True) if value == 0]


class FAvg(F1):
    """The mean of F1(favor) and F1(against), the official score of SemEval-2016 task 6 (Mohammad et al. 2016)."""

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "targeted"})

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.rows = (("f_avg", ""),)
        if not {"favor", "against"} <= set(self.labels):
            what = f"f_avg needs the labels favor and against; {task.name} has {', '.join(self.labels)}"
            raise fail(f"task {task.name}", what, "use f1, or map the labels with a label_map")
        self.columns = [self.labels.index(label) for label in ("favor", "against")]

    def score(self, counts: Counts) -> Counts:
        """Return the mean of the two F1 values; one without support counts as 0 while the other has some."""
        each = f1(*np.split(counts, 3, axis=-1))[..., self.columns]
        nothing = np.isnan(each).all(axis=-1, keepdims=True)
        return np.where(nothing, np.nan, np.nan_to_num(each).mean(axis=-1, keepdims=True))

    def support(self, counts: Counts) -> Counts:
        """Return the gold support of favor and against together."""
        tp, _, fn = np.split(counts, 3)
        return np.array([(tp + fn)[self.columns].sum()])


class Confusion:
    """How often each gold label was answered with each label; rows are named `gold → predicted`."""

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "targeted"})

    def __init__(self, task: Task) -> None:
        self.labels = task.labels
        self.size = len(self.labels) ** 2
        self.rows = tuple(("confusion", f"{gold} → {given}") for gold in self.labels for given in self.labels)

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return one cell set; labels that the task does not have are left out."""
        cells = np.zeros((len(self.labels), len(self.labels)))
        if gold in self.labels and predicted in self.labels:
            cells[self.labels.index(str(gold)), self.labels.index(str(predicted))] = 1.0
        return cells.ravel()

    def score(self, counts: Counts) -> Counts:
        """Return the counts themselves."""
        return counts

    def support(self, counts: Counts) -> Counts:
        """Return the gold support of each cell's row."""
        n = len(self.labels)
        return np.repeat(counts.reshape(n, n).sum(axis=1), n)
