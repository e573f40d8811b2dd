"""Fitting the model of a run: lent a workspace, judged on dev, and saved before it counts as there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stancekit import components
from stancekit.config import Experiment
from stancekit.evaluation import predict_all
from stancekit.files import dump_json, make_folder, write_json, write_text
from stancekit.models import base
from stancekit.models.base import Model, Workspace
from stancekit.runs import devscores, headline, runfolder
from stancekit.runs.headline import Headline
from stancekit.runs.material import Material
from stancekit.runs.run import with_seed

Say = Callable[[str], None]
Progress = Callable[..., None]
"""Takes a step's name, how much is done of how much, and perhaps a note."""

CHECKPOINT = ".checkpoint"
"""Where a model that learns step by step keeps what it needs to go on; never part of a finished run."""
CURVE = "curve.json"
NOTED = ("lost", "dev", "training", "device", "threads")
"""What fitting leaves in the manifest: it stands there before the model does, so that a kill loses none of it."""


def is_helper_process() -> bool:
    """Say whether this is one of several processes of one training, and not the first (`accelerate launch`).

    Only the first process writes the run. The others fit the same model on the same data, since training needs
    every one of them at each step, and end.
    """
    return int(os.environ.get("WORLD_SIZE") or 1) > 1 and int(os.environ.get("RANK") or 0) > 0


def is_fitted(building: Path) -> bool:
    """Say whether the model of an unfinished run is there, with all that the manifest notes of it."""
    return (building / "model").exists()


def model_of(experiment: Experiment, seed: int) -> Model:
    """Return the model of an experiment, not fitted."""
    name = experiment.model["name"]
    model: Model = components.build("model", name, with_seed(name, experiment.settings, seed), where="model")
    return model


def fit(
    building: Path,
    experiment: Experiment,
    material: Material,
    manifest: dict[str, Any],
    say: Say,
    progress: Progress,
) -> None:
    """Train and save the model; what is known of it is noted in the manifest before it counts as there."""
    seed, train, dev = manifest["seed"], material.parts["train"], material.parts["dev"]
    model, figure = model_of(experiment, seed), _headline(experiment, material)
    say(f"training {experiment.model['name']} on {len(train)} examples (dev {len(dev)}, seed {seed})")
    workspace = _workspace(building, figure, progress)
    base.fit(model, train, dev, workspace)
    fresh = building / "model.new"
    shutil.rmtree(fresh, ignore_errors=True)
    model.save(make_folder(fresh))
    predictions = predict_all(model, dev, progress)
    manifest["dev"] = devscores.of(dev, predictions, figure, material.dataset.codebook)
    manifest["lost"] = {str(what): int(n) for what, n in (getattr(model, "lost", None) or {}).items() if n}
    manifest["training"] = workspace.facts
    manifest |= {key: workspace.facts[key] for key in ("device", "threads") if key in workspace.facts}
    _tell(manifest, say)
    if workspace.curve:
        write_text(building / CURVE, dump_json(workspace.curve) + "\n")
    write_json(building / runfolder.MANIFEST, manifest)
    fresh.rename(building / "model")


def help_fit(building: Path, experiment: Experiment, material: Material, seed: int) -> None:
    """Fit as one of the processes that are not the first: nothing is saved, told or predicted.

    A model that does not learn step by step has no use for help.
    """
    model = model_of(experiment, seed)
    if base.takes_workspace(model):
        workspace = _workspace(building, _headline(experiment, material), lambda *_: None)
        base.fit(model, material.parts["train"], material.parts["dev"], workspace)


def _headline(experiment: Experiment, material: Material) -> Headline:
    return headline.of(material.task, experiment.evaluation.headline)


def _workspace(building: Path, figure: Headline, progress: Progress) -> Workspace:
    return Workspace(building / CHECKPOINT, figure.judge, figure.name, progress)


def _tell(manifest: dict[str, Any], say: Say) -> None:
    for task, found in manifest["dev"].items():
        if found["value"] is not None:
            say(f"dev: {task} {found['metric']} {found['value']:.3f} (n={found['n']})")
    for what, count in manifest["lost"].items():
        say(f"not held by the model's tags: {what} ({count})")
