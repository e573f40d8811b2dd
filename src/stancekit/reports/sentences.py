"""The held-out sentences as they are drawn: gold and predicted answers side by side, with what filters need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stancekit.evaluation import Evaluated
from stancekit.metrics.holder import has_holders
from stancekit.metrics.layers import by_target
from stancekit.reports import holders, marks, outcomes
from stancekit.reports.marks import Mark, Palette
from stancekit.runs.confidences import Sure, by_layer
from stancekit.schema import Answer, Attribution, Device, Example, Layers, Prediction, Span, Stance
from stancekit.tasks import SHAPES, Task, labels_in, nothing
from stancekit.text import derive

CHOICES = 60
"""A metadata column with more values than this is no filter."""
LABEL_KINDS = ("single", "multi", "targeted")


def drawn(evaluated: Evaluated, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return every example with its gold and predicted answer, ready to be drawn."""
    part = evaluated.part
    palette = Palette(part.task.labels)
    return [
        _identity(example, columns) | _answers(part.task, example, own, prediction, palette)
        for example, own, prediction in zip(part.examples, part.gold, evaluated.predictions, strict=True)
    ]


def _identity(example: Example, columns: Sequence[str]) -> dict[str, Any]:
    sentence = example.sentence
    found: dict[str, Any] = {"id": example.id, "document": sentence.document, "text": sentence.text}
    found["columns"] = {c: str(sentence.meta[c]) for c in columns if sentence.meta.get(c) not in (None, "")}
    if example.target is not None:
        found["target"] = example.target.name
    return found


def _answers(task: Task, example: Example, gold: Answer, prediction: Prediction, palette: Palette) -> dict[str, Any]:
    if task.kind in LABEL_KINDS:
        return _labels(example, gold, prediction, palette)
    text, answer = example.sentence.text, prediction.answer
    if isinstance(gold, Layers) and isinstance(answer, Layers):
        return _layers(task, text, gold, answer, palette, by_layer(task, answer, prediction.probabilities))
    if task.kind == "relations":
        found = _relations(task, text, gold, answer)
    else:
        found = _spans(example.sentence.gold, gold, answer, palette)
    for line, numbers in zip(found["lines"], (None, prediction.probabilities), strict=True):
        line["told"] = marks.with_confidence(line["told"], numbers)
    return found


def _labels(example: Example, gold: Answer, prediction: Prediction, palette: Palette) -> dict[str, Any]:
    own, given = labels_in(gold), labels_in(prediction.answer)
    numbers = prediction.probabilities if isinstance(prediction.probabilities, Mapping) else {}
    span = example.target.span if example.target else None
    line = {"segments": marks.segments(example.sentence.text, [Mark("target", (span,))] if span else [])}
    sure = [numbers[label] for label in given if label in numbers]
    return {
        "right": gold == prediction.answer,
        "labels": sorted({*own, *given}),
        "confidence": min(sure) if sure else None,
        "lines": [line],
        "gold": [{"label": label, "style": palette[label]} for label in own],
        "predicted": [{"label": label, "style": palette[label], "confidence": numbers.get(label)} for label in given],
    }


def _relations(task: Task, text: str, gold: Answer, answer: Answer) -> dict[str, Any]:
    sides = [_only(Attribution, gold), _only(Attribution, answer)]
    found = outcomes.relations(task, *sides)
    lines = [
        _line(text, marks.of_relations(side), _tell_relations(side, text, how))
        for side, how in zip(sides, found, strict=True)
    ]
    labels = {label for side in sides for r in side for label in (r.source_type, r.cue_stance) if label}
    return {"right": _all_right(found), "labels": sorted(labels), "lines": lines}


def _tell_relations(relations: Sequence[Attribution], text: str, found: Sequence[str]) -> list[dict[str, Any]]:
    told = [marks.tell_relation(r, number, text) for number, r in enumerate(relations, start=1)]
    return _with_outcomes(told, found)


def _spans(layers: Layers, gold: Answer, answer: Answer, palette: Palette) -> dict[str, Any]:
    """Compare spans or devices; a device's holder is told where the relations are annotated."""
    text = layers.text
    spans = [_only(Span, gold), _only(Span, answer)]
    devices = [_only(Device, gold), _only(Device, answer)]
    lines, found = [], outcomes.spans([*spans[0], *devices[0]], [*spans[1], *devices[1]])
    for own_spans, own_devices, how in zip(spans, devices, found, strict=True):
        told = [marks.tell_span(s, text, palette) for s in own_spans]
        told += _tell_devices(Layers(text=text, attributions=layers.attributions, devices=own_devices), palette)
        drawn_marks = marks.of_spans(own_spans, palette) + marks.of_devices(own_devices, palette)
        lines.append(_line(text, drawn_marks, _with_outcomes(told, how)))
    return {"right": _all_right(found), "labels": sorted({*labels_in(gold), *labels_in(answer)}), "lines": lines}


def _tell_devices(layers: Layers, palette: Palette) -> list[dict[str, Any]]:
    devices = layers.devices or ()
    holders = derive.holders(layers) or [None] * len(devices)
    return [
        marks.tell_device(device, holder, layers.text, palette) for device, holder in zip(devices, holders, strict=True)
    ]


