"""Data that are not the run's own: the name they are scored under, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stancekit import components
from stancekit.config_data import DataConfig
from stancekit.data import load as load_module
from stancekit.data.dataset import Dataset
from stancekit.data.guess import guess
from stancekit.data.parts import PARTS
from stancekit.errors import StancekitError, fail
from stancekit.runs.material import load
from stancekit.runs.run import Run

_STRANGE = re.compile(r"[^\w-]+")


def part_name(part: str | None, data: str | None) -> str:
    """Return the name that scores are stored under: test, or for other data the given one or that of the file.

    It becomes a part of file names, and must not name a part of the run's own data: it would replace their scores.
    """
    if data is None:
        return part or "test"
    name = part if part is not None else _STRANGE.sub("-", Path(data).stem or Path(data).resolve().stem).strip("-")
    if not name or _STRANGE.search(name):
        raise fail("part", f"{name!r} is no plain name", "give --part NAME of letters, digits, - and _")
    if name.lower() in PARTS:  # on some disks, Test is test
        raise fail("part", f"{name!r} is a part of the run's own data", f"give {data} another name: --part NAME")
    return name


def read(run: Run, data: str, format: str | None = None, options: Mapping[str, Any] | None = None) -> Dataset:
    """Read another data set as the run's own is read, as far as it has the same format; refuse another codebook."""
    own = run.experiment.data
    chosen = format or _format(own, data)
    kept = own.options
    if chosen is not None and chosen != own.format:  # formats of tables share the names of columns; others do not
        known = components.settings("format", chosen).keys() - {"delimiter"}  # that of the run's own file
        kept = {key: value for key, value in kept.items() if key in known}
    dataset = load(own.model_copy(update={"format": chosen, "options": {**kept, **(options or {})}}), data)
    if dataset.codebook.stamp != run.manifest["codebook"] and own.label_map is None:
        what = f"it follows another codebook ({dataset.codebook.name} {dataset.codebook.version}) than the run"
        raise fail(data, what, "evaluate with data of the run's codebook, or train with a label_map")
    return dataset


def _format(own: DataConfig, data: str) -> str | None:
    """Return the run's format for a file with the ending of its own files, else the one that is guessed."""
    if own.format is not None and Path(data).suffix in {Path(path).suffix for path in own.files.values()}:
        return own.format
    try:
        return guess(load_module.locate(data))
    except StancekitError:
        return own.format  # reading with it says what is wrong


def expect_here(run: Run) -> None:
    """Refuse to go on without the run's own data: a run that was pulled or copied comes without them."""
    own = run.experiment.data
    if own.format == "datasets":
        return  # its paths may be names on a hub
    missing = [path for path in own.files.values() if not load_module.exists(path)]
    if missing:
        hint = f"put it there, or score the run on other data: `stancekit evaluate {run.path} --data FILE`"
        raise fail(missing[0], "the run's own data are not here", hint)
