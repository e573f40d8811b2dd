"""Linked F1: whole attribution relations, one to one, every role matching."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stancekit.metrics.base import Counts
from stancekit.metrics.labels import f1, ratio
from stancekit.metrics.matching import match
from stancekit.schema import Answer, Attribution, Parts, characters
from stancekit.tasks import ROLES, Task


def _relations(answer: Answer) -> list[Attribution]:
    return [a for a in answer if isinstance(a, Attribution)] if isinstance(answer, tuple) else []


class _Linked:
    """Relations one to one; a missing role matches only a missing one.

    The rows `…_with_types` ask for the same source type and cue stance too.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"relations"})
    name = ""
    size = 6

    def __init__(self, task: Task) -> None:
        kinds = ("f1", "precision", "recall")
        plain = tuple((f"{self.name}_{kind}", "") for kind in kinds)
        self.rows = plain + tuple((f"{self.name}_with_types_{kind}", "") for kind in kinds)

    def same(self, one: Parts, other: Parts) -> bool:
        """Say whether two spans match."""
        raise NotImplementedError

    def fits(self, gold: Attribution, given: Attribution) -> bool:
        """Say whether every role matches."""
        for role in ROLES:
            one, other = getattr(gold, role), getattr(given, role)
            if bool(one) != bool(other) or (one and not self.same(one, other)):
                return False
        return True

    def typed(self, gold: Attribution, given: Attribution) -> bool:
        """Say whether every role, the source type and the cue stance match."""
        types = gold.source_type == given.source_type and gold.cue_stance == given.cue_stance
        return types and self.fits(gold, given)

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return matched, spurious and missed relations, plain and with types."""
        own, given = _relations(gold), _relations(predicted)
        counts = []
        for fits in (self.fits, self.typed):
            hits = len(match(own, given, fits))
            counts += [hits, len(given) - hits, len(own) - hits]
        return np.array(counts, dtype=np.float64)

    def score(self, counts: Counts) -> Counts:
        """Return F1, precision and recall, plain and with types."""
        found = []
        for start in (0, 3):
            tp, fp, fn = (counts[..., start + i] for i in range(3))
            found += [f1(tp, fp, fn), ratio(tp, tp + fp), ratio(tp, tp + fn)]
        return np.stack(found, axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the number of gold relations."""
        return np.full(6, counts[0] + counts[2])


class LinkedExact(_Linked):
    """A relation is right when source, cue and content are exactly right."""

    name = "linked_exact"

    def same(self, one: Parts, other: Parts) -> bool:
        """Say whether two spans are equal in all parts."""
        return one == other


class LinkedOverlap(_Linked):
    """A relation is right when source, cue and content each share a character with gold's."""

    name = "linked_overlap"

    def same(self, one: Parts, other: Parts) -> bool:
        """Say whether two spans share a character."""
        return not characters(one).isdisjoint(characters(other))
