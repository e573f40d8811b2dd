"""Run folders on disk: built aside and renamed when finished, locked, and checked by hash before use."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stancekit.errors import Problems, StancekitError, fail
from stancekit.files import file_hash, make_folder, os_problem, read_json, write_bytes, write_json

MANIFEST = "manifest.json"
_AGAIN = "copy the run again, or train it again"
_PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".bin", ".pt", ".npy"})
MODEL_ENDINGS = frozenset({".json", ".safetensors"})


def unfinished(path: Path) -> Path:
    """Return the folder in which a run is built until it is finished."""
    return path.with_name(f"{path.name}.unfinished")


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a run folder for this process alone; a second process is told so at once."""
    make_folder(path.parent)
    lock = path.with_name(f".{path.name}.lock")
    try:
        stream = lock.open("w")
    except OSError as error:
        raise os_problem(lock, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise fail(path, "another process is writing this run", "wait for it, or give another output") from error
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def finish(path: Path) -> None:
    """Let the folder built aside take the run's place."""
    built = unfinished(path)
    try:
        if path.exists():
            shutil.rmtree(_old(path), ignore_errors=True)
            path.rename(_old(path))
        built.rename(path)
    except OSError as error:
        recover(path)
        raise os_problem(path, error) from error
    shutil.rmtree(_old(path), ignore_errors=True)


def hashes(folder: Path, names: Iterable[str] | None = None) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder (the manifest apart) by its relative path."""
    found = sorted(p for p in folder.rglob("*") if p.is_file()) if names is None else [folder / n for n in names]
    return {p.relative_to(folder).as_posix(): file_hash(p) for p in found if p.name != MANIFEST}


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a run's manifest, or say what stands there instead of a finished run."""
    recover(path)
    if not (path / MANIFEST).exists():
        if (unfinished(path) / MANIFEST).exists():
            raise fail(path, "the run is unfinished", "train again with --resume to go on, or --restart")
        raise fail(path, "there is no run here", "give a run folder, such as runs/demo/framing")
    manifest = read_json(path / MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise fail(path / MANIFEST, "this is no manifest of stancekit", "train the run again")
    if manifest.get("status") != "finished":
        raise fail(path, "the run is unfinished", "train again with --resume to go on, or --restart")
    return manifest


def verify(path: Path, manifest: Mapping[str, Any], prefix: str = "") -> None:
    """Check the files below `prefix` against the manifest before any of them is opened."""
    problems = Problems()
    expected = {n: h for n, h in manifest["files"].items() if n.startswith(prefix)}
    for name, digest in expected.items():
        file = path / name
        if not file.is_file():
            problems.add(file, "the file is missing", _AGAIN)
        elif file_hash(file) != digest:
            problems.add(
                file, "the file is damaged: its content is not what was written", "copy or train the run again"
            )
    if prefix in ("", "model/"):
        _refuse_strangers(path, expected, problems)
    problems.raise_any()


def _refuse_strangers(path: Path, expected: Mapping[str, str], problems: Problems) -> None:
    for file in sorted((path / "model").rglob("*")):
        name = file.relative_to(path).as_posix()
        if not file.is_file() or (name in expected and file.suffix in MODEL_ENDINGS):
            continue
        what = "a pickle is never opened" if file.suffix in _PICKLES else "unknown file"
        problems.add(file, f"{what}: a model holds only JSON and safetensors of its manifest", "remove the file")


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}.adding")


def add(path: Path, manifest: dict[str, Any], contents: Mapping[str, bytes]) -> None:
    """Add or replace files of a finished run, all of them or none, and note their hashes."""
    with locked(path):
        staged = _staged(path)
        shutil.rmtree(staged, ignore_errors=True)
        try:
            for name, content in contents.items():
                write_bytes(staged / name, content)
            manifest["files"] = {**manifest["files"], **hashes(staged)}
            write_json(staged / MANIFEST, manifest)
            _move_staged(path)
        except OSError as error:
            raise os_problem(path, error) from error
        finally:
            with suppress(OSError):
                shutil.rmtree(staged)


def _move_staged(path: Path) -> None:
    """Move files whose manifest is complete into the run, the manifest last: a kill in between is made good later."""
    staged = _staged(path)
    for name in hashes(staged):
        make_folder((path / name).parent)
        (staged / name).replace(path / name)
    (staged / MANIFEST).replace(path / MANIFEST)


def recover(path: Path) -> None:
    """Make good what a kill left half-renamed: an earlier run moved aside, or files added in part."""
    if _old(path).exists() and not path.exists():
        _old(path).rename(path)
    if (_staged(path) / MANIFEST).exists():
        with suppress(StancekitError), locked(path):
            _move_staged(path)
            shutil.rmtree(_staged(path), ignore_errors=True)
