"""The encoder that a model starts from: its files' hashes, and whether it has learnt from what is held out here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stancekit import components
from stancekit.config import Experiment
from stancekit.data.also import HELD_OUT
from stancekit.data.parts import Split
from stancekit.errors import Problem, Problems
from stancekit.files import read_json
from stancekit.runs import runfolder

_SPLIT = "split.json"


def encoders(model: Mapping[str, Any]) -> list[str]:
    """Return the encoders that a model and a model inside it start from, by name; none for one without."""
    name = str(model.get("name", ""))
    parameter = components.settings("model", name).get("encoder") if name in components.names("model") else None
    found = [model["encoder"]] if "encoder" in model else [parameter.default] if parameter else []
    inner = model.get("student")
    return [*found, *(encoders({"name": inner} if isinstance(inner, str) else inner) if inner else [])]


def files(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the name of each encoder of a model and the SHA-256 of its files; one of a hub is fetched."""
    names = encoders(model)
    if not names:
        return []
    pretrained = _pretrained()
    return [{"name": name, "files": pretrained.fingerprint(pretrained.locate(name))} for name in names]


def _pretrained() -> Any:
    from stancekit.models.neural.encoders import pretrained  # loads transformers

    return pretrained


def absent(experiment: Experiment) -> list[Problem]:
    """Return a note for every encoder that is not on this machine."""
    names = [name for name in encoders(experiment.model) if not Path(str(name)).is_dir()]
    what, hint = "is no folder, and there is no local copy of it", "training fetches it from the hub"
    return [Problem("model.encoder", f"{name!r} {what}", hint) for name in names if not _pretrained().is_here(name)]


def check(experiment: Experiment, split: Split) -> Problems:
    """Return what is wrong with encoders in local folders: they hold none, or have learnt from what is held out here.

    Sentences are known by their text, document, metadata and annotations; dev may have been the other run's dev, too.
    A run's own encoder may have come from another run: that one is looked at as well, where it still lies in its place.
    """
    problems = Problems()
    held = {split.hashes[i]: part for part in HELD_OUT for i in split.parts[part]}
    for name in encoders(experiment.model):
        if Path(str(name)).is_dir():
            with problems.catching(f"model.encoder ({name})"):
                _pretrained().locate(name)
        for run in _runs(Path(str(name)), set()):
            past = Split.read(run / _SPLIT)
            sides = {past.hashes[i]: part for part in ("dev", "train") for i in past.parts[part]}
            seen = [held[one] for one, side in sides.items() if one in held and (side, held[one]) != ("dev", "dev")]
            if seen:
                where = " and ".join(part for part in HELD_OUT if part in seen)
                what = f"the run {run} has learnt from {len(seen):,} sentences that stand in {where} here"
                problems.add(f"model.encoder ({name})", what, "give both experiments one split, or another encoder")
    return problems


def _runs(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield the runs that an encoder's folder comes from, the last one first."""
    run = folder if (folder / runfolder.MANIFEST).is_file() else folder.parent
    if not folder.is_dir() or run in seen or not ((run / runfolder.MANIFEST).is_file() and (run / _SPLIT).is_file()):
        return
    yield run
    for one in read_json(run / runfolder.MANIFEST).get("encoders", []):
        yield from _runs(Path(one["name"]), seen | {run})
