"""The native record: one sentence as JSON, derived fields included, and back.

`voice`, `frames` and each device's `holder` are derived when written; one that disagrees when read is a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stancekit.data import votes
from stancekit.errors import Problems
from stancekit.schema import (
    Answer,
    Attribution,
    Device,
    Holder,
    Layers,
    Parts,
    Sentence,
    Span,
    Stance,
    Target,
    parts_of,
    words_of,
)
from stancekit.text import derive

_TARGETS = 'write "stances": [{"target": …}]'
_KEYS = frozenset(("id", "document", "index", "text", "meta", "attributions", "devices", "stances"))
_KEYS |= {"voice", "frames", "labels", "votes", "codebook", "probabilities", "tagging"}


def dump(sentence: Sentence, codebook: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a sentence as a native record; absent layers have no key."""
    gold = sentence.gold
    record: dict[str, Any] = {"id": sentence.id, "document": sentence.document, "index": sentence.index}
    record |= {"text": sentence.text, "meta": dict(sentence.meta)}
    record |= dump_layers(gold)
    if gold.labels:
        record["labels"] = {name: dump_answer(answer) for name, answer in sorted(gold.labels.items())}
    if gold.votes:
        record["votes"] = {task: dict(shares) for task, shares in sorted(gold.votes.items())}
    if codebook is not None:
        record["codebook"] = dict(codebook)
    return record


def dump_layers(layers: Layers) -> dict[str, Any]:
    """Return the annotated layers with what is derived from them."""
    record = dump_annotations(layers)
    if layers.attributions is not None:
        record["voice"] = derive.voice(layers)
    if layers.devices is not None:
        record["frames"] = sorted(derive.frames(layers) or ())
        for device, holder in zip(record["devices"], derive.holders(layers) or (), strict=False):
            device["holder"] = dump_holder(holder, layers.text)
    return record


def dump_annotations(layers: Layers) -> dict[str, Any]:
    """Return the annotated layers alone: what the content hash of a sentence covers."""
    record: dict[str, Any] = {}
    if layers.attributions is not None:
        record["attributions"] = [_dump_attribution(a) for a in layers.attributions]
    if layers.devices is not None:
        record["devices"] = [_dump_device(d) for d in layers.devices]
    if layers.stances is not None:
        record["stances"] = [_dump_stance(s, "stance") for s in layers.stances]
    return record


def _pairs(parts: Parts) -> list[list[int]]:
    return [[p.start, p.end] for p in parts]


def _dump_attribution(relation: Attribution) -> dict[str, Any]:
    roles = {role: _pairs(getattr(relation, role)) for role in ("source", "cue", "content")}
    return roles | {"source_type": relation.source_type, "cue_stance": relation.cue_stance}


def _dump_device(device: Device) -> dict[str, Any]:
    spans = _pairs(device.parts)
    return {"spans": spans, "frame": device.frame, "target": device.target, "negated": device.negated}


def dump_holder(holder: Holder, text: str) -> dict[str, Any]:
    """Return a holder with its source's spans and words (null where it has none)."""
    source = holder.source or None
    return {
        "kind": holder.kind,
        "relation": holder.relation,
        "source": _pairs(source) if source else None,
        "source_text": words_of(source, text) if source else None,
    }


def _dump_stance(stance: Stance, key: str) -> dict[str, Any]:
    span = stance.target.span
    return {"target": stance.target.name, key: stance.label, "span": [span.start, span.end] if span else None}


