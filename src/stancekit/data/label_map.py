"""Label maps: how the labels of one codebook become those of another (merge, rename, drop)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stancekit import yamlfile
from stancekit.data.label_sets import labels_of
from stancekit.data.votes import relabelled
from stancekit.errors import Problems, did_you_mean, fail
from stancekit.schema import Answer, Attribution, Layers, Sentence, Span, Stance

_KEYS = ("from", "to", "sets", "rename_sets", "others")
Names = Mapping[str, str | None]


@dataclass(frozen=True)
class LabelMap:
    """Old labels to new ones by set; None drops the label, and what bears it where it cannot stand without.

    `origin` and `goal` are the name and version of the codebooks, empty where any will do. A set that is
    not listed stays as it is; a label that a listed set does not mention is an error, or kept (`keep_others`).
    `renamed` moves the answers of a set under another name (`stance` is the stance layer).
    """

    path: Path
    origin: Mapping[str, str] = field(default_factory=dict)
    goal: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, Names] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    keep_others: bool = False

    def unmentioned(self, sentence: Sentence) -> list[tuple[str, str]]:
        """Return the (set, label) pairs of a sentence that the map should mention but does not."""
        if self.keep_others:
            return []
        found = dict.fromkeys(labels_of(sentence))
        return [(name, label) for name, label in found if name in self.sets and label not in self.sets[name]]

    def apply(self, sentence: Sentence) -> Sentence:
        """Return the sentence with its labels mapped."""
        gold = sentence.gold
        labels = {name: self._answer(name, answer) for name, answer in gold.labels.items()}
        mapped = replace(
            gold,
            attributions=_all(gold.attributions, self._attribution),
            devices=_all(gold.devices, lambda d: self._relabel("frame", d, "frame")),
            stances=_all(gold.stances, lambda s: self._relabel("stance", s, "label")),
            labels={name: answer for name, answer in labels.items() if answer is not None},
        )
        after = replace(sentence, gold=self._move(mapped))
        votes = relabelled(sentence, after, self._new, self.renamed)
        return replace(after, gold=replace(after.gold, votes=votes)) if sentence.gold.votes else after

    def describe(self) -> list[str]:
        """Return one line a change, for reports."""
        lines = []
        for name, labels in self.sets.items():
            kept = [old for old, new in labels.items() if old == new]
            lines += [f"{name}: {old} → {new or '(dropped)'}" for old, new in labels.items() if old != new]
            lines += [f"{name}: unchanged {', '.join(kept)}"] if kept else []
        return lines + [f"set {old} → {new}" for old, new in self.renamed.items()]

    def _new(self, name: str, label: str) -> str | None:
        return self.sets.get(name, {}).get(label, label)

    def _attribution(self, relation: Attribution) -> Attribution:
        kind, manner = relation.source_type, relation.cue_stance
        return replace(
            relation,
            source_type=None if kind is None else self._new("source_type", kind),
            cue_stance=None if manner is None else self._new("cue_stance", manner),
        )

    def _relabel(self, name: str, item: Any, attribute: str) -> Any:
        new = self._new(name, getattr(item, attribute))
        return None if new is None else replace(item, **{attribute: new})

    def _answer(self, name: str, answer: Answer) -> Answer | None:
        if name not in self.sets or isinstance(answer, Layers):
            return answer
        if isinstance(answer, str):
            return self._new(name, answer)
        if isinstance(answer, frozenset):
            return frozenset(new for label in answer if (new := self._new(name, label)) is not None)
        mapped = [self._relabel(name, item, "label") for item in answer if isinstance(item, Span | Stance)]
        return tuple(item for item in mapped if item is not None)

    def _move(self, layers: Layers) -> Layers:
        labels = {self.renamed.get(name, name): answer for name, answer in layers.labels.items()}
        if "stance" in self.renamed.values() and isinstance(labels.get("stance"), tuple):
            stances = tuple(s for s in labels.pop("stance") if isinstance(s, Stance))  # type: ignore[union-attr]
            return replace(layers, stances=(*(layers.stances or ()), *stances), labels=labels)
        return replace(layers, labels=labels)


def _all(layer: Iterable[Any] | None, change: Any) -> tuple[Any, ...] | None:
    return None if layer is None else tuple(new for item in layer if (new := change(item)) is not None)


def load(path: Path) -> LabelMap:
    """Read a label map from YAML, reporting every mistake with its line."""
    document = yamlfile.load(path)
    value, problems = document.value, Problems()
    if not isinstance(value, dict):
        raise fail(document.where(), "a label map is a mapping of keys", "write `sets: {frame: {old: new}}`")
    for key in value.keys() - set(_KEYS):
        problems.add(document.where((key,)), f"unknown key {key!r}", did_you_mean(str(key), _KEYS))
    if value.get("others", "refuse") not in ("refuse", "keep"):
        problems.add(document.where(("others",)), "`others` is `keep` or `refuse`", "mend it")
    sets = _mapping(document, ("sets",), value, problems)
    read = {name: _names(document, name, sets, problems) for name in sets}
    renamed = _mapping(document, ("rename_sets",), value, problems)
    if len(set(renamed.values())) < len(renamed):
        problems.add(document.where(("rename_sets",)), "two sets get one name", "give each a name of its own")
    origin, goal = (_mapping(document, (key,), value, problems) for key in ("from", "to"))
    problems.raise_any()
    return LabelMap(
        path,
        {str(k): str(v) for k, v in origin.items()},
        {str(k): str(v) for k, v in goal.items()},
        read,
        {str(k): str(v) for k, v in renamed.items()},
        value.get("others") == "keep",
    )


def _mapping(document: yamlfile.Document, keys: yamlfile.Keys, value: dict[Any, Any], problems: Problems) -> Any:
    found = value.get(keys[-1]) or {}
    if isinstance(found, dict):
        return found
    problems.add(document.where(keys), f"`{keys[-1]}` must be a mapping", f"write `{keys[-1]}: {{…: …}}`")
    return {}


def _names(document: yamlfile.Document, name: str, sets: dict[Any, Any], problems: Problems) -> dict[str, str | None]:
    labels = _mapping(document, ("sets", name), sets, problems)
    for old, new in labels.items():
        if isinstance(new, dict | list):
            problems.add(document.where(("sets", name, old)), "a label becomes one label or null (dropped)", "mend it")
    return {str(old): None if new is None else str(new) for old, new in labels.items()}
