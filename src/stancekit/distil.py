"""An ensemble (or any run) put into one model: the student learns the teacher's probabilities (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from stancekit import components, members
from stancekit.ensemble import Ensemble
from stancekit.errors import fail
from stancekit.files import make_folder, read_json, write_json
from stancekit.models.base import Model, Workspace
from stancekit.run import load as load_run
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task

FILE = "distil.json"


class Distil:
    """A student that learns from what a teacher says of train, and from gold.

    `teacher` is a run folder, that of a run of several seeds (averaged), or a list of runs; `student` a model with
    its settings that can learn shares of labels (`transformer`). `gold` is the weight of the gold answer beside the
    teacher's probabilities. The saved model is the student's alone: the teacher is not needed any more.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "multi", "targeted"})

    def __init__(
        self,
        teacher: str | list[str],
        *,
        student: Mapping[str, Any] | str = "transformer",
        gold: float = 0.3,
        seed: int = 13,
    ) -> None:
        if not 0 <= gold <= 1:
            raise fail("gold", f"{gold} is no weight", "a number from 0 to 1 is expected")
        self.teacher, self.gold, self.seed = teacher, gold, seed
        self.plan = {"name": student} if isinstance(student, str) else dict(student)

    @cached_property
    def student(self) -> Any:
        """The student, built on first use."""
        name = str(self.plan.get("name", "transformer"))
        settings = {"seed": self.seed} | {k: v for k, v in self.plan.items() if k != "name"}
        student: Model = components.build("model", name, settings, where="model.student")
        if not hasattr(student, "fit_shares"):
            raise fail("model.student", f"{name!r} cannot learn shares of labels", "take `transformer`")
        return student

    def fit(self, train: Part, dev: Part, workspace: Workspace | None = None) -> None:
        """Ask the teacher about train, and let the student learn its probabilities and gold."""
        said = self._teach(train, dev)
        labels = train.task.labels
        soft = np.array([[p.probabilities[label] for label in labels] for p in said])  # type: ignore[call-overload,index]
        sets = [a if isinstance(a, frozenset) else frozenset([a]) for a in train.gold]
        hard = np.array([[label in own for label in labels] for own in sets], dtype=np.float64)
        self.student.fit_shares(train, self.gold * hard + (1 - self.gold) * soft, dev, workspace)

    def _teach(self, train: Part, dev: Part) -> list[Prediction]:
        paths = members.folders(self.teacher)
        if len(paths) > 1:
            ensemble = Ensemble([str(path) for path in paths])
            ensemble.fit(train, dev)
            return ensemble.predict(train.examples)
        run = load_run(paths[0])
        members.check_learnt([run], train, dev)
        return run.model.predict(train.examples)

    def predict(self, examples: list[Example]) -> list[Prediction]:
        """Answer by the student."""
        return self.student.predict(examples)  # type: ignore[no-any-return]

    def save(self, folder: Path) -> None:
        """Write the student as it writes itself, and whom it learnt from."""
        self.student.save(make_folder(folder))
        write_json(folder / FILE, {"teacher": self.teacher})

    def load(self, folder: Path, task: Task) -> None:
        """Take back the student."""
        read_json(folder / FILE)
        self.student.load(folder, task)
