"""What is drawn in a sentence: marks on its characters, cut into segments, and what is told beneath it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from stancekit.schema import Attribution, Device, Holder, Parts, Span, Target, words_of
from stancekit.tasks import ROLES

COLOURS = 8
"""So many label colours the style sheet has; further labels take them again, with another line."""


@dataclass(frozen=True)
class Mark:
    """A stretch of text in the colours of its style class; `number` ties the parts of one relation."""

    style: str
    parts: Parts
    number: int | None = None


class Palette:
    """The style class of each label, by its place in the task."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._styles = {label: _style(number) for number, label in enumerate(labels)}

    def __getitem__(self, label: str) -> str:
        return self._styles.get(label, _style(len(self._styles)))

    def legend(self) -> list[list[str]]:
        """Return (label, style class) pairs."""
        return [[label, style] for label, style in self._styles.items()]


def _style(number: int) -> str:
    return f"label k{number % COLOURS}" + (" again" if number >= COLOURS else "")


def of_relations(relations: Sequence[Attribution]) -> list[Mark]:
    """Return the marks of relations, numbered where there are several."""
    numbers: Sequence[int | None] = range(1, len(relations) + 1) if len(relations) > 1 else [None]
    return [
        Mark(role, getattr(relation, role), number)
        for number, relation in zip(numbers, relations, strict=False)
        for role in reversed(ROLES)
        if getattr(relation, role)
    ]


def of_devices(devices: Sequence[Device], palette: Palette) -> list[Mark]:
    """Return the marks of framing devices in their frames' colours."""
    return [Mark(palette[device.frame], device.parts) for device in devices]


def of_spans(spans: Sequence[Span], palette: Palette) -> list[Mark]:
    """Return the marks of labelled spans."""
    return [Mark(palette[span.label], (span,)) for span in spans]


def segments(text: str, marks: Sequence[Mark]) -> list[list[Any]]:
    """Cut a text at every edge of a mark: [text, style classes, relation numbers that begin there].

    Segments follow each other without gap, so that marks may nest, overlap and be discontinuous.
    """
    edges = {0, len(text)} | {edge for m in marks for p in m.parts for edge in (p.start, p.end)}
    found = []
    for start, end in pairwise(sorted(edges)):
        here = [m for m in marks if any(p.start <= start and end <= p.end for p in m.parts)]
        begins = [m.number for m in here if m.number is not None and any(p.start == start for p in m.parts)]
        styles = dict.fromkeys(style for m in here for style in m.style.split())
        found.append([text[start:end], " ".join(styles), begins])
    return found


def tell_relation(relation: Attribution, number: int, text: str) -> dict[str, Any]:
    """Return what stands beneath a sentence of one relation."""
    source = words_of(relation.source, text) if relation.source else "source not named here"
    cue = words_of(relation.cue, text) if relation.cue else "no cue"
    facts = [cue, relation.source_type, relation.cue_stance]
    return {
        "kind": "relation",
        "style": "source",
        "label": f"relation {number}",
        "words": source,
        "note": " · ".join(f for f in facts if f),
    }


def tell_device(device: Device, holder: Holder | None, text: str, palette: Palette) -> dict[str, Any]:
    """Return what stands beneath a sentence of one device: frame, words, target and holder."""
    facts = [f"→ {device.target}" if device.target else "", "negated" if device.negated else ""]
    facts.append(held_by(holder, text) if holder else "")
    return {
        "kind": "device",
        "style": palette[device.frame],
        "label": device.frame,
        "words": words_of(device.parts, text),
        "note": " · ".join(f for f in facts if f),
    }


def tell_span(span: Span, text: str, palette: Palette) -> dict[str, Any]:
    """Return what stands beneath a sentence of one labelled span."""
    return {"kind": "span", "style": palette[span.label], "label": span.label, "words": span.of(text), "note": ""}


def tell_stance(task: str, target: Target, label: str) -> dict[str, Any]:
    """Return what stands beneath a sentence of the label toward a target."""
    return {"kind": "stance", "style": "target", "label": label or "not answered", "words": target.name, "note": task}


def tell_label(task: str, label: str) -> dict[str, Any]:
    """Return what stands beneath a sentence of a label of the whole of it."""
    return {"kind": "label", "style": "target", "label": label or "not answered", "words": "", "note": task}


def held_by(holder: Holder, text: str, antecedent: str | None = None) -> str:
    """Say whose frame it is."""
    source = words_of(holder.source, text) if holder.source else ""
    who = f"{source} ({antecedent})" if source and antecedent else antecedent or source
    if holder.kind == "author":
        return "held by the outlet"
    if holder.kind == "source":
        return f"held by {who or 'a source not named here'}"
    return f"distanced, from {who}" if who else "distanced"


def with_confidence(told: Sequence[dict[str, Any]], numbers: object) -> list[dict[str, Any]]:
    """Add the model's confidence to what is told, where it gives one number each."""
    if not isinstance(numbers, Sequence) or isinstance(numbers, Mapping) or len(numbers) != len(told):
        return list(told)
    return [item | {"confidence": float(number)} for item, number in zip(told, numbers, strict=True)]
