"""The runs of a tagger asked: what each role's run finds in every sentence, and how sure it is of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stancekit import tasks
from stancekit.runs.choose import ROLES
from stancekit.runs.confidences import by_layer
from stancekit.runs.run import Run
from stancekit.schema import Attribution, Device, Example, Layers, Sentence, Stance, Target

Item = Attribution | Device | Stance
LAYERS = {"attribution": "attributions", "framing": "devices", "stance": "stances"}
"""The layer that each role fills."""


@dataclass(frozen=True)
class Found:
    """What a run finds of one layer in one sentence: items, and a confidence each (none where the model gives none)."""

    items: tuple[Any, ...]
    sure: list[float]


def ask(
    runs: Mapping[str, Run], sentences: Sequence[Sentence], targets: Mapping[str, Sequence[Target]]
) -> dict[str, list[Found]]:
    """Return what is found by role, in the order of the sentences, which bear no gold.

    `targets` holds by sentence id the targets to be judged. A run that plays several roles predicts once.
    """
    found: dict[str, list[Found]] = {}
    for run, roles in _casts(runs):
        if run.task.kind == "layers":
            found |= _of_layers(run, roles, sentences, targets)
        elif run.task.kind == ROLES["stance"].kind:
            found["stance"] = _of_targets(run, sentences, targets)
        else:
            predictions = run.predict([Example(id=s.id, sentence=s) for s in sentences])
            found[roles[0]] = [Found(_items(p.answer), _numbers(p.probabilities)) for p in predictions]
    return found


def _casts(runs: Mapping[str, Run]) -> Iterator[tuple[Run, list[str]]]:
    """Yield every run once, with its roles."""
    for place in dict.fromkeys(run.path.resolve() for run in runs.values()):
        roles = [role for role, run in runs.items() if run.path.resolve() == place]
        yield runs[roles[0]], roles


def _of_layers(
    run: Run, roles: Sequence[str], sentences: Sequence[Sentence], targets: Mapping[str, Sequence[Target]]
) -> dict[str, list[Found]]:
    asked = [tasks.asked(s, targets[s.id]) for s in sentences] if "stance" in roles else sentences
    found: dict[str, list[Found]] = {role: [] for role in roles}
    for prediction in run.predict([Example(id=s.id, sentence=s) for s in asked]):
        assert isinstance(prediction.answer, Layers)
        sure = by_layer(run.task, prediction.answer, prediction.probabilities)
        for role in roles:
            items = getattr(prediction.answer, LAYERS[role]) or ()
            found[role].append(Found(items, _numbers(sure.get(ROLES[role].task))))
    return found


def _of_targets(run: Run, sentences: Sequence[Sentence], targets: Mapping[str, Sequence[Target]]) -> list[Found]:
    found = {s.id: Found((), []) for s in sentences}
    examples = [
        Example(id=f"{s.id}#{k}", sentence=s, target=target)
        for s in sentences
        for k, target in enumerate(targets[s.id], start=1)
    ]
    for example, prediction in zip(examples, run.predict(examples), strict=True):
        assert example.target is not None
        before, label = found[example.sentence.id], str(prediction.answer)
        shares = prediction.probabilities
        sure = [round(float(shares[label]), 9)] if isinstance(shares, Mapping) else []
        found[example.sentence.id] = Found((*before.items, Stance(example.target, label)), before.sure + sure)
    return [found[s.id] for s in sentences]


def _items(answer: Any) -> tuple[Any, ...]:
    return tuple(item for item in answer if isinstance(item, Item))


def _numbers(values: Any) -> list[float]:
    return [round(float(v), 9) for v in values] if isinstance(values, tuple) else []
