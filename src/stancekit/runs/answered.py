"""Answers put into the place of gold: predictions of a run or a language model as an annotated sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from stancekit.schema import Answer, Layers, Sentence, Stance, Target
from stancekit.tasks import Task


def answered(
    sentence: Sentence, task: Task, answers: Sequence[Answer], targets: Sequence[Target | None] = ()
) -> Sentence:
    """Return a sentence with the answers of a task for gold: one, or for a targeted task one a target."""
    layers: dict[str, Any] = {}
    labels: dict[str, Answer] = {}
    if task.kind == "targeted":
        stances = tuple(Stance(t, str(a)) for t, a in zip(targets, answers, strict=True) if t is not None)
        if task.needs == ("stances",):
            layers["stances"] = stances
        else:
            labels[task.name] = stances
    elif isinstance(answers[0], Layers):
        layers = {name: getattr(answers[0], name) for name in ("attributions", "devices", "stances")}
        labels = dict(answers[0].labels)
    elif task.kind in ("relations", "devices"):
        layers[task.needs[0]] = answers[0]
    else:
        labels[task.name] = answers[0]
    return replace(sentence, gold=Layers(text=sentence.text, labels=labels, **layers))
