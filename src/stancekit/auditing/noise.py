"""Labels that a model which has not seen them would not give: candidates to be read again, no verdict.

Confident learning (Northcutt, Jiang & Chuang 2021): a label is a candidate when another one is at least as
probable as it is on average where it was given. Each label of a multi-label task is asked by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stancekit.auditing.estimates import Runs
from stancekit.tasks import Part

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """An example whose label is doubted: the label it has, a likelier one, and the confidence in both.

    Of a multi-label task `given` and `likely` are `label` and `no label`, or the other way round.
    """

    id: str
    given: str
    likely: str
    confidence: float
    likely_confidence: float


def candidates(part: Part, runs: Runs) -> list[Candidate]:
    """Return the candidates by out-of-fold probabilities, averaged over repeats; the most doubtful first."""
    labels = part.task.labels
    rows = np.mean([[[_probability(p.probabilities, c) for c in labels] for p in run] for run in runs], axis=0)
    if part.task.kind != "multi":
        given = np.array([labels.index(str(answer)) for answer in part.gold])
        found = _doubted(part, rows, given, labels)
    else:
        found = []
        for k, label in enumerate(labels):
            has = np.array([isinstance(answer, frozenset) and label in answer for answer in part.gold], np.int64)
            both = np.stack([1 - rows[:, k], rows[:, k]], axis=1)
            found += _doubted(part, both, has, (f"no {label}", label))
    return sorted(found, key=lambda c: (c.confidence - c.likely_confidence, c.id, c.likely))


def _probability(probabilities: object, label: str) -> float:
    return float(probabilities.get(label, 0.0)) if isinstance(probabilities, dict) else 0.0


def _doubted(part: Part, rows: Floats, given: NDArray[np.int64], names: tuple[str, ...]) -> list[Candidate]:
    """Return the examples for which a label that is confident enough is the likeliest, and not the given one."""
    usual = np.array([rows[given == k, k].mean() if (given == k).any() else np.inf for k in range(len(names))])
    confident = np.where(rows >= usual, rows, -1.0)
    likely = confident.argmax(axis=1)
    doubted = np.flatnonzero((confident.max(axis=1) > 0) & (likely != given))
    return [
        Candidate(
            part.examples[k].id,
            names[given[k]],
            names[likely[k]],
            round(float(rows[k, given[k]]), 4),
            round(float(rows[k, likely[k]]), 4),
        )
        for k in doubted
    ]
