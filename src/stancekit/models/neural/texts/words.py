"""Words over pieces: which piece stands for each word in each window, and how windows are put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stancekit.models.neural.texts.reading import Reading
from stancekit.models.neural.texts.window import Ints, Window
from stancekit.schema import Span
from stancekit.text.tags import OUTSIDE


@dataclass(frozen=True)
class WordRow:
    """One window of a sentence: `words` are the numbers of the words whose first piece it holds, `firsts` those pieces.

    `margins` tell how far each of them stands from the window's nearer edge.
    """

    window: Window
    words: Ints
    firsts: Ints
    margins: Ints

    def fields(self) -> dict[str, Any]:
        """Return the row's inputs: pieces, token types, and the first pieces of its words."""
        return {"ids": self.window.ids, "types": self.window.types, "firsts": self.firsts}

    def tags(self, spelt: Sequence[str]) -> list[str]:
        """Return the tags of the row's words out of the sentence's; a span that began before the row begins in it.

        So it is where a span is interrupted: an inside tag always follows its own label.
        """
        own = [spelt[k] for k in self.words]
        before = [OUTSIDE, *own]
        return [
            f"B{tag[1:]}" if tag.startswith("I-") and tag[2:] != last.partition("-")[2] else tag
            for tag, last in zip(own, before, strict=False)
        ]

    def within(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where words start to end (exclusive) stand among the row's words; None unless all are there."""
        low, high = np.searchsorted(self.words, [start, end])
        return (int(low), int(high)) if high - low == end - start > 0 else None


def word_rows(toks: Sequence[Span], read: Reading, windows: Sequence[Window]) -> list[WordRow]:
    """Return the words of each window; a window that holds none is left out, but for the only one."""
    places = np.array([read.place(t.start, t.end) for t in toks], dtype=np.int64).reshape(-1, 2)
    found = [_row(places, window, number) for number, window in enumerate(windows)]
    return [row for row in found if len(row.words)] or found[:1]


def _row(places: Ints, window: Window, number: int) -> WordRow:
    known = np.flatnonzero(window.offsets[:, 1] > window.offsets[:, 0])
    starts, ends = window.offsets[known, 0], window.offsets[known, 1]
    first = np.searchsorted(ends, places[:, 0], side="right")  # the first piece that ends after the word's start
    inside = first < len(known)
    inside[inside] &= starts[first[inside]] < places[inside, 1]
    if len(known) and number:  # a word that begins before the window is not this window's
        inside &= places[:, 0] >= starts[0]
    words = np.flatnonzero(inside)
    firsts = known[first[inside]]
    margins = np.minimum(firsts, len(window) - 1 - firsts)
    return WordRow(window, words, firsts, margins)


def best_rows(rows: Sequence[WordRow], count: int) -> tuple[Ints, Ints]:
    """Return for each of `count` words the row with the widest margin around it and its place there; −1 for none."""
    own, place, widest = (np.full(count, -1, dtype=np.int64) for _ in range(3))
    for number, row in enumerate(rows):
        better = row.margins > widest[row.words]
        chosen = row.words[better]
        own[chosen], place[chosen], widest[chosen] = number, np.flatnonzero(better), row.margins[better]
    return own, place
