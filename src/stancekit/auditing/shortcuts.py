"""How far one gets without reading: baselines that see too little to know, scored beside one that sees the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stancekit.auditing.columns import groups_of
from stancekit.auditing.estimates import Estimate, Runs, estimate, measures
from stancekit.auditing.folds import Folds, Learner, out_of_fold
from stancekit.auditing.learners import (
    column_alone,
    majority,
    majority_per_target,
    surface_alone,
    target_alone,
    text,
    text_without_target,
)
from stancekit.auditing.plan import Plan, Tell
from stancekit.tasks import Part, Task

TEXT = "text"


@dataclass(frozen=True)
class Shortcut:
    """A baseline's figures by metric: out of random folds, and on test where there is a split."""

    name: str
    sees: str
    folds: Mapping[str, Estimate]
    test: Mapping[str, Estimate]


def learners_of(task: Task, names: Sequence[str]) -> dict[str, tuple[str, Learner]]:
    """Return the baselines of a task, each with what it sees, in the order of a report."""
    found: dict[str, tuple[str, Learner]] = {"majority": ("nothing", majority)}
    if task.kind == "targeted":
        found["majority_per_target"] = ("which target is asked", majority_per_target)
        found["target_alone"] = ("the words of the target's name", target_alone())
        found["target_hidden"] = ("the text, but not the target", text_without_target)
    for name in names:
        if (name, task.kind) != ("target", "targeted"):
            found[name] = (f"the {name} alone", column_alone(name))
    found["surface"] = ("length and punctuation", surface_alone())
    found[TEXT] = ("the text", text)
    return found


def shortcuts(
    part: Part,
    sides: Mapping[str, Part],
    names: Sequence[str],
    of_text: Runs,
    cuts: Sequence[Folds],
    plan: Plan,
    tell: Tell,
) -> list[Shortcut]:
    """Return the baselines of a task; `of_text` are the text baseline's predictions in the random folds `cuts`.

    `sides` holds the examples of train and test, of which test may be empty.
    """
    found = []
    for name, (sees, learn) in learners_of(part.task, names).items():
        runs = of_text if name == TEXT else [out_of_fold(part, cut, learn) for cut in cuts]
        tell()
        found.append(Shortcut(name, sees, _figures(part, runs, plan), _held_out(sides, learn, plan)))
    return found


def _held_out(sides: Mapping[str, Part], learn: Learner, plan: Plan) -> dict[str, Estimate]:
    train, test = sides["train"], sides["test"]
    return _figures(test, [learn(train)(test.examples)], plan) if len(test) and len(train) else {}


def _figures(part: Part, runs: Runs, plan: Plan) -> dict[str, Estimate]:
    groups = groups_of(part.examples, "document")
    return {name: estimate(m, part, runs, groups, plan.seed) for name, m in measures(part.task).items()}
