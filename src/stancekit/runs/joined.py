"""An attribution run and a framing run as one model, so that holders can be scored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from stancekit.errors import fail
from stancekit.files import read_json, write_json
from stancekit.runs import members
from stancekit.runs.choose import ROLES
from stancekit.runs.run import Run
from stancekit.runs.run import load as load_run
from stancekit.schema import Example, Layers, Prediction
from stancekit.tasks import Part, Task


class Joined:
    """An attribution run and a framing run as one model of the task `holder`.

    `fit` learns nothing; it refuses runs that were trained on examples outside this experiment's train and dev.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"layers"})

    def __init__(self, attribution: str, framing: str) -> None:
        self.paths = {"attribution": attribution, "framing": framing}

    @cached_property
    def runs(self) -> dict[str, Run]:
        """The two runs, loaded on first use."""
        runs = {role: load_run(path) for role, path in self.paths.items()}
        for name, run in runs.items():
            if run.task.kind != ROLES[name].kind:
                what = f"this run's task is {run.task.name}, {ROLES[name].expected} was expected"
                raise fail(run.path, what, "give another run")
        return runs

    def fit(self, train: Part, dev: Part) -> None:
        """Check that both runs learnt only from sentences that stand in train or dev here."""
        members.check_learnt(self.runs.values(), train, dev)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return the predicted layers of every sentence."""
        relations = self.runs["attribution"].predict(examples)
        devices = self.runs["framing"].predict(examples)
        return [
            Prediction(id=e.id, answer=Layers(text=e.sentence.text, attributions=r.answer, devices=d.answer))  # type: ignore[arg-type]
            for e, r, d in zip(examples, relations, devices, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Write where the runs lie and the hashes of their models."""
        write_json(folder / "joined.json", {role: members.state(run) for role, run in self.runs.items()})

    def load(self, folder: Path, task: Task) -> None:
        """Refuse when one of the runs was trained anew since."""
        for role, state in read_json(folder / "joined.json").items():
            members.check_unchanged(self.runs[role], state)
