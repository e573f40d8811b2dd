"""Strict span F1 on tokens, as CoNLL counts: one label a token, cue over source over content.

The measure of PolNeAR's published figures (Newell et al. 2018), on our own conversion: gold and predicted relations
are both flattened to one label a token, so what nests or overlaps is not asked for.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stancekit.metrics.base import Counts
from stancekit.metrics.labels import f1, ratio
from stancekit.schema import Answer, Attribution, Span
from stancekit.tasks import Task
from stancekit.text.tokens import tokens

ORDER = ("content", "source", "cue")
"""Later roles win a token over earlier ones."""

Chunk = tuple[int, int, str]


def flatten(answer: Answer, words: list[Span]) -> list[Chunk]:
    """Return the chunks (first token, end token, role) of relations laid over tokens, one label a token.

    A chunk ends where the label changes or where another part of the same role begins.
    """
    owner: list[tuple[str, int] | None] = [None] * len(words)
    number = 0
    for role in ORDER:
        for relation in answer if isinstance(answer, tuple) else ():
            if not isinstance(relation, Attribution):
                continue
            for part in getattr(relation, role):
                number += 1
                for at, word in enumerate(words):
                    if word.start < part.end and part.start < word.end:
                        held = owner[at]
                        if held is None or held[0] != role:
                            owner[at] = (role, number)
    return _chunks(owner)


def _chunks(owner: list[tuple[str, int] | None]) -> list[Chunk]:
    found: list[Chunk] = []
    start = 0
    for at in range(1, len(owner) + 1):
        if at == len(owner) or owner[at] != owner[start]:
            here = owner[start]
            if here is not None:
                found.append((start, at, here[0]))
            start = at
    return found


class Strict:
    """Micro precision, recall and F1 over chunks of all roles, and F1 of each role."""

    kinds: ClassVar[frozenset[str]] = frozenset({"relations"})
    size = 9

    def __init__(self, task: Task) -> None:
        self.roles = ("source", "cue", "content")
        whole = tuple((f"strict_{kind}", "") for kind in ("f1", "precision", "recall"))
        self.rows = whole + tuple(("strict_f1", role) for role in self.roles)

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return matched, spurious and missed chunks of each role."""
        words = tokens(text)
        own, given = set(flatten(gold, words)), set(flatten(predicted, words))
        counts = np.zeros((3, 3))
        for column, role in enumerate(self.roles):
            left, right = ({c for c in chunks if c[2] == role} for chunks in (own, given))
            counts[:, column] = len(left & right), len(right - left), len(left - right)
        return counts.ravel()

    def score(self, counts: Counts) -> Counts:
        """Return micro F1, precision and recall, and F1 of source, cue and content."""
        tp, fp, fn = np.split(counts, 3, axis=-1)
        all_tp, all_fp, all_fn = (x.sum(axis=-1, keepdims=True) for x in (tp, fp, fn))
        whole = [f1(all_tp, all_fp, all_fn), ratio(all_tp, all_tp + all_fp), ratio(all_tp, all_tp + all_fn)]
        return np.concatenate([*whole, f1(tp, fp, fn)], axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the number of gold chunks."""
        own = counts[0:3] + counts[6:9]
        return np.concatenate([np.full(3, own.sum()), own])
