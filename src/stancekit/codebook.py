"""Codebooks: the labels of a scheme, with definitions, examples and counter-examples, under a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancekit import yamlfile
from stancekit.errors import Problems, did_you_mean
from stancekit.files import dump_json, sha256
from stancekit.resources import bundled

SETS = ("frame", "source_type", "cue_stance", "stance", "voice", "holder")
"""The label sets of the scheme; a user's own tasks add sets under their own names."""


@dataclass(frozen=True)
class Label:
    """One label: its name, definition, examples and counter-examples."""

    name: str
    definition: str = ""
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Codebook:
    """A versioned annotation scheme: label sets by name (`frame`, `stance`, a user's own task, …)."""

    name: str
    version: str
    sets: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)

    def names(self, set_name: str) -> tuple[str, ...]:
        """Return the label names of a set, in the codebook's order; empty where it has no such set."""
        return tuple(label.name for label in self.sets.get(set_name, ()))

    @property
    def hash(self) -> str:
        """The SHA-256 of the scheme's content, its first 16 digits: comments and layout do not count."""
        content = {k: [vars(label) for label in v] for k, v in self.sets.items()}
        return sha256(dump_json([self.name, self.version, content]).encode())[:16]

    @property
    def stamp(self) -> dict[str, str]:
        """Name, version and hash: what data and runs carry."""
        return {"name": self.name, "version": self.version, "hash": self.hash}


def load(path: Path) -> Codebook:
    """Read a codebook from YAML, reporting every mistake with its line."""
    document = yamlfile.load(path)
    problems = Problems()
    value = document.value
    if not isinstance(value, dict) or not {"name", "version"} <= value.keys():
        problems.add(document.where(), "a codebook needs `name` and `version`", "add both at the top of the file")
        problems.raise_any()
    known = {"name", "version", "description", "sets"}
    for key in value.keys() - known:
        problems.add(document.where((key,)), f"unknown key {key!r}", did_you_mean(str(key), known))
    sets = value.get("sets") or {}
    if not isinstance(sets, dict):
        problems.add(document.where(("sets",)), "`sets` must map set names to labels", "write `frame: {blame: …}`")
        sets = {}
    read = {str(k): _labels(document, ("sets", k), v, problems) for k, v in sets.items()}
    problems.raise_any()
    return Codebook(str(value["name"]), str(value["version"]), read)


def _labels(document: yamlfile.Document, keys: yamlfile.Keys, value: Any, problems: Problems) -> tuple[Label, ...]:
    if isinstance(value, list):
        value = dict.fromkeys(map(str, value))
    if not isinstance(value, dict):
        problems.add(
            document.where(keys), "labels must be a list or a mapping", "write `[a, b]` or `a: {definition: …}`"
        )
        return ()
    return tuple(_label(document, (*keys, name), str(name), body, problems) for name, body in value.items())


def _label(document: yamlfile.Document, keys: yamlfile.Keys, name: str, body: Any, problems: Problems) -> Label:
    if body is None:
        return Label(name)
    if isinstance(body, str):
        return Label(name, body)
    fields = {"definition", "examples", "counter_examples"}
    if not isinstance(body, dict) or body.keys() - fields:
        problems.add(document.where(keys), f"a label has {', '.join(sorted(fields))}", "remove other keys")
        return Label(name)
    return Label(
        name,
        str(body.get("definition", "")),
        tuple(map(str, body.get("examples") or ())),
        tuple(map(str, body.get("counter_examples") or ())),
    )


def default() -> Codebook:
    """Return the bundled codebook: attribution, framing and stance."""
    return load(bundled("data/codebook.yaml"))
