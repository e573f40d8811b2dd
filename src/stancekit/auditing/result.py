"""What an audit found, as one value: readable as text, JSON and a page."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stancekit.auditing.duplicates import Duplicates
from stancekit.auditing.findings import findings
from stancekit.auditing.gaps import Gap
from stancekit.auditing.limits import Exceeded, Figure
from stancekit.auditing.lines import lines
from stancekit.auditing.noise import Candidate
from stancekit.auditing.page import page
from stancekit.auditing.shortcuts import TEXT, Shortcut
from stancekit.auditing.sides import SharedGroups
from stancekit.auditing.subject import Subject
from stancekit.files import write_text

MOST_LISTED = 500
"""So many pairs and doubted labels stand in JSON and on the page; all are counted, and held in Python."""


@dataclass(frozen=True)
class TaskAudit:
    """One task: baselines, gaps and doubted labels, measured on `examples` of the data's `of`."""

    name: str
    kind: str
    labels: Mapping[str, int]
    examples: int
    of: int
    shortcuts: tuple[Shortcut, ...] = ()
    gaps: tuple[Gap, ...] = ()
    noise: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Audit:
    """What a reviewer would find in labelled data; `exceeded` holds the figures above a limit."""

    subject: Subject = field(compare=False)
    duplicates: Duplicates
    sides: tuple[SharedGroups, ...]
    tasks: tuple[TaskAudit, ...]
    settings: Mapping[str, Any]
    limits: Mapping[str, float] = field(default_factory=dict)
    exceeded: tuple[Exceeded, ...] = ()

    def task(self, name: str) -> TaskAudit:
        """Return what was found of one task."""
        return {task.name: task for task in self.tasks}[name]

    def figures(self) -> Iterator[Figure]:
        """Yield every figure that a limit can be set on."""
        for twins in self.duplicates.twins:
            yield Figure("duplicates", twins.name, twins.share, bare=twins.crosses)
        for shared in self.sides:
            yield Figure("sides", f"{shared.column}.{'-'.join(shared.sides)}", shared.share)
        for task in self.tasks:
            for one in task.shortcuts:
                value = one.folds["macro_f1"].value
                if one.name not in (TEXT, "majority") and value is not None:
                    yield Figure("shortcut", one.name, value, task.name)
            for gap in task.gaps:
                if gap.gap.value is not None:
                    yield Figure("gap", gap.column, gap.gap.value, task.name)
            if task.shortcuts:
                yield Figure("noise", "", len(task.noise) / task.examples, task.name)

    @property
    def signature_line(self) -> str:
        """The settings in one line, to stand under every figure."""
        return "|".join(f"{key}:{value}" for key, value in self.settings.items())

    def to_json(self) -> dict[str, Any]:
        """Return the audit as JSON: no sentence stands in it, only ids; long lists are cut."""
        pairs = self.duplicates.pairs
        found = asdict(self.duplicates) | {"pairs": [asdict(p) for p in pairs[:MOST_LISTED]], "pairs_found": len(pairs)}
        found["twins"] = [asdict(twins) | {"share": twins.share} for twins in self.duplicates.twins]
        value = {
            "source": self.subject.source,
            "data": self.subject.dataset.name,
            "sizes": {side: len(sentences) for side, sentences in self.subject.sides.items()},
            "documents": self.subject.dataset.documents,
            "duplicates": found,
            "sides": [asdict(shared) for shared in self.sides],
            "tasks": [_task(task) for task in self.tasks],
            "passed_over": dict(self.subject.passed_over),
            "settings": dict(self.settings),
            "limits": dict(self.limits),
            "exceeded": [asdict(one) for one in self.exceeded],
        }
        return value | {"findings": findings(value)}

    def to_html(self, *, no_text: bool = False) -> str:
        """Return one self-contained page; with `no_text` no sentence stands in it."""
        by_id = {} if no_text else self.subject.dataset.by_id
        return page(self.to_json(), self.signature_line, by_id)

    def write_html(self, path: str | Path, *, no_text: bool = False) -> None:
        """Write the page."""
        write_text(Path(path), self.to_html(no_text=no_text))

    def __repr__(self) -> str:
        return "\n".join([*lines(self.to_json()), self.signature_line])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _task(task: TaskAudit) -> dict[str, Any]:
    return asdict(task) | {"noise": [asdict(c) for c in task.noise[:MOST_LISTED]], "noise_found": len(task.noise)}
