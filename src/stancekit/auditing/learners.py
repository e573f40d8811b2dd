"""What the baselines of an audit see of an example, and how they learn from it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stancekit.auditing.folds import Answerer, Learner
from stancekit.data.columns import value
from stancekit.models.linear import Linear
from stancekit.models.majority import Majority
from stancekit.schema import Example, Prediction, Sentence
from stancekit.tasks import Part

View = Callable[[Example], str]
_HIDDEN = {"mask": True, "mark": False, "window": 0, "name": False}


def settings(kind: str) -> dict[str, Any]:
    """Return the settings of the text baseline: TF-IDF of words and pairs of words, logistic regression, C 4.

    A label of several is answered from one half on, so its rare side is weighted up; else the weights are even.
    """
    weight = "balanced" if kind == "multi" else None
    return {"word": (1, 2), "char": None, "C": 4.0, "class_weight": weight, "threshold": 0.5}


def text(train: Part) -> Answerer:
    """Learn from the text, and from the target where the task has one."""
    return _learnt(train, settings(train.task.kind))


def text_without_target(train: Part) -> Answerer:
    """Learn from the text with the target's mention taken out, not told which target is asked."""
    return _learnt(train, settings(train.task.kind) | {"target": _HIDDEN})


def majority(train: Part) -> Answerer:
    """Answer the most frequent label."""
    return _fitted(Majority(per_target=False), train)


def majority_per_target(train: Part) -> Answerer:
    """Answer the most frequent label of the target."""
    return _fitted(Majority(), train)


def column_alone(column: str) -> Learner:
    """Return a learner that sees one metadata value of an example and nothing else."""
    numbers: dict[str | None, int] = {}
    return _only(lambda e: f"v{numbers.setdefault(value(e, column), len(numbers))}", (1, 1))


def target_alone() -> Learner:
    """Return a learner that sees the words of the target's name and nothing else."""
    return _only(lambda e: e.target.name if e.target else "", (1, 2))


def surface_alone() -> Learner:
    """Return a learner that sees the length of the text and its punctuation marks, and no word."""
    return _only(_surface, (1, 1))


def _surface(example: Example) -> str:
    """Return the length in steps of an eighth of its logarithm, and each mark with its number up to three."""
    content = example.sentence.text
    marks = Counter(c for c in content if not c.isalnum() and not c.isspace())
    sizes = {"c": len(content), "w": len(content.split())}
    length = [
        f"{name}{round(8 * math.log2(1 + size))} {name}x{round(2 * math.log2(1 + size))}"
        for name, size in sizes.items()
    ]
    return " ".join([*length, *(f"m{ord(c)}x{min(n, 3)}" for c, n in marks.items())])


def _only(view: View, word: tuple[int, int]) -> Learner:
    """Return a learner whose examples' texts are replaced by a view of them."""

    def seen(examples: Sequence[Example]) -> tuple[Example, ...]:
        return tuple(Example(id=e.id, sentence=Sentence(id=e.id, text=view(e))) for e in examples)

    def learn(train: Part) -> Answerer:
        learnt = _learnt(
            Part(train.task, seen(train.examples), train.gold),
            settings(train.task.kind) | {"word": word, "target": _HIDDEN},
        )
        return lambda examples: learnt(seen(examples))

    return learn


def _learnt(train: Part, values: Mapping[str, Any]) -> Answerer:
    """Fit the linear model, or where train holds one answer only, give that."""
    return _fitted(Linear(**values) if len(set(train.gold)) > 1 else Majority(), train)


def _fitted(model: Linear | Majority, train: Part) -> Answerer:
    model.fit(train, Part(train.task))

    def answer(examples: Sequence[Example]) -> list[Prediction]:
        return model.predict(examples)

    return answer
