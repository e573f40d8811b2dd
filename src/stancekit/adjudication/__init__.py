"""Several annotators into one data set: disagreements listed, settled by a rule, and votes kept as soft labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, Unpack

from stancekit.adjudication.listing import DERIVED, Disagreement, Disagreements, disagreements, settled_tasks
from stancekit.adjudication.rules import Rule, by_file, by_first, by_majority
from stancekit.consensus import Case, cases, shares
from stancekit.data import annotators as annotators_module
from stancekit.data import load as load_module
from stancekit.data.annotators import Annotators, Reading, Sources
from stancekit.errors import did_you_mean, fail
from stancekit.evaluation import task_of
from stancekit.files import spare
from stancekit.schema import Answer, Layers, Sentence, Stance
from stancekit.tasks import Task

__all__ = ["Adjudicated", "Disagreement", "Disagreements", "adjudicate", "disagreements"]

RULES = ("majority", "first", "file")


@dataclass(frozen=True, repr=False)
class Adjudicated:
    """The settled sentences, with counts of examples, of disputed ones, and of what the written format lost."""

    sentences: tuple[Sentence, ...]
    counts: Mapping[str, int]

    def __repr__(self) -> str:
        return "\n".join([f"{len(self.sentences)} sentences", *(f"{k}: {v}" for k, v in self.counts.items())])


def adjudicate(
    sources: Sources,
    to: str | Path | None = None,
    *,
    rule: Literal["majority", "first", "file"] = "majority",
    decisions: str | Path | None = None,
    **how: Unpack[Reading],
) -> Adjudicated:
    """Merge annotators into one data set, and write it where `to` names a file.

    `majority`: what most say, of a tie the first annotator's word; `first`: the first annotator who answered;
    `file`: `decisions` is a file that `disagreements` wrote, with `answer` filled in, or `take` naming an annotator.
    Labels of sentences and targets (voice and frames too) keep the share of annotators behind each as `votes`.
    """
    annotators = annotators_module.read(sources, **how)
    spare([*annotators.paths, decisions, how.get("codebook")], to)
    found = {task.name: (task, cases(task, annotators)) for task in settled_tasks(annotators)}
    disputed = [(task, case) for task, several in found.values() for case in several if case.disputed]
    settle = _rule(rule, decisions, annotators.names, disputed)
    merged = tuple(_merged(annotators, found, settle))
    counts = {"examples": sum(len(several) for _, several in found.values()), "disputed": len(disputed)}
    if to is not None:
        lost = load_module.save(merged, to, codebook=annotators.codebook)
        counts |= {f"lost: {what}": count for what, count in sorted(lost.items())}
    return Adjudicated(merged, counts)


def _rule(rule: str, decisions: str | Path | None, names: Sequence[str], disputed: Sequence[tuple[Task, Case]]) -> Rule:
    if rule not in RULES:
        raise fail("rule", f"there is no rule {rule!r}", did_you_mean(rule, RULES))
    if (rule == "file") != (decisions is not None):
        raise fail("rule", "the rule `file` and a file of decisions belong together", "give both, or neither")
    if decisions is not None:
        return by_file(Path(decisions), names, disputed)
    return by_majority if rule == "majority" else by_first


def _merged(annotators: Annotators, found: Mapping[str, tuple[Task, Sequence[Case]]], settle: Rule) -> list[Sentence]:
    """Return every sentence with its settled layers and the votes behind them."""
    by_sentence = {
        name: {id_: list(own) for id_, own in groupby(several, key=lambda case: case.example.sentence.id)}
        for name, (_, several) in found.items()
    }
    pooled = annotators.pooled
    derived = [task_of(name, pooled) for name in DERIVED if task_of(name, pooled).needs[0] in _layers_of(found)]
    merged = []
    for id_, sentence in annotators.sentences.items():
        seen = [layers for layers in annotators.layers[id_] if layers is not None]
        gold = Layers(text=sentence.text)
        for name, (task, _) in found.items():
            if any(task.view(layers) is not None for layers in seen):
                gold = _with(gold, task, by_sentence[name].get(id_, []), settle)
        votes = dict(gold.votes)
        for task in derived:
            _vote(votes, task.name, [answer for layers in seen if (answer := task.view(layers)) is not None])
        merged.append(replace(sentence, gold=replace(gold, votes=votes)))
    return merged


def _layers_of(found: Mapping[str, tuple[Task, Any]]) -> set[str]:
    return {need for task, _ in found.values() for need in task.needs}


def _with(gold: Layers, task: Task, several: Sequence[Case], settle: Rule) -> Layers:
    """Return layers with the settled answer of a task, and the votes on it."""
    votes = dict(gold.votes)
    answer: Any
    if task.kind == "targeted":
        stances: list[Stance] = []
        for case in several:
            label = settle(task, case)
            if label is not None and case.example.target is not None:
                stances.append(Stance(case.example.target, str(label)))
                _vote(votes, f"{task.name}#{len(stances)}", case.given)
        answer = tuple(stances)
    else:
        answer = settle(task, several[0])
        _vote(votes, task.name, several[0].given)
    layer = task.needs[0]
    if layer in ("attributions", "devices", "stances"):
        return replace(gold, **{layer: answer}, votes=votes)
    return replace(gold, labels={**gold.labels, layer: answer}, votes=votes)


def _vote(votes: dict[str, Mapping[str, float]], name: str, given: Sequence[Answer]) -> None:
    """Note the share of each label where two annotators or more gave one."""
    found = shares(given) if len(given) > 1 else {}
    if found:
        votes[name] = found
