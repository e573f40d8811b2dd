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
"""The layer that each role fills; what the others ask for is a label set of a user's own."""
_BUILT_IN = {ROLES[name].task for name in LAYERS}


@dataclass(frozen=True)
class Found:
    """What a run finds of one layer in one sentence, and how sure it is of each item (empty where it does not say).

    `answer` holds the items of a role's layer; of a user's own label set it is the answer of that task.
    """

    answer: Any
    sure: list[float]


@dataclass(frozen=True)
class Asked:
    """What is found in the order of the sentences: of each role's layer, and of label sets of a user's own, by name."""

    roles: dict[str, list[Found]]
    own: dict[str, list[Found]]


def ask(runs: Mapping[str, Run], sentences: Sequence[Sentence], targets: Mapping[str, Sequence[Target]]) -> Asked:
    """Return what the runs find in sentences, which bear no gold.

    Runs of the task `layers` answer label sets of a user's own, too; of several the first is taken, but a role's run
    before others. `targets` holds by sentence id the targets to be judged. A run that plays several roles predicts
    once.
    """
    found: dict[str, list[Found]] = {}
    sets: dict[str, list[Found]] = {}
    for run, roles in _casts(runs):
        if run.task.kind == "layers":
            several = _of_layers(run, roles, sentences, targets)
            named = {ROLES[role].task for role in roles}
            found |= several.roles
            sets = several.own | sets | {name: answers for name, answers in several.own.items() if name in named}
        elif run.task.kind == ROLES["stance"].kind:
            toward = _of_targets(run, sentences, targets)
            found |= {role: toward for role in roles if role in LAYERS}
            if set(roles) - set(LAYERS):
                sets[run.task.name] = toward
        else:
            predictions = run.predict([Example(id=s.id, sentence=s) for s in sentences])
            found[roles[0]] = [Found(_items(p.answer), _numbers(p.probabilities)) for p in predictions]
    return Asked(found, sets)


def _casts(runs: Mapping[str, Run]) -> Iterator[tuple[Run, list[str]]]:
    """Yield every run once, with its roles."""
    for place in dict.fromkeys(run.path.resolve() for run in runs.values()):
        roles = [role for role, run in runs.items() if run.path.resolve() == place]
        yield runs[roles[0]], roles


def _of_layers(
    run: Run, roles: Sequence[str], sentences: Sequence[Sentence], targets: Mapping[str, Sequence[Target]]
) -> Asked:
    own = [one for one in run.task.inner if one.name not in _BUILT_IN]
    toward = [one.name for one in own if one.kind == "targeted"]
    asked = [tasks.asked(s, targets[s.id], toward) for s in sentences] if "stance" in roles or toward else sentences
    found = Asked({role: [] for role in roles if role in LAYERS}, {one.name: [] for one in own})
    for prediction in run.predict([Example(id=s.id, sentence=s) for s in asked]):
        answer = prediction.answer
        assert isinstance(answer, Layers)
        sure = by_layer(run.task, answer, prediction.probabilities)
        for role in found.roles:
            items = getattr(answer, LAYERS[role]) or ()
            found.roles[role].append(Found(items, _numbers(sure.get(ROLES[role].task))))
        for one in own:
            found.own[one.name].append(Found(one.view(answer), _numbers(sure.get(one.name))))
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
        found[example.sentence.id] = Found((*before.answer, Stance(example.target, label)), before.sure + sure)
    return [found[s.id] for s in sentences]


def _items(answer: Any) -> tuple[Any, ...]:
    return tuple(item for item in answer if isinstance(item, Item))


def _numbers(values: Any) -> list[float]:
    return [round(float(v), 9) for v in values] if isinstance(values, tuple) else []
