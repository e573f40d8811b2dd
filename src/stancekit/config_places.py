"""Where an experiment's values come from: `key=value` overrides on the command line, or else a line of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit import yamlfile
from stancekit.errors import Problems


@dataclass(frozen=True)
class Places:
    """Where the values of an experiment come from: the command line, or else a line of the file."""

    document: yamlfile.Document
    given: Mapping[tuple[str, ...], str]

    def where(self, keys: yamlfile.Keys = ()) -> str:
        """Return the override that set a value, a parent of it, or (where the file has none of it) a part of it."""
        path = tuple(map(str, keys))
        parents = [own for own in self.given if own == path[: len(own)]]
        inside = [own for own in self.given if path and path == own[: len(path)] and keys not in self.document.lines]
        nearest = max(parents, key=len, default=None) or next(iter(inside), None)
        return self.given[nearest] if nearest else self.document.where(keys)


def override(value: dict[str, Any], overrides: Sequence[str], problems: Problems) -> dict[tuple[str, ...], str]:
    """Set the values that overrides name, and return by their keys which one did."""
    places: dict[tuple[str, ...], str] = {}
    for item in overrides:
        dotted, equals, raw = item.partition("=")
        keys = tuple(dotted.split("."))
        if not equals or not all(keys):
            problems.add(f"override {item!r}", "it has no `key=value` form", "write for example split.seed=7")
            continue
        with problems.catching():
            new = yamlfile.parse(raw, Path(f"override {item!r}")).value
            _put(value, keys, new)
            places[keys] = f"override {item!r}"
    return places


def _put(value: dict[str, Any], keys: Sequence[str], new: Any) -> None:
    """Set an inner value; short forms on the way become mappings, as do lists, from numbers (`data.also.0`)."""
    at = value
    for key in keys[:-1]:
        inner = at.get(key)
        if isinstance(inner, str):
            inner = {"name" if key in ("task", "model") else "path": inner}
        if isinstance(inner, list):
            inner = {str(number): one for number, one in enumerate(inner)}
        at[key] = dict(inner) if isinstance(inner, dict) else {}
        at = at[key]
    at[keys[-1]] = new
