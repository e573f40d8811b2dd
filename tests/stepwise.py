"""A model of one's own that learns step by step, as small as can be: it stops and goes on as a trainer does."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import ClassVar

from stancekit import files
from stancekit.errors import Interrupted, fail
from stancekit.schema import Prediction
from stancekit.tasks import KINDS

STEPS = 5


class Stepwise:
    """Counts answers, one pass a step; `stop` ends at a step: by an error, by SIGKILL, or by waiting for Ctrl-C.

    `stop` happens once: a training that goes on from the checkpoint of that step passes it. A waiting model writes
    a line to the named pipe `told`.
    """

    kinds = frozenset(KINDS)
    fitted: ClassVar[list[Path]] = []

    def __init__(self, *, stop: str | None = None, at: int = 3, told: str | None = None, only: int = 0, seed: int = 13):
        self.stop, self.at, self.told, self.seed = stop, at, told, seed
        self.only = only
        self.counts: Counter[str] = Counter()

    def fit(self, train, dev, workspace=None):
        self.fitted.append(workspace.folder)
        state = {"step": 0, "counts": {}, "dev": []}
        place = workspace.folder / "state.json"
        if place.exists():
            state = files.read_json(place)
            self.counts = Counter(state["counts"])
        first = state["step"]
        for step in range(first + 1, STEPS + 1):
            for answer in train.gold:
                state["counts"][answer] = state["counts"].get(answer, 0) + 1 + self.seed % 2
            self.counts = Counter(state["counts"])
            score = workspace.score(dev, self.predict(dev.examples))
            state["dev"].append([step, score])
            state["step"] = step
            workspace.progress("fitting", step, STEPS, f"dev {score:.3f}")
            files.write_json(place, state)
            if self.stop and step == self.at and self.only in (0, self.seed):
                self._stop()
        workspace.curve.update(metric=workspace.metric, dev=state["dev"], steps=STEPS)
        workspace.facts.update(device="abacus", threads=1, first_step=first + 1)

    def _stop(self):
        if self.stop == "error":
            raise fail("model", "it ran out of luck", "try again")
        if self.stop == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            with Path(self.told).open("w") as pipe:
                pipe.write(f"{self.seed}\n")
                pipe.flush()
                signal.pause()
        except KeyboardInterrupt:
            raise Interrupted(*fail("training", "stopped", "go on with --resume").problems) from None

    def predict(self, examples):
        best = max(sorted(self.counts), key=self.counts.__getitem__)
        return [Prediction(id=e.id, answer=best) for e in examples]

    def save(self, folder):
        files.write_json(folder / "counts.json", dict(self.counts))

    def load(self, folder, task):
        self.counts = Counter(files.read_json(folder / "counts.json"))
