"""The command line: exit codes, JSON for machines, no traceback, everything after a plain install of the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def stancekit(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stancekit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment})


MISTAKES = [
    (("check", "nosuch.csv"), "there is no such file"),
    (("check", "frames-liner"), "did you mean 'frames-linear'"),
    (("train", "own-csv"), "data.path=PATH"),
    (("train", "frames-linear", "model.name=lineer"), "did you mean 'linear'"),
    (("train", "frames-linear", "model.name=crf"), "does not fit frames"),
    (("evaluate", "nosuch"), "there is no run here"),
    (("predict", "nosuch", "examples/article.txt"), "there is no run here"),
    (("convert", "examples/headlines.csv", "out.xyz"), "give `format`"),
    (("names", "modl"), "did you mean 'model'"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(a) for a, _ in MISTAKES])
def test_mistakes_end_with_a_remedy_and_exit_code_1(arguments: tuple[str, ...], message: str) -> None:
    done = stancekit(*arguments)
    assert done.returncode == 1
    assert message in done.stderr and "→" in done.stderr and "Traceback" not in done.stderr


def test_json_for_machines(tmp_path: Path) -> None:
    output = [f"output={tmp_path / 'run'}", "data.path=examples/headlines.csv", "evaluation.resamples=200"]
    (trained,) = json.loads(stancekit("train", "own-csv", *output, "--json").stdout)
    assert trained["data"]["sizes"]["train"] > 30
    scores = json.loads(stancekit("evaluate", str(tmp_path / "run"), "--json").stdout)
    assert {"metric", "slice", "label", "value", "low", "high", "support"} <= scores["rows"][0].keys()
    checked = json.loads(stancekit("check", "examples/headlines.csv", "--json").stdout)
    assert checked["problems"] == [] and checked["counts"]["label"] == {"loaded": 30, "plain": 30}
    lines = stancekit("predict", str(tmp_path / "run"), "examples/article.txt").stdout.splitlines()
    assert json.loads(lines[0])["labels"]["label"] in ("loaded", "plain")
    answers = stancekit("predict", str(tmp_path / "run"), "examples/article.txt", "--answers").stdout.splitlines()
    assert json.loads(answers[0]).keys() == {"id", "answer", "probabilities"}
    assert json.loads(stancekit("schema").stdout)["title"] == "Experiment"


@pytest.mark.slow
def test_the_wheel_carries_everything(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import stancekit; print(stancekit.__file__)"],
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(target) in where.stdout
    for arguments in (
        ("check", "dispatches"),
        ("train", "frames-lexicon", "--quiet"),
        ("evaluate", "runs/frames-lexicon", "--quiet"),
        ("convert", "dispatches", "all.jsonl"),
    ):
        done = stancekit(*arguments, cwd=empty, PYTHONPATH=str(target))
        assert done.returncode == 0, done.stderr
    assert (empty / "runs" / "frames-lexicon" / "report.test.html").exists()
