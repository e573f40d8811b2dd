"""Where annotators disagree: example by example, for reading and as a file to be decided on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack, overload

from stancekit.agreement import shared_tasks
from stancekit.consensus import Case, cases
from stancekit.data import annotators as annotators_module
from stancekit.data import record
from stancekit.data.annotators import Annotators, Reading, Sources
from stancekit.errors import StancekitError, fail
from stancekit.evaluation import task_of
from stancekit.files import parse_json, read_text, spare, write_lines
from stancekit.schema import Answer, Attribution, Device, Span, Target, words_of
from stancekit.tasks import ROLES, Task

DERIVED = ("voice", "frames")
"""Tasks that follow from a layer: to settle the layer settles them."""


@dataclass(frozen=True)
class Disagreement:
    """One example on which annotators differ; an answer is None where one gave none."""

    task: Task
    case: Case
    names: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a record with every annotator's answer, and an empty `answer` to be filled in."""
        example = self.case.example
        row: dict[str, Any] = {"id": example.sentence.id, "task": self.task.name, "text": example.sentence.text}
        if example.target is not None:
            row["target"] = dump_target(example.target)
        given = [None if answer is None else record.dump_answer(answer) for answer in self.case.answers]
        return row | {"answers": dict(zip(self.names, given, strict=True)), "answer": None}

    def __str__(self) -> str:
        example = self.case.example
        target = f" toward {example.target.name}" if example.target else ""
        lines = [f"{example.sentence.id}: {self.task.name}{target}", f"  {example.sentence.text}"]
        shown = [_shown(answer, self.case) for answer in self.case.answers]
        return "\n".join(lines + [f"  {name}: {text}" for name, text in zip(self.names, shown, strict=True)])


class Disagreements(Sequence[Disagreement]):
    """Disagreements in the order of the data; `examples` counts those that two annotators saw, by task."""

    def __init__(self, items: Sequence[Disagreement], examples: Mapping[str, int]) -> None:
        self.items, self.examples = tuple(items), dict(examples)

    @overload
    def __getitem__(self, index: int) -> Disagreement: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Disagreement]: ...
    def __getitem__(self, index: int | slice) -> Disagreement | Sequence[Disagreement]:
        """Return one disagreement, or a slice of them."""
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Disagreement]:
        return iter(self.items)

    def __repr__(self) -> str:
        counts = Counter(item.task.name for item in self.items)
        told = [f"{name}: {counts[name]} of {size} examples disputed" for name, size in self.examples.items()]
        return "\n\n".join([*map(str, self.items), "\n".join(told)])

    def write(self, path: str | Path) -> None:
        """Write one JSON object a line: what `adjudicate` reads once `answer` or `take` is filled in.

        An earlier file in which some are filled in is not written over.
        """
        _spare_decisions(Path(path))
        write_lines(Path(path), (item.to_json() for item in self.items))


def disagreements(
    sources: Sources, *, tasks: Sequence[str] | None = None, to: str | Path | None = None, **how: Unpack[Reading]
) -> Disagreements:
    """List the examples on which annotators differ: of `tasks`, or of all that they share and that are not derived.

    How the sources are read is told at `stancekit.data.annotators.read`.
    """
    annotators = annotators_module.read(sources, **how)
    spare([*annotators.paths, how.get("codebook")], to)
    found: list[Disagreement] = []
    examples = {}
    for task in settled_tasks(annotators, tasks):
        several = [case for case in cases(task, annotators) if sum(case.asked) > 1]
        examples[task.name] = len(several)
        found += [Disagreement(task, case, annotators.names) for case in several if case.disputed]
    order = {id_: number for number, id_ in enumerate(annotators.sentences)}
    listed = Disagreements(sorted(found, key=lambda d: order[d.case.example.sentence.id]), examples)
    if to is not None:
        listed.write(to)
    return listed


def _spare_decisions(path: Path) -> None:
    """Refuse to write over a file with decisions: they are somebody's work."""
    lines = read_text(path).split("\n") if path.exists() else []
    decided = sum(_may_decide(line, path) for line in lines)
    if decided:
        what = f"decisions stand in it (lines: {decided}), which would be lost"
        raise fail(path, what, "give another file, or move this one away")


def _may_decide(line: str, path: Path) -> bool:
    """Say whether a line holds a decision; one that cannot be read may."""
    try:
        row = parse_json(line, path, 1) if line.strip() else {}
    except StancekitError:
        return True
    return not isinstance(row, dict) or row.get("answer") is not None or row.get("take") is not None


def settled_tasks(annotators: Annotators, names: Sequence[str] | None = None) -> list[Task]:
    """Return tasks by name, or all shared ones whose answers are annotated and not derived."""
    wanted = names or [name for name in shared_tasks(annotators) if name not in DERIVED]
    found = [task_of(name, annotators.pooled) for name in wanted]
    for task in found:
        if task.kind == "layers":
            raise fail(f"task {task.name}", "it is derived from two layers", "ask for attribution and devices")
    return found


def dump_target(target: Target) -> dict[str, Any]:
    """Return a target as JSON."""
    return {"name": target.name, "span": [target.span.start, target.span.end] if target.span else None}


def _shown(answer: Answer | None, case: Case) -> str:
    """Return an answer for reading; of spans, devices and relations only those that not everybody has."""
    if answer is None:
        return "–"
    if not isinstance(answer, tuple):
        value = record.dump_answer(answer)
        return value if isinstance(value, str) else ", ".join(value) or "none of them"
    others = [given for given in case.given if isinstance(given, tuple)]
    own = [item for item in answer if not all(item in other for other in others)]
    return "; ".join(_words(item, case.example.sentence.text) for item in own) or "nothing more"


def _words(item: Any, text: str) -> str:
    if isinstance(item, Attribution):
        roles = [f"{role} {_quoted(getattr(item, role), text)}" for role in ROLES if getattr(item, role)]
        return " ".join([*roles, *filter(None, (item.source_type, item.cue_stance))])
    if isinstance(item, Device):
        target = f" of {item.target}" if item.target else ""
        return f"{item.frame}{target}{', negated' if item.negated else ''} {_quoted(item.parts, text)}"
    return f"{item.label} {_quoted((item,), text)}"


def _quoted(parts: tuple[Span, ...], text: str) -> str:
    """Return words with their place: two spans may have the same words."""
    places = ",".join(f"{p.start}–{p.end}" for p in parts)
    return f"“{words_of(parts, text)}” [{places}]"
