"""What of a run goes out: its files without the texts that they are about, and nothing of the machine that made it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from stancekit import reports
from stancekit.config import Experiment
from stancekit.errors import StancekitError, fail
from stancekit.files import (
    dump_json,
    make_folder,
    os_problem,
    parse_json,
    read_json,
    read_text,
    write_bytes,
    write_json,
    write_text,
)
from stancekit.runs import runfolder
from stancekit.runs.run import Run

MOST_WORDS = 8
"""A string of more words counts as text."""

_WHOLE = ("model/*", "profile.json", "curve.json", "scores.*.json")
_WITH_IDS = ("split.json", "predictions.*.jsonl")
_IDS_OF_SPLIT = ("groups", "hashes", "parts")
_WORDS_OF_THE_TEXT = "source_text"
_NAMES = ("task", "codebook", "label_map", "files")
"""Parts of a manifest that hold names and no paths."""


def stage(run: Run, folder: Path, *, with_reports: bool = False) -> dict[str, str]:
    """Write the files to share into an empty folder; return what was left out, or changed, by file.

    Every file is checked against the manifest before. Reports are drawn again without their sentences, unless
    `with_reports`; files with ids that are text themselves, and files that are not known, stay at home. The new
    manifest holds the hashes of what was written.
    """
    runfolder.verify(run.path, run.manifest)
    told: dict[str, str] = {}
    for name in sorted(run.manifest["files"]):
        if any(fnmatch(name, pattern) for pattern in _WHOLE):
            _copy(run.path / name, folder / name)
        elif any(fnmatch(name, pattern) for pattern in _WITH_IDS):
            _without_words(run.path / name, folder / name, told)
        elif name.startswith("report."):
            _report(run, name, folder, with_reports, told)
        elif name != "config.yaml":
            told[name] = "left out: it is not known to be without text"
    write_text(folder / "config.yaml", _portable_plan(run.experiment).dump())
    manifest = {k: v if k in _NAMES else portable(v) for k, v in run.manifest.items() if k != "command"}
    manifest["files"] = runfolder.hashes(folder)
    write_json(folder / runfolder.MANIFEST, manifest)
    _check(run, folder)
    return told


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, make_folder(target.parent) / target.name)
    except OSError as error:
        raise os_problem(target, error) from error


def _without_words(source: Path, target: Path, told: dict[str, str]) -> None:
    """Copy a file of ids and answers: words of a source are derived and left out; no file with whole texts goes."""
    if source.suffix == ".json":
        values = [{key: value for key, value in read_json(source).items() if key in _IDS_OF_SPLIT}]
    else:
        rows = enumerate(read_text(source).split("\n"), start=1)
        values = [parse_json(row, source, number) for number, row in rows if row.strip()]
    stripped = [_stripped(value) for value in values]
    if longest(stripped) > MOST_WORDS:
        told[source.name] = f"left out: it holds ids or answers of more than {MOST_WORDS} words, which may be text"
    elif stripped == values:
        _copy(source, target)
    else:
        write_text(target, "".join(f"{dump_json(value)}\n" for value in stripped))
        told[source.name] = "without the words of sources, which stand in the text"


def _stripped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _stripped(inner) for key, inner in value.items() if key != _WORDS_OF_THE_TEXT}
    return [_stripped(inner) for inner in value] if isinstance(value, list) else value


def _report(run: Run, name: str, folder: Path, with_reports: bool, told: dict[str, str]) -> None:
    """Copy a report, or, once for its four files, draw it again without its sentences."""
    if with_reports:
        _copy(run.path / name, folder / name)
        return
    stem, ending = name.rsplit(".", 1)
    facts = f"{stem}.json"
    if facts not in run.manifest["files"]:
        told[name] = "left out: it may hold sentences, and cannot be drawn again"
    elif ending == "json":
        for drawn, content in reports.without_text(run.path / name).items():
            write_bytes(folder / drawn, content)
        if not read_json(run.path / name).get("no_text"):
            told[f"{stem}.*"] = "drawn again without sentences (--with-reports takes it as it is)"


def portable(value: Any) -> Any:
    """Cut paths of this machine to their last name: `…/NAME`; names of bundled data and of a hub stay."""
    if isinstance(value, Mapping):
        return {key: portable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [portable(inner) for inner in value]
    return f"…/{PureWindowsPath(value).name}" if isinstance(value, str) and _is_own(value) else value


def _is_own(text: str) -> bool:
    if PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute() or text.startswith(("~/", "../")):
        return True
    return ("/" in text or os.sep in text) and len(text) < 1000 and "\0" not in text and Path(text).exists()


def _portable_plan(plan: Experiment) -> Experiment:
    value = plan.model_dump(mode="json") | {"output": None}
    return Experiment.model_validate({k: v if k == "task" else portable(v) for k, v in value.items()})


def _check(run: Run, folder: Path) -> None:
    """Load the copy as whoever fetches it will: a model that needs other files of this machine cannot travel."""
    _ = run.model  # what is wrong with the run itself is said of the run
    try:
        _ = Run(folder, trust_code=run.trust_code).model
    except StancekitError as error:
        cut = [f"{key}={value}" for key, value in run.experiment.settings.items() if portable(value) != value]
        if not cut:
            raise
        hint = "give runs or encoders of a hub (hf://user/name, user/name), train again, and push that"
        raise fail(run.path, f"its model needs files of this machine: {', '.join(cut)}", hint) from error


def longest(value: Any) -> int:
    """Return the number of words of the longest string in a JSON value, keys included."""
    if isinstance(value, str):
        return len(value.split())
    inner: Iterator[Any] = iter(())
    if isinstance(value, Mapping):
        inner = (item for pair in value.items() for item in pair)
    elif isinstance(value, list):
        inner = iter(value)
    return max(map(longest, inner), default=0)


def words_held(folder: Path) -> dict[str, int]:
    """Return the files of a staged model that hold sequences of words, with the longest; the profile holds words."""
    files = [folder / "profile.json", *sorted((folder / "model").rglob("*.json"))]
    found = {p.relative_to(folder).as_posix(): longest(read_json(p)) for p in files if p.is_file()}
    return {name: words for name, words in found.items() if words > (name != "profile.json")}


_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")


def licence(name: str | None) -> str:
    """Return a licence's identifier on the hub, `unknown` where none is given."""
    if name is not None and not _LICENCE.fullmatch(name):
        raise fail("license", f"{name!r} is no identifier of a licence", "write it as the hub does: apache-2.0, mit")
    return name or "unknown"
