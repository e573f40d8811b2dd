"""Several processes of one training, on CPUs over gloo: the weights of one process, the same bytes after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

import dying
import tiny
from test_runs import content

pytestmark = pytest.mark.slow
QUIET = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
EVEN = {"split.test": 0.2, "split.dev": 0, "model.max_length": 128}
"""A train part of 48 sentences of one window: whole batches for two processes, so that a step sees the same rows."""
Ended = dict[str, tuple[Path, str, list[int]]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    root = tmp_path_factory.mktemp("together")
    encoder, still = tiny.build("bert", root / "encoder"), tiny.build("bert", root / "still", **QUIET)
    single = {"model.training": json.dumps(dying.TRAINING | {"accumulate": 4}), **EVEN}
    cases: dict[str, dict[str, Any]] = {
        "undisturbed": {"processes": 2},
        "again": {"processes": 2},
        "killed": {"processes": 2, "kill": {"1": ["SIGKILL", 9]}},
        "stopped": {"processes": 2, "kill": {"0": ["SIGINT", 8], "1": ["SIGINT", 5]}},
        "alone": {"encoder": still, "changes": single},
        "together": {"encoder": still, "changes": EVEN, "processes": 2},
    }
    for name in ("killed", "stopped"):
        cases[f"{name}, gone on with"] = {"processes": 2, "folder": root / name, "mode": "resume"}
    whole = [{"encoder": encoder, "folder": root / name, **case} for name, case in cases.items()]
    ends = dying.train_all(whole)
    return {
        name: (Path(c["folder"]) / "run", *end)
        for (name, end), c in zip(zip(cases, ends, strict=True), whole, strict=True)
    }


def test_they_ended_as_they_should(ended: Ended) -> None:
    codes = {name: codes for name, (_, _, codes) in ended.items()}
    assert codes.pop("killed") == [-9, -9] and codes.pop("stopped") == [dying.STOPPED] * 2
    assert all(set(own) == {0} for own in codes.values())
    assert "go on with --resume" in ended["stopped"][1]


@pytest.mark.parametrize("name", ["again", "killed, gone on with", "stopped, gone on with"])
def test_the_same_bytes_again(ended: Ended, name: str) -> None:
    ours, theirs = content(ended[name][0]), content(ended["undisturbed"][0])
    assert {k for k in ours if ours[k] != theirs.get(k)} == {"config.yaml"} and ours.keys() == theirs.keys()


def test_two_processes_learn_what_one_learns(ended: Ended) -> None:
    """Two processes that gather two batches each take the steps of one that gathers four."""
    alone, together = (ended[name][0] for name in ("alone", "together"))
    one, other = (json.loads((run / "manifest.json").read_text())["training"] for run in (alone, together))
    assert (one.pop("processes"), other.pop("processes")) == (1, 2)
    assert one == other and (one["batch_size"], one["rows"]) == (16, 48)
    ours, theirs = (load_file(run / "model" / "model.safetensors") for run in (alone, together))
    base = load_file(alone.parent.parent / "still" / "model.safetensors")
    moved = max(abs(ours[n] - base[n.removeprefix("bert.")]).max() for n in ours if n.startswith("bert."))
    assert max(abs(ours[n] - theirs[n]).max() for n in ours) < moved / 1000


def test_a_launcher_starts_them(tmp_path: Path) -> None:
    encoder = tiny.build("bert", tmp_path / "encoder")
    overrides = dying.plan(encoder, tmp_path, **{"model.name": "transformer"})
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    launched = subprocess.run(
        [*launcher, "-m", "stancekit", "train", "own-csv", *overrides, "--json"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(launched.stdout)) and launched.stderr.count("reading the data") <= 1
    training = json.loads((tmp_path / "run" / "manifest.json").read_text())["training"]
    assert training["processes"] == 2 and not list(tmp_path.rglob(".checkpoint"))
