"""A small logistic regression over feature strings: for attributes of spans and relations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

Row = Sequence[str]


@dataclass
class Scorer:
    """Weights of feature strings per label; with one label seen in training it always answers that one."""

    labels: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    intercept: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def probabilities(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Return the probability of every label, (rows, labels)."""
        scores = np.asarray(_matrix(rows, self.index) @ self.weights + self.intercept)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))

    def probability(self, rows: Sequence[Row], label: str) -> NDArray[np.float64]:
        """Return the probability of one label, (rows,); 0 where training has not seen it."""
        if label not in self.labels:
            return np.zeros(len(rows))
        return self.probabilities(rows)[:, self.labels.index(label)]

    def surest(self, row: Row) -> tuple[str, float]:
        """Return the most probable label of one row, and its probability."""
        probable = self.probabilities([row])[0]
        at = int(probable.argmax())
        return self.labels[at], float(probable[at])

    def dump(self) -> dict[str, Any]:
        """Return labels and features as JSON."""
        return {"labels": self.labels, "features": sorted(self.index, key=self.index.__getitem__)}

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return the weights (features, labels) and the intercept (labels,)."""
        return {"weights": self.weights, "intercept": self.intercept}

    @classmethod
    def restore(cls, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Scorer:
        """Take back what `dump` and `arrays` returned."""
        index = {name: at for at, name in enumerate(plain["features"])}
        return cls(list(plain["labels"]), index, arrays["weights"], arrays["intercept"])


def train(rows: Sequence[Row], labels: Sequence[str], *, penalty: float = 1.0, min_count: int = 1) -> Scorer:
    """Fit a scorer; features seen less than `min_count` times are left out."""
    counts = Counter(feature for row in rows for feature in set(row))
    index = {name: at for at, name in enumerate(sorted(f for f, n in counts.items() if n >= min_count))}
    names = sorted(set(labels))
    if len(names) < 2:
        return Scorer(names, index, np.zeros((len(index), len(names))), np.zeros(len(names)))
    fitted = LogisticRegression(C=penalty, max_iter=1000).fit(_matrix(rows, index), list(labels))
    weights, intercept = np.asarray(fitted.coef_, dtype=np.float64).T, np.asarray(fitted.intercept_, dtype=np.float64)
    if len(names) == 2:  # scikit-learn keeps one column for two labels
        weights = np.concatenate([np.zeros_like(weights), weights], axis=1)
        intercept = np.concatenate([[0.0], intercept])
    return Scorer(names, index, weights, intercept)


def _matrix(rows: Sequence[Row], index: Mapping[str, int]) -> csr_matrix:
    """Return presence of features, (rows, features)."""
    columns, pointers, data = [], [0], []
    for row in rows:
        known = sorted({index[feature] for feature in row if feature in index})
        columns += known
        data += [1.0] * len(known)
        pointers.append(len(columns))
    return csr_matrix((data, columns, pointers), shape=(len(rows), len(index)))
