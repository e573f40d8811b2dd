"""Whole runs of a transformer that are killed for good, and go on to the bytes of an undisturbed run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dying
from stancekit import experiment
from test_runs import content
from tiny import Encoders

CASES = {
    "before any checkpoint": ("SIGKILL", 1),
    "amid a step": ("SIGKILL", 8),
    "between save points": ("SIGKILL", 15),
    "in the second epoch": ("SIGKILL", 20),
    "Ctrl-C": ("SIGINT", 9),
}
Ended = dict[str, tuple[Path, str, list[int]]]


@pytest.fixture(scope="module")
def deaths(encoders: Encoders, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    root = tmp_path_factory.mktemp("runs")
    cases = [{"encoder": encoders["bert"], "folder": root / n, "kill": {"0": kill}} for n, kill in CASES.items()]
    return {name: (root / name, *end) for name, end in zip(CASES, dying.train_all(cases), strict=True)}


@pytest.fixture(scope="module")
def undisturbed(encoders: Encoders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return experiment.train("own-csv", dying.plan(encoders["bert"], tmp_path_factory.mktemp("undisturbed"))).path


def test_they_died(deaths: Ended) -> None:
    assert [codes for _, _, codes in deaths.values()] == [[-9]] * 4 + [[dying.STOPPED]]
    said = deaths["Ctrl-C"][1]
    assert said.startswith("training: training was stopped after 5 of") and said.endswith("→ go on with --resume")


@pytest.mark.parametrize("case", CASES)
def test_a_run_goes_on_to_the_same_bytes(deaths: Ended, encoders: Encoders, undisturbed: Path, case: str) -> None:
    folder = deaths[case][0]
    unfinished = folder / "run.unfinished"
    marked = sorted(p.parent.name for p in unfinished.glob(".checkpoint/*/watch.json"))
    assert unfinished.exists() and (marked == []) == (case == "before any checkpoint")
    run = experiment.train("own-csv", dying.plan(encoders["bert"], folder), mode="resume")
    ours, theirs = content(run.path), content(undisturbed)
    assert {k for k in ours if ours[k] != theirs.get(k)} == {"config.yaml"} and ours.keys() == theirs.keys()
    assert {Path(name).suffix for name in ours if name.startswith("model/")} == {".json", ".safetensors"}
    curve = json.loads((run.path / "curve.json").read_text())
    assert len(curve["dev"]) >= 3 and curve["steps"] == run.manifest["training"]["steps"]
