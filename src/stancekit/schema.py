"""The central types: what is annotated, what a model sees, and what it answers.

Offsets are characters (Unicode code points) of the sentence's text, half-open. Gold and predicted
answers share their types. A layer that is None was not annotated; an empty one was, and holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stancekit.errors import fail


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A stretch of a sentence's text, characters start to end (exclusive), with an optional label."""

    start: int
    end: int
    label: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise fail("", f"the span {self.start}–{self.end} is empty or reversed", "0 ≤ start < end is expected")

    def of(self, text: str) -> str:
        """Return the characters that the span covers."""
        return text[self.start : self.end]


Parts = tuple[Span, ...]


def parts_of(pairs: Iterable[tuple[int, int]], label: str = "") -> Parts:
    """Return spans in text order from (start, end) pairs."""
    return tuple(sorted(Span(start, end, label) for start, end in pairs))


def hull(parts: Parts) -> tuple[int, int]:
    """Return the first start and the last end of some parts."""
    return min(p.start for p in parts), max(p.end for p in parts)


def characters(parts: Iterable[Span]) -> frozenset[int]:
    """Return the offsets of all characters that the parts cover."""
    return frozenset(c for part in parts for c in range(part.start, part.end))


def words_of(parts: Parts, text: str) -> str:
    """Return the text of the parts, joined by ` … ` where they are apart."""
    return " … ".join(part.of(text) for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """An attribution relation (PARC 3, PolNeAR): source, cue and content, each possibly discontinuous or missing."""

    source: Parts = ()
    cue: Parts = ()
    content: Parts = ()
    source_type: str | None = None
    cue_stance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A framing device: the shortest span whose wording carries a frame, with the actor it frames."""

    parts: Parts
    frame: str
    target: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """An actor that a sentence is about, with the span of its mention where that is known."""

    name: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Stance:
    """A label toward a target: favor, against or none, or a label of another set (sentiment, say)."""

    target: Target
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose frame a device is: `author`, `source` or `distanced`, and the relation that holds it."""

    kind: str
    relation: int | None = None
    source: Parts = ()


@dataclass(frozen=True, kw_only=True)
class Layers:
    """All that is annotated of one sentence; `labels` holds the answers of a user's own tasks by name.

    `votes` holds soft labels, where several annotators were merged: the share of them that gave each label, by task.
    """

    text: str
    attributions: tuple[Attribution, ...] | None = None
    devices: tuple[Device, ...] | None = None
    stances: tuple[Stance, ...] | None = None
    labels: Mapping[str, Answer] = field(default_factory=dict)
    votes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


Answer = (
    str | frozenset[str] | tuple[Span, ...] | tuple[Attribution, ...] | tuple[Device, ...] | tuple[Stance, ...] | Layers
)
"""What is asked of an example; gold and predicted have the same shape.

One label; a set of labels; spans; relations; devices; the stances of a sentence (only before it is cut
into examples, one a target); all layers.
"""


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of a document, with its metadata (outlet, date, event, …) and its gold layers."""

    id: str
    text: str
    document: str = ""
    index: int = 0
    meta: Mapping[str, Any] = field(default_factory=dict)
    gold: Layers = Layers(text="")

    def __post_init__(self) -> None:
        if self.gold.text != self.text:
            if self.gold.text:
                raise fail(self.id, "the gold layers belong to another text", "build both from one text")
            object.__setattr__(self, "gold", replace(self.gold, text=self.text))


@dataclass(frozen=True, kw_only=True)
class Example:
    """What a model sees: a sentence, and a target where the task has one (then the id is `id#k`, k from 1)."""

    id: str
    sentence: Sentence
    target: Target | None = None


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A model's answer to one example, joined to gold by id.

    `probabilities` has one number per label, or one confidence per span, relation or device; None where
    the model gives none.
    """

    id: str
    answer: Answer
    probabilities: Mapping[str, float] | tuple[float, ...] | None = None
