"""Offsets of tools that run in a browser: UTF-16 units recognised by the text quoted beside them, and mended.

A character beyond U+FFFF (most emoji) is one character here and two units in JavaScript and Java.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from stancekit.data.formats.base import ReadLog

Pair = tuple[int, int]
UNITS = ("auto", "characters", "utf16")


class Units:
    """The UTF-16 units of one text."""

    def __init__(self, text: str) -> None:
        self._wide = [at for at, c in enumerate(text) if c > "\uffff"] if not text.isascii() else []
        self._wide_units = [at + k for k, at in enumerate(self._wide)]

    def __bool__(self) -> bool:
        """Say whether units and characters differ anywhere in the text."""
        return bool(self._wide)

    def character(self, unit: int) -> int | None:
        """Return the character at a unit; None where the unit is the second half of a character."""
        before = bisect.bisect_left(self._wide_units, unit)
        inside = before and self._wide_units[before - 1] == unit - 1
        return None if inside else unit - before

    def unit(self, character: int) -> int:
        """Return the unit at which a character begins."""
        return character + bisect.bisect_left(self._wide, character)


@dataclass(frozen=True)
class Quoted:
    """Where a tool says that a span stands, in parts, and the words that it quotes (None: it quotes none)."""

    where: str
    pairs: tuple[Pair, ...]
    quote: str | None = None


def to_characters(
    text: str, found: Sequence[Quoted], log: ReadLog, unit: str = "auto"
) -> list[tuple[Pair, ...] | None]:
    """Return the character offsets of spans, None for each that was refused with a problem.

    A tool counts one way in the whole text. With `unit="auto"` offsets are UTF-16 units where more of the
    spans fit so than as characters: their quotation is what stands there, or where there is none, they end
    inside the text. They are mended and counted.
    """
    if not found:
        return []
    plain = [_fits(text, item.pairs, item.quote) for item in found]
    units = Units(text)
    if not units or unit == "characters" or (unit == "auto" and all(plain)):
        return [_kept(text, item, item.pairs, fits, log) for item, fits in zip(found, plain, strict=True)]
    mended = [_mended(units, item.pairs) for item in found]
    fits = [_fits(text, pairs, item.quote) for pairs, item in zip(mended, found, strict=True)]
    if unit == "auto" and sum(fits) <= sum(plain):
        return [_kept(text, item, item.pairs, ok, log) for item, ok in zip(found, plain, strict=True)]
    if unit == "auto":
        moved = [ok and pairs != item.pairs for ok, pairs, item in zip(fits, mended, found, strict=True)]
        log.counts["offsets in UTF-16 units (mended)"] += sum(moved)
    return [_kept(text, item, pairs, ok, log) for item, pairs, ok in zip(found, mended, fits, strict=True)]


def _mended(units: Units, pairs: tuple[Pair, ...]) -> tuple[Pair, ...] | None:
    found = []
    for start, end in pairs:
        first, last = units.character(start), units.character(end)
        if first is None or last is None:
            return None
        found.append((first, last))
    return tuple(found)


def _fits(text: str, pairs: tuple[Pair, ...] | None, quote: str | None) -> bool:
    if not pairs or not all(0 <= start < end <= len(text) for start, end in pairs):
        return False
    covered = " ".join(text[a:b] for a, b in pairs)
    return quote is None or (len(quote) <= 2 * len(covered) + 100 and covered.split() == quote.split())


def _kept(text: str, item: Quoted, pairs: tuple[Pair, ...] | None, fits: bool, log: ReadLog) -> tuple[Pair, ...] | None:
    if fits:
        return pairs
    told = ", ".join(f"{start}–{end}" for start, end in item.pairs)
    if item.quote is None or not all(0 <= start < end <= len(text) for start, end in item.pairs):
        what = f"offset mismatch: {told} lies outside the text of {len(text)} characters"
    else:
        covered = " ".join(text[a:b] for a, b in item.pairs)
        what = f"offset mismatch: {told} covers {shortened(covered)}, the file says {shortened(item.quote)}"
    hint = "it fits neither as characters nor as UTF-16 units; mend it, or set `on_error: skip`"
    log.problems.add(item.where, what, hint)
    return None


def shortened(text: str) -> str:
    """Return the repr of a text, its middle left out where it is long."""
    return repr(text if len(text) < 60 else f"{text[:25]} … {text[-25:]}")
