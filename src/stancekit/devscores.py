"""What a run notes of dev: its headline, and for a model of all layers the headline of each layer's own task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from stancekit import headline, tasks
from stancekit.codebook import Codebook
from stancekit.headline import Headline
from stancekit.schema import Answer, Example, Layers, Prediction, Stance
from stancekit.tasks import Part, Task

_LAYER_TASKS = ("attribution", "devices", "stance")

Pair = tuple[Example, Answer, Answer]
"""An example with its gold and its predicted answer."""


def of(part: Part, predictions: Sequence[Prediction], own: Headline, codebook: Codebook) -> dict[str, Any]:
    """Return metric, value (None where not defined) and number of examples by task; nothing where dev is empty.

    `own` is the headline of the part's task. Predictions stand in the order of the examples.
    """
    if not len(part):
        return {}
    found = {part.task.name: _row(part, predictions, own)}
    if part.task.kind == "layers":
        for task in part.task.inner or [tasks.built_in(name, codebook) for name in _LAYER_TASKS]:
            viewed, answers = view(task, part, predictions)
            if len(viewed):
                found[task.name] = _row(viewed, answers, headline.of(task))
    return found


def _row(part: Part, predictions: Sequence[Prediction], figure: Headline) -> dict[str, Any]:
    return {"metric": figure.name, "value": figure.of(part, predictions), "n": len(part)}


def view(task: Task, part: Part, predictions: Sequence[Prediction]) -> tuple[Part, list[Prediction]]:
    """Return gold and predicted layers as examples of a task; sentences that lack its layer on a side are left out."""
    pairs: list[Pair] = []
    for example, gold, prediction in zip(part.examples, part.gold, predictions, strict=True):
        assert isinstance(gold, Layers) and isinstance(prediction.answer, Layers)
        own, given = task.view(gold), task.view(prediction.answer)
        if own is not None and given is not None:
            pairs += _stances(example, own, given) if task.kind == "targeted" else [(example, own, given)]
    viewed = Part(task, tuple(example for example, _, _ in pairs), tuple(gold for _, gold, _ in pairs))
    return viewed, [Prediction(id=example.id, answer=given) for example, _, given in pairs]


def _stances(example: Example, gold: Answer, given: Answer) -> Iterator[Pair]:
    """Yield an example for each gold target with both labels; a target that was not answered has the empty label.

    A target may be named twice: the k-th gold stance toward it is joined to the k-th predicted one.
    """
    left = _list(given)
    for number, stance in enumerate(_list(gold), start=1):
        same = next((s for s in left if s.target == stance.target), None)
        same = same or next((s for s in left if s.target.name == stance.target.name), None)
        if same is not None:
            left.remove(same)
        one = Example(id=f"{example.id}#{number}", sentence=example.sentence, target=stance.target)
        yield one, stance.label, same.label if same is not None else ""


def _list(answer: Answer) -> list[Stance]:
    return [item for item in answer if isinstance(item, Stance)] if isinstance(answer, tuple) else []
