"""Lock files: a split frozen as JSON with content hashes, and the check that the data is still the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stancekit.data.dataset import Dataset
from stancekit.data.parts import PARTS, Split
from stancekit.errors import Problem, fail
from stancekit.files import read_json, write_json

_TOLD = 20


def write(path: Path, split: Split) -> None:
    """Write a split as a lock file."""
    write_json(path, dump(split))


def dump(split: Split) -> dict[str, Any]:
    """Return a split as JSON."""
    return {
        "settings": {"by": list(split.by), "seed": split.seed},
        "groups": dict(split.groups),
        "parts": {part: list(ids) for part, ids in split.parts.items()},
        "hashes": dict(split.hashes),
        "shares": {part: dict(shares) for part, shares in split.shares.items()},
        "deviation": list(split.deviation),
        "leaks": {value: list(parts) for value, parts in split.leaks.items()},
    }


def read(path: Path) -> Split:
    """Read a lock file."""
    value = read_json(path)
    try:
        return Split(
            parts={part: tuple(value["parts"][part]) for part in PARTS},
            groups=dict(value["groups"]),
            by=tuple(value["settings"]["by"]),
            seed=int(value["settings"]["seed"]),
            hashes=dict(value["hashes"]),
            shares={part: dict(shares) for part, shares in value["shares"].items()},
            deviation=(float(value["deviation"][0]), str(value["deviation"][1])),
            leaks={name: tuple(parts) for name, parts in value["leaks"].items()},
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise fail(path, "this is no lock file of a split", "remove it to split anew, or restore it") from error


def verify(split: Split, dataset: Dataset) -> list[Problem]:
    """Return a problem for every sentence of the split that is gone or changed since."""
    found = []
    now = dataset.hashes
    for sentence_id, digest in split.hashes.items():
        if sentence_id not in now:
            what = f"the sentence {sentence_id!r} of the split is missing"
            found.append(Problem(str(dataset.path or dataset.name), what, "restore it, or split anew without the lock"))
        elif now[sentence_id] != digest:
            what = f"the sentence {sentence_id!r} has changed since the split was made"
            found.append(Problem(dataset.where(sentence_id), what, "restore it, or split and train anew"))
    if len(found) > _TOLD:
        more = Problem(dataset.name, f"{len(found) - _TOLD} more sentences are missing or changed", "is it other data?")
        return [*found[:_TOLD], more]
    return found
