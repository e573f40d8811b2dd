"""Frozen splits: a lock file is kept only while it fits the data, which must not have changed since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stancekit.data.dataset import Dataset
from stancekit.data.parts import Split
from stancekit.errors import Problems, fail

_TOLD = 20


def verify(split: Split, dataset: Dataset) -> Problems:
    """Return a problem for every sentence of the split that is gone or changed since."""
    problems, now = Problems(), dataset.hashes
    for sentence_id, digest in split.hashes.items():
        if sentence_id not in now:
            what = f"the sentence {sentence_id!r} of the split is missing"
            problems.add(dataset.path or dataset.name, what, "restore it, or split anew without the lock")
        elif now[sentence_id] != digest:
            what = f"the sentence {sentence_id!r} has changed since the split was made"
            problems.add(dataset.where(sentence_id), what, "restore it, or split and train anew")
    more = len(problems) - _TOLD
    if more > 0:
        del problems.found[_TOLD:]
        problems.add(dataset.name, f"{more} more sentences are missing or changed", "is it other data?")
    return problems


def frozen(lock: Path | None, dataset: Dataset, by: Sequence[str]) -> Split | None:
    """Return the split of a lock file, None where there is none yet; one that does not fit the data is refused."""
    if lock is None or not lock.exists():
        return None
    split = Split.read(lock)
    if split.by != tuple(by):
        what = f"it was split by {' + '.join(split.by)}, now {' + '.join(by)} is asked"
        raise fail(lock, what, "ask for the same columns, or remove the lock to split anew")
    verify(split, dataset).raise_any()
    return split
