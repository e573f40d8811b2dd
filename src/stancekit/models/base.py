"""The model protocol: settings in the constructor, data in `fit`, plain files in `save` and `load`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task


class Model(Protocol):
    """Turns examples into predictions of the same shape as gold.

    The constructor's signature is the config schema: it takes settings, no data, and does no work.
    `kinds` names the kinds of task that the model fits. A model that learns step by step also takes a
    `workspace` in `fit`, as a keyword that may be None.
    """

    kinds: ClassVar[frozenset[str]]

    def fit(self, train: Part, dev: Part) -> None:
        """Learn from train; thresholds, calibration and early stopping look at dev only (it may be empty)."""

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example, in order."""

    def save(self, folder: Path) -> None:
        """Write the fitted model into an empty folder as JSON and safetensors, the same bytes each time."""

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the settings are those of the constructor."""


def _exactly_right(part: Part, predictions: Sequence[Prediction]) -> float:
    """Return the share of answers that equal gold: what dev is judged by where no better measure is given."""
    return sum(p.answer == g for p, g in zip(predictions, part.gold, strict=True)) / max(1, len(part))


def _unheard(step: str, done: int, total: int, note: str = "") -> None:
    """Tell nobody."""


@dataclass
class Workspace:
    """What a model that learns step by step is lent while it learns.

    `folder` is where checkpoints go and where an unfinished training is gone on with (None: nowhere). `score`
    judges predictions of dev, higher is better; `metric` is its name. `progress` takes the step's name, how much
    is done of how much, and a note. The model leaves `curve` (steps with their loss, dev scores; no times) and
    `facts` (device, threads, precision, batches) behind. A model that is stopped (Ctrl-C) leaves a checkpoint and
    raises `errors.Interrupted`. Of several processes the first decides whether a checkpoint is gone on with, for it
    alone knows that the folder is settled.
    """

    folder: Path | None = None
    score: Callable[[Part, Sequence[Prediction]], float] = _exactly_right
    metric: str = "exactly right"
    progress: Callable[..., None] = _unheard
    curve: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def takes_workspace(model: Model | type[Model]) -> bool:
    """Say whether a model (or its class) learns step by step."""
    return "workspace" in inspect.signature(model.fit).parameters


def fit(model: Model, train: Part, dev: Part, workspace: Workspace) -> None:
    """Let a model learn, lending it the workspace where it takes one."""
    if takes_workspace(model):
        model.fit(train, dev, workspace=workspace)  # type: ignore[call-arg]
    else:
        model.fit(train, dev)
