"""What a language model answered, checked against task and codebook: every mistake of a response is noted."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from stancekit.errors import Problems, did_you_mean, fail
from stancekit.prompting.quoting import Locator
from stancekit.schema import Answer, Attribution, Device, Layers, Parts, Span, parts_of
from stancekit.tasks import ROLES, Task

Item = TypeVar("Item")
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)


def json_in(response: str, labels: tuple[str, ...]) -> Any:
    """Return the JSON object of a response: alone, in a fence, or in the midst of words; or a bare label."""
    bare = response.strip().strip("\"'`.")
    if bare in labels:
        return {"answer": bare}
    try:
        fences = [text for text in _FENCED.findall(response) if "{" in text]  # others hold words, a quotation say
        found = [one for text in fences or [response] for one in _objects(text)]
    except (ValueError, RecursionError) as error:
        raise fail("", f"no valid JSON in the response: {error}", "ask for JSON of the schema only") from error
    found = [one for one in found if "answer" in one] or found  # others are remarks
    if any(one != found[0] for one in found):
        raise fail("", "the response has several answers that differ", "ask again, for one JSON object only")
    return found[0]


def _objects(text: str) -> Iterator[Any]:
    """Yield the first JSON object of a text, which must have one, and those after it; then come mere words."""
    start = text.find("{")
    if start < 0:
        raise ValueError("there is no object")
    value, length = json.JSONDecoder().raw_decode(text[start:])
    yield value
    with suppress(ValueError):
        yield from _objects(text[start + length :])


class Response:
    """Reads the answer to one request at its place; problems are noted, counts say what was chosen or mended."""

    def __init__(
        self, task: Task, sets: Mapping[str, tuple[str, ...]], text: str, where: str, counts: Counter[str]
    ) -> None:
        self.task, self.sets, self.text, self.where = task, sets, text, where
        self.problems, self.locator = Problems(), Locator(text, counts)

    def read(self, row: Mapping[str, Any]) -> Answer:
        """Return the answer of a row with `answer` (JSON) or `response` (text that holds JSON); raises all problems."""
        found: Answer | None = None
        with self.problems.catching(self.where):
            raw = row["answer"] if "answer" in row else json_in(_text(row.get("response")), self.task.labels)
            found = self._answer(raw["answer"] if isinstance(raw, dict) and "answer" in raw else raw)
        self.problems.raise_any()
        assert found is not None
        return found

    def _answer(self, raw: Any) -> Answer:
        kind = self.task.kind
        if kind in ("single", "targeted"):
            return self._one_of(raw, self.task.labels, "label")
        if kind == "multi":
            return frozenset(self._each(raw, lambda item: self._one_of(item, self.task.labels, "label")))
        if kind == "spans":
            return tuple(self._each(raw, self._span))
        if kind == "relations":
            return tuple(self._each(raw, self._relation))
        if kind == "devices":
            return tuple(self._each(raw, self._device))
        return Layers(
            text=self.text,
            attributions=tuple(self._each(_at(raw, "attributions"), self._relation)),
            devices=tuple(self._each(_at(raw, "devices"), self._device)),
        )

    def _each(self, raw: Any, read: Callable[[Any], Item]) -> list[Item]:
        if not isinstance(raw, list):
            raise fail("", f"a list was expected, here is {_told(raw)}", "write [] for none")
        found = []
        for item in raw:
            with self.problems.catching(self.where):
                found.append(read(item))
        return found

    def _one_of(self, raw: Any, known: tuple[str, ...], what: str) -> str:
        if isinstance(raw, str) and (not known or raw in known):
            return raw
        raise fail("", f"{_told(raw)} is no {what}", did_you_mean(str(raw), known))

    def _span(self, raw: Any) -> Span:
        label = self._one_of(_at(raw, "label"), self.task.labels, "label")
        return Span(*self._place(raw, label), label)

    def _place(self, raw: Any, role: str) -> tuple[int, int]:
        words, number = (raw, None) if isinstance(raw, str) else (_at(raw, "text"), raw.get("occurrence"))
        if not isinstance(words, str) or not (number is None or type(number) is int):
            raise fail("", f"{_told(raw)} quotes no words", 'write {"text": …, "occurrence": …}')
        return self.locator.find(words, number, role)

    def _parts(self, raw: Any, role: str) -> Parts:
        if raw is None:
            return ()
        return parts_of(self._place(item, role) for item in (raw if isinstance(raw, list) else [raw]))

    def _relation(self, raw: Any) -> Attribution:
        roles = {role: self._parts(_at(raw, role), role) for role in ROLES}
        if not any(roles.values()):
            raise fail("", "a relation without source, cue and content", "leave it out")
        kind, manner = (self._attribute(raw, name) for name in ("source_type", "cue_stance"))
        return Attribution(**roles, source_type=kind, cue_stance=manner)

    def _attribute(self, raw: Mapping[str, Any], name: str) -> str | None:
        value = raw.get(name)
        return None if value is None else self._one_of(value, self.sets.get(name, ()), name)

    def _device(self, raw: Any) -> Device:
        frame = self._one_of(_at(raw, "frame"), self.task.labels, "frame")
        parts, target, negated = self._parts(_at(raw, "parts"), frame), raw.get("target"), raw.get("negated", False)
        if not parts or not isinstance(target, str | None) or not isinstance(negated, bool):
            raise fail("", f"{_told(raw)} is no device", "give parts, frame, target (or null) and negated")
        return Device(parts=parts, frame=frame, target=target, negated=negated)


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise fail("", "there is neither `answer` nor the text of a `response`", 'write {"id": …, "answer": …} a line')
    return raw


def _at(raw: Any, key: str) -> Any:
    if not isinstance(raw, dict) or key not in raw:
        raise fail("", f"{_told(raw)} has no {key!r}", "follow the schema")
    return raw[key]


def _told(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= 60 else text[:57] + "…"
