"""What a frozen encoder is asked of an example: its sentence's vector, and its target's beside it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stancekit.models.neural.encoders.frozen import Frozen
from stancekit.models.neural.encoders.sights import Sights
from stancekit.models.neural.texts import reading
from stancekit.models.neural.texts.batches import Row
from stancekit.models.neural.texts.reading import Reading
from stancekit.schema import Example, Sentence

Floats = NDArray[np.float64]
POOLS = ("first", "mean", "target")


class _Unmarked(Sights):
    """Sights that leave the text as it is: an encoder that learns nothing does not know what a mark means."""

    def reading(self, example: Example) -> Reading:
        return reading.plain(example.sentence)


def features(frozen: Frozen, examples: Sequence[Example], pool: str, context: int) -> Floats:
    """Return the vectors of examples, (n, width); with the pool `target` the target's stand beside, (n, 2 × width).

    Each vector has a length of one. The windows of a long sentence are averaged. A target without a span is read by
    itself, and the vector of its name stands where the mention's would.
    """
    cutter = frozen.kit.cutter
    rows = _Unmarked(cutter, target="mark", context=context, pool=pool).rows(examples)
    named = [k for k, e in enumerate(examples) if pool == "target" and reading.mention(e) is None]
    names = _Unmarked(cutter, target="mark", context=0, pool="mean").rows([_name(examples[k]) for k in named])
    found = _averaged(frozen, [*rows, *names])
    for k, own in zip(named, found[len(examples) :], strict=True):
        found[k][1] = own[0]
    return np.array([_unit(own).ravel() for own in found[: len(examples)]], np.float64)


def _unit(vectors: Floats) -> Floats:
    """Return the vectors at a length of one: so heads need no other scaling (events of train left out in turn)."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _name(example: Example) -> Example:
    return Example(id="", sentence=Sentence(id="", text=example.target.name if example.target else ""))


def _averaged(frozen: Frozen, rows: Sequence[Sequence[Row]]) -> list[Floats]:
    """Return the mean of each example's windows, (pools, width)."""
    flat = frozen.vectors([row for windows in rows for row in windows])
    starts = np.cumsum([0, *map(len, rows)])
    return [np.mean(flat[a:b], axis=0, dtype=np.float64) for a, b in itertools.pairwise(starts)]
