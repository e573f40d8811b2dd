"""How a model that classifies sees an example: marked target, pair, neighbours, and what is pooled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stancekit.errors import Problems, did_you_mean
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.texts import reading
from stancekit.models.neural.texts.reading import Neighbours, Reading
from stancekit.models.neural.texts.window import Window
from stancekit.models.neural.texts.windows import Cutter
from stancekit.schema import Example

MARK = "*"
"""A mark that every vocabulary has; inserted, so a sentence's own asterisks are not touched."""
TARGETS = ("mark", "pair", "both", "blind")
POOLS = ("standard", "first", "mean", "target")


class Sights:
    """Turns examples into rows: pieces, token types, and the weights of pieces in each pooled vector.

    `target`: `mark` puts marks around the mention (without a mention the target's name is read as a pair), `pair`
    always reads the name as a pair, `both` does both, `blind` hides the target. `context` sentences before and
    after are read too, as far as they fit. `pool`: `standard` leaves it to the architecture, `first` takes the first
    piece, `mean` the sentence, `target` the sentence beside the mention (without a mention the sentence twice).
    """

    def __init__(self, cutter: Cutter, *, target: str, context: int, pool: str) -> None:
        self.cutter, self.target, self.context, self.pool = cutter, target, context, pool

    @property
    def pools(self) -> int:
        """How many vectors are pooled."""
        return 2 if self.pool == "target" else 1

    def rows(self, examples: Sequence[Example]) -> list[list[dict[str, Any]]]:
        """Return the rows of each example: one a window."""
        neighbours = Neighbours([e.sentence for e in examples]) if self.context else None
        options = [self._options(e, neighbours) for e in examples]
        chosen, windows = self.cutter.fitting(options)
        return [self._of(e, r, w) for e, r, w in zip(examples, chosen, windows, strict=True)]

    def _options(self, example: Example, neighbours: Neighbours | None) -> list[Reading]:
        whole = self.reading(example)
        if neighbours is None:
            return [whole]
        return reading.choices(whole, neighbours.around(example.sentence, self.context))

    def reading(self, example: Example) -> Reading:
        """Return the sentence as it is read for its target."""
        text, span = example.sentence.text, reading.mention(example)
        if example.target is None or self.target == "blind":
            return Reading(text)
        found = Reading(text)
        if span is not None and self.target in ("mark", "both"):
            found = reading.marked(text, [(span.start, span.end)], MARK)
        if span is None or self.target != "mark":
            name = span.of(text) if span is not None else example.target.name
            found = Reading(found.text, found.before, found.marks, name)
        return found

    def _of(self, example: Example, read: Reading, windows: Sequence[Window]) -> list[dict[str, Any]]:
        place = self._mention_place(example, read)
        if place is not None and len(windows) > 1:
            holding = [w for w in windows if len(w.inside(*place))]
            windows = [max(holding, key=lambda w: _margin(w, place))] if holding else windows
        return [self._row(example, read, window, place) for window in windows]

    def _mention_place(self, example: Example, read: Reading) -> tuple[int, int] | None:
        span = reading.mention(example)
        return None if span is None or self.target == "blind" else read.place(span.start, span.end)

    def _row(self, example: Example, read: Reading, window: Window, place: tuple[int, int] | None) -> dict[str, Any]:
        row: dict[str, Any] = {"ids": window.ids, "types": window.types}
        if self.pool != "standard":
            start, end = read.place(0, len(example.sentence.text)) if example.sentence.text else (0, 0)
            row["pools"] = _weights(window, self.pool, (start, end), place)
        return row


def _margin(window: Window, place: tuple[int, int]) -> int:
    """Return how many pieces stand between a place and the nearer end of the window."""
    inside = window.inside(*place)
    return int(min(inside[0], len(window) - 1 - inside[-1]))


def _weights(window: Window, pool: str, whole: tuple[int, int], place: tuple[int, int] | None) -> np.ndarray:
    first = np.zeros((len(window), 1), dtype=np.float32)
    first[0] = 1.0
    if pool == "first":
        return first
    sentence = _mean(window, whole, first)
    if pool == "mean":
        return sentence
    return np.hstack([sentence, sentence if place is None else _mean(window, place, sentence)])


def _mean(window: Window, place: tuple[int, int], otherwise: np.ndarray) -> np.ndarray:
    inside = window.inside(*place)
    if not len(inside):
        return otherwise
    found = np.zeros((len(window), 1), dtype=np.float32)
    found[inside] = 1.0 / len(inside)
    return found


def check(target: str, pool: str, context: Any, problems: Problems) -> None:
    """Note settings of the sight that do not exist."""
    for name, value, known in (("target", target, TARGETS), ("pool", pool, POOLS)):
        if value not in known:
            problems.add(name, f"there is no {value!r}", did_you_mean(str(value), known))
    kits.check_context(context, problems)
