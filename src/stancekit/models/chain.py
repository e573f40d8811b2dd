"""A linear-chain CRF over feature strings and numbers: trained by CRFsuite, kept and decoded as plain arrays."""

from __future__ import annotations

import ctypes
import itertools
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pycrfsuite
from numpy.typing import NDArray

from stancekit.errors import Problems, did_you_mean
from stancekit.models import viterbi
from stancekit.text.tags import OUTSIDE, ranges

Features = Sequence[Sequence[str]]
"""The features of one sentence by template: (templates, tokens)."""
Vectors = Sequence[NDArray[np.float32]]
"""Features that are numbers, beside the strings: (tokens, dimensions) a sentence."""

_BATCH = 512
ALGORITHMS = ("lbfgs", "l2sgd")
"""Those of CRFsuite that maximise the likelihood, so that marginals are probabilities."""


@dataclass(frozen=True)
class ChainSettings:
    """How a chain is trained: CRFsuite's algorithm, L1 and L2 penalties, when it stops, the seed of its shuffling."""

    algorithm: str = "lbfgs"
    c1: float = 0.05
    c2: float = 0.1
    max_iterations: int = 60
    min_frequency: int = 1
    seed: int = 13

    def check(self, problems: Problems) -> None:
        """Note settings that CRFsuite would not take."""
        if self.algorithm not in ALGORITHMS:
            problems.add("algorithm", f"there is no {self.algorithm!r}", did_you_mean(self.algorithm, ALGORITHMS))
        if self.c1 < 0 or self.c2 < 0:
            problems.add("c1, c2", "a penalty is negative", "0 or more is expected")
        if self.c1 and self.algorithm != "lbfgs":
            problems.add("c1", f"{self.algorithm} has no L1 penalty", "set c1: 0, or algorithm: lbfgs")
        if self.max_iterations < 1:
            problems.add("max_iterations", f"{self.max_iterations} passes learn nothing", "give 1 or more")

    def parameters(self) -> dict[str, Any]:
        """Return the settings under CRFsuite's own names."""
        found: dict[str, Any] = {"max_iterations": self.max_iterations, "c2": self.c2}
        found |= {"feature.minfreq": self.min_frequency, "feature.possible_transitions": True}
        if self.algorithm == "lbfgs":
            found["c1"] = self.c1
        return found


