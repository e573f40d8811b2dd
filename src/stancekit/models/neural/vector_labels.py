"""Labels by a linear head over the vectors of a frozen encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stancekit.errors import fail
from stancekit.files import read_json, write_json
from stancekit.models import head as heads
from stancekit.models import tensors
from stancekit.models.decision import Plan
from stancekit.models.head import Head
from stancekit.models.neural.encoders import views
from stancekit.models.neural.encoders.frozen import Frozen
from stancekit.models.neural.encoders.views import Floats
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task

FILE, WEIGHTS = "head.json", "head.safetensors"
_DIGITS = 6
"""Decision values are rounded, since a batch's composition may move vectors by some 1e-7."""


class VectorLabels:
    """A linear decision over pooled vectors; `plan` holds the settings of a `Plan` that do not hang on the task."""

    def __init__(
        self, frozen: Frozen, plan: Mapping[str, Any], *, pool: str | None, context: int, soft_labels: bool
    ) -> None:
        self.frozen, self.plan = frozen, plan
        self.pool, self.context, self.soft_labels = pool, context, soft_labels

    def _prepare(self, task: Task, classes: Sequence[str], always: Sequence[str]) -> None:
        self.seen = self.pool or ("target" if task.kind == "targeted" else "mean")
        self.head = Head(task, Plan(**self.plan, multi=task.kind == "multi"), classes, always)

    def _features(self, examples: Sequence[Example]) -> Floats:
        return views.features(self.frozen, examples, self.seen, self.context)

    def fit(self, train: Part, dev: Part) -> None:
        """Learn the head from train; sigmoids and thresholds from dev or inner folds of train."""
        if self.pool == "target" and train.task.kind != "targeted":
            raise fail(
                "pool", f"the task {train.task.name} has no targets to pool at", "set pool: mean, or leave it out"
            )
        self._prepare(train.task, *heads.taught(train))
        matrix = self._features(train.examples)
        held = (self._features(dev.examples), self.head.truth(dev)) if len(dev) and self.head.holds_out else None
        self.head.fit(train, matrix, held, soft_labels=self.soft_labels)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with a label (or labels) and the probability of each."""
        if not examples:
            return []
        scores = self.head.decision.weights.scores(self._features(examples))
        return self.head.predictions(examples, scores.round(_DIGITS))

    def save(self, folder: Path) -> None:
        """Write `head.json` (labels) and `head.safetensors` (weights)."""
        write_json(folder / FILE, self.head.dump())
        tensors.write(folder / WEIGHTS, self.head.arrays())

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the task must have the labels that were learnt."""
        plain = read_json(folder / FILE)
        if tuple(plain["labels"]) != task.labels:
            raise fail(folder, f"the model knows the labels {plain['labels']}, not the task's", "train the run again")
        self._prepare(task, plain["classes"], plain["always"])
        self.head.decision.restore(tensors.read(folder / WEIGHTS))
