"""A linear decision over classes: learnt, calibrated on held-out examples, and kept as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from stancekit.models import calibrate, soft
from stancekit.models.calibrate import Truth
from stancekit.models.features import Matrix
from stancekit.models.solvers import SOLVERS, ClassWeight, Floats, Weights
from stancekit.models.tensors import Tensors


@dataclass(frozen=True)
class Plan:
    """How to learn: a solver by name with its settings; `multi` asks for each class by itself."""

    classifier: str
    c: float
    class_weight: str | Mapping[str, float] | None
    threshold: str | float
    calibrate: bool
    multi: bool
    seed: int

    def weight_of(self, classes: Sequence[str]) -> ClassWeight:
        """Return the class weights by the classes' numbers, as the solvers want them."""
        if not isinstance(self.class_weight, Mapping):
            return self.class_weight
        return {number: float(self.class_weight.get(label, 1.0)) for number, label in enumerate(classes)}

    @property
    def sigmoids(self) -> bool:
        """Whether sigmoids are fitted to held-out decision values."""
        return self.calibrate and self.classifier != "logreg"

    @property
    def thresholds(self) -> bool:
        """Whether thresholds are tuned on held-out examples."""
        return self.multi and self.threshold == "tuned"

    @property
    def holds_out(self) -> bool:
        """Whether held-out examples are needed at all."""
        return self.sigmoids or self.thresholds


class Decision:
    """Weights by class with what turns their sums into probabilities and answers.

    Truth is boolean, shape (n, classes); what is wanted of an example may be shares of classes instead, of the
    same shape. Two exclusive classes share one row of weights.
    """

    def __init__(self, plan: Plan, classes: Sequence[str]) -> None:
        self.plan, self.classes = plan, tuple(classes)

    def fit(
        self,
        matrix: Matrix,
        truth: Truth,
        groups: list[str],
        dev: tuple[Matrix, Truth] | None,
        wanted: Floats | None = None,
    ) -> None:
        """Learn weights from train; sigmoids and thresholds from dev, or from inner folds that keep groups whole."""
        wanted = truth.astype(np.float64) if wanted is None else wanted
        self.weights = self._learn(matrix, wanted)
        rows = len(self.weights.bias)
        self.sigmoids = np.tile([1.0, 0.0], (rows, 1))
        self.thresholds = np.full(rows, 0.5 if self.plan.threshold == "tuned" else self.plan.threshold, np.float64)
        if not self.plan.holds_out:
            return
        held = [(self.weights.scores(dev[0]), self._by_row(dev[1]))] if dev else []
        enough = [bool(held) and calibrate.is_enough(held[0][1][:, k]) for k in range(rows)]
        if not all(enough):
            held.append(self._inner(matrix, truth, groups, wanted))
        for k in range(rows):
            scores, positive = held[0 if enough[k] else -1]
            self._calibrate(k, scores[:, k], positive[:, k])

    def _learn(self, matrix: Matrix, wanted: Floats) -> Weights:
        if not self.plan.multi:
            return self._solve(matrix, wanted, self.classes)
        found = [
            self._solve(matrix, np.column_stack([1 - column, column]), ("", label))
            for label, column in zip(self.classes, wanted.T, strict=True)
        ]
        return Weights(np.concatenate([w.rows for w in found]), np.concatenate([w.bias for w in found]))

    def _solve(self, matrix: Matrix, wanted: Floats, classes: Sequence[str]) -> Weights:
        """Learn exclusive classes; an example of several stands once for each, weighted by its share."""
        plan, solve, several = self.plan, SOLVERS[self.plan.classifier], soft.spread(wanted)
        weight = plan.weight_of(classes)
        if several is None:
            return solve(matrix, wanted.argmax(axis=1), plan.c, weight, plan.seed, None)
        rows, numbers, shares = several
        return solve(matrix[rows], numbers, plan.c, weight, plan.seed, shares)

    def _by_row(self, truth: Truth) -> Truth:
        """Return the truth of each row of weights: of two exclusive classes, the second's."""
        return truth if len(self.weights.bias) == truth.shape[1] else truth[:, 1:]

    def _inner(self, matrix: Matrix, truth: Truth, groups: list[str], wanted: Floats) -> tuple[Floats, Truth]:
        """Return decision values of train examples by weights that have not seen their groups."""
        scores, known = [], []
        for seen, unseen in calibrate.inner_folds(groups):
            if _is_taught(truth[seen], self.plan.multi):
                scores.append(self._learn(matrix[seen], wanted[seen]).scores(matrix[unseen]))
                known.append(truth[unseen])
        if not scores:  # too few examples to hold any out: the model's own values are all there is
            return self.weights.scores(matrix), self._by_row(truth)
        return np.concatenate(scores), self._by_row(np.concatenate(known))

    def _calibrate(self, row: int, scores: Floats, positive: Truth) -> None:
        if self.plan.sigmoids:
            self.sigmoids[row] = calibrate.platt(scores, positive)
        if self.plan.thresholds and positive.any():
            slope, offset = self.sigmoids[row]
            self.thresholds[row] = calibrate.best_threshold(np.asarray(expit(slope * scores + offset)), positive)

    def probabilities(self, scores: Floats) -> Floats:
        """Return the probability of each class, shape (n, rows) → (n, classes)."""
        each = np.asarray(expit(scores * self.sigmoids[:, 0] + self.sigmoids[:, 1]))
        if self.plan.multi:
            return each
        if len(self.weights.bias) == 1:
            return np.column_stack([1 - each[:, 0], each[:, 0]])
        if self.plan.classifier == "logreg":
            return np.asarray(softmax(scores, axis=1))
        each = np.maximum(each, np.finfo(np.float64).tiny)
        return np.asarray(each / each.sum(axis=1, keepdims=True))

    def answers(self, scores: Floats, probabilities: Floats) -> Truth:
        """Return which classes are answered, shape (n, classes); one a row unless the task is multi-label."""
        if self.plan.multi:
            return np.asarray(probabilities >= self.thresholds)
        best = scores.argmax(axis=1) if len(self.weights.bias) > 1 else (scores[:, 0] > 0).astype(np.int64)
        return np.asarray(np.arange(len(self.classes)) == best[:, None])

    def arrays(self) -> Tensors:
        """Return all that was learnt, as arrays by name."""
        return {
            "weights": self.weights.rows,
            "bias": self.weights.bias,
            "sigmoids": self.sigmoids,
            "thresholds": self.thresholds,
        }

    def restore(self, arrays: Tensors) -> None:
        """Take back what `arrays` gave."""
        self.weights = Weights(arrays["weights"], arrays["bias"])
        self.sigmoids, self.thresholds = arrays["sigmoids"], arrays["thresholds"]


def _is_taught(truth: Truth, multi: bool) -> bool:
    """Say whether every class has an example, and (multi-label) a counter-example."""
    return bool(truth.any(axis=0).all()) and not (multi and truth.all(axis=0).any())
