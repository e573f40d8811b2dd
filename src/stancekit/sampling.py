"""What to label next: sentences drawn at random, by strata, by a run's doubt, or far from one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stancekit.data import load as load_module
from stancekit.data.dataset import Dataset
from stancekit.data.groups import check_columns, value_of
from stancekit.data.record import Reader
from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import spare
from stancekit.models.diversity import spread
from stancekit.runs.run import Run
from stancekit.runs.run import load as load_run
from stancekit.schema import Prediction, Sentence

HOW = ("random", "stratified", "uncertainty", "diversity")
ALLOCATION = ("proportional", "equal")


@dataclass(frozen=True, repr=False)
class Sample:
    """Chosen sentences in the order of the data, out of `population` sentences; `lost` is what a format left out.

    Sentences drawn with a known probability carry it as `inclusion_probability` in their metadata: weights of
    1 / p make a total of the sample an unbiased estimate of the population's (Horvitz & Thompson 1952).
    """

    sentences: tuple[Sentence, ...]
    how: str
    population: int
    strata: Mapping[str, tuple[int, int]]
    lost: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.sentences)

    def __repr__(self) -> str:
        lines = [f"{len(self)} of {self.population} sentences, chosen by: {self.how}"]
        lines += [f"  {name}: {drawn} of {size}" for name, (drawn, size) in self.strata.items()]
        return "\n".join([*lines, *(f"  lost: {what} ({count})" for what, count in self.lost.items())])


def sample(
    data: str | Path,
    n: int,
    *,
    how: str = "random",
    by: str | None = None,
    allocation: str = "proportional",
    run: str | Path | Run | None = None,
    exclude: Sequence[str | Path] = (),
    to: str | Path | None = None,
    format: str | None = None,
    data_format: str | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 13,
) -> Sample:
    """Choose `n` sentences to label, and write them where `to` is given.

    `how`: `random` and `stratified` (by a metadata column, in proportion or equally) have known inclusion
    probabilities; `uncertainty` takes those of which the run is least sure, `diversity` those far apart.
    With a `run`, its answers stand in the place of gold, to be corrected; without, the data's own layers stay.
    Sentences whose ids stand in `exclude` (files already labelled) are no part of the population.
    """
    _check(n, how, by, allocation, run)
    spare([data, *exclude], to)
    dataset = _population(data, data_format, options or {}, exclude, asked=run is not None)
    if n > len(dataset):
        raise fail(data, f"{n} sentences are asked of {len(dataset)}", "ask for fewer, or give more data")
    loaded = run if isinstance(run, Run) or run is None else load_run(run)
    rng = np.random.default_rng(seed)
    notes: dict[int, dict[str, Any]] = {}
    strata: dict[str, tuple[int, int]] = {}
    if how == "uncertainty":
        assert loaded is not None
        notes = _least_sure(loaded, dataset.sentences, n)
    elif how == "diversity":
        notes = {int(k): {} for k in spread(dataset.sentences, n, seed)}
    else:
        notes, strata = _drawn(dataset, n, by if how == "stratified" else None, allocation, rng)
    chosen = [_noted(dataset.sentences[k], how, notes[k]) for k in sorted(notes)]
    if loaded is not None:
        chosen = _annotated(loaded, chosen)
    lost = load_module.save(chosen, to, format=format, codebook=dataset.codebook) if to is not None else {}
    return Sample(tuple(chosen), how, len(dataset), strata, dict(lost))


def _check(n: int, how: str, by: str | None, allocation: str, run: object) -> None:
    problems = Problems()
    if n < 1:
        problems.add("n", f"{n} sentences", "ask for one at least")
    if how not in HOW:
        problems.add("how", f"there is no {how!r}", did_you_mean(how, HOW))
    if allocation not in ALLOCATION:
        problems.add("allocation", f"there is no {allocation!r}", did_you_mean(allocation, ALLOCATION))
    if (how == "stratified") != (by is not None):
        problems.add("by", "a column of strata belongs to `stratified`, and only there", "give both, or neither")
    if how == "uncertainty" and run is None:
        problems.add("run", "uncertainty is a run's", "give a run (--run runs/…)")
    problems.raise_any()


def _population(
    data: str | Path, format: str | None, options: Mapping[str, Any], exclude: Sequence[str | Path], *, asked: bool
) -> Dataset:
    dataset = load_module.load(data, format=format, options=options, asked=asked)
    done = {s.id for path in exclude for s in load_module.load(path)}
    return replace(dataset, sentences=tuple(s for s in dataset if s.id not in done)) if done else dataset


def _drawn(
    dataset: Dataset, n: int, by: str | None, allocation: str, rng: np.random.Generator
) -> tuple[dict[int, dict[str, Any]], dict[str, tuple[int, int]]]:
    """Draw without replacement in every stratum (one of all where `by` is None)."""
    if by is not None:
        check_columns(dataset, [by])
    members: dict[str, list[int]] = {}
    for position, sentence in enumerate(dataset):
        members.setdefault(str(value_of(sentence, by)) if by else "", []).append(position)
    names = sorted(members)
    sizes = allocate(n, [len(members[name]) for name in names], equal=allocation == "equal")
    notes: dict[int, dict[str, Any]] = {}
    for name, size in zip(names, sizes, strict=True):
        probability = size / len(members[name])
        for position in rng.choice(members[name], size, replace=False).tolist():
            notes[position] = {"inclusion_probability": probability}
    strata = {f"{by}={name}": (size, len(members[name])) for name, size in zip(names, sizes, strict=True)}
    return notes, strata if by else {}


def allocate(n: int, sizes: Sequence[int], *, equal: bool = False) -> list[int]:
    """Share `n` among strata of some sizes: in proportion or equally, by largest remainder, one each if it can be."""
    if n < len(sizes):
        raise fail("n", f"{n} sentences for {len(sizes)} strata", "ask for one a stratum at least")
    room = np.array(sizes, np.int64)
    given = np.ones(len(sizes), np.int64)
    while (left := n - int(given.sum())) > 0:
        open_ = given < room
        goal = np.where(open_, 1.0 if equal else room, 0.0)
        wanted = np.maximum(goal / goal.sum() * (n - int(given[~open_].sum())) - given, 0.0) * open_
        wanted = wanted / wanted.sum() * left
        more = np.minimum(np.floor(wanted).astype(np.int64), room - given)
        if not more.any():
            order = np.argsort(-(wanted - np.floor(wanted)), kind="stable")
            more[[k for k in order if given[k] < room[k]][:left]] = 1
        given += more
    return [int(one) for one in given]


def _least_sure(run: Run, sentences: Sequence[Sentence], n: int) -> dict[int, dict[str, Any]]:
    doubts: dict[str, float] = {}
    for prediction in run.predict(sentences):
        name = prediction.id.rpartition("#")[0] if run.task.kind == "targeted" else prediction.id
        doubts[name] = max(doubts.get(name, 0.0), doubt(prediction, run))
    values = np.array([doubts.get(s.id, 0.0) for s in sentences])
    return {int(k): {"uncertainty": round(float(values[k]), 6)} for k in np.argsort(-values, kind="stable")[:n]}


def doubt(prediction: Prediction, run: Run) -> float:
    """Return how unsure a prediction is, 0 to 1: one less the confidence in the weakest part of the answer.

    One label: one less its probability (least confidence, Lewis & Gale 1994). Several labels: twice the
    probability of being wrong on the least sure one. Spans, relations, devices: one less the lowest
    confidence; an answer that finds none has none.
    """
    given = prediction.probabilities
    if given is None:
        raise fail(run.path, "this model gives no probabilities", "choose by another rule, or use another model")
    if not isinstance(given, Mapping):
        return 1 - min(given, default=1.0)
    if run.task.kind == "multi":
        return 2 * max((min(p, 1 - p) for p in given.values()), default=0.0)
    return 1 - max(given.values(), default=1.0)


def _noted(sentence: Sentence, how: str, notes: Mapping[str, Any]) -> Sentence:
    return replace(sentence, meta={**sentence.meta, "sampled": how, **notes})


def _annotated(run: Run, sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences with the run's answers in the place of gold."""
    problems = Problems()
    rows = run.records(sentences, run.predict(sentences))
    found = [Reader(str(row["id"]), problems).sentence(row) for row in rows]
    problems.raise_any()
    return [sentence for sentence in found if sentence is not None]
