"""Every command and Python block of the README and the docs runs, in order, in a scratch folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stancekit import config

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "data").glob("*/README.md"))]
BLOCK = re.compile(r"^```(bash|python|yaml|json)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    return [(m[1], m[2]) for m in BLOCK.finditer(page.read_text(encoding="utf-8")) if m[1] in languages]


@pytest.fixture(scope="module")
def demo_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the demo's runs once, by rule and so in no time, for the pages that use them."""
    folder = tmp_path_factory.mktemp("demo")
    for name in ("attribution", "framing", "stance"):
        stancekit(folder, "train", f"demo-{name}", "model=lexicon", "--quiet")
    return folder / "runs"


def stancekit(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "stancekit", *arguments], cwd=folder, check=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    found = blocks(page, "bash", "python")
    if not found:
        pytest.skip("the page has no command")
    for name in ("data", "experiments", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    if any("tag" in text.lower() or "runs/demo" in text for _, text in found):
        (tmp_path / "runs").mkdir()
        (tmp_path / "runs" / "demo").symlink_to(request.getfixturevalue("demo_runs") / "demo")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for language, text in found:
        command = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else [sys.executable, "-c", text]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PATH": path, "COLUMNS": "120"}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{page.name}:\n{text}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.yaml"))


def test_experiments_are_there() -> None:
    assert len(EXPERIMENTS) >= 18


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_experiment_opens_with_its_command_and_is_valid(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    command = re.search(r"^# Run: stancekit train (\S+)(.*)", text, re.MULTILINE)
    assert command, "the second line says `# Run: stancekit train …`"
    assert Path(command[1]).stem == path.stem
    overrides = [w for w in command[2].split("(")[0].split() if "=" in w]
    plan = config.load(path, overrides)
    assert plan.name == path.stem
    assert set(yaml.safe_load(text)) <= set(config.Experiment.model_fields)
