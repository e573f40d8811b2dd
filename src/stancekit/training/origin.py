"""What a model is built on: the files of its encoder, and runs that may have learnt from what is held out here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stancekit import components
from stancekit.config import Experiment
from stancekit.data.also import HELD_OUT
from stancekit.errors import Problem, Problems
from stancekit.profile import Profile, text_hash
from stancekit.runs import members, runfolder
from stancekit.runs.material import Material
from stancekit.runs.run import profile_of

_MEMBERS = ("teacher", "runs", "attribution", "framing")
"""Settings that name runs inside a model."""


def _settings(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a model of the component table, defaults included; none of a model of a user's own."""
    name = str(model.get("name", ""))
    known = components.settings("model", name) if name in components.names("model") else {}
    return {key: model.get(key, parameter.default) for key, parameter in known.items()}


def encoders(model: Mapping[str, Any]) -> list[str]:
    """Return the encoders that a model and a model inside it start from, by name; none for one without.

    A setting of that name of a model of a user's own may mean anything and is not looked at.
    """
    values = _settings(model)
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


def runs(model: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Return the runs on this machine that a model is built on: the setting that names each, and its folder."""
    found = []
    for name in encoders(model):
        folder = Path(str(name))
        own = folder if (folder / runfolder.MANIFEST).is_file() else folder.parent
        if folder.is_dir() and (own / "model").is_dir():
            found.append((f"model.encoder ({name})", own))
    values = _settings(model)
    for key in _MEMBERS:
        if values.get(key):
            found += [(f"model.{key} ({folder})", folder) for folder in members.folders(values[key])]
    return [(where, run) for where, run in found if (run / runfolder.MANIFEST).is_file()]


def _profile(run: Path) -> Profile | None:
    return profile_of(run, runfolder.read_manifest(run))


def profiles(model: Mapping[str, Any]) -> list[Profile]:
    """Return what the runs that a model is built on have learnt from, as far as they tell."""
    return [found for _, run in runs(model) if (found := _profile(run)) is not None]


def notes(experiment: Experiment) -> list[Problem]:
    """Return a note for every encoder that is not on this machine, and every run that does not tell what it learnt."""
    found = []
    for name in encoders(experiment.model):
        if not _pretrained().is_here(str(name)):
            what = "it is no folder, and there is no local copy of it"
            found.append(Problem(f"model.encoder ({name})", what, "training fetches it from the hub"))
    for where, run in runs(experiment.model):
        if _profile(run) is None:
            what = f"the run {run} does not tell which sentences it has learnt from"
            found.append(Problem(where, what, "see for yourself that none of them is held out here"))
    return found


def check(experiment: Experiment, material: Material) -> Problems:
    """Return what is wrong with what a model is built on: no encoder, or a run that learnt from what is held out here.

    Texts are known by hash, whatever their labels; so are those of the runs that such a run was built on. Dev here may
    have been the other run's dev, too, and a text that stands in train here is this split's own matter.
    """
    problems = Problems()
    for name in encoders(experiment.model):
        if Path(str(name)).is_dir():
            with problems.catching(f"model.encoder ({name})"):
                _pretrained().locate(name)
    held = _held_out(material)
    for where, run in runs(experiment.model):
        with problems.catching(where):
            runfolder.verify(run, runfolder.read_manifest(run), "model/")
            profile = _profile(run)
            if seen := _seen(profile, held) if profile else {}:
                parts = " and ".join(part for part in HELD_OUT if any(part in sides for sides in seen.values()))
                what = f"the run {run} has learnt from {len(seen):,} texts that stand in {parts} here"
                problems.add(where, what, "give both experiments one split, or take another run")
    return problems


def _held_out(material: Material) -> dict[str, set[str]]:
    """Return the held-out parts that each text stands in, by hash, without texts that stand in train as well."""
    texts = {s.id: text_hash(s.text) for s in material.dataset}
    parts = material.split.parts
    found: dict[str, set[str]] = defaultdict(set)
    for part in HELD_OUT:
        for name in parts[part]:
            found[texts[name]].add(part)
    own = {texts[name] for name in parts["train"]}
    return {text: sides for text, sides in found.items() if text not in own}


def _seen(profile: Profile, held: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the held-out texts that a run should not have learnt from, with the parts where they stand."""
    train, dev = (profile.texts[side] for side in ("train", "dev"))
    return {text: sides for text, sides in held.items() if text in train or (text in dev and "dev" not in sides)}
