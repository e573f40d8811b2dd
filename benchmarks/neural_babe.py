"""BABE with a fine-tuned encoder: biased or not, by the published folds, and by folds by article and by outlet.

Run from the repository root:
    python benchmarks/neural_babe.py --data PATH/final_labels_SG2.xlsx [--folds random article outlet]

`random` is the published protocol: StratifiedKFold(5, shuffle, seed 42) in file order; the others are GroupKFold(5).
*Mean over folds* is the published figure, of weighted F1; the other one is that of the joined predictions, whose
interval resamples articles, or outlets in the folds by outlet. In every fold `transformer` stops by each tenth article
of its train side; `all of train` learns from all of it and is not stopped, as the linear model; `votes learnt` does so
from the votes of the five annotators (`raw_labels_SG2.xlsx` beside the data) in the place of the settled label, and
`sentiment first` begins with the encoder of `sentiment_first.py`, `no dropout` leaves out that of the encoder, and
`distilled` learns from the average of that row's seeds, whose predictions of train it needs, too.
*Ensemble* averages the seeds' probabilities, *with linear* those of the linear model, too, half and half.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, StratifiedKFold

from neural_common import Run, Settings, is_neural, limited, parse, parser, run_seeds, settings, subset
from neural_figures import Book, counted, counted_difference, rates
from neural_student import teachers
from stancekit import tasks
from stancekit.consensus import shares
from stancekit.data.load import load
from stancekit.metrics.base import Counts
from stancekit.runs.ensemble import together
from stancekit.schema import Prediction
from stancekit.tasks import Part

LABELS = ("Biased", "Non-biased")
TASK = tasks.own("bias", "single", LABELS)
METRIC = "weighted_f1"
ROWS: dict[str, Settings] = {
    "linear": {"name": "linear"},
    "transformer": {
        "name": "transformer",
        "max_length": 128,
        "training": {"epochs": 3, "batch_size": 16, "learning_rate": 1e-4, "head_rate": 5.0, "average": 0.3},
    },
}
WHOLE = "transformer, all of train"
VOTES = f"{WHOLE}, votes learnt"
FIRST = f"{VOTES}, sentiment first"
UNDROPPED = f"{VOTES}, no dropout"
ROWS[WHOLE] = ROWS["transformer"]
ROWS[VOTES] = {**ROWS[WHOLE], "soft_labels": True}
ROWS[FIRST] = {**ROWS[VOTES], "encoder": "runs/sentiment-first"}
ROWS[UNDROPPED] = {**ROWS[VOTES], "training": {**ROWS[VOTES]["training"], "encoder_dropout": False}}
STUDENT = f"{UNDROPPED}, distilled"
ROWS[STUDENT] = {**ROWS[UNDROPPED], "name": "neural_student:Student"}
FOLDS = ("random", "article", "outlet")


def read(path: Path) -> Part:
    """Return the labelled sentences in the file's order."""
    return tasks.part(TASK, load(path, format="babe").sentences)


def with_votes(part: Part, raw: Path) -> Part:
    """Return the sentences with the shares of their annotators behind each label, from the raw labels."""
    said = defaultdict(list)
    for one in load(raw, format="babe", options={"annotators": True}, on_error="skip").sentences:
        said[one.id.partition("@")[0]].append(one.gold.labels[TASK.name])
    sentences = [e.sentence for e in part.examples]
    return tasks.part(
        TASK, [replace(s, gold=replace(s.gold, votes={TASK.name: shares(said[s.id])})) for s in sentences]
    )


def outlets(part: Part) -> list[str]:
    """Return the outlet of every sentence."""
    return [e.sentence.meta.get("outlet") or e.sentence.id for e in part.examples]


def articles(part: Part) -> list[str]:
    """Return the article of every sentence."""
    return [e.sentence.document for e in part.examples]


def folds(part: Part, kind: str) -> list[Any]:
    """Return the rows to learn from and those to predict, of five folds."""
    if kind == "random":
        return list(StratifiedKFold(5, shuffle=True, random_state=42).split(part.gold, part.gold))
    return list(GroupKFold(5).split(part.gold, groups=articles(part) if kind == "article" else outlets(part)))


def confusion(part: Part, predictions: Sequence[Prediction]) -> Counts:
    """Return one cell a sentence: gold and predicted label, (n, labels × labels)."""
    cells = np.zeros((len(part), len(LABELS), len(LABELS)))
    for k, (gold, given) in enumerate(zip(part.gold, predictions, strict=True)):
        cells[k, LABELS.index(str(gold)), LABELS.index(str(given.answer))] = 1
    return cells.reshape(len(part), -1)


def weighted_f1(counts: Counts) -> Any:
    """Return the F1 of each label weighed by its gold support, as scikit-learn's f1_score does, over (…, cells)."""
    cells = counts.reshape(*counts.shape[:-1], len(LABELS), len(LABELS))
    right, gold, given = np.diagonal(cells, axis1=-2, axis2=-1), cells.sum(axis=-1), cells.sum(axis=-2)
    each = 2 * right / np.maximum(gold + given, 1)
    return (each * gold).sum(axis=-1) / np.maximum(gold.sum(axis=-1), 1)


