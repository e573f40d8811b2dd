"""Sharing a run on a hub: push it with a model card, pull it into a folder of one's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit import hub, reports
from stancekit.errors import fail
from stancekit.files import make_folder, os_problem, parse_json, read_text, write_text
from stancekit.hub import Address
from stancekit.runs import runfolder
from stancekit.runs.run import Run
from stancekit.training import staging

CARD = "README.md"


@dataclass(frozen=True)
class Pushed:
    """What was pushed: the address, where it can be seen (empty on a dry run), the files with their sizes in bytes.

    `left_out` says what did not go out, or not as it is, by file; `words` names the files that hold words
    or sequences of them, with the length of the longest.
    """

    address: str
    place: str
    files: Mapping[str, int]
    left_out: Mapping[str, str]
    words: Mapping[str, int]

    def __repr__(self) -> str:
        size = sum(self.files.values()) / 1e6
        where = self.place or "nothing was sent (dry run)"
        return f"{self.address}: {len(self.files)} files, {size:.1f} MB; {where}"


def push(
    run: str | Path | Run,
    repository: str,
    *,
    private: bool = False,
    revision: str | None = None,
    license: str | None = None,
    with_reports: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    to: str | Path | None = None,
    trust_code: bool = False,
) -> Pushed:
    """Put a finished run on the hub as `user/name`, with a model card filled from its files.

    No sentence goes out: reports are drawn again without them unless `with_reports`. `license` is an identifier
    of the hub for the weights, `unknown` where absent. A repository that holds another model is refused unless
    `replace`. A dry run sends nothing, and writes what would be sent to the folder `to`.
    """
    address = hub.parse(repository if revision is None else f"{repository}@{revision}")
    licence = staging.licence(license)
    if to is not None and not dry_run:
        raise fail("to", "only a dry run is written to a folder", "add dry_run=True (--dry-run), or leave `to` out")
    loaded = run if isinstance(run, Run) else _load(Path(run), trust_code)
    if not dry_run:
        _refuse_another(loaded, address, replace)
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_folder(Path(scratch) / "run")
        left_out = staging.stage(loaded, folder, with_reports=with_reports)
        card = reports.card(Run(folder, trust_code=loaded.trust_code), address, licence, seeds=loaded.path)
        write_text(folder / CARD, card)
        found = {p.relative_to(folder).as_posix(): p.stat().st_size for p in sorted(folder.rglob("*")) if p.is_file()}
        words = staging.words_held(folder)
        place = ""
        if not dry_run:
            message = f"{loaded.experiment.name}: {loaded.task.name} by {loaded.experiment.model['name']}"
            place = hub.transport().send(folder, address, private=private, message=message)
        elif to is not None:
            _settle(folder, Path(to))
    return Pushed(str(address), place, found, left_out, words)


def _load(path: Path, trust_code: bool) -> Run:
    """Load one run; of several seeds the user says which."""
    seeds = path / "seeds.json"
    if seeds.exists():
        names = parse_json(read_text(seeds), seeds, 1)["runs"]
        what = f"it holds {len(names)} runs, one a seed"
        raise fail(path, what, f"push one of them: {path / names[0]}; its card tells of the others")
    return Run(path, trust_code=trust_code)


def _refuse_another(run: Run, address: Address, replace: bool) -> None:
    held = hub.transport().held(address)
    if held is None or replace or _weights(held) == _weights(run.manifest):
        return
    what = "another run stands there"
    raise fail(address, what, "give another name or a --revision of its own, or --replace it")


def _weights(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {name: digest for name, digest in manifest["files"].items() if name.startswith("model/")}


def pull(repository: str, to: str | Path) -> Path:
    """Copy a run from the hub into a new folder, every file checked, so that it can be evaluated and kept."""
    address = hub.parse(repository)
    source = hub.fetch(address)
    manifest = runfolder.read_manifest(source)
    runfolder.verify(source, manifest)
    target = Path(to)
    if target.exists():
        raise fail(target, "there is something here already", "give another folder")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        there = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()}
        for name in there & {*manifest["files"], runfolder.MANIFEST, CARD}:  # no name of a stranger's leads elsewhere
            shutil.copyfile(source / name, make_folder((folder / name).parent) / Path(name).name)
        _settle(folder, target)
    return target


def _settle(folder: Path, target: Path) -> None:
    """Copy a folder to a new place, whole or not at all."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise fail(target, "there is something here already", "give another folder")
    with runfolder.locked(target):
        try:
            shutil.copytree(folder, runfolder.unfinished(target))
        except OSError as error:
            raise os_problem(target, error) from error
        runfolder.finish(target)
