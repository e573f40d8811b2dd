"""The encoder that a model starts from: its files' hashes, and whether it has learnt from what is held out here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """Return the encoders that a model and a model inside it start from, by name; none for one without.

    A setting of that name of a model of a user's own may mean anything and is not looked at.
    """
    name = str(model.get("name", ""))
    known = components.settings("model", name) if name in components.names("model") else {}
    values = {key: model.get(key, parameter.default) for key, parameter in known.items()}
    found, inner = [values["encoder"]] if "encoder" in values else [], values.get("student")
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


def notes(experiment: Experiment) -> list[Problem]:
    """Return a note for every encoder that is not on this machine, or of a run that does not tell what it learnt."""
    found = []
    for name in encoders(experiment.model):
        where = f"model.encoder ({name})"
        if not _pretrained().is_here(str(name)):
            what = "it is no folder, and there is no local copy of it"
            found.append(Problem(where, what, "training fetches it from the hub"))
        for run in _runs(Path(str(name)), set()):
            if not (run / _SPLIT).is_file():
                what = f"the run {run} does not tell which sentences it has learnt from"
                found.append(Problem(where, what, "see for yourself that none of them is held out here"))
    return found


def check(experiment: Experiment, split: Split) -> Problems:
    """Return what is wrong with encoders in local folders: they hold none, or have learnt from what is held out here.

    Sentences are known by their text, document, metadata and annotations; dev may have been the other run's dev, too.
    A run's own encoder may have come from another run: that one is looked at as well, where it still lies in its place.
    """
    problems = Problems()
    held = {split.hashes[i]: part for part in HELD_OUT for i in split.parts[part]}
    for name in encoders(experiment.model):
        folder, where = Path(str(name)), f"model.encoder ({name})"
        if folder.is_dir():
            with problems.catching(where):
                _pretrained().locate(name)
                for run in _runs(folder, set()):
                    if seen := _seen(run, held):
                        problems.found.append(_leak(run, where, seen))
    return problems


def _leak(run: Path, where: str, seen: Sequence[str]) -> Problem:
    parts = " and ".join(part for part in HELD_OUT if part in seen)
    what = f"the run {run} has learnt from {len(seen):,} sentences that stand in {parts} here"
    return Problem(where, what, "give both experiments one split, or another encoder")


def _seen(run: Path, held: Mapping[str, str]) -> list[str]:
    """Return the part here of every sentence that a run has seen and that is held out here, by content hash."""
    runfolder.verify(run, runfolder.read_manifest(run), _SPLIT)
    if not (run / _SPLIT).is_file():
        return []
    past = read_json(run / _SPLIT)
    sides = {past["hashes"][i]: part for part in ("dev", "train") for i in past["parts"].get(part, ())}
    return [held[one] for one, side in sides.items() if one in held and (side, held[one]) != ("dev", "dev")]


def _runs(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield the runs that an encoder's folder comes from, the last one first."""
    run = folder if (folder / runfolder.MANIFEST).is_file() else folder.parent
    if not folder.is_dir() or run in seen or not (run / runfolder.MANIFEST).is_file() or not (run / "model").is_dir():
        return
    manifest = runfolder.read_manifest(run)
    runfolder.verify(run, manifest, "model/")
    yield run
    for one in manifest.get("encoders", []):
        yield from _runs(Path(one["name"]), seen | {run})
