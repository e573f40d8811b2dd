"""Linear classifiers by name: each learns one row of weights a class from the same matrix.

Weights are kept as plain arrays, so that predicting needs none of the code that learnt them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import LinearSVC

from stancekit.models.features import Matrix

Floats = NDArray[np.float64]
ClassWeight = str | Mapping[Any, float] | None


@dataclass(frozen=True)
class Weights:
    """A linear decision: one row a class; two classes have one row, whose positive side is the second."""

    rows: Floats
    bias: Floats

    def scores(self, matrix: Matrix) -> Floats:
        """Return the decision values, shape (n, features) → (n, rows)."""
        return np.asarray(matrix @ self.rows.T) + self.bias


Solver = Callable[[Matrix, NDArray[np.int64], float, ClassWeight, int, Floats | None], Weights]
"""Takes the matrix, the class and (last) the weight of each row; without weights all rows count alike."""


def logreg(
    matrix: Matrix, classes: NDArray[np.int64], c: float, weight: ClassWeight, seed: int, rows: Floats | None = None
) -> Weights:
    """Multinomial logistic regression with an L2 penalty."""
    estimator = LogisticRegression(C=c, class_weight=weight, max_iter=1000, random_state=seed)
    return _fitted(estimator, matrix, classes, rows)


def svm(
    matrix: Matrix, classes: NDArray[np.int64], c: float, weight: ClassWeight, seed: int, rows: Floats | None = None
) -> Weights:
    """Linear support vectors with squared hinge loss, one class against the rest."""
    return _fitted(LinearSVC(C=c, class_weight=weight, random_state=seed), matrix, classes, rows)


def nbsvm(
    matrix: Matrix, classes: NDArray[np.int64], c: float, weight: ClassWeight, seed: int, rows: Floats | None = None
) -> Weights:
    """Support vectors on features scaled by their naive Bayes log-count ratio (Wang & Manning 2012).

    TF-IDF values stand in for the paper's binary counts, and one is added to each sum. The scaling is folded
    into the weights.
    """
    present = np.unique(classes)
    found = []
    for label in present[1:] if len(present) == 2 else present:
        positive = (classes == label).astype(np.int64)
        ratio = log_count_ratio(matrix, positive == 1, rows)
        one = svm(matrix.multiply(ratio).tocsr(), positive, c, _one_against_rest(weight, label), seed, rows)
        found.append((one.rows[0] * ratio, one.bias[0]))
    return Weights(np.array([row for row, _ in found]), np.array([bias for _, bias in found]))


def ridge(
    matrix: Matrix, classes: NDArray[np.int64], c: float, weight: ClassWeight, seed: int, rows: Floats | None = None
) -> Weights:
    """Least squares with an L2 penalty on −1 and 1, one class against the rest."""
    return _fitted(RidgeClassifier(alpha=1 / (2 * c), class_weight=weight, random_state=seed), matrix, classes, rows)


SOLVERS: dict[str, Solver] = {"logreg": logreg, "svm": svm, "nbsvm": nbsvm, "ridge": ridge}


def log_count_ratio(matrix: Matrix, positive: NDArray[np.bool_], rows: Floats | None = None) -> Floats:
    """Return ln (p / |p|) / (q / |q|) of every feature, p and q its (weighted) sums plus one over the two sides."""
    counted = matrix if rows is None else matrix.multiply(rows[:, None]).tocsr()
    p = 1.0 + np.asarray(counted[positive].sum(axis=0)).ravel()
    q = 1.0 + np.asarray(counted[~positive].sum(axis=0)).ravel()
    return np.asarray(np.log(p / p.sum()) - np.log(q / q.sum()))


def _one_against_rest(weight: ClassWeight, label: int) -> ClassWeight:
    return {1: weight.get(label, 1.0), 0: 1.0} if isinstance(weight, Mapping) else weight


def _fitted(estimator: Any, matrix: Matrix, classes: NDArray[np.int64], rows: Floats | None) -> Weights:
    with warnings.catch_warnings():
        # A solver stopped at its last iteration is a usable model; the figures on dev say how good.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(matrix, classes, sample_weight=rows)
    weights = np.atleast_2d(np.asarray(estimator.coef_, np.float64))  # ridge has a plain row for two classes
    return Weights(weights, np.asarray(estimator.intercept_, np.float64).ravel())
