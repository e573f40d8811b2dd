"""How much better a model looks when its test examples share a group with train: random against grouped folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stancekit.auditing.columns import groups_of
from stancekit.auditing.estimates import Estimate, Runs, difference, estimate, measures
from stancekit.auditing.folds import Folds, grouped_folds, out_of_fold
from stancekit.auditing.learners import text
from stancekit.auditing.plan import Plan, Tell
from stancekit.tasks import Part


@dataclass(frozen=True)
class Gap:
    """Macro-F1 of the text baseline in folds that keep a column's groups whole, and how far that is below random folds.

    `gap` is random minus grouped; the intervals resample the column's groups. `shared` is the smallest and the
    largest share of a random fold's examples whose group also stands outside the fold.
    """

    column: str
    groups: int
    folds: int
    grouped: Estimate
    gap: Estimate
    shared: tuple[float, float]


def grouped_runs(part: Part, column: str, plan: Plan, tell: Tell) -> Runs:
    """Return the text baseline's predictions, once a repeat, in folds that keep the groups of a column whole."""
    groups = groups_of(part.examples, column)
    runs = []
    for seed in plan.seeds(len(part)):
        runs.append(out_of_fold(part, grouped_folds(groups, plan.folds, seed), text))
        tell()
    return runs


def gap(part: Part, column: str, random: Runs, grouped: Runs, cuts: Sequence[Folds], plan: Plan) -> Gap:
    """Return the gap of a column between predictions in the random folds `cuts` and those in its own."""
    groups = groups_of(part.examples, column)
    macro = measures(part.task)["macro_f1"]
    return Gap(
        column,
        len(set(groups)),
        min(plan.folds, len(set(groups))),
        estimate(macro, part, grouped, groups, plan.seed),
        difference(macro, part, random, grouped, groups, plan.seed),
        _shared(np.array(groups), cuts),
    )


def _shared(groups: NDArray[np.str_], cuts: Sequence[Folds]) -> tuple[float, float]:
    shares = [
        float(np.isin(groups[cut == fold], groups[cut != fold]).mean()) for cut in cuts for fold in np.unique(cut)
    ]
    return min(shares), max(shares)
