"""Sentences as an encoder's word vectors: read in windows, put together again, and kept while heads look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stancekit.models.neural import kit as kits
from stancekit.models.neural import reading
from stancekit.models.neural.batches import Collate
from stancekit.models.neural.reading import Neighbours, Reading
from stancekit.models.neural.windows import Cutter
from stancekit.models.neural.words import WordRow, best_rows, word_rows
from stancekit.schema import Sentence, Span
from stancekit.text.tokens import tokens

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Laid:
    """A sentence laid out for the encoder: its word tokens, and the windows that hold them."""

    sentence: Sentence
    toks: list[Span]
    rows: list[WordRow]


def lay(
    cutter: Cutter,
    sentences: Sequence[Sentence],
    context: int,
    view: Callable[[int], Reading] | None = None,
    given: Sequence[Sentence] | None = None,
) -> list[Laid]:
    """Lay out sentences, with `context` sentences before and after as far as they fit.

    `view` gives the reading of a sentence by its number (by default the plain text); `given` are the sentences among
    which neighbours are looked for, where these are others.
    """
    neighbours = Neighbours(given if given is not None else sentences) if context else None
    plain = [view(k) if view else reading.plain(s) for k, s in enumerate(sentences)]
    options = [
        reading.choices(read, neighbours.around(s, context)) if neighbours else [read]
        for s, read in zip(sentences, plain, strict=True)
    ]
    chosen, windows = cutter.fitting(options)
    found = []
    for sentence, read, cut in zip(sentences, chosen, windows, strict=True):
        toks = tokens(sentence.text)
        found.append(Laid(sentence, toks, word_rows(toks, read, cut)))
    return found


def run(net: nn.Module, laid: Sequence[Laid], collate: Collate) -> list[dict[str, Floats]]:
    """Return what the network gives for every word of each sentence, by name: (words, width).

    A word that no piece stands for has zeros.
    """
    flat = [(at, k) for at, one in enumerate(laid) for k in range(len(one.rows))]
    inputs = [laid[at].rows[k].fields() for at, k in flat]
    pieces: list[list[dict[str, Floats]]] = [[{} for _ in one.rows] for one in laid]
    for numbers, outputs in kits.outputs(net, inputs, collate):
        kept = {name: value.float().cpu().numpy() for name, value in outputs.items()}
        for place, number in enumerate(numbers):
            at, k = flat[number]
            count = len(laid[at].rows[k].words)
            pieces[at][k] = {name: value[place, :count] for name, value in kept.items()}
    return [_together(one, own) for one, own in zip(laid, pieces, strict=True)]


def _together(one: Laid, pieces: Sequence[dict[str, Floats]]) -> dict[str, Floats]:
    if len(pieces) == 1 and len(one.rows[0].words) == len(one.toks):
        return pieces[0]
    own, place = best_rows(one.rows, len(one.toks))
    found: dict[str, Floats] = {}
    for name, first in pieces[0].items():
        found[name] = np.zeros((len(one.toks), *first.shape[1:]), dtype=np.float32)
        for number, each in enumerate(pieces):
            mine = own == number
            found[name][mine] = each[name][place[mine]]
    return found


def in_row(row: WordRow, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, tuple[int, int]]]:
    """Return the ranges of words that stand whole in a row: (number, range among the row's words)."""
    found = [(k, row.within(a, b)) for k, (a, b) in enumerate(ranges)]
    return [(k, place) for k, place in found if place is not None]


def tensor(values: Any) -> torch.Tensor:
    """Return values as a tensor with one row."""
    return torch.as_tensor(np.asarray(values))[None]