def published(part: Part, cut: Sequence[Any], predictions: Sequence[Prediction]) -> float:
    """Return the mean over folds of scikit-learn's weighted F1; predictions stand in the part's order."""
    found = []
    for _, unseen in cut:
        gold, given = ([rows[k] for k in unseen] for rows in (part.gold, [p.answer for p in predictions]))
        found.append(f1_score(gold, given, average="weighted"))
    return float(np.mean(found))


def out_of_fold(
    given: argparse.Namespace, title: str, own: Settings, part: Part, cut: Sequence[Any]
) -> list[list[Run]]:
    """Return for each fold a run of each seed on its test side."""
    found = []
    for number, (seen, unseen) in enumerate(cut):
        train, dev = subset(part, seen), Part(TASK) if WHOLE in title else None
        asked = [*unseen, *seen] if title.endswith(UNDROPPED) else unseen  # train, too: students learn from it
        if title.endswith(STUDENT):
            taught_by = f"{title.removesuffix(STUDENT)}{UNDROPPED} fold {number}"
            own = {**own, "teachers": teachers(given.keep, taught_by)}
        runs = run_seeds(given, f"{title} fold {number}", own, train, subset(part, asked), metric="macro_f1", dev=dev)
        found.append([Run(run.predictions[: len(unseen)], run.facts) for run in runs])
    return found


def joined(part: Part, found: Sequence[Sequence[Run]]) -> list[list[Prediction]]:
    """Return the predictions of each seed over all folds, in the part's order."""
    rows = [{p.id: p for run in seed for p in run.predictions} for seed in zip(*found, strict=True)]
    return [[row[e.id] for e in part.examples] for row in rows]


def ensembles(rows: Mapping[str, list[list[Prediction]]]) -> dict[str, list[list[Prediction]]]:
    """Return the mean of an encoder's seeds, and that with `linear` half and half, once a seed."""
    found = {}
    for title in [name for name in rows if name != "linear"]:
        one = [together(TASK, list(said)) for said in zip(*rows[title], strict=True)]
        if len(rows[title]) > 1:
            found[f"ensemble of {title}"] = [one] * len(rows[title])
        if "linear" in rows:
            both = [together(TASK, list(said)) for said in zip(one, rows["linear"][0], strict=True)]
            found[f"ensemble of {title}, with linear"] = [both] * len(rows[title])
    return found


def measure(given: argparse.Namespace, part: Part, kind: str) -> None:
    """Predict out of fold by one kind of folds, and print and note figures and differences."""
    cut = folds(part, kind)
    book = Book(given, "babe", f"5 folds, {kind}")
    groups = (outlets(part) if kind == "outlet" else articles(part)) * len(given.seeds)
    counts: dict[str, Counts] = {}
    rows: dict[str, list[list[Prediction]]] = {}
    own_settings = settings(ROWS, given)
    for title, own in own_settings.items():
        found = out_of_fold(given, f"{kind} {title}", own, part, cut)
        rows[title] = joined(part, found)
        print(f"{title}: {rates([run for fold in found for run in fold])}")
    for title, averaged in ensembles(rows).items():
        rows[title] = averaged
        own_settings[title] = next(own for own in own_settings.values() if is_neural(own))
    for title, own in own_settings.items():
        protocol = [published(part, cut, run) for run in rows[title]]
        seeds = " ".join(f"{100 * value:.1f}" for value in protocol)
        print(f"{kind}, {title}: mean over folds {100 * np.mean(protocol):.1f} ({seeds} by seed)")
        cells = [confusion(part, run) for run in rows[title]]
        counts[title] = np.concatenate(cells)
        score = counted(METRIC, counts[title], groups, weighted_f1)
        setting = {**own, "mean over folds": round(float(np.mean(protocol)), 4)}
        book.tell(title, METRIC, score, setting, [float(weighted_f1(one.sum(axis=0))) for one in cells])
        for other in [name for name in ROWS if name in counts and name != title] if is_neural(own) else ():
            if other == "linear" or "ensemble" in title or title.startswith(VOTES):
                pair = counted_difference(METRIC, counts[other], counts[title], groups, weighted_f1)
                book.tell(f"{title} − {other}", METRIC, pair, own)


def main() -> None:
    """Read the arguments and run the folds asked for."""
    options = parser(__doc__, data="final_labels_SG2.xlsx")
    options.add_argument("--folds", nargs="*", choices=FOLDS, default=list(FOLDS))
    given = parse(options)
    part = limited(read(given.data), given.limit)
    if not given.only or any(name.startswith(VOTES) for name in given.only):
        part = with_votes(part, given.data.with_name("raw_labels_SG2.xlsx"))
    print(f"{len(part)} sentences of {len(set(articles(part)))} articles and {len(set(outlets(part)))} outlets")
    for kind in given.folds:
        measure(given, part, kind)


if __name__ == "__main__":
    main()
