"""Answers of a richer task seen as those of another: frames of devices, voice of attributions, stances of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stancekit.schema import Answer, Attribution, Device, Example, Layers, Prediction, Stance
from stancekit.tasks import Part, Task

Pair = tuple[Example, Answer, Answer]
"""An example with its gold and its predicted answer."""


def view(task: Task, part: Part, predictions: Sequence[Prediction]) -> tuple[Part, list[Prediction]]:
    """Return gold and predicted answers of a part as examples of another task.

    Gold is that of the sentences. Those of which gold or prediction lacks what the task is derived from are left
    out: nothing is left of a part whose answers are neither layers nor one of them. Predictions stand in the order
    of the examples.
    """
    pairs: list[Pair] = []
    for example, prediction in zip(part.examples, predictions, strict=True):
        given = _layers(part.task.kind, prediction.answer, example.sentence.text)
        answer = None if given is None else task.view(given)
        own = task.view(example.sentence.gold)
        if own is not None and answer is not None and _is_whole(task, own, answer):
            pairs += _stances(example, own, answer) if task.kind == "targeted" else [(example, own, answer)]
    viewed = Part(task, tuple(example for example, _, _ in pairs), tuple(gold for _, gold, _ in pairs))
    return viewed, [Prediction(id=example.id, answer=answer) for example, _, answer in pairs]


def _layers(kind: str, answer: Answer, text: str) -> Layers | None:
    """Return the layers that an answer of some kind of task holds; None where it is only derived from them."""
    if isinstance(answer, Layers):
        return answer
    if kind == "devices":
        return Layers(text=text, devices=tuple(item for item in answer if isinstance(item, Device)))
    if kind == "relations":
        return Layers(text=text, attributions=tuple(item for item in answer if isinstance(item, Attribution)))
    return None


def _is_whole(task: Task, gold: Answer, given: Answer) -> bool:
    """Say whether an answer of several layers has all that gold has: one that was not asked for is not an empty one."""
    if not isinstance(gold, Layers) or not isinstance(given, Layers):
        return True
    return all(one.view(gold) is None or one.view(given) is not None for one in task.inner)


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
