"""How a disputed example is settled: by majority, by the first annotator, or by a file of decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stancekit.adjudication.listing import dump_target
from stancekit.consensus import Case, majority, wins
from stancekit.data import record
from stancekit.errors import Problems, did_you_mean
from stancekit.files import dump_json, parse_json, read_text
from stancekit.schema import Answer
from stancekit.tasks import Task, labels_in

Rule = Callable[[Task, Case], Answer | None]
"""Returns the answer that stands; None drops a target that not everybody named."""
Key = tuple[str, str, str]


def by_majority(task: Task, case: Case) -> Answer | None:
    """Return what most annotators say; of a tie, the first one's word counts."""
    named = [answer is not None for answer, asked in zip(case.answers, case.asked, strict=True) if asked]
    return majority(case.given) if wins(named) else None


def by_first(task: Task, case: Case) -> Answer | None:
    """Return the answer of the first annotator who was asked."""
    return case.answers[case.asked.index(True)]


def by_file(path: Path, names: Sequence[str], disputed: Iterable[tuple[Task, Case]]) -> Rule:
    """Return a rule that looks disputed examples up in a file; each of them must be decided there, once.

    A line has `id`, `task`, `target` (where there is one), and `answer`, or `take` with the name of an annotator.
    """
    wanted = {_key(task.name, case): (task, case) for task, case in disputed}
    problems, decided = Problems(), {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        with problems.catching(where):
            raw = parse_json(line, path, number)
            key = _key_of(raw)
            if key not in wanted:
                problems.add(where, "this is no disputed example", "write the file anew with `stancekit disagreements`")
            elif key in decided:
                problems.add(where, "this example is decided twice", "keep one of the two lines")
            else:
                decided[key] = _decision(raw, *wanted[key], names, where, problems)
    missing = [key for key in wanted if key not in decided]
    for id_, task_name, target in missing[:10]:
        problems.add(path, f"{task_name} of {id_} {target} is not decided".replace("  ", " "), "add a line for it")
    if len(missing) > 10:
        problems.add(path, f"{len(missing) - 10} more disputed examples are not decided", "add a line for each")
    problems.raise_any()
    return lambda task, case: decided[_key(task.name, case)] if case.disputed else case.given[0]


def _key(task: str, case: Case) -> Key:
    example = case.example
    return example.sentence.id, task, dump_json(dump_target(example.target)) if example.target else ""


def _key_of(raw: Any) -> Key:
    row: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    target = row.get("target")
    return str(row.get("id")), str(row.get("task")), "" if target is None else dump_json(target)


def _decision(
    raw: Mapping[str, Any], task: Task, case: Case, names: Sequence[str], where: str, problems: Problems
) -> Answer | None:
    if raw.get("take") is not None:
        if raw["take"] in names:
            return case.answers[names.index(raw["take"])]
        problems.add(where, f"there is no annotator {raw['take']!r}", did_you_mean(str(raw["take"]), names))
    elif raw.get("answer") is None:
        problems.add(where, "this example is not decided yet", "fill in `answer`, or `take` with an annotator's name")
    else:
        reader = record.Reader(where, problems)
        reader.text = case.example.sentence.text
        answer = reader.answer(task.kind, raw["answer"])
        for label in dict.fromkeys(labels_in(answer) if task.kind != "relations" else ()):
            if label not in task.labels:
                problems.add(where, f"there is no label {label!r} of {task.name}", did_you_mean(label, task.labels))
        return answer
    return None
