"""What the encoder reads for an example: the sentence, its marks and its neighbours, and where its characters went."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stancekit.models.candidates import same_stem
from stancekit.schema import Example, Sentence, Span, Target
from stancekit.text.blanks import even


@dataclass(frozen=True)
class Reading:
    """A text made of a sentence: `before` characters of context lead it, `marks` were inserted into it.

    `before` is below 0 where the sentence's first characters were cut off.

    `marks` are (offset in the sentence, inserted text), in order. `second` is a second text, read as a pair.
    """

    text: str
    before: int = 0
    marks: tuple[tuple[int, str], ...] = ()
    second: str | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters start to end (exclusive) of the sentence stand in the text."""
        return (
            self.before + start + sum(len(mark) for at, mark in self.marks if at <= start),
            self.before + end + sum(len(mark) for at, mark in self.marks if at < end),
        )

    def stretch(self, start: int, end: int) -> Reading:
        """Return what is read of the sentence's characters start to end (exclusive), with the marks at its edges."""
        first = self.before + start + sum(len(mark) for at, mark in self.marks if at < start)
        last = self.before + end + sum(len(mark) for at, mark in self.marks if at <= end)
        return Reading(self.text[first:last], self.before - first, self.marks)


def plain(sentence: Sentence) -> Reading:
    """Return the sentence as it is."""
    return Reading(sentence.text)


def marked(text: str, spans: Sequence[tuple[int, int]], mark: str) -> Reading:
    """Return the text with a mark before and after each span (characters, disjoint, in order)."""
    marks: list[tuple[int, str]] = []
    for start, end in spans:
        marks += [(start, f"{mark} "), (end, f" {mark}")]
    whole, last = [], 0
    for at, inserted in marks:
        whole += [text[last:at], inserted]
        last = at
    return Reading("".join([*whole, text[last:]]), marks=tuple(marks))


def between(reading: Reading, previous: str, following: str) -> Reading:
    """Return the reading with the sentences before and after it."""
    lead = f"{previous} " if previous else ""
    text = f"{lead}{reading.text}{' ' if following else ''}{following}"
    return Reading(text, reading.before + len(lead), reading.marks, reading.second)


class Neighbours:
    """The sentences next to each sentence in its document, among those given."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.texts = {(s.document, s.index): s.text for s in sentences if s.document}

    def around(self, sentence: Sentence, count: int) -> tuple[str, str]:
        """Return `count` sentences before and after, joined; empty where there are none."""
        own = (sentence.document, sentence.index)
        if self.texts.get(own) != sentence.text:
            return "", ""
        before: list[str] = []
        after: list[str] = []
        for step in range(1, count + 1):
            if (text := self.texts.get((own[0], own[1] - step))) is None:
                break
            before.insert(0, text)
        for step in range(1, count + 1):
            if (text := self.texts.get((own[0], own[1] + step))) is None:
                break
            after.append(text)
        return " ".join(before), " ".join(after)


def choices(reading: Reading, around: tuple[str, str]) -> list[Reading]:
    """Return the readings to try, the fullest first: context gives way where the encoder cannot hold it."""
    previous, following = around
    tried = [between(reading, previous, following), between(reading, previous, ""), reading]
    return [r for k, r in enumerate(tried) if r not in tried[:k]]


def mention(example: Example) -> Span | None:
    """Return where the example's target stands in its sentence, if that is known and inside the text."""
    return None if example.target is None else place_of(example.sentence.text, example.target)


def place_of(text: str, target: Target) -> Span | None:
    """Return where a target stands in a text: its span, else the first word or adjective of its name."""
    if target.span is not None:
        return target.span if target.span.end <= len(text) else None
    exact = re.search(rf"(?<!\w){re.escape(target.name)}(?!\w)", even(text)) if target.name else None
    if exact is not None:
        return Span(*exact.span())
    name = target.name.lower()
    words = [m for m in re.finditer(r"\w+", text) if m.group()[0].isupper() and same_stem(name, m.group().lower())]
    return Span(*words[0].span()) if words else None
