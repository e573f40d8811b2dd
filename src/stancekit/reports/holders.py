"""Holder × target × frame: whose frames are put on whom, counted in gold and in predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stancekit.evaluation import Evaluated
from stancekit.metrics.holder import has_holders
from stancekit.schema import Answer, Device, Layers
from stancekit.text import derive

Key = tuple[str, str, str]
PALE = 4
"""The darkest shade stands for this count at least, so that a table of ones stays pale."""
KINDS = {"author": "the outlet", "source": "a source", "distanced": "distanced", "": "unknown"}


def whole(layers: Layers, text: str) -> Layers:
    """Return layers with their text, and what another tool left out as empty, as the holder metrics read them."""
    return Layers(text=text, attributions=layers.attributions or (), devices=layers.devices or ())


def count(layers: Layers) -> Counter[Key]:
    """Count the devices of one sentence by holder kind, target and frame."""
    devices = layers.devices or ()
    holders = derive.holders(layers)
    kinds = [h.kind for h in holders] if holders is not None else [""] * len(devices)
    return Counter((kind, d.target or "", d.frame) for kind, d in zip(kinds, devices, strict=True))


def table(evaluated: Evaluated) -> dict[str, Any] | None:
    """Return gold beside predicted counts, or None where the task has no devices.

    Of a task on devices alone the predicted devices' holders follow from the gold relations, where there are any.
    """
    task = evaluated.part.task
    if task.kind not in ("devices", "layers"):
        return None
    gold: Counter[Key] = Counter()
    given: Counter[Key] = Counter()
    for example, prediction in zip(evaluated.part.examples, evaluated.predictions, strict=True):
        own = example.sentence.gold
        if task.kind == "layers" and not has_holders(own):
            continue
        gold += count(own)
        given += count(_predicted(own, prediction.answer))
    note = "" if task.kind == "layers" else "The holders of predicted devices follow from the gold relations here."
    return matrix({"gold": gold, "predicted": given}, task.labels) | {"note": note}


def _predicted(own: Layers, answer: Answer) -> Layers:
    if isinstance(answer, Layers):
        return whole(answer, own.text)
    devices = tuple(d for d in answer if isinstance(d, Device)) if isinstance(answer, tuple) else ()
    return Layers(text=own.text, attributions=own.attributions, devices=devices)


def matrix(counts: Mapping[str, Counter[Key]], frames: Sequence[str]) -> dict[str, Any]:
    """Arrange counts as rows (holder, target) and columns of frames; each cell has one number a side."""
    sides = list(counts.values())
    keys = {(kind, target) for side in sides for kind, target, _ in side}
    used = [f for f in frames if any(frame == f for side in sides for _, _, frame in side)]
    order = list(KINDS)
    rows: list[dict[str, Any]] = [
        {
            "holder": KINDS[kind],
            "target": target,
            "cells": [[side[kind, target, frame] for side in sides] for frame in used],
        }
        for kind, target in sorted(keys, key=lambda key: (order.index(key[0]), key[1] == "", key[1]))
    ]
    peak = max([PALE, *(n for row in rows for cell in row["cells"] for n in cell)])
    return {"sides": list(counts), "frames": used, "rows": rows, "peak": peak}
