"""A toy language whose attributions, devices and stances a tiny encoder learns in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stancekit.schema import Attribution, Device, Example, Layers, Sentence, Span, Stance, Target
from stancekit.tasks import Part, Task, part

ACTORS = ("Karsk", "Tolmenia", "Orlen", "Vesna", "Ruritania", "Borduria")
SOURCES = ("officials", "residents", "he", "they")
WORDS = ("harbour", "talks", "port", "town", "convoy", "border", "bridge", "night", "river", "truce")
FRAMES = {"heroic": "valour", "brutal": "cruelty", "sham": "legality"}
TONES = {"praised": "favor", "blamed": "against", "visited": "none"}
TRAINING = {"epochs": 16, "batch_size": 16, "learning_rate": 3e-3, "average": 0.3, "device": "cpu", "precision": "fp32"}
"""Enough for a tiny encoder to learn the language by heart."""
QUICK = {**TRAINING, "epochs": 1}


class Line:
    """A text that grows by words; every `add` returns where its words stand."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.text = ""

    def add(self, words: str) -> Span:
        """Append words."""
        start = len(self.text) + bool(self.text)
        self.text = f"{self.text} {words}" if self.text else words
        return Span(start, len(self.text))

    def any(self, among: Sequence[str]) -> Span:
        """Append one of some words."""
        return self.add(str(self.rng.choice(among)))

    def some(self, least: int = 1, most: int = 3) -> Span:
        """Append a few words that mean nothing."""
        return self.add(" ".join(self.rng.choice(WORDS, self.rng.integers(least, most + 1))))

    def sentence(self, number: int, **layers: Any) -> Sentence:
        """Return the line as a sentence with gold layers."""
        gold = Layers(text=self.text, **layers)
        return Sentence(id=str(number), text=self.text, document=f"d{number // 8}", index=number % 8, gold=gold)


def said(number: int, shape: str) -> Sentence:
    """Return a sentence with attributions: plain, nested, split (a cue of two parts), quote (no cue) or none."""
    line = Line(number)
    if shape == "none":
        line.some(4, 6)
        return line.sentence(number, attributions=())
    if shape == "quote":
        line.add('"')
        content = line.some(2, 4)
        line.add('"')
        return line.sentence(number, attributions=(Attribution(content=(content,)),))
    source, kind = _source(line)
    if shape == "split":
        first, _ = line.add("did"), line.add("indeed")
        cues, stance = (first, line.add("not say")), "distancing"
    else:
        word = str(line.rng.choice(["said", "claimed"]))
        cues, stance = (line.add(word),), "distancing" if word == "claimed" else "neutral"
    line.add("that")
    inner = _inner(line) if shape == "nested" else None
    content = inner[0] if inner else line.some(2, 4)
    line.add(".")
    outer = Attribution(source=(source,), cue=cues, content=(content,), source_type=kind, cue_stance=stance)
    return line.sentence(number, attributions=(outer, *(inner[1:] if inner else ())))


def _source(line: Line) -> tuple[Span, str]:
    named = bool(line.rng.integers(2))
    return line.any(ACTORS if named else SOURCES), "state" if named else "unnamed"


def _inner(line: Line) -> tuple[Span, Attribution]:
    source, kind = _source(line)
    cue = line.add("said")
    line.add("that")
    content = line.some(2, 4)
    found = Attribution(source=(source,), cue=(cue,), content=(content,), source_type=kind, cue_stance="neutral")
    return Span(source.start, content.end), found


SHAPES = ("plain", "nested", "split", "quote", "none")


def attributed(count: int, first: int = 0) -> list[Sentence]:
    """Return sentences of every shape."""
    return [said(first + k, SHAPES[k % len(SHAPES)]) for k in range(count)]


def framed(count: int, first: int = 0, actors: Sequence[str] = ACTORS) -> list[Sentence]:
    """Return sentences with a device each: of the actor after it, of none (the actor stands `near`), perhaps denied."""
    found = []
    for number in range(first, first + count):
        line = Line(number)
        line.some(1, 2)
        negated = number % 3 == 0
        if negated:
            line.add("never")
        word = str(line.rng.choice([*FRAMES]))
        device = line.add(word)
        target = None
        if number % 2:
            line.some(1, 1)
            line.add("near")
            line.any(actors)
        else:
            target = line.any(actors).of(line.text)
        line.some(1, 2)
        item = Device(parts=(device,), frame=FRAMES[word], target=target, negated=negated)
        found.append(line.sentence(number, devices=(item,)))
    return found


def judged(count: int, first: int = 0, name: str | None = None, labels: Sequence[str] = ()) -> list[Sentence]:
    """Return sentences that judge two actors; the label set is `stance`, or another by name with labels of its own."""
    names = dict(zip(TONES.values(), labels, strict=True)) if labels else {v: v for v in TONES.values()}
    found = []
    for number in range(first, first + count):
        line = Line(number)
        stances = []
        for actor in line.rng.choice(ACTORS, 2, replace=False):
            line.some(1, 2)
            tone = str(line.rng.choice([*TONES]))
            line.add(tone)
            stances.append(Stance(Target(str(actor), line.add(str(actor))), names[TONES[tone]]))
        layers = {"stances": tuple(stances)} if name is None else {"labels": {name: tuple(stances)}}
        found.append(line.sentence(number, **layers))
    return found


def labelled(count: int, first: int = 0) -> list[Sentence]:
    """Return sentences with label sets of their own: `tone` (one), `sides` (several, or none), `marks` (spans)."""
    found = []
    for number in range(first, first + count):
        line = Line(number)
        line.some(1, 2)
        word = str(line.rng.choice([*FRAMES]))
        mark = line.add(word)
        sides = set()
        for actor in line.rng.choice(ACTORS, number % 3, replace=False):
            line.some(1, 1)
            line.add(str(actor))
            sides.add("east" if ACTORS.index(str(actor)) < 3 else "west")
        marks = (Span(mark.start, mark.end, "loud" if word == "sham" else "warm"),)
        labels = {"tone": FRAMES[word], "sides": frozenset(sides), "marks": marks}
        found.append(line.sentence(number, labels=labels))
    return found


def cut(task: Task, sentences: Sequence[Sentence], dev: int = 0) -> tuple[Part, Part]:
    """Return train and dev: the last `dev` sentences."""
    edge = len(sentences) - dev
    return part(task, sentences[:edge]), part(task, sentences[edge:])


def odd() -> list[Sentence]:
    """Return sentences that nobody wrote: empty, blank, an emoji, 20,000 characters, one word without end."""
    texts = ["", " \u00a0\t ", "👩‍👩‍👧‍👦", "Karsk said that the heroic harbour . " * 545, "peace" * 400, "\u200b", "."]
    return [Sentence(id=f"odd{k}", text=text, document="odd", index=k) for k, text in enumerate(texts)]


def bare(sentences: Sequence[Sentence]) -> list[Example]:
    """Return examples of sentences without their gold."""
    return [Example(id=s.id, sentence=replace(s, gold=Layers(text=s.text))) for s in sentences]


def share_right(predictions: Sequence[Any], gold: Sequence[Any]) -> float:
    """Return the share of sentences answered exactly right."""
    return float(np.mean([p.answer == g for p, g in zip(predictions, gold, strict=True)]))