def dump_answer(answer: Answer) -> Any:
    """Return an answer as JSON: text, a sorted list of labels, or a list of records."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, frozenset):
        return sorted(answer)
    if isinstance(answer, Layers):
        labels = {name: dump_answer(own) for name, own in sorted(answer.labels.items())}
        return dump_layers(answer) | ({"labels": labels} if labels else {})
    return [_dump_item(item) for item in answer]


def _dump_item(item: Span | Attribution | Device | Stance) -> dict[str, Any]:
    if isinstance(item, Span):
        return {"start": item.start, "end": item.end, "label": item.label}
    if isinstance(item, Attribution):
        return _dump_attribution(item)
    if isinstance(item, Device):
        return _dump_device(item)
    return _dump_stance(item, "label")


def text_problem(text: Any) -> str:
    """Say what is wrong with a sentence's text, `""` if nothing is."""
    if not isinstance(text, str) or not text.strip():
        return "the text is missing or empty"
    if "\0" in text:
        return f"there is a NUL character in the text, at character {text.index(chr(0))}"
    return ""


class Reader:
    """Reads records at one place of a file, noting every problem found there.

    With `asked`, the record is to be answered: a target needs no label then.
    """

    def __init__(self, where: str, problems: Problems, asked: bool = False) -> None:
        self.where, self.problems, self.text, self.asked = where, problems, "", asked

    def sentence(self, record: Any) -> Sentence | None:
        """Return the sentence of a record, or None after noting why there is none."""
        if not isinstance(record, dict):
            return self._note("a record must be a JSON object", "write one {…} a line")
        before = len(self.problems)
        for key in sorted(record.keys() - _KEYS):
            hint = "put it under `meta`, or under `labels` if it is an answer"
            self._note(f"unknown key {key!r}", _TARGETS if self.asked and key == "target" else hint)
        wrong = text_problem(record.get("text"))
        if wrong:
            return self._note(wrong, "give the sentence's text as `text`")
        text = self.text = record["text"]
        layers = self.layers(record)
        meta, document, index = record.get("meta") or {}, record.get("document") or "", record.get("index", 0)
        if not isinstance(meta, dict) or type(index) is not int:
            self._note("`meta` must be an object and `index` a whole number", "mend the record")
        if record.get("id") in (None, ""):
            self._note("`id` is missing", "give every sentence an id of its own")
        if len(self.problems) > before:
            return None
        self._check_derived(record, layers)
        if len(self.problems) > before:
            return None
        return Sentence(id=str(record["id"]), text=text, document=str(document), index=index, meta=meta, gold=layers)

    def _note(self, what: str, hint: str) -> None:
        self.problems.add(self.where, what, hint)

    def layers(self, record: Mapping[str, Any]) -> Layers:
        """Return the layers of a record; `self.text` is the text that they belong to."""
        read = {
            key: tuple(item for raw in self._list(key, record.get(key)) if (item := one(raw)) is not None)
            for key, one in (("attributions", self._attribution), ("devices", self._device), ("stances", self._stance))
            if record.get(key) is not None
        }
        labels = record.get("labels") or {}
        if not isinstance(labels, dict):
            self._note("`labels` must be an object", "write {task: answer}")
            labels = {}
        answers = {str(name): a for name, raw in labels.items() if (a := self.free_answer(name, raw)) is not None}
        shares = votes.parse(record.get("votes"), self.where, self.problems)
        return Layers(text=self.text, labels=answers, votes=shares, **read)  # type: ignore[arg-type]

    def _list(self, key: str, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        self._note(f"`{key}` must be a list", "write [] for none; leave the key out if it was not annotated")
        return []

    def parts(self, key: str, value: Any, label: str = "") -> Parts:
        """Read [[start, end], …], each inside the text."""
        if value is None:
            return ()
        if not isinstance(value, list) or not all(_is_pair(pair) for pair in value):
            self._note(f"`{key}` must be a list of [start, end]", "write character offsets, end exclusive")
            return ()
        for start, end in value:
            if not 0 <= start < end <= len(self.text):
                size = len(self.text)
                self._note(f"`{key}` {start}–{end} lies outside the text of {size} characters", "mend the offsets")
                return ()
        return parts_of(((start, end) for start, end in value), label)

    def _attribution(self, raw: Any) -> Attribution | None:
        if not isinstance(raw, dict):
            return self._note("an attribution must be an object", "write {source, cue, content, …}")
        source, cue, content = (self.parts(role, raw.get(role)) for role in ("source", "cue", "content"))
        kind, manner = self._text(raw, "source_type"), self._text(raw, "cue_stance")
        return Attribution(source=source, cue=cue, content=content, source_type=kind, cue_stance=manner)

    def _device(self, raw: Any) -> Device | None:
        if not isinstance(raw, dict) or not isinstance(raw.get("frame"), str) or not raw.get("spans"):
            return self._note("a device needs `spans` and `frame`", "write {spans, frame, target, negated}")
        parts = self.parts("spans", raw["spans"])
        if not parts:
            return None
        negated = raw.get("negated") or False
        if not isinstance(negated, bool):
            return self._note(f"`negated` is {negated!r}", "write true or false")
        return Device(parts=parts, frame=raw["frame"], target=self._text(raw, "target"), negated=negated)

    def _text(self, raw: Mapping[str, Any], key: str) -> str | None:
        value = raw.get(key)
        if value is None or isinstance(value, str):
            return value
        return self._note(f"`{key}` is {value!r}, no text", "write a text, or null")

    def _stance(self, raw: Any, key: str = "stance") -> Stance | None:
        if self.asked and isinstance(raw, dict):
            raw = {**raw, key: raw.get(key) or ""}
        if not isinstance(raw, dict) or not isinstance(raw.get("target"), str) or not isinstance(raw.get(key), str):
            return self._note(f"a stance needs `target` and `{key}`", f"write {{target, {key}, span}}")
        span = raw.get("span")
        parts = self.parts("span", [span] if span is not None else None)
        return Stance(Target(raw["target"], parts[0] if parts else None), raw[key])

    def free_answer(self, name: str, raw: Any) -> Answer | None:
        """Read the answer of a user's own task: text, list of texts, of spans, or of {target, label}."""
        if isinstance(raw, str):
            return raw
        if isinstance(raw, list) and raw and all(isinstance(item, dict) for item in raw):
            if "target" in raw[0]:
                return tuple(s for item in raw if (s := self._stance(item, "label")) is not None)
            return self._spans(raw)
        if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
            return frozenset(raw)
        self._note(f"the answer of {name!r} is no text, list of texts, spans or targets", "mend it")
        return None

    def _spans(self, raw: list[Any]) -> tuple[Span, ...]:
        found: list[Span] = []
        for item in raw:
            found.extend(self.parts("span", [[item.get("start"), item.get("end")]], str(item.get("label", ""))))
        return tuple(found)

    def answer(self, kind: str, raw: Any) -> Answer | None:
        """Read a predicted answer of a task's kind."""
        if kind in ("single", "targeted"):
            return raw if isinstance(raw, str) else self._note("the answer must be one label", "write a text")
        if kind == "multi":
            return frozenset(map(str, self._list("answer", raw)))
        if kind == "spans":
            return self._spans([r for r in self._list("answer", raw) if isinstance(r, dict)])
        if kind == "relations":
            return tuple(a for r in self._list("answer", raw) if (a := self._attribution(r)) is not None)
        if kind == "devices":
            return tuple(d for r in self._list("answer", raw) if (d := self._device(r)) is not None)
        return self.layers(raw) if isinstance(raw, dict) else self._note("the answer must be an object", "mend it")

    def _check_derived(self, record: Mapping[str, Any], layers: Layers) -> None:
        derived = dump_layers(layers)
        for key in ("voice", "frames"):
            if record.get(key) is not None and record[key] != derived.get(key):
                what = f"`{key}` is {record[key]!r}, but the annotations say {derived.get(key)!r}"
                self._note(what, "remove the field, or mend the annotations: it is derived from them")
        for raw, own in zip(record.get("devices") or (), derived.get("devices") or (), strict=False):
            given = raw.get("holder") if isinstance(raw, dict) else None
            if given is not None and given != own.get("holder"):
                self._note(f"a device's holder disagrees with the derived {own.get('holder')}", "remove `holder`")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(type(x) is int for x in pair)
