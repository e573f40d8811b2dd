"""Several runs as one model: their probabilities averaged, or the spans and relations that most of them give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from stancekit import consensus
from stancekit.errors import Problems, fail
from stancekit.files import read_json, write_json
from stancekit.runs import members
from stancekit.runs.run import Run
from stancekit.runs.run import load as load_run
from stancekit.schema import Answer, Example, Layers, Prediction, Stance
from stancekit.tasks import KINDS, Part, Task

FILE = "ensemble.json"


class Ensemble:
    """Runs of one task as one model: `runs` is the folder of a run of several seeds, or a list of run folders.

    Labels: probabilities are averaged, and the likeliest label is answered; of sets, a label that most runs give (of
    as many for as against, one with a mean probability of one half or more). Spans, devices and relations: those that
    more than half of the runs give (of equals, those of the first run), as annotators would be merged. `fit` learns
    nothing; it refuses runs that learnt outside this experiment's train and dev.
    """

    kinds: ClassVar[frozenset[str]] = frozenset(KINDS)

    def __init__(self, runs: str | Sequence[str]) -> None:
        self.paths = runs

    @cached_property
    def members(self) -> list[Run]:
        """The runs, loaded on first use; they must be of one task."""
        problems, found = Problems(), []
        for path in members.folders(self.paths):
            with problems.catching(path):
                found.append(load_run(path))
        problems.raise_any()
        if len(found) < 2:
            raise fail("runs", "one run is no ensemble", "name several runs, or a run of several seeds")
        for run in found[1:]:
            members.check_task(run, found[0].task)
        return found

    def fit(self, train: Part, dev: Part) -> None:
        """Check that the runs are of this task and learnt only from train and dev here."""
        members.check_task(self.members[0], train.task)
        members.check_learnt(self.members, train, dev)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example by what the runs say together."""
        said = [run.model.predict(examples) for run in self.members]
        return [together(self.members[0].task, list(own)) for own in zip(*said, strict=True)]

    def save(self, folder: Path) -> None:
        """Write where the runs lie and the hashes of their models."""
        write_json(folder / FILE, [{"run": str(run.path), "files": members.state(run)} for run in self.members])

    def load(self, folder: Path, task: Task) -> None:
        """Refuse when one of the runs was trained anew since."""
        known = read_json(folder / FILE)
        if len(known) != len(self.members):
            raise fail(folder, "the ensemble has other runs than when it was made", "train this experiment again")
        for run, own in zip(self.members, known, strict=True):
            members.check_unchanged(run, own["files"])


def together(task: Task, said: Sequence[Prediction]) -> Prediction:
    """Return what several predictions of one example say together."""
    shares = _mean([p.probabilities for p in said])
    if isinstance(shares, dict) and task.kind in ("single", "targeted"):
        answer: Answer = max(task.labels, key=lambda label: shares.get(label, 0.0))
    elif isinstance(shares, dict) and task.kind == "multi":
        answer = frozenset(label for label in task.labels if _is_given(label, said, shares))
    else:
        return Prediction(id=said[0].id, answer=_most([p.answer for p in said]))
    return Prediction(id=said[0].id, answer=answer, probabilities=shares)


def _is_given(label: str, said: Sequence[Prediction], shares: Mapping[str, float]) -> bool:
    votes = sum(label in p.answer for p in said if isinstance(p.answer, frozenset))
    return 2 * votes > len(said) or (2 * votes == len(said) and shares[label] >= 0.5)


def _mean(given: Sequence[Any]) -> dict[str, float] | None:
    if not all(isinstance(shares, Mapping) for shares in given):
        return None
    return {label: round(sum(shares[label] for shares in given) / len(given), 6) for label in given[0]}


def _most(answers: Sequence[Answer]) -> Answer:
    """Return what most say; of whole layers, layer by layer, among the runs that answer it."""
    layers = [answer for answer in answers if isinstance(answer, Layers)]
    if not layers:
        return consensus.majority(answers)
    found: dict[str, Any] = {}
    for name, merged in (("attributions", consensus.majority), ("devices", consensus.majority), ("stances", _stances)):
        said = [own for one in layers if (own := getattr(one, name)) is not None]
        if said:
            found[name] = merged(said)
    names = dict.fromkeys(name for one in layers for name in one.labels)
    labels = {name: _labels([one.labels[name] for one in layers if name in one.labels]) for name in names}
    return Layers(text=layers[0].text, **found, labels=labels)


def _labels(said: Sequence[Answer]) -> Answer:
    """Return what most say of a label set: toward targets, of the sentence, or spans."""
    toward = any(isinstance(answer, tuple) and answer and isinstance(answer[0], Stance) for answer in said)
    return _stances(said) if toward else consensus.majority(said)


def _stances(said: Sequence[Any]) -> tuple[Any, ...]:
    """Return the label that most give each target; all were asked for the same targets in the same order."""
    return tuple(replace(s[0], label=consensus.majority([one.label for one in s])) for s in zip(*said, strict=True))
