"""Texts to windows of pieces with their offsets: nothing is cut off, long texts are read in overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from stancekit.models.neural.texts.cache import cached
from stancekit.models.neural.texts.packing import packed, unpacked
from stancekit.models.neural.texts.reading import Reading
from stancekit.models.neural.texts.window import Window

_BATCH = 1024
_KEPT = 500


class Cutter:
    """Cuts readings into windows of at most `length` pieces that overlap by `stride` pieces."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, length: int, stride: int | None = None, stamp: str = ""
    ) -> None:
        self.tokenizer, self.length, self.stamp = tokenizer, length, stamp
        self.stride = length // 4 if stride is None else stride

    def windows(self, readings: Sequence[Reading]) -> list[list[Window]]:
        """Return the windows of each reading, in text order; an empty text has one window.

        Those of a long list are kept on disk where the tokenizer's stamp is known: further seeds take them from there.
        """
        if not self.stamp or len(readings) < _KEPT:
            return self._windows(readings)
        parts = [self.stamp, [self.length, self.stride], [[r.text, r.second] for r in readings]]
        return unpacked(cached(parts, lambda: packed(self._windows(readings))))

    def _windows(self, readings: Sequence[Reading]) -> list[list[Window]]:
        found: list[list[Window]] = []
        for start in range(0, len(readings), _BATCH):
            found += self._batch(readings[start : start + _BATCH])
        return found

    def fitting(self, options: Sequence[Sequence[Reading]]) -> tuple[list[Reading], list[list[Window]]]:
        """Return, for each list of readings, the first that fits one window (else the last), and its windows."""
        chosen: list[Reading | None] = [None] * len(options)
        windows: list[list[Window]] = [[] for _ in options]
        waiting, depth = list(range(len(options))), 0
        while waiting:
            asked = [options[k][min(depth, len(options[k]) - 1)] for k in waiting]
            found = self.windows(asked)
            left = []
            for k, reading, cut in zip(waiting, asked, found, strict=True):
                if len(cut) > 1 and depth < len(options[k]) - 1:
                    left.append(k)
                else:
                    chosen[k], windows[k] = reading, cut
            waiting, depth = left, depth + 1
        return [r for r in chosen if r is not None], windows

    def _batch(self, readings: Sequence[Reading]) -> list[list[Window]]:
        found: list[list[Window]] = [[] for _ in readings]
        for paired in (False, True):  # apart, for an empty second text would be read as a text
            own = [k for k, r in enumerate(readings) if (r.second is not None) == paired]
            coded = self._coded([readings[k] for k in own], paired) if own else None
            for k, owner in enumerate(coded["overflow_to_sample_mapping"] if coded else ()):
                found[own[owner]].append(_window(coded, k))
        return found

    def _coded(self, readings: Sequence[Reading], paired: bool) -> Any:
        return self.tokenizer(
            [r.text for r in readings],
            [self._shortened(r.second or "") for r in readings] if paired else None,
            truncation="only_first",
            max_length=self.length,
            stride=min(self.stride, max(0, self.length // 4 - 4)),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=True,
        )

    def _shortened(self, text: str) -> str:
        """Return a second text that leaves at least half of the window to the first."""
        room = self.length // 2 - 4
        if text.isascii() and len(text) < room:  # elsewhere one character may be several pieces
            return text
        while len(pieces := self._places(text)) > room:
            text = text[: min(pieces[room][0], len(text) - 1)]  # what is cut may fall into other pieces
        return text

    def _places(self, text: str) -> list[tuple[int, int]]:
        coded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return list(coded["offset_mapping"])


def _window(coded: Any, k: int) -> Window:
    offsets = np.array(coded["offset_mapping"][k], dtype=np.int64).reshape(-1, 2)
    own = np.array([side == 0 for side in coded.sequence_ids(k)], dtype=np.bool_)
    own &= offsets[:, 1] > offsets[:, 0]  # a piece of no character belongs to no word
    return Window(
        ids=np.array(coded["input_ids"][k], dtype=np.int64),
        types=np.array(coded["token_type_ids"][k], dtype=np.int64),
        offsets=np.where(own[:, None], offsets, -1),
    )
