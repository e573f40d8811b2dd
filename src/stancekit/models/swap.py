"""Copies of examples in which targets change places, so that a model cannot learn which side is the villain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stancekit.schema import Example, Layers, Sentence, Span, Target
from stancekit.tasks import Part

_COPY = "~swapped"


def with_swapped(part: Part, seed: int) -> Part:
    """Return a targeted part with a copy of each example whose target has a span, the targets' names exchanged.

    Where a sentence names two targets, each takes the other's place; a single one takes a name drawn from the part.
    The label stays: it belongs to the wording, and the wording stays. Ids of copies end in `~swapped`.
    """
    names = sorted({e.target.span.of(e.sentence.text) for e in part.examples if e.target and e.target.span})
    rng = np.random.default_rng(seed)
    others = _others(part.examples)
    examples, gold = list(part.examples), list(part.gold)
    for example, answer in zip(part.examples, part.gold, strict=True):
        copy = _swapped(
            example, others.get(example.sentence.id, []), str(names[rng.integers(len(names))]) if names else ""
        )
        if copy is not None:
            examples.append(copy)
            gold.append(answer)
    return Part(part.task, tuple(examples), tuple(gold))


def _others(examples: Sequence[Example]) -> dict[str, list[Span]]:
    """Return the mentions of targets in each sentence."""
    found: dict[str, list[Span]] = {}
    for example in examples:
        if example.target is not None and example.target.span is not None:
            found.setdefault(example.sentence.id, []).append(example.target.span)
    return found


def _swapped(example: Example, mentions: Sequence[Span], drawn: str) -> Example | None:
    target, text = example.target, example.sentence.text
    if target is None or target.span is None:
        return None
    own = target.span
    other = next(
        (m for m in mentions if (m.end <= own.start or m.start >= own.end) and m.of(text) != own.of(text)), None
    )
    new = other.of(text) if other is not None else drawn
    if new == own.of(text):
        return None
    edits = {own: new} if other is None else {own: new, other: own.of(text)}
    changed, at, last = "", 0, 0
    for span in sorted(edits):
        changed += text[last : span.start]
        at = len(changed) if span == own else at
        changed += edits[span]
        last = span.end
    changed += text[last:]
    before = example.sentence
    sentence = Sentence(
        id=before.id + _COPY, text=changed, document=before.document, meta=before.meta, gold=Layers(text=changed)
    )
    return replace(example, id=example.id + _COPY, sentence=sentence, target=Target(new, Span(at, at + len(new))))
