"""From decision values to probabilities and thresholds, by held-out examples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.model_selection import GroupKFold

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
LEAST = 5
"""With fewer examples on either side than this, dev says too little and inner folds of train are asked."""


def platt(scores: Floats, positive: Truth) -> tuple[float, float]:
    """Return slope and offset of the sigmoid that fits decision values to labels (Platt 1999).

    Targets are smoothed as in the paper, so that separable values stay finite.
    """
    ones, zeros = int(positive.sum()), int((~positive).sum())
    wanted = np.where(positive, (ones + 1) / (ones + 2), 1 / (zeros + 2))

    def loss(ab: Floats) -> tuple[float, Floats]:
        z = ab[0] * scores + ab[1]
        off = expit(z) - wanted
        return float(np.sum(np.logaddexp(0, z) - wanted * z)), np.array([np.sum(off * scores), np.sum(off)])

    start = np.array([1.0, np.log((ones + 1) / (zeros + 1))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return float(found[0]), float(found[1])


def best_threshold(probabilities: Floats, positive: Truth) -> float:
    """Return the probability from which on a label is given so that its F1 is largest.

    It lies halfway between two neighbouring values; of equal F1 the one nearest to one half is taken.
    """
    order = np.argsort(-probabilities, kind="stable")
    values, hits = probabilities[order], np.cumsum(positive[order])
    given = np.arange(1, len(values) + 1)
    f1 = 2 * hits / (given + positive.sum())
    lower = np.append(values[1:], 0.0)
    f1[values == lower] = -1.0  # equal values are given or left together
    middle = (values + lower) / 2
    best = np.flatnonzero(f1 == f1.max())
    return float(middle[best[np.argmin(np.abs(middle[best] - 0.5))]])


def inner_folds(groups: list[str], folds: int = 5) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (train, held-out) rows so that no group stands on both sides; always the same for the same groups."""
    distinct = len(set(groups))
    if distinct < folds:
        groups, distinct = [str(k) for k in range(len(groups))], len(groups)
    yield from GroupKFold(min(folds, distinct)).split(groups, groups=groups)


def is_enough(positive: Truth) -> bool:
    """Say whether a held-out part has enough examples on both sides to fit or tune on."""
    return min(int(positive.sum()), int((~positive).sum())) >= LEAST
