"""The JSON Schema of an answer, for language models that can be held to one and for those who read it."""

from __future__ import annotations

from typing import Any

from stancekit.codebook import Codebook
from stancekit.tasks import ROLES, Task


def schema_of(task: Task, codebook: Codebook) -> dict[str, Any]:
    """Return the JSON Schema of an answer to a task: an object with the one key `answer`."""
    return _object({"answer": _answer(task, codebook)}) | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def _answer(task: Task, codebook: Codebook) -> dict[str, Any]:
    if task.kind in ("single", "targeted"):
        return {"enum": list(task.labels)}
    if task.kind == "multi":
        return {"type": "array", "items": {"enum": list(task.labels)}, "uniqueItems": True}
    if task.kind == "spans":
        return _list(_object({**_PART["properties"], "label": {"enum": list(task.labels)}}, optional=("occurrence",)))
    if task.kind == "relations":
        return _list(_relation(codebook))
    if task.kind == "devices":
        return _list(_device(task))
    return _object({"attributions": _list(_relation(codebook)), "devices": _list(_device(task))})


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _list(items: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items} | ({"minItems": least} if least else {})


_PART = _object(
    {
        "text": {"type": "string", "description": "words of the sentence, exactly as they stand"},
        "occurrence": {"type": "integer", "minimum": 1, "description": "which one, where the words stand repeatedly"},
    },
    optional=("occurrence",),
)


def _relation(codebook: Codebook) -> dict[str, Any]:
    roles: dict[str, Any] = {role: _list(_PART) for role in ROLES}
    return _object(roles | {name: {"enum": [*codebook.names(name), None]} for name in ("source_type", "cue_stance")})


def _device(task: Task) -> dict[str, Any]:
    return _object(
        {
            "parts": _list(_PART, least=1),
            "frame": {"enum": list(task.labels)},
            "target": {"type": ["string", "null"], "description": "the actor framed, as the sentence names it"},
            "negated": {"type": "boolean"},
        }
    )
