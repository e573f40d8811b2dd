"""Folds, random or by groups, and answers to every example by a model that has not seen its fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from stancekit.auditing.subject import take
from stancekit.schema import Answer, Example, Prediction
from stancekit.tasks import Part

Folds = NDArray[np.int64]
"""The fold of every example, shape (n,)."""
Answerer = Callable[[Sequence[Example]], list[Prediction]]
Learner = Callable[[Part], Answerer]


def random_folds(gold: Sequence[Answer], count: int, seed: int) -> Folds:
    """Return folds of equal size with each answer dealt out evenly."""
    strata = np.array(["|".join(sorted(a)) if isinstance(a, frozenset) else str(a) for a in gold])
    order = np.random.default_rng(seed).permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    folds = np.empty(len(strata), np.int64)
    folds[order] = np.arange(len(strata)) % count
    return folds


def grouped_folds(groups: Sequence[str], count: int, seed: int) -> Folds:
    """Return folds that keep groups whole: in random order, each group goes to the fold that is smallest by then.

    Labels are not balanced: a fold of unlike groups is what a new group would be. There are as many folds as
    groups where these are fewer than `count`.
    """
    sizes = Counter(groups)
    names = sorted(sizes)
    held = np.zeros(min(count, len(names)), np.int64)
    fold_of = {}
    for k in np.random.default_rng(seed).permutation(len(names)):
        fold_of[names[k]] = int(held.argmin())
        held[fold_of[names[k]]] += sizes[names[k]]
    return np.array([fold_of[group] for group in groups], np.int64)


def out_of_fold(part: Part, folds: Folds, learn: Learner) -> list[Prediction]:
    """Return a prediction of every example, in order, by a model learnt from the other folds."""
    found: dict[int, Prediction] = {}
    for fold in np.unique(folds):
        seen, unseen = np.flatnonzero(folds != fold).tolist(), np.flatnonzero(folds == fold).tolist()
        answer = learn(take(part, seen))
        found |= dict(zip(unseen, answer([part.examples[k] for k in unseen]), strict=True))
    return [found[k] for k in range(len(part))]
