"""Labels by a linear decision: which of them train can teach, and predictions from decision values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stancekit.errors import Problems, did_you_mean, fail
from stancekit.models import soft
from stancekit.models.calibrate import Truth
from stancekit.models.decision import Decision, Plan
from stancekit.models.features import Matrix
from stancekit.models.solvers import Floats
from stancekit.models.tensors import Tensors
from stancekit.schema import Answer, Example, Prediction
from stancekit.tasks import Part, Task


class Head:
    """A decision over the labels that train taught; labels that every example of train has are always given."""

    def __init__(self, task: Task, plan: Plan, classes: Sequence[str], always: Sequence[str]) -> None:
        self.labels, self.always = task.labels, tuple(always)
        self.decision = Decision(plan, classes)

    def fit(self, train: Part, matrix: Matrix, held: tuple[Matrix, Truth] | None, *, soft_labels: bool = False) -> None:
        """Learn from train and the matrix of its features; `held` are dev's features and truth, where it has any."""
        documents = [e.sentence.document or e.sentence.id for e in train.examples]
        truth = self.truth(train)
        wanted = soft.shares(train, self.decision.classes, truth) if soft_labels else None
        self.decision.fit(matrix, truth, documents, held, wanted)

    @property
    def holds_out(self) -> bool:
        """Whether held-out examples are asked for."""
        return self.decision.plan.holds_out

    def truth(self, part: Part) -> Truth:
        """Return which class each example has, shape (n, classes)."""
        return np.array([[c in _set(answer) for c in self.decision.classes] for answer in part.gold], np.bool_)

    def predictions(self, examples: Sequence[Example], scores: Floats) -> list[Prediction]:
        """Return an answer and the probability of each label for every example, from decision values (n, rows)."""
        probabilities = self.decision.probabilities(scores)
        given = self.decision.answers(scores, probabilities)
        return [
            Prediction(id=e.id, answer=self._answer(yes), probabilities=self._by_label(p.tolist()))
            for e, yes, p in zip(examples, given, probabilities, strict=True)
        ]

    def _answer(self, given: Truth) -> Answer:
        labels = [label for label, yes in zip(self.decision.classes, given, strict=True) if yes]
        return frozenset([*labels, *self.always]) if self.decision.plan.multi else labels[0]

    def _by_label(self, probabilities: list[float]) -> dict[str, float]:
        learnt = dict(zip(self.decision.classes, probabilities, strict=True))
        return dict.fromkeys(self.labels, 0.0) | dict.fromkeys(self.always, 1.0) | learnt

    def dump(self) -> dict[str, Any]:
        """Return labels and classes as JSON."""
        return {"labels": self.labels, "classes": self.decision.classes, "always": self.always}

    def arrays(self) -> Tensors:
        """Return what was learnt."""
        return self.decision.arrays()


def taught(train: Part) -> tuple[list[str], list[str]]:
    """Return the labels that train can teach, in the task's order, and (multi-label) those on every example.

    With one label only there is nothing to learn: an error.
    """
    if not len(train):
        raise fail("train", "there is no example to learn from", "give more data, or another split")
    task, answers = train.task, [_set(answer) for answer in train.gold]
    unknown = sorted(map(str, frozenset().union(*answers) - set(task.labels)))
    if unknown:
        raise fail("train", f"unknown labels: {', '.join(unknown)}", did_you_mean(unknown[0], task.labels))
    multi = task.kind == "multi"
    seen = [label for label in task.labels if any(label in a for a in answers)]
    always = [label for label in seen if all(label in a for a in answers)]
    telling = [label for label in seen if label not in always] if multi else seen
    if len(telling) < (1 if multi else 2):
        what = f"all {len(answers)} examples have the same answer: {', '.join(seen) or 'no label'}"
        raise fail("train", what, "give data with more than one, or use the model `majority`")
    return telling, always if multi else []


def check(c: Any, class_weight: Any, threshold: Any, problems: Problems) -> None:
    """Note settings of a decision that make no sense."""
    if not _is_number(c) or c <= 0:
        problems.add("C", f"{c!r} is no number above 0", "write 1.0, say")
    if not isinstance(class_weight, Mapping) and class_weight not in (None, "balanced"):
        problems.add("class_weight", f"{class_weight!r} is unknown", "write balanced, null or {label: weight}")
    if threshold != "tuned" and not (_is_number(threshold) and 0 < threshold < 1):
        problems.add("threshold", f"{threshold!r} is unknown", "write tuned, or a probability")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _set(answer: Answer) -> frozenset[Any]:
    return answer if isinstance(answer, frozenset) else frozenset([answer])
