"""The conditional random field with the vectors of a frozen encoder beside its feature strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.models import tensors
from stancekit.models.chain import Vectors
from stancekit.models.crf import Crf
from stancekit.models.decision import Decision, Plan
from stancekit.models.denial import Range
from stancekit.models.device_attributes import DeviceAttributes, token_hull
from stancekit.models.device_features import frame_features
from stancekit.models.encoder import Seen
from stancekit.models.neural.encoders.frozen import Frozen
from stancekit.models.neural.encoders.word_vectors import Floats, WordReader, WordVectors
from stancekit.schema import Device, Example, Prediction, Sentence
from stancekit.tasks import Part, Task

FILE = "vectors.safetensors"


class VectorCrf(Crf):
    """A CRF that reads its words by an encoder too; `settings` are those of `Crf`, `dims` those of `WordVectors`.

    A device's frame is named by two witnesses, the words of its span and their mean vector: their probabilities
    are multiplied.
    """

    def __init__(self, frozen: Frozen, dims: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.reader, self.reduced = WordReader(frozen), WordVectors(dims)

    def fit(self, train: Part, dev: Part) -> None:
        """Learn as `Crf` does, with vectors."""
        super().fit(train, dev)
        self.reader.forget()

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer as `Crf` does."""
        found = super().predict(examples)
        self.reader.forget()
        return found

    def vectors(self, seen: Sequence[Seen], *, learn: bool = False) -> Vectors:
        """Return the reduced vectors of the words, (words, dims) a sentence."""
        words = self.reader.of(seen)
        if learn:
            self.reduced.learn(words)
        return self.reduced.of(words)

    def new_attributes(self) -> DeviceAttributes:
        """Return attributes whose frames are named with the help of vectors."""
        return _Attributes(self.reader, self.settings.seed)

    def save(self, folder: Path) -> None:
        """Write what `Crf` writes, and `vectors.safetensors` (the directions of the vectors)."""
        super().save(folder)
        tensors.write(folder / FILE, self.reduced.arrays())

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote."""
        super().load(folder, task)
        self.reduced.restore(tensors.read(folder / FILE))


class _Attributes(DeviceAttributes):
    """Attributes of devices with a second witness of the frame: the mean vector of the device's words."""

    def __init__(self, reader: WordReader, seed: int) -> None:
        super().__init__()
        self.reader = reader
        self.plan = Plan("logreg", 1.0, "balanced", 0.5, calibrate=False, multi=False, seed=seed)
        self.witness: Decision | None = None

    def fit(self, sentences: Sequence[Sentence], seen: Sequence[Seen], gold: Sequence[Sequence[Device]]) -> None:
        """Learn from the devices of train, aligned with its sentences."""
        super().fit(sentences, seen, gold)
        frames = self.scorers["frame"].labels
        if len(frames) < 2:
            return
        found = [
            (_mean(words, span), device.frame)
            for one, words, row in zip(seen, self.reader.of(seen), gold, strict=True)
            for device in row
            if (span := token_hull(one, device)) is not None
        ]
        self.witness = Decision(self.plan, frames)
        truth = np.array([[frame == own for frame in frames] for _, own in found], np.bool_)
        self.witness.fit(np.array([vector for vector, _ in found]), truth, [], None)

    def frames(self, seen: Sequence[Seen], spans: Sequence[Sequence[Range]]) -> list[list[tuple[str, float]]]:
        """Return the likeliest frame of each span of each sentence, and its probability."""
        if self.witness is None:
            return super().frames(seen, spans)
        found = []
        for one, words, row in zip(seen, self.reader.of(seen), spans, strict=True):
            found.append([self._frame(self.witness, one, words, span) for span in row])
        return found

    def _frame(self, witness: Decision, seen: Seen, words: Floats, span: Range) -> tuple[str, float]:
        scores = witness.weights.scores(_mean(words, span)[None])
        both = self.scorers["frame"].probabilities([frame_features(seen, span)])[0] * witness.probabilities(scores)[0]
        best = int(both.argmax())
        return witness.classes[best], float(both[best] / both.sum())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights."""
        own = self.witness.arrays() if self.witness is not None else {}
        return super().arrays() | {f"witness.{name}": values for name, values in own.items()}

    def restore(self, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `dump` and `arrays` returned."""
        super().restore(plain, arrays)
        if own := tensors.under(arrays, "witness."):
            self.witness = Decision(self.plan, self.scorers["frame"].labels)
            self.witness.restore(own)


def _mean(words: Floats, span: Range) -> NDArray[np.float64]:
    """Return the mean vector of some words at a length of one; zeros where they have none."""
    mean = words[slice(*span)].mean(axis=0, dtype=np.float64)
    return np.asarray(mean / (np.linalg.norm(mean) or 1.0))
