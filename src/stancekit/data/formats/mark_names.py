"""Names of marks for tools that have a label and nothing else, or only some characters for it."""

from __future__ import annotations

import re
from collections import Counter

from stancekit.data.formats.marks import ROLES, Mark, Marks

_FIELDS = {"Source": "source_type", "Cue": "cue_stance"}
_FULL = re.compile(r"(?P<label>[^/]+/.+?)(?P<negated>!)?(?:>(?P<target>.*))?", re.DOTALL)
_HELD = "mark whose label or target the format cannot hold (left out)"


def full(mark: Mark) -> str:
    """Return the label with its fields, as in the inline markup: `Cue@distancing`, `frame/blame!>Ruritania`."""
    if mark.label in ROLES:
        value = mark.fields.get(_FIELDS.get(mark.label, ""))
        return f"{mark.label}@{value}" if value else mark.label
    target = mark.fields.get("target")
    return mark.label + ("!" if "negated" in mark.fields else "") + (f">{target}" if target is not None else "")


def read_full(name: str) -> tuple[str, dict[str, str]]:
    """Return the label and the fields of a name; one of another scheme is a label as it stands."""
    role, _, value = name.partition("@")
    if role in ROLES:
        return role, {_FIELDS[role]: value} if value and role in _FIELDS else {}
    match = _FULL.fullmatch(name)
    if match is None:
        return name, {}
    fields = {"target": match["target"]} if match["target"] is not None else {}
    return match["label"], fields | ({"negated": "true"} if match["negated"] else {})


def plain(label: str) -> str:
    """Return a label in letters, digits, `_` and `-` alone: `frame/pro-war` becomes `frame-pro--war`."""
    return label.replace("-", "--").replace("/", "-")


def read_plain(name: str) -> str:
    """Return the label that `plain` wrote."""
    return re.sub(r"--|-", lambda m: "-" if m[0] == "--" else "/", name)


def is_plain(name: str) -> bool:
    """Say whether a tool that takes plain names alone takes this one, and it is read as it was written."""
    return re.fullmatch(r"[A-Za-z0-9_-]+", name) is not None


def holding(found: Marks, lost: Counter[str], *, named: bool) -> Marks:
    """Return the marks whose label can be written and read again: in full where `named`, else plain; count others."""

    def held(mark: Mark) -> bool:
        if named:
            return read_full(full(mark)) == (mark.label, dict(mark.fields))
        name = plain(mark.label)
        target = mark.fields.get("target", "x")
        return (
            is_plain(name)
            and read_plain(name) == mark.label
            and target == target.strip()
            and len(target.splitlines()) == 1
        )

    kept: dict[int, int] = {}
    marks = Marks()
    for number, mark in enumerate(found.marks):
        if held(mark):
            kept[number] = marks.add(mark)
        else:
            lost[_HELD] += 1
    marks.links = [(kept[a], kept[b]) for a, b in found.links if a in kept and b in kept]
    return marks
