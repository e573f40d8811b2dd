"""Entries of a lexicon found in a text: word by word in any form, or by a regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stancekit.errors import fail
from stancekit.models.lemma import forms
from stancekit.schema import Span
from stancekit.text.blanks import even

_GAP = 3


@dataclass(frozen=True, order=True)
class Match:
    """An entry found: its place in the text, what it stands for, and its tokens (first, last + 1)."""

    start: int
    end: int
    value: str
    first: int
    last: int


@dataclass(frozen=True)
class _Entry:
    words: tuple[frozenset[str], ...]  # an empty set is a gap of up to three words
    value: str


class Matcher:
    """Finds entries by the forms of their words; of overlapping ones the longest, then the first.

    An entry is words apart by spaces; `=word` is that form only, `_` a gap of up to three words, and `/…/` a
    regular expression over the text, in which every white space (a line break, say) is a blank.
    """

    def __init__(self, entries: Iterable[tuple[str, str]], irregular: Mapping[str, Sequence[str]]) -> None:
        self._by_first: dict[str, list[_Entry]] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for text, value in entries:
            if text.startswith("/") and text.endswith("/") and len(text) > 2:
                self._patterns.append((pattern(text), value))
            else:
                self._add(text, value, irregular)

    def _add(self, text: str, value: str, irregular: Mapping[str, Sequence[str]]) -> None:
        words = tuple(_word(part, irregular) for part in text.split())
        for form in words[0]:
            self._by_first.setdefault(form, []).append(_Entry(words, value))

    def find(self, text: str, tokens: Sequence[Span]) -> list[Match]:
        """Return the matches in text order; none overlaps another."""
        words = [token.of(text).lower() for token in tokens]
        found = [
            Match(tokens[at].start, tokens[end - 1].end, entry.value, at, end)
            for at, word in enumerate(words)
            for entry in self._by_first.get(word, ())
            if (end := _end(entry.words, words, at)) is not None
        ]
        plain = even(text)
        for regex, value in self._patterns:
            for match in regex.finditer(plain):
                covered = [k for k, t in enumerate(tokens) if t.start < match.end() and match.start() < t.end]
                if covered:
                    found.append(Match(*match.span(), value, covered[0], covered[-1] + 1))
        return longest(found)


def pattern(entry: str) -> re.Pattern[str]:
    """Return the regular expression of an entry `/…/`, case ignored; a broken one is an error."""
    try:
        return re.compile(entry[1:-1], re.IGNORECASE)
    except re.error as error:
        raise fail("", f"the pattern {entry} is broken: {error}", "mend the regular expression") from error


def longest(matches: Iterable[Match]) -> list[Match]:
    """Return the matches that no longer (or equally long, earlier) one overlaps, in text order."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (m.start - m.end, m)):
        if all(match.end <= other.start or other.end <= match.start for other in kept):
            kept.append(match)
    return sorted(kept)


def _word(part: str, irregular: Mapping[str, Sequence[str]]) -> frozenset[str]:
    if part == "_":
        return frozenset()
    return frozenset([part[1:].lower()]) if part.startswith("=") and len(part) > 1 else forms(part, irregular)


def _end(entry: tuple[frozenset[str], ...], words: Sequence[str], at: int) -> int | None:
    """Return where an entry that begins at a token ends, or None where it does not stand there."""
    if not entry:
        return at
    if not entry[0]:
        ends = (_end(entry[1:], words, at + gap) for gap in range(_GAP + 1))
        return next((end for end in ends if end is not None), None)
    if at < len(words) and words[at] in entry[0]:
        return _end(entry[1:], words, at + 1)
    return None
