"""A transformer that dies at a batch: run as a script, it trains and is killed for each case, importing but once.

`python dying.py ENCODER FOLDER:SIGNAL@BATCH …` prints how each training ended: −9 for SIGKILL, or the exit code.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from stancekit import experiment
from stancekit.errors import Interrupted
from stancekit.models.neural.transformer import Transformer

TRAINING = {
    "epochs": 2,
    "batch_size": 4,
    "accumulate": 2,
    "learning_rate": 1e-3,
    "average": 0.5,
    "evaluations": 2,
    "patience": 3,
    "save_steps": 3,
    "device": "cpu",
    "precision": "fp32",
}
STOPPED = 130


class Dying(Transformer):
    """Takes its settings as its parent does; what kills it is no setting, so that the plan stays the same."""

    kill: tuple[int, int] | None = None
    batches = 0

    def _loss(self, model: Any, batch: Any) -> torch.Tensor:
        self.batches += 1
        if self.kill is not None and self.batches == self.kill[1]:
            os.kill(os.getpid(), self.kill[0])
        return super()._loss(model, batch)


def plan(encoder: Path, folder: Path, **changes: Any) -> list[str]:
    """Return the overrides of an experiment on the example table, with `train` ready for stops in its midst."""
    table = Path(__file__).parent.parent / "examples" / "headlines.csv"
    settings = {"data.path": table, "output": folder / "run", "model.name": "dying:Dying", "model.encoder": encoder}
    settings |= {"model.max_length": 32, "model.pool": "standard", "model.training": json.dumps(TRAINING), **changes}
    return [f"{key}={value}" for key, value in settings.items()]


def main() -> None:
    """Train for each case in a process of its own, split off after the imports and before any sum is done."""
    encoder, *cases = sys.argv[1:]
    for case in cases:
        folder, _, kill = case.rpartition(":")
        name, _, batch = kill.partition("@")
        child = os.fork()
        if not child:
            Dying.kill = (getattr(signal, name), int(batch))
            try:
                experiment.train("own-csv", plan(Path(encoder), Path(folder)))
            except Interrupted as error:
                print(error, flush=True)
                os._exit(STOPPED)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    sys.modules["dying"] = sys.modules["__main__"]
    main()
