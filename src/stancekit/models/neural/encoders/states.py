"""Sentences as an encoder's word vectors: read in windows, put together again, and kept while heads look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.texts import reading
from stancekit.models.neural.texts.batches import Collate
from stancekit.models.neural.texts.reading import Neighbours, Reading
from stancekit.models.neural.texts.windows import Cutter
from stancekit.models.neural.texts.words import WordRow, best_rows, word_rows
from stancekit.schema import Sentence, Span
from stancekit.text.tokens import tokens

Floats = NDArray[np.float32]
Range = tuple[int, int]
"""First word, last word + 1."""


@dataclass(frozen=True)
class View:
    """A sentence as it is to be read, and the words of it to be looked at: all, or some from the word `first` on."""

    sentence: Sentence
    toks: list[Span]
    read: Reading
    first: int = 0
    is_whole: bool = True


@dataclass(frozen=True)
class Laid:
    """A sentence laid out for the encoder: its words (from `first` on), and the windows that hold them."""

    sentence: Sentence
    toks: list[Span]
    rows: list[WordRow]
    first: int = 0


def lay(cutter: Cutter, sentences: Sequence[Sentence], context: int) -> list[Laid]:
    """Lay out sentences, with `context` sentences before and after as far as they fit."""
    return lay_views(cutter, [View(s, tokens(s.text), reading.plain(s)) for s in sentences], sentences, context)


def lay_views(cutter: Cutter, views: Sequence[View], given: Sequence[Sentence], context: int) -> list[Laid]:
    """Lay out views; the neighbours of those that show a whole sentence are looked for among the sentences given."""
    neighbours = Neighbours(given) if context else None
    options = [
        reading.choices(v.read, neighbours.around(v.sentence, context)) if neighbours and v.is_whole else [v.read]
        for v in views
    ]
    chosen, windows = cutter.fitting(options)
    return [
        Laid(view.sentence, view.toks, word_rows(view.toks, read, cut), view.first)
        for view, read, cut in zip(views, chosen, windows, strict=True)
    ]


def marked(one: Laid, ranges: Sequence[Range], mark: str) -> list[View]:
    """Return a view for each range of words, marked; of a sentence in several windows the stretch around it."""
    found = []
    for (start, end), (low, high) in zip(ranges, stretches(one, ranges), strict=True):
        own = (one.toks[start].start, one.toks[end - 1].end)
        read = reading.marked(one.sentence.text, [own], mark)
        is_whole = (low, high) == (0, len(one.toks))
        if not is_whole:
            read = read.stretch(one.toks[low].start, one.toks[high - 1].end)
        found.append(View(one.sentence, one.toks[low:high], read, low, is_whole))
    return found


def stretches(one: Laid, ranges: Sequence[Range]) -> list[Range]:
    """Return the words that are read with each range: all, or those of the window that shows most around it."""
    if len(one.rows) == 1:
        return [(0, len(one.toks))] * len(ranges)
    own, _ = best_rows(one.rows, len(one.toks))
    found = []
    for start, end in ranges:
        words = one.rows[max(0, own[start])].words
        found.append((min(int(words[0]), start), max(int(words[-1]) + 1, end)))
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


def in_row(row: WordRow, ranges: Sequence[Range]) -> list[tuple[int, Range]]:
    """Return the ranges of words that stand whole in a row: (number, range among the row's words)."""
    found = [(k, row.within(a, b)) for k, (a, b) in enumerate(ranges)]
    return [(k, place) for k, place in found if place is not None]


def tensor(values: Any) -> torch.Tensor:
    """Return values as a tensor with one row."""
    return torch.as_tensor(np.asarray(values))[None]
