"""A `transformer` that learns what other runs of a benchmark have said, by their kept predictions, beside gold.

As `distil` does with runs: .7 times the teachers' mean probabilities, .3 times gold (or annotators' votes).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stancekit.models.base import Workspace
from stancekit.models.calibrate import Floats
from stancekit.models.neural.transformer import Transformer
from stancekit.tasks import Part

SEEDS = (13, 14, 15)


def teachers(keep: Path, title: str) -> list[str]:
    """Return the files with the predictions of a row that students learn from: those of its three seeds."""
    return [str(keep / f"{title} {seed}.jsonl") for seed in SEEDS]


class Student(Transformer):
    """`teachers` are files of kept predictions; every example of train must be in each."""

    def __init__(
        self, encoder: str = "minilm", *, teachers: Sequence[str] = (), seed: int = 13, **settings: Any
    ) -> None:
        super().__init__(encoder, seed=seed, **settings)
        self.teachers = teachers

    def fit_shares(self, train: Part, wanted: Floats, dev: Part, workspace: Workspace | None = None) -> None:
        """Fine-tune on what the teachers say of train, and on what is wanted."""
        said: dict[str, list[Any]] = {e.id: [] for e in train.examples}
        for path in self.teachers:
            if not Path(path).exists():
                raise SystemExit(f"{path}: students learn from it; read that row first, with the seeds {SEEDS}")
            for line in Path(path).read_text(encoding="utf-8").splitlines():
                found = json.loads(line)
                if found["id"] in said:
                    said[found["id"]].append(found["probabilities"])
        soft = np.array([[np.mean([own[n] for own in said[e.id]]) for n in train.task.labels] for e in train.examples])
        super().fit_shares(train, 0.3 * wanted + 0.7 * soft, dev, workspace)
