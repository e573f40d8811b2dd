"""From marks and links back to annotations in the form of the native record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from stancekit.data.formats.marks import LAYER_OF, ROLES, Mark, Marks
from stancekit.schema import Parts, Span, hull

Found = dict[str, list[dict[str, Any]]]


def spell(found: Marks, text: str, task: str | None = None) -> Found:
    """Return what marks spell, by layer or by name of a user's own task.

    A label without a task is of the task `spans`; with `task` given, every label that is no role, frame or
    stance is of that task as it is. Relations stand outermost first.
    """
    marks, whole = _joined(found)
    spelled: Found = defaultdict(list)
    for mark in marks.values():
        if mark.label not in ROLES:
            name, label = task_and_label(mark.label, task)
            spelled[LAYER_OF.get(name, name)] += _items(mark, name, label, text)
    relations = [_relation([marks[n] for n in group]) for group in _groups(found, marks, whole)]
    if relations:
        spelled["attributions"] = sorted(relations, key=_reach)
    spelled.get("devices", []).sort(key=lambda d: (d["spans"], d["frame"]))
    for items in spelled.values():
        if "start" in items[0]:
            items.sort(key=lambda s: (s.get("start", 0), s.get("end", 0), s["label"]))
    return dict(spelled)


def task_and_label(label: str, task: str | None = None) -> tuple[str, str]:
    """Cut the label of a mark into its task (or `frame`, `stance`) and the label in it."""
    name, _, rest = label.partition("/")
    if name and rest and (name in LAYER_OF or task is None):
        return name, rest
    return task or "spans", label


def _joined(found: Marks) -> tuple[dict[int, Mark], list[int]]:
    """Join linked marks of one label; return the joined marks, and the number of the one that holds each mark."""
    above = list(range(len(found.marks)))

    def top(number: int) -> int:
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number

    for a, b in found.links:
        if found.marks[a].label == found.marks[b].label:
            first, second = sorted((top(a), top(b)))
            above[second] = first
    whole = [top(number) for number in range(len(found.marks))]
    marks: dict[int, Mark] = {}
    for number, mark in zip(whole, found.marks, strict=True):
        known = marks.get(number)
        if known is not None:
            parts = tuple(sorted({*known.parts, *mark.parts}))
            mark = Mark(mark.label, parts, {**mark.fields, **known.fields})
        marks[number] = mark
    return marks, whole


def _groups(found: Marks, marks: Mapping[int, Mark], whole: list[int]) -> list[list[int]]:
    """Return relations as numbers of joined marks: those that a tool tied, one a cue with what it reaches, the rest."""
    roles = {number for number, mark in marks.items() if mark.label in ROLES}
    groups = [sorted({whole[n] for n in group} & roles) for group in found.groups]
    near: dict[int, set[int]] = defaultdict(set)
    for a, b in ((whole[a], whole[b]) for a, b in found.links):
        if a != b and {a, b} <= roles:
            near[a].add(b)
            near[b].add(a)
    tied = {number for group in groups for number in group}
    cues = {number for number in roles if marks[number].label == "Cue"}
    for start in sorted(cues - tied):
        groups.append(_reached(start, near, cues))
        tied.update(groups[-1])
    for start in sorted(roles - tied):
        if start not in tied:
            groups.append(_reached(start, near, tied))
            tied.update(groups[-1])
    return sorted(group for group in groups if group)


def _reached(start: int, near: Mapping[int, Collection[int]], stop: Collection[int]) -> list[int]:
    """Return the marks that links reach from one, none of `stop` among them."""
    found, queue = {start}, [start]
    while queue:
        for number in near.get(queue.pop(), ()):
            if number not in found and number not in stop:
                found.add(number)
                queue.append(number)
    return sorted(found)


def _relation(marks: list[Mark]) -> dict[str, Any]:
    relation: dict[str, Any] = {"source_type": None, "cue_stance": None}
    for label, role in ROLES.items():
        relation[role] = sorted({(p.start, p.end) for m in marks if m.label == label for p in m.parts})
    for mark in marks:
        for key in ("source_type", "cue_stance"):
            relation[key] = relation[key] or mark.fields.get(key)
    return relation


def _reach(relation: Mapping[str, Any]) -> tuple[int, int]:
    """Return the key by which relations stand outermost first, as `marks.outermost` has it."""
    pairs = relation["content"] or [*relation["source"], *relation["cue"]]
    return min(a for a, _ in pairs), -max(b for _, b in pairs)


def _items(mark: Mark, name: str, label: str, text: str) -> list[dict[str, Any]]:
    target = mark.fields.get("target")
    if name == "frame":
        negated = mark.fields.get("negated") == "true"
        return [{"spans": _pairs(mark.parts), "frame": label, "target": target, "negated": negated}]
    if name == "stance" or target is not None:
        span = Span(*hull(mark.parts))
        key = "stance" if name == "stance" else "label"
        return [{"target": target or span.of(text), key: label, "span": [span.start, span.end]}]
    return [{"start": p.start, "end": p.end, "label": label} for p in mark.parts]


def _pairs(parts: Parts) -> list[list[int]]:
    return [[p.start, p.end] for p in parts]
