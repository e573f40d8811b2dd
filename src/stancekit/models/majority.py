"""The most frequent answer of train: what every other model must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from stancekit.errors import fail
from stancekit.files import read_json, write_json
from stancekit.schema import Answer, Example, Layers, Prediction, Stance
from stancekit.tasks import KINDS, Part, Task, labels_in, targets_of

Shares = dict[str, float]


class Majority:
    """Answers the most frequent label, with the labels' shares in train as probabilities.

    A targeted task gets the most frequent label of the target's name, where train has the name (unless
    `per_target` is off). A multi-label task gets the most frequent set of labels, which may be the empty one.
    Of equally frequent answers the one first in the task's order is taken (the smaller set first). Spans,
    relations and devices: none. Of whole layers, every target gets the most frequent label of its set, and every
    sentence the most frequent label or labels of sets of its own.
    """

    kinds: ClassVar[frozenset[str]] = frozenset(KINDS)

    def __init__(self, *, per_target: bool = True) -> None:
        self.per_target = per_target

    def fit(self, train: Part, dev: Part) -> None:
        """Count the answers of train; dev is not looked at."""
        if not len(train):
            raise fail("train", "there is no example to learn from", "give more data, or another split")
        self._kind, self._labels = train.task.kind, train.task.labels
        self._answer: list[str] = []
        self._shares: Shares = {}
        self._targets: dict[str, Shares] = {}
        self._toward = {one.name: _usual(one, train)[0] for one in train.task.inner if one.kind == "targeted"}
        self._own: dict[str, str | list[str]] = {
            one.name: _usual(one, train) if one.kind == "multi" else _usual(one, train)[0]
            for one in train.task.inner
            if one.kind in ("single", "multi")
        }
        if self._kind == "multi":
            self._fit_sets([a for a in train.gold if isinstance(a, frozenset)])
        elif self._kind in ("single", "targeted"):
            self._shares = self._share(map(str, train.gold))
        if self._kind == "targeted" and self.per_target:
            by_name: dict[str, list[str]] = {}
            for example, answer in zip(train.examples, train.gold, strict=True):
                by_name.setdefault(_name(example), []).append(str(answer))
            self._targets = {name: self._share(answers) for name, answers in by_name.items()}

    def _fit_sets(self, answers: Sequence[frozenset[str]]) -> None:
        self._answer = _commonest(answers, self._labels)
        self._shares = {label: sum(label in a for a in answers) / len(answers) for label in self._labels}

    def _share(self, answers: Iterable[str]) -> Shares:
        counts = Counter(answers)
        return {label: counts[label] / counts.total() for label in self._labels}

    def _best(self, shares: Shares) -> str:
        return max(self._labels, key=lambda label: shares[label])

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example by its target's name, or alike."""
        return [self._predict(example) for example in examples]

    def _predict(self, example: Example) -> Prediction:
        if self._kind == "layers":
            return Prediction(id=example.id, answer=self._layers(example))
        if self._kind == "multi":
            return Prediction(id=example.id, answer=frozenset(self._answer), probabilities=dict(self._shares))
        if self._kind in ("single", "targeted"):
            shares = self._targets.get(_name(example), self._shares)
            return Prediction(id=example.id, answer=self._best(shares), probabilities=dict(shares))
        return Prediction(id=example.id, answer=(), probabilities=())

    def _layers(self, example: Example) -> Layers:
        """Return no span at all, and a label toward each target that is to be judged."""
        sets = {name: [Stance(t, label) for t in targets_of(example, name)] for name, label in self._toward.items()}
        stances = tuple(sets.pop("stance")) if "stance" in sets else None
        found: dict[str, Answer] = {name: tuple(toward) for name, toward in sets.items() if toward}
        found |= {name: frozenset(said) if isinstance(said, list) else said for name, said in self._own.items()}
        return Layers(text=example.sentence.text, attributions=(), devices=(), stances=stances, labels=found)

    def save(self, folder: Path) -> None:
        """Write `majority.json`."""
        state = {"kind": self._kind, "answer": self._answer, "shares": self._shares, "targets": self._targets}
        write_json(folder / "majority.json", state | {"labels": self._labels, "toward": self._toward, "own": self._own})

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote."""
        state = read_json(folder / "majority.json")
        self._kind, self._labels, self._answer = state["kind"], tuple(state["labels"]), state["answer"]
        self._shares, self._targets = state["shares"], state["targets"]
        self._toward, self._own = state["toward"], state["own"]


def _usual(one: Task, train: Part) -> list[str]:
    """Return the most frequent answer to a label set in train; toward targets, the most frequent label."""
    answers = [answer for gold in train.gold if isinstance(gold, Layers) if (answer := one.view(gold)) is not None]
    sets = [labels_in(answer) for answer in answers]
    return _commonest([[label] for own in sets for label in own] if one.kind == "targeted" else sets, one.labels)


def _commonest(answers: Iterable[Collection[str]], labels: Sequence[str]) -> list[str]:
    """Return the most frequent set of labels: of equals the smaller, then the first in order; else the first label."""
    counts = Counter(tuple(label for label in labels if label in answer) for answer in answers)
    order = {label: place for place, label in enumerate(labels)}
    ranked = sorted(counts, key=lambda own: (-counts[own], len(own), [order[label] for label in own]))
    return list(ranked[0] if ranked else labels[:1])


def _name(example: Example) -> str:
    return example.target.name if example.target else ""
