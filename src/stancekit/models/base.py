"""The model protocol: settings in the constructor, data in `fit`, plain files in `save` and `load`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task


class Model(Protocol):
    """Turns examples into predictions of the same shape as gold.

    The constructor's signature is the config schema: it takes settings, no data, and does no work.
    `kinds` names the kinds of task that the model fits.
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
