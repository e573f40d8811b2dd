"""Soft labels: what share of an example each class gets, from the votes of annotators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stancekit.data import votes
from stancekit.models.calibrate import Floats, Truth
from stancekit.tasks import Part

_NEAR = 1e-9


def shares(part: Part, classes: tuple[str, ...], truth: Truth) -> Floats:
    """Return the share of each class in each example, shape (n, classes), from votes where there are some.

    Exclusive classes share an example in proportion; of a set, each class has its own share. Where the settled answer
    goes against all votes (a label that nobody gave, or one dropped that everybody gave) the answer counts alone.
    """
    wanted = truth.astype(np.float64)
    for row, example in enumerate(part.examples):
        given = votes.of(example, part.task.name, *part.task.needs)
        share = np.array([given.get(label, 0.0) for label in classes])
        if not given or (share[truth[row]] <= _NEAR).any():
            continue
        if part.task.kind != "multi":
            wanted[row] = share / share.sum()
        elif not (share[~truth[row]] >= 1 - _NEAR).any():
            wanted[row] = share
    return wanted


def spread(wanted: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats] | None:
    """Return rows, classes and weights so that each row stands once for each class that has a share of it.

    None where every row is of one class alone.
    """
    rows, classes = np.nonzero(wanted)
    weights = wanted[rows, classes]
    return None if len(rows) == len(wanted) and (weights == 1).all() else (rows, classes, weights)
