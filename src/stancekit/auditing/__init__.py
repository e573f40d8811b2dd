"""What would a reviewer find? Duplicates, groups on two sides, shortcuts, gaps between splits, doubtful labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from stancekit import __version__
from stancekit.auditing.columns import usable
from stancekit.auditing.duplicates import duplicates
from stancekit.auditing.folds import out_of_fold, random_folds
from stancekit.auditing.gaps import gap, grouped_runs
from stancekit.auditing.learners import text
from stancekit.auditing.limits import exceeded
from stancekit.auditing.noise import candidates
from stancekit.auditing.plan import Plan, Progress
from stancekit.auditing.result import Audit, TaskAudit
from stancekit.auditing.shortcuts import learners_of, shortcuts
from stancekit.auditing.sides import shared_groups
from stancekit.auditing.subject import Subject, cut, same_answer, subject
from stancekit.tasks import Task, labels_in

__all__ = ["Audit", "Plan", "audit"]

LEAST_EXAMPLES = 50
"""On fewer examples no baseline is measured."""


def _silent(step: str, done: int, total: int) -> None:
    """Tell nobody."""


def audit(
    source: str | Path,
    overrides: Sequence[str] = (),
    *,
    task: str | None = None,
    limits: Mapping[str, float] | None = None,
    by: Sequence[str] = (),
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    plan: Plan | None = None,
    progress: Progress = _silent,
) -> Audit:
    """Look for what makes figures on labelled data look better than they are.

    `source` is data or an experiment. Of an experiment, folds are cut from train and dev alone, and the
    baselines are also scored on its test part. `by` names the metadata columns to look at (all else);
    `limits` maps figures to the largest value that is allowed, such as `{"gap": 0.05, "duplicates.train-test": 0}`.
    """
    plan = plan or Plan()
    plan.check()
    of = subject(source, overrides, task=task, format=format, options=options)
    progress("looking for duplicates", 0, 1)
    found = duplicates(of, plan.threshold)
    progress("looking for duplicates", 1, 1)
    result = Audit(
        of,
        found,
        tuple(shared_groups(of.sides, of.split.by if of.split else ())),
        tuple(_audit_task(of, each, by, plan, progress) for each in of.tasks),
        {"data": of.dataset.hash[:16], "baseline": "tf-idf words 1–2, logistic regression C 4", **asdict(plan)}
        | {"version": __version__},
        dict(limits or {}),
    )
    return replace(result, exceeded=tuple(exceeded(result.limits, result.figures())))


def _audit_task(of: Subject, task: Task, by: Sequence[str], plan: Plan, progress: Progress) -> TaskAudit:
    whole = of.part(task, "train", "dev")
    part = cut(whole, plan.most, plan.seed)
    labels = Counter(label for answer in whole.gold for label in labels_in(answer))
    names, notes = usable(part.examples, by)
    found = TaskAudit(
        task.name, task.kind, {c: labels[c] for c in task.labels}, len(part), len(whole), notes=tuple(notes)
    )
    if len(set(part.gold)) < 2:
        return replace(found, notes=(same_answer(len(part)),))
    if len(part) < LEAST_EXAMPLES:
        why = f"{len(part)} examples are too few to measure baselines on; {LEAST_EXAMPLES} are the least"
        return replace(found, notes=(why,))
    repeats = plan.seeds(len(part))
    done, total = 0, len(repeats) * (1 + len(names)) + len(learners_of(task, names))

    def tell() -> None:
        nonlocal done
        done += 1
        progress(f"baselines of {task.name}", done, total)

    cuts = [random_folds(part.gold, plan.folds, seed) for seed in repeats]
    random = []
    for one in cuts:
        random.append(out_of_fold(part, one, text))
        tell()
    grouped = {name: grouped_runs(part, name, plan, tell) for name in names}
    sides = {"train": cut(of.part(task, "train"), plan.most, plan.seed), "test": of.part(task, "test")}
    return replace(
        found,
        shortcuts=tuple(shortcuts(part, sides, names, random, cuts, plan, tell)),
        gaps=tuple(gap(part, name, random, grouped[name], cuts, plan) for name in names),
        noise=tuple(candidates(part, grouped.get("document", random))),
    )
