"""What marks do not say of a sentence, carried beside them through another tool: id, metadata, sentence labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from stancekit.data import record
from stancekit.data.formats.spelled import Found
from stancekit.schema import Sentence, Stance

KEY = "stancekit"
"""The key or name under which formats carry it."""
LAYERS = ("attributions", "devices", "stances")


def carry(
    sentences: Sequence[Sentence], codebook: Mapping[str, str] | None, layers: Collection[str] = LAYERS
) -> list[dict[str, Any]]:
    """Return what has no span, as JSON, a sentence each; `layers` names the layers that the format holds.

    `layers` lists what was annotated (it is left out where no sentence has any: then what comes back says it),
    `tasks` the user's own tasks whose answers are marks, `slots` targets without a mention among those with one
    (null), so that their order is kept.
    """
    values = [_carry(sentence, codebook, layers) for sentence in sentences]
    labelled = any(value["layers"] or "labels" in value or "tasks" in value for value in values)
    return values if labelled else [{k: v for k, v in value.items() if k != "layers"} for value in values]


def _carry(sentence: Sentence, codebook: Mapping[str, str] | None, layers: Collection[str]) -> dict[str, Any]:
    gold = sentence.gold
    value: dict[str, Any] = {"id": sentence.id, "document": sentence.document, "index": sentence.index}
    value["layers"] = [name for name in LAYERS if name in layers and getattr(gold, name) is not None]
    labels = {k: record.dump_answer(v) for k, v in sorted(gold.labels.items()) if isinstance(v, str | frozenset)}
    answers: dict[str, Any] = {name: answer for name, answer in gold.labels.items() if isinstance(answer, tuple)}
    tasks = sorted(answers)
    answers["stances"] = gold.stances if "stances" in layers else None
    slots = {name: slots for name, answer in answers.items() if (slots := _slots(answer))}
    votes = {task: dict(shares) for task, shares in sorted(gold.votes.items())}
    optional: dict[str, Any] = {"meta": dict(sentence.meta), "labels": labels, "tasks": tasks, "slots": slots}
    optional |= {"votes": votes, "codebook": codebook}
    return value | {key: entry for key, entry in optional.items() if entry}


def _slots(answer: Any) -> list[dict[str, Any] | None]:
    items = [item for item in answer or () if isinstance(item, Stance)]
    if all(item.target.span for item in items):
        return []
    dumped = record.dump_answer(tuple(items))
    return [None if item.target.span else row for item, row in zip(items, dumped, strict=True)]


def native(text: str, carried: Mapping[str, Any], found: Found, seen: Collection[str]) -> dict[str, Any]:
    """Return the native record of a sentence, to be read by `record.Reader`.

    `found` are its annotations by layer or task. A layer that was annotated and has none is empty: those that
    are carried as such, or where that was not carried, those `seen` anywhere in the file.
    """
    seen = () if "layers" in carried else seen
    value = {key: carried[key] for key in ("id", "document", "index", "meta", "votes", "codebook") if key in carried}
    labels = dict(_mapping(carried, "labels"))
    slots = _mapping(carried, "slots")
    known = {*_names(carried, "layers"), *_names(carried, "tasks"), *seen, *found, *slots}
    for name in sorted(known):
        items = _filled(slots.get(name), found.get(name, []), "stance" if name == "stances" else "label")
        if name in LAYERS:
            value[name] = items
        elif items or name not in labels:
            labels[name] = items
    return value | {"text": text, "labels": labels}


def _filled(slots: Any, found: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Put found targets into the places left for them; more of them come last."""
    if not isinstance(slots, list):
        return found
    rest, items = list(found), []
    for slot in slots:
        if isinstance(slot, dict):
            items.append({"target": slot.get("target"), key: slot.get("label"), "span": None})
        elif rest:
            items.append(rest.pop(0))
    return items + rest


def choose(carried: Mapping[str, Any], chosen: Mapping[str, list[str]], shown: Collection[str]) -> dict[str, Any]:
    """Return what was carried, with the labels of a sentence as they were chosen in the tool.

    One label stays one label where the task had one before, otherwise it is a set. A task that was `shown` and
    has no label any more has lost it; one whose labels have changed has lost the votes for the old ones.
    """
    old = _mapping(carried, "labels")
    labels = dict(old)
    for task in {*chosen, *shown}:
        values, single = chosen.get(task, []), isinstance(labels.get(task), str)
        if not values and (single or task not in labels):
            labels.pop(task, None)
        else:
            labels[task] = values[0] if single and len(values) == 1 else sorted(set(values))
    kept = {task: shares for task, shares in _mapping(carried, "votes").items() if labels.get(task) == old.get(task)}
    return dict(carried) | {"labels": labels} | ({"votes": kept} if "votes" in carried else {})


def untouched(carried: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was carried of a sentence that nobody has annotated yet: what it is, without labels."""
    return {key: carried[key] for key in ("id", "document", "index", "meta") if key in carried} | {"layers": []}


def shown(carried: Mapping[str, Any]) -> list[str]:
    """Return the tasks whose labels were carried."""
    return sorted(_mapping(carried, "labels"))


def _mapping(carried: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = carried.get(key)
    return value if isinstance(value, dict) else {}


def _names(carried: Mapping[str, Any], key: str) -> list[str]:
    value = carried.get(key)
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
