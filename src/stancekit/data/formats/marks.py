"""Marks and links, as annotation tools hold them: what every layer looks like there."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from stancekit.schema import Attribution, Layers, Parts, Span, Stance, hull

ROLES = {"Cue": "cue", "Content": "content", "Source": "source"}
LAYER_OF = {"frame": "devices", "stance": "stances"}
_NO_FIELDS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Mark:
    """A labelled stretch of a text, in parts; `fields` holds what the label does not say.

    The label is `Source`, `Cue`, `Content`, `frame/NAME`, `stance/LABEL`, or `TASK/LABEL` of a user's own task;
    the fields are `source_type`, `cue_stance`, `target` and `negated`.
    """

    label: str
    parts: Parts
    fields: Mapping[str, str] = field(default_factory=lambda: _NO_FIELDS)


@dataclass
class Marks:
    """Marks, links between two of them by number, and groups: relations that a tool ties as one.

    A link between marks of one label joins them as parts of one; other links tie source, cue and content.
    """

    marks: list[Mark] = field(default_factory=list)
    links: list[tuple[int, int]] = field(default_factory=list)
    groups: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, mark: Mark) -> int:
        """Add a mark and return its number."""
        self.marks.append(mark)
        return len(self.marks) - 1

    def apart(self) -> Marks:
        """Return the same with one part a mark, parts of one mark linked, for tools without discontinuous marks."""
        found, first = Marks(), []
        for mark in self.marks:
            numbers = [
                found.add(Mark(mark.label, (part,), mark.fields if k == 0 else _NO_FIELDS))
                for k, part in enumerate(mark.parts)
            ]
            found.links += itertools.pairwise(numbers)
            first.append(numbers[0])
        found.links += [(first[a], first[b]) for a, b in self.links]
        found.groups = [tuple(first[n] for n in group) for group in self.groups]
        return found

    def moved(self, by: int) -> list[Mark]:
        """Return the marks with their offsets moved."""
        return [replace(m, parts=tuple(Span(p.start + by, p.end + by, p.label) for p in m.parts)) for m in self.marks]


def marks_of(layers: Layers, lost: Counter[str]) -> Marks:
    """Return the marks of all layers, counting in `lost` what marks cannot say."""
    found = Marks()
    relations = layers.attributions or ()
    lost["order of relations (now by their content)"] += list(relations) != sorted(relations, key=outermost)
    for relation in relations:
        _add_relation(found, relation, lost)
    for device in layers.devices or ():
        fields = {"target": device.target} if device.target is not None else {}
        fields |= {"negated": "true"} if device.negated else {}
        found.add(Mark(f"frame/{device.frame}", device.parts, fields))
    _add_stances(found, "stance", layers.stances or ())
    for task, answer in sorted(layers.labels.items()):
        if isinstance(answer, tuple) and (task in LAYER_OF or "/" in task):
            lost[f"answers of {task!r} (a task of that name has no marks)"] += 1
        elif isinstance(answer, tuple):
            for item in answer:
                if isinstance(item, Span):
                    found.add(Mark(f"{task}/{item.label}", (Span(item.start, item.end),)))
            _add_stances(found, task, (item for item in answer if isinstance(item, Stance)))
    return found


def _add_relation(found: Marks, relation: Attribution, lost: Counter[str]) -> None:
    lost["source type without source"] += bool(relation.source_type and not relation.source)
    lost["cue stance without cue"] += bool(relation.cue_stance and not relation.cue)
    values = {"source_type": relation.source_type, "cue_stance": relation.cue_stance}
    keys = {"Source": "source_type", "Cue": "cue_stance"}
    numbers = []
    for label, role in ROLES.items():
        parts: Parts = getattr(relation, role)
        if parts:
            value = values.get(keys.get(label, ""))
            numbers.append(found.add(Mark(label, parts, {keys[label]: value} if value else _NO_FIELDS)))
    found.links += [(numbers[0], number) for number in numbers[1:]]


def _add_stances(found: Marks, task: str, stances: Iterable[Stance]) -> None:
    for stance in stances:
        if stance.target.span is not None:
            found.add(Mark(f"{task}/{stance.label}", (stance.target.span,), {"target": stance.target.name}))


def outermost(relation: Attribution) -> tuple[int, int]:
    """Return the key that puts relations outermost first: the start of their content, the longer first."""
    start, end = hull(relation.content or relation.source + relation.cue or (Span(0, 1),))
    return start, -end
