"""Training one run: built aside step by step, so that a kill leaves no run or one marked unfinished."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from stancekit import __version__
from stancekit.config import Experiment
from stancekit.data import also
from stancekit.errors import fail
from stancekit.files import dump_json, make_folder, os_problem, read_json, sha256, write_json, write_text
from stancekit.profile import SIDES, Profile
from stancekit.runs import runfolder
from stancekit.runs.material import Material
from stancekit.runs.run import Run, describe_task
from stancekit.training import fitting, origin
from stancekit.training.fitting import Progress, Say

_PACKAGES = ("numpy", "scipy", "scikit-learn", "sklearn-crfsuite", "python-crfsuite", "safetensors", "datasets")
_NEURAL = ("torch", "transformers", "accelerate")


def train_run(
    experiment: Experiment,
    material: Material,
    seed: int,
    folder: Path,
    say: Say,
    progress: Progress,
    *,
    mode: str,
) -> Run:
    """Train one seed into `folder`; `mode` is new, replace, resume or restart."""
    with runfolder.locked(folder):
        runfolder.recover(folder)
        check_folder(folder, mode)
        manifest = _manifest(experiment, material, seed)  # an encoder that is not there is told before a run is begun
        building = _prepare(folder, manifest["plan"], mode)
        started = time.monotonic()
        with _os_errors(building):
            fitted = fitting.is_fitted(building)
            if fitted:
                earlier = read_json(building / runfolder.MANIFEST)
                manifest |= {key: earlier[key] for key in fitting.NOTED}
            _write_plan(building, experiment, material, manifest)
            if not fitted:
                fitting.fit(building, experiment, material, manifest, say, progress)
            _remove(building / fitting.CHECKPOINT)
            manifest |= {"status": "finished", "duration_s": round(time.monotonic() - started, 2)}
            manifest["files"] = runfolder.hashes(building)
            write_json(building / runfolder.MANIFEST, manifest)
            runfolder.finish(folder)
    return Run(folder, trust_code=True)


def help_train(experiment: Experiment, material: Material, seed: int, folder: Path, *, mode: str) -> None:
    """Take part in the training of one seed as a process that is not the first; the run folder is not touched.

    Nothing is fitted where the first process finds the model there and goes on with `resume`; the unfinished folder
    is looked at before the finished one, since the first process may rename the one to the other meanwhile.
    """
    building = runfolder.unfinished(folder)
    there = fitting.is_fitted(building) or (folder / runfolder.MANIFEST).exists()
    if not (mode == "resume" and there):
        fitting.help_fit(building, experiment, material, seed)


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


@contextmanager
def _os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise os_problem(path, error) from error


def _prepare(folder: Path, plan: str, mode: str) -> Path:
    """Return the folder to build in, after settling what to do with what is there."""
    building = runfolder.unfinished(folder)
    if building.exists() and not (building / runfolder.MANIFEST).exists():
        shutil.rmtree(building)  # killed before it began: there is nothing to go on with
    if building.exists():
        if mode == "resume" and read_json(building / runfolder.MANIFEST).get("plan") != plan:
            what = "the unfinished run has another experiment or other data"
            raise fail(building, what, "start anew with --restart")
        if mode == "restart":
            shutil.rmtree(building)
        for left in list(building.rglob(".*.tmp")):  # what a kill left of a half-written file
            if left.is_file():
                left.unlink()
    return make_folder(building)


def check_folder(folder: Path, mode: str) -> None:
    """Refuse a folder where something stands that `mode` does not say what to do with."""
    building = runfolder.unfinished(folder)
    if (folder / runfolder.MANIFEST).exists() and mode not in ("replace", "restart"):
        raise fail(folder, "there is a finished run here", "train with --replace, or give another output=FOLDER")
    if folder.exists() and any(folder.iterdir()) and not (folder / runfolder.MANIFEST).exists():
        raise fail(folder, "the folder holds other files and no run", "give another output=FOLDER")
    if (building / runfolder.MANIFEST).exists() and mode not in ("resume", "restart"):
        raise fail(building, "an unfinished run is here", "go on with --resume, or start anew with --restart")


def _plan_hash(experiment: Experiment, material: Material, encoders: Any, seed: int) -> str:
    planned = experiment.model_dump(mode="json", exclude={"workers"})  # how it is run changes nothing of what is
    plan = [planned, material.dataset.hash, encoders, seed, __version__]
    return sha256(dump_json(plan).encode())


def _write_plan(building: Path, experiment: Experiment, material: Material, manifest: dict[str, Any]) -> None:
    write_json(building / runfolder.MANIFEST, manifest)
    write_text(building / "config.yaml", experiment.dump())
    material.split.write(building / "split.json")
    train, dev = ([e.sentence for e in material.parts[name].examples] for name in SIDES)
    write_json(building / "profile.json", Profile.of(train, dev, origin.profiles(experiment.model)).dump())


def _manifest(experiment: Experiment, material: Material, seed: int) -> dict[str, Any]:
    dataset, encoders = material.dataset, origin.files(experiment.model)
    return {
        "status": "unfinished",
        "stancekit": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan": _plan_hash(experiment, material, encoders, seed),
        "task": describe_task(material.task),
        "codebook": dataset.codebook.stamp,
        "label_map": dataset.map_lines(),
        "data": {
            "hash": dataset.hash,
            "main_hash": dataset.main_hash,
            "path": str(dataset.path),
            "sentences": len(dataset.sentences),
            "sizes": {name: len(part) for name, part in material.parts.items()},
            "counts": dict(dataset.counts),
            "also": [also.summary(one, material.split) for one in dataset.also],
        },
        "split": {"by": list(experiment.split.by), "seed": experiment.split.seed},
        "encoders": encoders,
        "seed": seed,
        "code": code_hash(),
        "packages": packages(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": int(os.environ.get("OMP_NUM_THREADS", 0)) or os.cpu_count(),
        "device": "cpu",
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "lost": {},
        "dev": {},
        "training": {},
        "files": {},
    }


def packages() -> dict[str, str]:
    """Return the versions of the packages that a result may depend on."""
    found = {}
    for name in (*_PACKAGES, *_NEURAL):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def code_hash() -> str:
    """Return one hash over this package's own source files."""
    root = Path(__file__).parents[1]
    files = sorted(p for p in root.rglob("*.py") if "bundled" not in p.parts)
    return sha256("".join(f"{p.relative_to(root)}:{sha256(p.read_bytes())}\n" for p in files).encode())[:16]
