"""Metrics on labelled spans, each possibly in parts: exact, overlap, proportional.

Devices count under their frame; relations count as the spans of their source, cue and content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stancekit.metrics.base import Counts
from stancekit.metrics.labels import f1, mean_defined, ratio
from stancekit.metrics.matching import match
from stancekit.schema import Answer, Attribution, Device, Span, characters
from stancekit.tasks import ROLES, Task


@dataclass(frozen=True)
class Item:
    """A labelled span: all its parts."""

    label: str
    parts: tuple[tuple[int, int], ...]
    characters: frozenset[int]

    def overlaps(self, other: Item) -> bool:
        """Say whether both have the same label and share a character."""
        return self.label == other.label and not self.characters.isdisjoint(other.characters)


def _item(label: str, parts: Iterable[Span]) -> Item:
    spans = tuple(parts)
    return Item(label, tuple((p.start, p.end) for p in spans), characters(spans))


def items(answer: Answer) -> list[Item]:
    """Return the labelled spans of an answer: spans, devices by frame, or the roles of relations."""
    found: list[Item] = []
    if not isinstance(answer, tuple):
        return found
    for one in answer:
        if isinstance(one, Span):
            found.append(_item(one.label, (one,)))
        elif isinstance(one, Device):
            found.append(_item(one.frame, one.parts))
        elif isinstance(one, Attribution):
            found += [_item(role, getattr(one, role)) for role in ROLES if getattr(one, role)]
    return found


KINDS = frozenset({"spans", "relations", "devices"})


class _Matched:
    """Precision, recall and F1 over matched spans: per label, micro and macro."""

    kinds: ClassVar[frozenset[str]] = KINDS
    name = ""

    def __init__(self, task: Task) -> None:
        self.labels = task.labels
        self.size = 3 * len(self.labels)
        whole = tuple((f"{self.name}_{kind}", "") for kind in ("f1", "precision", "recall", "macro_f1"))
        each = tuple((f"{self.name}_{kind}", label) for kind in ("precision", "recall", "f1") for label in self.labels)
        self.rows = whole + each

    def pairs(self, gold: Sequence[Item], given: Sequence[Item]) -> list[tuple[int, int]]:
        """Return the matched pairs."""
        raise NotImplementedError

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return matched, spurious and missed spans of every label."""
        own, given = items(gold), items(predicted)
        counts = np.zeros((3, len(self.labels)))
        pairs = self.pairs(own, given)
        hit_gold, hit_given = {i for i, _ in pairs}, {j for _, j in pairs}
        column = {label: number for number, label in enumerate(self.labels)}
        for i, item in enumerate(own):
            if item.label in column:
                counts[0 if i in hit_gold else 2, column[item.label]] += 1
        for j, item in enumerate(given):
            if item.label in column and j not in hit_given:
                counts[1, column[item.label]] += 1
        return counts.ravel()

    def score(self, counts: Counts) -> Counts:
        """Return micro F1, precision and recall, macro F1, then precision, recall and F1 of every label."""
        tp, fp, fn = np.split(counts, 3, axis=-1)
        all_tp, all_fp, all_fn = tp.sum(axis=-1), fp.sum(axis=-1), fn.sum(axis=-1)
        each = f1(tp, fp, fn)
        whole = [f1(all_tp, all_fp, all_fn), ratio(all_tp, all_tp + all_fp), ratio(all_tp, all_tp + all_fn)]
        whole.append(mean_defined(each))
        return np.concatenate([np.stack(whole, axis=-1), ratio(tp, tp + fp), ratio(tp, tp + fn), each], axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the number of gold spans."""
        tp, _, fn = np.split(counts, 3)
        own = tp + fn
        return np.concatenate([np.full(4, own.sum()), own, own, own])

    def left_out(self, counts: Counts) -> list[str]:
        """Return the labels without gold or predicted spans, which the macro average leaves out."""
        used = np.sum(np.split(counts, 3), axis=0)
        return [label for label, value in zip(self.labels, used, strict=True) if value == 0]


class Exact(_Matched):
    """A span is right when its label and all its parts are."""

    name = "span_exact"

    def pairs(self, gold: Sequence[Item], given: Sequence[Item]) -> list[tuple[int, int]]:
        """Match equal spans one to one."""
        return match(gold, given, lambda a, b: a.label == b.label and a.parts == b.parts)


class Overlap(_Matched):
    """A span is right when it shares a character with one of the same label, one to one by maximum matching."""

    name = "span_overlap"

    def pairs(self, gold: Sequence[Item], given: Sequence[Item]) -> list[tuple[int, int]]:
        """Match overlapping spans one to one."""
        return match(gold, given, Item.overlaps)


class Proportional:
    """Precision is the mean over predicted spans of the share of their characters that same-label gold covers,
    recall likewise over gold spans (Da San Martino et al. 2019).
    """

    kinds: ClassVar[frozenset[str]] = KINDS

    def __init__(self, task: Task) -> None:
        self.labels = task.labels
        self.size = 4 * len(self.labels)
        whole = tuple((f"span_proportional_{kind}", "") for kind in ("f1", "precision", "recall"))
        self.rows = whole + tuple(("span_proportional_f1", label) for label in self.labels)

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return, per label, the covered shares and numbers of predicted spans, then of gold spans."""
        own, given = items(gold), items(predicted)
        counts = np.zeros((4, len(self.labels)))
        for number, label in enumerate(self.labels):
            for row, ours, theirs in ((0, given, own), (2, own, given)):
                mine = [item for item in ours if item.label == label]
                cover = frozenset(c for item in theirs if item.label == label for c in item.characters)
                counts[row, number] = sum(len(m.characters & cover) / len(m.characters) for m in mine)
                counts[row + 1, number] = len(mine)
        return counts.ravel()

    def score(self, counts: Counts) -> Counts:
        """Return F1, precision and recall over all labels, then F1 of every label."""
        parts = np.split(counts, 4, axis=-1)
        whole = _harmonic(*(p.sum(axis=-1, keepdims=True) for p in parts))
        return np.concatenate([*whole, _harmonic(*parts)[0]], axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the number of gold spans."""
        own = np.split(counts, 4)[3]
        return np.concatenate([np.full(3, own.sum()), own])


def _harmonic(hits: Counts, given: Counts, found: Counts, own: Counts) -> tuple[Counts, Counts, Counts]:
    """Return F1, precision and recall; with one side empty and the other not, F1 is 0."""
    precision, recall = ratio(hits, given), ratio(found, own)
    p, r = np.nan_to_num(precision), np.nan_to_num(recall)
    value = np.where(p + r > 0, ratio(2 * p * r, p + r), 0.0)
    return np.where(given + own > 0, value, np.nan), precision, recall
