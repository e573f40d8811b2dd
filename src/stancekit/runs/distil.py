"""An ensemble (or any run) put into one model: the student learns the teacher's probabilities (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stancekit import components
from stancekit.errors import fail
from stancekit.files import make_folder, read_json, write_json
from stancekit.models.base import Model, Workspace
from stancekit.runs import members
from stancekit.runs.ensemble import Ensemble
from stancekit.runs.run import Run
from stancekit.runs.run import load as load_run
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task

FILE = "distil.json"


class Distil:
    """A student that learns from what a teacher says of train, and from gold.

    `teacher` is a run folder, that of a run of several seeds (averaged), or a list of runs; `student` a model with
    its settings that can learn shares of labels (`transformer`). `gold` is the weight of the gold answer (of the
    annotators' votes, where the student has `soft_labels`) beside the teacher's probabilities. The saved model is the
    student's alone: the teacher is not needed any more.
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
        self.known: list[dict[str, str]] = []
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
        soft = self._teach(train, dev)
        wanted = self.gold * self.student.wanted(train) + (1 - self.gold) * soft
        self.student.fit_shares(train, wanted, dev, workspace)

    @cached_property
    def teachers(self) -> list[Run]:
        """The runs to learn from, loaded on first use."""
        paths = members.folders(self.teacher)
        return Ensemble([str(path) for path in paths]).members if len(paths) > 1 else [load_run(paths[0])]

    def _teach(self, train: Part, dev: Part) -> NDArray[np.float64]:
        """Return the teachers' mean probabilities of train's examples, (n, labels)."""
        members.check_task(self.teachers[0], train.task)
        members.check_learnt(self.teachers, train, dev)
        self.known = [members.state(run) for run in self.teachers]
        return np.mean([_shares(run, train) for run in self.teachers], axis=0)  # type: ignore[no-any-return]

    def predict(self, examples: list[Example]) -> list[Prediction]:
        """Answer by the student."""
        return self.student.predict(examples)  # type: ignore[no-any-return]

    def save(self, folder: Path) -> None:
        """Write the student as it writes itself, and the hashes of the models that it learnt from."""
        self.student.save(make_folder(folder))
        write_json(folder / FILE, {"teachers": self.known})

    def load(self, folder: Path, task: Task) -> None:
        """Take back the student."""
        self.known = read_json(folder / FILE)["teachers"]
        self.student.load(folder, task)


def _shares(run: Run, part: Part) -> list[list[float]]:
    found = []
    for prediction in run.model.predict(part.examples):
        shares = prediction.probabilities
        if not isinstance(shares, Mapping):
            raise fail(run.path, "it gives no probabilities to learn from", "take another teacher")
        found.append([shares.get(label, 0.0) for label in part.task.labels])
    return found
