"""The bundled corpus with fine-tuned encoders: a model of all layers, one a task, and baselines; a conflict held out.

Run from the repository root:
    python benchmarks/neural_dispatches.py inner [--held-out teshe]    for choosing: okessa is left out wholly
    python benchmarks/neural_dispatches.py read                        okessa, the released split's test, once a row

Baselines are those of experiments/demo-*.yaml, frames-linear.yaml and stance-linear.yaml, `joint` is that of the demo.
Every model learns from what the demo learns from (four fifths of `newsdesk` beside the conflicts, or another share of
it) and stops by its dev.
Holders are told by joining an attribution model and a framing model, or by `joint` at once; `joint` also gives frames
(those of its devices). Differences are from the baseline, paired by sentence; intervals resample the documents of the
held-out conflict, and say nothing of other conflicts.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from neural_common import Settings, drawn, parse, parser, run_seeds, settings
from neural_figures import Book, Figure, rates
from stancekit import codebook, config, tasks
from stancekit.runs import devscores, headline
from stancekit.runs.material import gather
from stancekit.schema import Layers, Prediction, Sentence
from stancekit.tasks import Part, Task

HELD_OUT = "okessa"
BOOK = codebook.default()
TASKS: dict[str, Task] = {t: tasks.built_in(t, BOOK) for t in ("attribution", "devices", "frames", "stance", "holder")}
LAYERS = tasks.layers(BOOK)
FIGURES: dict[str, list[Figure]] = {
    "devices": [Figure("span_overlap", "span_overlap_f1"), Figure("span_exact", "span_exact_f1")],
    "attribution": [Figure("linked_overlap", "linked_overlap_f1"), Figure("strict", "strict_f1")],
    "holder": [
        Figure("holder_accuracy", "holder_accuracy"),
        Figure("holder_accuracy", "holder_accuracy_not_author"),
        Figure("holder_f1", "holder_f1"),
    ],
    "frames": [Figure("f1", "macro_f1")],
    "stance": [Figure("f1", "macro_f1"), Figure("f_avg", "f_avg")],
}
BASELINES = {
    "crf-relations": "demo-attribution",
    "crf": "demo-framing",
    "frames-linear": "frames-linear",
    "stance-linear": "stance-linear",
}
ROWS: dict[str, Settings] = {
    "relations": {"name": "relations"},
    "spans": {"name": "spans"},
    "frames": {"name": "transformer", "training": {"epochs": 4}},
    "stance": {"name": "transformer", "pool": "target", "training": {"epochs": 4}},
    "joint": {
        "name": "joint",
        "weights": {"devices": 2.5},
        "training": {"epochs": 4, "encoder_dropout": False, "freeze_embeddings": True},
    },
    "joint, longer": {
        "name": "joint",
        "weights": {"devices": 2.5},
        "training": {"epochs": 8, "encoder_dropout": False, "freeze_embeddings": True},
    },
}
OF = {
    "attribution": ("crf-relations", "relations"),
    "devices": ("crf", "spans"),
    "frames": ("frames-linear", "frames"),
    "stance": ("stance-linear", "stance"),
}
"""The baseline and the neural model of each task."""
JOINS = (("crf-relations", "crf"), ("relations", "spans"))

Answered = list[list[Prediction]]
"""The predictions of each seed."""


def rows() -> dict[str, Settings]:
    """Return the settings of every model, the baselines' from their experiments."""
    return {title: config.load(plan).model for title, plan in BASELINES.items()} | ROWS


@dataclass(frozen=True)
class Sides:
    """The sentences to learn from, to stop by, and held out; `parts` cuts them into examples of a task."""

    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    held: Sequence[Sentence]

    def parts(self, task: Task) -> list[Part]:
        """Return train, dev and held-out examples."""
        return [tasks.part(task, side) for side in (self.train, self.dev, self.held)]