def _layers(task: Task, text: str, gold: Layers, answer: Layers, palette: Palette, sure: Sure) -> dict[str, Any]:
    """Compare what gold has: devices with their holders, or one of the two layers alone; then label sets."""
    if has_holders(gold):
        found = _held(text, gold, answer, palette, sure)
    elif gold.devices is not None:
        found = _spans(gold, gold.devices, answer.devices or (), palette)
        _be_sure(found["lines"][1]["told"], sure.get("devices"))
    else:
        judged = gold.attributions is not None
        found = _relations(task, text, gold.attributions or (), (answer.attributions or ()) if judged else ())
        _be_sure(found["lines"][1]["told"], sure.get("attribution"))
    for one in task.inner:
        if one.kind == "targeted":
            _add_stances(found, one, gold, answer, sure.get(one.name))
        elif one.kind in SHAPES and one.view(gold) is not None:
            sides = [one.view(side) or nothing(one.kind) for side in (gold, answer)]
            _add_own(found, one, text, sides, palette, sure.get(one.name))
    return found


def _be_sure(told: list[dict[str, Any]], numbers: object) -> None:
    told[:] = marks.with_confidence(told, numbers)


def _add_stances(found: dict[str, Any], task: Task, gold: Layers, answer: Layers, sure: object) -> None:
    """Tell the labels toward gold's targets beneath both lines, of a task that gold may lack."""
    own, said = (_only(Stance, task.view(side) or ()) for side in (gold, answer))
    given = [label for _, label in by_target(own, said)]
    told = [
        [
            marks.tell_stance(task.name, stance.target, label)
            | {"outcome": outcomes.RIGHT if stance.label == label else outcomes.ALONE}
            for stance, label in zip(own, side, strict=True)
        ]
        for side in ([s.label for s in own], given)
    ]
    if [s.target for s in own] == [s.target for s in said]:
        _be_sure(told[1], sure)
    _add(found, told, [s.label for s in own] == given, [*(s.label for s in own), *given])


def _add(found: dict[str, Any], told: Sequence[list[dict[str, Any]]], right: bool, labels: Sequence[str]) -> None:
    """Put what is told of a label set beneath gold's line and the predicted one."""
    found["right"] = found["right"] and right
    found["labels"] = sorted({*found["labels"], *filter(None, labels)})
    for line, side in zip(found["lines"], told, strict=True):
        line["told"] += side


def _add_own(
    found: dict[str, Any], task: Task, text: str, sides: Sequence[Answer], palette: Palette, sure: object
) -> None:
    """Tell gold's and the predicted answer to a label set of the sentence, or of spans in it, beneath both lines."""
    if task.kind == "spans":
        items = [_only(Span, side) for side in sides]
        told = [[marks.tell_span(s, text, palette) | {"note": task.name} for s in own] for own in items]
        how = outcomes.spans(*items)
    else:
        labels = [labels_in(side) if task.kind == "multi" else [str(side)] for side in sides]
        told = [[marks.tell_label(task.name, label) for label in own] for own in labels]
        how = outcomes.agree(labels[0], labels[1], lambda a, b: bool(a == b), lambda a, b: False)
    told = [_with_outcomes(own, outcome) for own, outcome in zip(told, how, strict=True)]
    _be_sure(told[1], sure)
    _add(found, told, _all_right(how), [label for side in sides for label in labels_in(side)])


def _held(text: str, gold: Layers, answer: Layers, palette: Palette, sure: Sure) -> dict[str, Any]:
    """Compare devices with their holders; the relations are drawn, and not judged."""
    sides = [holders.whole(side, text) for side in (gold, answer)]
    pairs = [list(zip(side.devices or (), derive.holders(side) or (), strict=True)) for side in sides]
    found = outcomes.held(*pairs)
    lines = []
    for side, how, own in zip(sides, found, ({}, sure), strict=True):
        relations = side.attributions or ()
        told = marks.with_confidence(_with_outcomes(_tell_devices(side, palette), how), own.get("devices"))
        said = [marks.tell_relation(r, number, text) for number, r in enumerate(relations, start=1)]
        told += marks.with_confidence(said, own.get("attribution"))
        drawn_marks = marks.of_relations(relations) + marks.of_devices(side.devices or (), palette)
        lines.append(_line(text, drawn_marks, told))
    labels = {device.frame for side in sides for device in side.devices or ()}
    labels |= {f"holder: {holder.kind}" for side in pairs for _, holder in side}
    return {"right": _all_right(found), "labels": sorted(labels), "lines": lines}


def _line(text: str, drawn_marks: Sequence[Mark], told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"segments": marks.segments(text, drawn_marks), "told": list(told)}


def _with_outcomes(told: Sequence[dict[str, Any]], found: Sequence[str]) -> list[dict[str, Any]]:
    return [item | {"outcome": outcome} for item, outcome in zip(told, found, strict=True)]


def _all_right(found: Sequence[Sequence[str]]) -> bool:
    return all(outcome == outcomes.RIGHT for side in found for outcome in side)


def _only(kind: type[Any], answer: Answer) -> tuple[Any, ...]:
    return tuple(item for item in answer if isinstance(item, kind)) if isinstance(answer, tuple) else ()


def filters(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, Any]:
    """Return what the sentences can be filtered by: labels and metadata values, each with its number of sentences."""
    labels = Counter(label for row in rows for label in row["labels"])
    found: dict[str, Any] = {"labels": sorted(labels.items()), "columns": []}
    values = {c: Counter(row["columns"][c] for row in rows if c in row["columns"]) for c in columns}
    values["target"] = Counter(row["target"] for row in rows if "target" in row)
    found["columns"] = [[c, sorted(n.items())] for c, n in values.items() if 1 < len(n) <= CHOICES]
    return found
