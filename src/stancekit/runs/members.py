"""Runs inside a model: found by their folders, held to this experiment's data, known by the hashes of their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stancekit.errors import fail
from stancekit.files import read_json
from stancekit.runs import runfolder
from stancekit.runs.run import Run
from stancekit.tasks import Part, Task


def folders(paths: str | Sequence[str]) -> list[Path]:
    """Return the run folders that are meant: those named, each folder of several seeds as its seeds."""
    found: list[Path] = []
    for path in [paths] if isinstance(paths, str) else paths:
        folder = Path(path)
        seeds = folder / "seeds.json"
        found += [folder / name for name in read_json(seeds)["runs"]] if seeds.exists() else [folder]
    return found


def check_task(run: Run, task: Task) -> None:
    """Refuse a run of another task, or of other labels."""
    if (run.task.name, run.task.labels) != (task.name, task.labels):
        same = run.task.name == task.name
        what = f"its labels are {', '.join(run.task.labels)}" if same else f"its task is {run.task.name}"
        raise fail(run.path, f"{what}, not {', '.join(task.labels) if same else task.name}", "take runs of this task")


def check_learnt(runs: Iterable[Run], train: Part, dev: Part) -> None:
    """Refuse a run that learnt from sentences outside this experiment's train and dev: some may stand in test."""
    own = {e.sentence.id for part in (train, dev) for e in part.examples}
    for run in runs:
        runfolder.verify(run.path, run.manifest, "split.json")
        split = read_json(run.path / "split.json")
        foreign = set(split["parts"]["train"] + split["parts"].get("dev", [])) - own
        if foreign:
            what = f"it was trained on {len(foreign)} sentences that are not in train here, {min(foreign)} say"
            raise fail(run.path, what, "give both experiments the same data and split")


def state(run: Run) -> dict[str, str]:
    """Return the hashes of a run's model files by name."""
    return {name: digest for name, digest in run.manifest["files"].items() if name.startswith("model/")}


def check_unchanged(run: Run, known: Mapping[str, Any]) -> None:
    """Refuse a run that was trained anew since its hashes were noted."""
    if state(run) != known:
        raise fail(run.path, "this run was trained anew since it was put in here", "train this experiment again")
