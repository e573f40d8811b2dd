"""Texts far from one another: k-means++ seeding on TF-IDF (Arthur & Vassilvitskii 2007)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stancekit.models.features import Block, Features
from stancekit.models.ngrams import Analyser
from stancekit.schema import Example, Sentence


def spread(sentences: Sequence[Sentence], count: int, seed: int) -> NDArray[np.int64]:
    """Return the positions of `count` sentences that lie far apart, in the order of their choice.

    Each next one is drawn with a probability proportional to its squared distance (between TF-IDF rows of word
    n-grams, each of length one) from the nearest that was chosen. Copies of chosen texts come last.
    """
    examples = [Example(id=s.id, sentence=s) for s in sentences]
    matrix = Features([Block("word", lambda e: e.sentence.text, Analyser("word", 1, 2))]).fit_transform(examples, 1)
    rng = np.random.default_rng(seed)
    left = np.ones(len(sentences), np.bool_)
    distance = np.ones(len(sentences))
    chosen = np.zeros(count, np.int64)
    for number in range(count):
        weight = np.where(left, distance, 0.0)
        weight = weight if weight.sum() > 0 else left.astype(np.float64)
        chosen[number] = pick = rng.choice(len(weight), p=weight / weight.sum())
        left[pick] = False
        similarity = (matrix @ matrix[pick].T).toarray().ravel()
        distance = np.minimum(distance, np.maximum(2 - 2 * similarity, 0.0).round(12))
    return chosen
