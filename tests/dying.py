"""A transformer that dies at a batch: run as a script, it trains case by case in processes split off, importing once.

`python dying.py JSON` takes a list of cases and prints a line for each: how its processes ended, the first one's first
(−9 for SIGKILL, else the exit code), and what the first one said.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
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


def run(case: dict[str, Any], rank: int, port: int) -> int:
    """Train as one process of a case; return the exit code."""
    if case["processes"] > 1:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ |= {"WORLD_SIZE": str(case["processes"]), "RANK": str(rank), "LOCAL_RANK": str(rank)}
    name, batch = case["kill"].get(str(rank), (None, 0))
    Dying.kill = (getattr(signal, name), batch) if name else None
    try:
        overrides = plan(Path(case["encoder"]), Path(case["folder"]), **case["changes"])
        experiment.train("own-csv", overrides, mode=case["mode"])
    except Interrupted as error:
        print(error if rank == 0 else "", end="", flush=True)
        return STOPPED
    return 0


def main() -> None:
    """Split processes off after the imports and before any sum is done; when one dies, its mates are ended with it."""
    for case in json.loads(sys.argv[1]):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        children: dict[int, int] = {}
        for rank in range(case["processes"]):
            if (child := os.fork()) == 0:
                os._exit(run(case, rank, port))
            children[child] = rank
        codes = [0] * len(children)
        while children:
            child, status = os.wait()
            codes[children.pop(child)] = os.waitstatus_to_exitcode(status)
            if os.waitstatus_to_exitcode(status) == -signal.SIGKILL:
                for mate in children:
                    os.kill(mate, signal.SIGKILL)
        print("", codes, flush=True)


def train_all(cases: list[dict[str, Any]]) -> list[tuple[str, list[int]]]:
    """Train cases in a process of their own; return for each what was said and how its processes ended."""
    folders = [str(Path(__file__).parent), *sys.path]
    threads = str(torch.get_num_threads())
    whole = [{"processes": 1, "mode": "new", "kill": {}, "changes": {}, **case} for case in cases]
    ended = subprocess.run(
        [sys.executable, __file__, json.dumps(whole, default=str)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "OMP_NUM_THREADS": threads},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [line.rpartition(" [") for line in ended.stdout.splitlines()]
    return [(said.strip(), json.loads(f"[{codes}")) for said, _, codes in lines]


if __name__ == "__main__":
    sys.modules["dying"] = sys.modules["__main__"]
    main()