@dataclass
class Chain:
    """The weights of a trained chain: labels, an index of features, and float32 arrays."""

    labels: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    states: NDArray[np.float32] = field(default_factory=lambda: np.zeros((1, 0), dtype=np.float32))
    transitions: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))

    def scores(self, sentences: Iterable[Features], vectors: Vectors | None = None) -> list[viterbi.Floats]:
        """Return the summed weights of every token, each (tokens, labels); unknown features weigh nothing."""
        found = self._string_scores(sentences)
        if vectors is None:
            return found
        return [score + own @ self._dense(own.shape[1]) for score, own in zip(found, vectors, strict=True)]

    def _dense(self, dimensions: int) -> viterbi.Floats:
        """Return the weights of the numbers, (dimensions, labels)."""
        rows = [self.index.get(name, len(self.index)) for name in _names(dimensions)]
        return self.states[rows].astype(np.float64)

    def _string_scores(self, sentences: Iterable[Features]) -> list[viterbi.Floats]:
        found: list[viterbi.Floats] = []
        waiting = iter(sentences)
        while batch := list(itertools.islice(waiting, _BATCH)):
            found.extend(self._score_batch(batch))
        return found

    def _score_batch(self, batch: Sequence[Features]) -> list[viterbi.Floats]:
        lengths = [len(features[0]) for features in batch]
        total = np.zeros((sum(lengths), len(self.labels)))
        unknown, find = len(self.index), self.index.get
        for template in zip(*batch, strict=True):
            total += self.states[[find(feature, unknown) for row in template for feature in row]]
        return np.split(total, np.cumsum(lengths)[:-1])

    def tag(self, scores: Sequence[viterbi.Floats], readiness: float = 0.0) -> list[list[str]]:
        """Return the best tags of each sentence, spans begun so readily."""
        return self._named(viterbi.best_paths(*self._ready(scores, readiness)))

    def spans(
        self, scores: Sequence[viterbi.Floats], readiness: float = 0.0
    ) -> list[list[tuple[int, int, str, float]]]:
        """Return the spans of the best tags: first token, last token + 1, label, confidence.

        The confidence is the least probability, over the span's tokens, that the token bears the span's label.
        """
        ready, transitions = self._ready(scores, readiness)
        tagged, probable = self._named(viterbi.best_paths(ready, transitions)), viterbi.marginals(ready, transitions)
        return [
            [(a, b, label, self._confidence(shares, a, b, label)) for a, b, label in ranges(row)]
            for row, shares in zip(tagged, probable, strict=True)
        ]

    def _ready(
        self, scores: Sequence[viterbi.Floats], readiness: float
    ) -> tuple[Sequence[viterbi.Floats], viterbi.Floats]:
        return viterbi.ready(scores, self.transitions.astype(np.float64), self.labels, readiness)

    def _named(self, paths: Iterable[viterbi.Ints]) -> list[list[str]]:
        return [[self.labels[at] for at in path] for path in paths]

    def _confidence(self, probable: viterbi.Floats, start: int, end: int, label: str) -> float:
        own = [at for at, tag in enumerate(self.labels) if tag != OUTSIDE and tag.partition("-")[2] == label]
        return round(float(probable[start:end, own].sum(axis=1).min()), 6)

    def dump(self) -> dict[str, Any]:
        """Return labels and features as JSON."""
        return {"labels": self.labels, "features": sorted(self.index, key=self.index.__getitem__)}

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights: states (features + 1, labels), the last row 0; transitions (from, to)."""
        return {"states": self.states, "transitions": self.transitions}

    @classmethod
    def restore(cls, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Chain:
        """Take back what `dump` and `arrays` returned."""
        index = {name: at for at, name in enumerate(plain["features"])}
        return cls(list(plain["labels"]), index, arrays["states"], arrays["transitions"])


def train(
    sentences: Iterable[Features],
    tags: Iterable[Sequence[str]],
    settings: ChainSettings,
    vectors: Vectors | None = None,
) -> Chain:
    """Train a chain with CRFsuite and take its weights out of the model file, which is deleted.

    The features are taken one sentence at a time: strings of a whole corpus would need gigabytes.
    """
    parameters = settings.parameters()
    if vectors is not None:  # CRFsuite counts a feature by the sum of its values, which may be negative
        parameters["feature.minfreq"] = -1e30
    trainer = pycrfsuite.Trainer(algorithm=settings.algorithm, params=parameters, verbose=False)
    for at, (features, gold) in enumerate(zip(sentences, tags, strict=True)):
        if gold:
            trainer.append(_items(features, None if vectors is None else vectors[at]), list(gold))
    seed_c_library(settings.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crfsuite")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        chain = _weights(tagger)
        tagger.close()
    return chain


def _items(features: Features, vectors: NDArray[np.float32] | None) -> list[Any]:
    """Return the tokens as CRFsuite wants them: their feature strings, with values where some are numbers."""
    tokens = [list(token) for token in zip(*features, strict=True)]
    if vectors is None:
        return tokens
    names = _names(vectors.shape[1])
    return [
        dict.fromkeys(token, 1.0) | dict(zip(names, values, strict=True))
        for token, values in zip(tokens, vectors.astype(np.float64).tolist(), strict=True)
    ]


def _names(dimensions: int) -> list[str]:
    return [f"vector{k}" for k in range(dimensions)]


def seed_c_library(seed: int) -> None:
    """Seed the C library's rand(), with which CRFsuite shuffles: without that, a second training would differ."""
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    library.srand(ctypes.c_uint(seed))


def _weights(tagger: Any) -> Chain:
    """Read labels, state and transition weights out of a trained CRFsuite model (its dump has six decimals)."""
    info = tagger.info()
    labels = sorted(tagger.labels())
    place = {label: at for at, label in enumerate(labels)}
    index = {name: at for at, name in enumerate(sorted({feature for feature, _ in info.state_features}))}
    states = np.zeros((len(index) + 1, len(labels)), dtype=np.float32)
    for (feature, label), weight in info.state_features.items():
        states[index[feature], place[label]] = weight
    transitions = np.zeros((len(labels), len(labels)), dtype=np.float32)
    for (before, after), weight in info.transitions.items():
        transitions[place[before], place[after]] = weight
    return Chain(labels, index, states, transitions)
