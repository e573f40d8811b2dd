"""Votes: which share of annotators gave each label, kept beside the settled answer as a soft label.

They stand in `Layers.votes` by task; of the k-th target of a sentence under `task#k`, as in the ids of examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stancekit.errors import Problems
from stancekit.schema import Example, Sentence

Votes = Mapping[str, Mapping[str, float]]
_SETS = {"frames": "frame"}
"""Tasks whose label set has another name in codebooks and label maps."""
_EXCLUSIVE = 1 + 1e-9


def of(example: Example, *names: str) -> Mapping[str, float]:
    """Return the votes on an example under the first of these task names that has some; empty where there are none."""
    end = example.id.removeprefix(example.sentence.id)
    votes = example.sentence.gold.votes
    return next((votes[name + end] for name in names if name + end in votes), {})


def parse(raw: Any, where: str, problems: Problems) -> dict[str, dict[str, float]]:
    """Read `{task: {label: share}}`."""
    found: dict[str, dict[str, float]] = {}
    for task, shares in (raw or {}).items() if isinstance(raw, dict | None) else [("", raw)]:
        if not isinstance(shares, dict) or not all(_is_share(share) for share in shares.values()):
            problems.add(where, f"`votes` of {task!r} are no shares from 0 to 1", "write {task: {label: share}}")
        else:
            found[str(task)] = {str(label): float(share) for label, share in shares.items()}
    return found


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def relabelled(
    before: Sentence, after: Sentence, new: Callable[[str, str], str | None], renamed: Mapping[str, str]
) -> Votes:
    """Return votes under a label map: `new` maps (set, label), None drops it.

    Shares of merged labels add up where an example has one label; of a set of labels the largest stays, the least
    that can be said. Votes on targets are left out where the map drops one of them, which changes their numbers.
    """
    found: dict[str, dict[str, float]] = {}
    for key, shares in before.gold.votes.items():
        task, mark, number = key.partition("#")
        name, exclusive = _SETS.get(task, task), sum(shares.values()) <= _EXCLUSIVE
        if mark and _targets(before, task) != _targets(after, renamed.get(task, task)):
            continue
        mapped: dict[str, float] = {}
        for label, share in shares.items():
            to = new(name, label)
            if to is not None:
                mapped[to] = mapped.get(to, 0.0) + share if exclusive else max(mapped.get(to, 0.0), share)
        if mapped:
            found[renamed.get(task, task) + mark + number] = mapped
    return found


def _targets(sentence: Sentence, task: str) -> int:
    answer = sentence.gold.stances if task == "stance" else sentence.gold.labels.get(task)
    return len(answer) if isinstance(answer, tuple) else 0
