"""The human ceiling beside a model's scores: what annotators reach against each other, from a file of `agree`."""

from __future__ import annotations

from pathlib import Path

from stancekit.errors import did_you_mean, fail
from stancekit.files import read_json
from stancekit.scoring import Scores

_WRITE = "write it with `stancekit agree … --to FILE`"


def read(path: str | Path, task: str) -> Scores:
    """Return the human ceiling of a task: the metrics of the task, each annotator against the others, averaged."""
    if not Path(path).exists():
        raise fail(path, "there is no such file of a human ceiling", _WRITE)
    value = read_json(Path(path))
    try:
        found = {name: Scores.from_json(both["ceiling"]) for name, both in value["tasks"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise fail(path, "this is no file of agreement", _WRITE) from error
    if task not in found:
        raise fail(path, f"there is no ceiling for the task {task!r}", did_you_mean(task, found))
    return found[task]
