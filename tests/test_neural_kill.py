"""Whole runs of a transformer that are killed for good, and go on to the bytes of an undisturbed run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import dying
from stancekit import experiment
from test_runs import content
from tiny import Encoders

CASES = ["SIGKILL@1", "SIGKILL@8", "SIGKILL@15", "SIGKILL@20", "SIGINT@9"]
"""Before any checkpoint, amid a step, between save points, in the second epoch; and a Ctrl-C."""


@pytest.fixture(scope="module")
def deaths(encoders: Encoders, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    root = tmp_path_factory.mktemp("runs")
    command = [sys.executable, str(Path(dying.__file__)), str(encoders["bert"])]
    path = os.pathsep.join([str(Path(dying.__file__).parent), *sys.path])
    ended = subprocess.run(
        [*command, *(f"{root / case}:{case}" for case in CASES)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        capture_output=True,
        text=True,
        check=True,
    )
    return root, ended.stdout.splitlines()


@pytest.fixture(scope="module")
def undisturbed(encoders: Encoders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return experiment.train("own-csv", dying.plan(encoders["bert"], tmp_path_factory.mktemp("undisturbed"))).path


def test_they_died(deaths: tuple[Path, list[str]]) -> None:
    _, printed = deaths
    *killed, said, code = printed
    assert killed == ["-9"] * 4 and code == str(dying.STOPPED)
    assert "training was stopped after 5 of" in said and said.endswith("→ go on with --resume")


@pytest.mark.parametrize("case", CASES)
def test_a_run_goes_on_to_the_same_bytes(deaths, encoders: Encoders, undisturbed: Path, case: str) -> None:
    root, _ = deaths
    unfinished = root / case / "run.unfinished"
    marked = sorted(p.parent.name for p in unfinished.glob(".checkpoint/*/watch.json"))
    assert unfinished.exists() and (marked == []) == (case == "SIGKILL@1")
    run = experiment.train("own-csv", dying.plan(encoders["bert"], root / case), mode="resume")
    ours, theirs = content(run.path), content(undisturbed)
    assert {k for k in ours if ours[k] != theirs.get(k)} == {"config.yaml"} and ours.keys() == theirs.keys()
    assert {Path(name).suffix for name in ours if name.startswith("model/")} == {".json", ".safetensors"}
    curve = json.loads((run.path / "curve.json").read_text())
    assert len(curve["dev"]) >= 3 and curve["steps"] == run.manifest["training"]["steps"]