def sides(given: argparse.Namespace) -> Sides:
    """Return the released split, or the held-out conflict of its train and dev without the released test."""
    beside = [f"data.also.0.share={given.newsdesk}"] if given.newsdesk else ["data.also=[]"]
    material = gather(config.load("demo-framing", beside))
    own = {name: [s for s in material.dataset if s.id in {*material.split.parts[name]}] for name in material.parts}
    if given.step == "inner":
        both = own["train"] + own["dev"]
        own["test"] = [s for s in both if s.meta.get("conflict") == given.held_out]
        if not own["test"]:
            raise SystemExit(f"--held-out: no sentence of train or dev is of the conflict {given.held_out!r}")
        for name in ("train", "dev"):
            own[name] = [s for s in own[name] if s.meta.get("conflict") != given.held_out]
    return Sides(*(_few(own[name], given.limit) for name in ("train", "dev", "test")))


def _few(sentences: list[Sentence], limit: int) -> list[Sentence]:
    kept = drawn([s.document for s in sentences], limit)
    return [s for s in sentences if s.document in kept]


def answered(given: argparse.Namespace, split: Sides) -> dict[str, tuple[Settings, Answered]]:
    """Train every model asked for, and return its settings and predictions by its name."""
    found = {}
    for title, own in settings(rows(), given).items():
        joint = own["name"] == "joint"
        task = LAYERS if joint else next(TASKS[name] for name, titles in OF.items() if title in titles)
        train, dev, held = split.parts(task)
        runs = run_seeds(given, f"{given.step} {title}", own, train, held, metric=headline.of(task).name, dev=dev)
        print(f"{title}: {rates(runs)}")
        found[title] = own, [run.predictions for run in runs]
    return found


def joined(held: Part, relations: Answered, devices: Answered) -> Answered:
    """Return the layers of an attribution model and a framing model, put together."""
    return [
        [
            Prediction(id=e.id, answer=Layers(text=e.sentence.text, attributions=r.answer, devices=d.answer))  # type: ignore[arg-type]
            for e, r, d in zip(held.examples, *pair, strict=True)
        ]
        for pair in zip(relations, devices, strict=True)
    ]


def systems(
    task: str, split: Sides, found: dict[str, tuple[Settings, Answered]]
) -> dict[str, tuple[Settings, Answered]]:
    """Return what answers a task, the baseline first: its own models, the joins, and `joint` seen as this task."""
    held = split.parts(TASKS[task])[2]
    given = {title: found[title] for title in OF.get(task, ()) if title in found}
    for pair in JOINS if task == "holder" else ():
        if set(pair) <= set(found):
            (first, relations), (second, devices) = (found[name] for name in pair)
            given[" + ".join(pair)] = {**first, "joined with": second}, joined(held, relations, devices)
    for title, (own, runs) in found.items():
        if own["name"] == "joint":
            whole = split.parts(LAYERS)[2]
            given[title] = own, [devscores.view(TASKS[task], whole, run)[1] for run in runs]
    return given


def main() -> None:
    """Read the arguments, train everything, and print and note figures and differences by task."""
    options = parser(__doc__, data="")
    options.add_argument("step", choices=["inner", "read"])
    options.add_argument("--held-out", default="teshe", help="the conflict that `inner` holds out")
    options.add_argument(
        "--newsdesk", type=float, default=0.8, help="the share of newsdesk that is learnt beside (0: none)"
    )
    given = parse(options)
    split = sides(given)
    part = HELD_OUT if given.step == "read" else f"{given.held_out}, learnt without {HELD_OUT}"
    part += f", {given.newsdesk:g} of newsdesk beside" if given.newsdesk else ""
    found = answered(given, split)
    for task, wanted in FIGURES.items():
        print(f"\n{task}")
        book = Book(given, "dispatches", f"{part}: {task}")
        held = split.parts(TASKS[task])[2]
        own = systems(task, split, found)
        runs = {title: answers for title, (_, answers) in own.items()}
        for title, (setting, answers) in own.items():
            book.figures(title, held, answers, wanted, setting)
        for title in list(own)[1:]:
            book.differences(title, next(iter(own)), held, runs, wanted, own[title][0])


if __name__ == "__main__":
    main()
