"""TweetEval stance with a fine-tuned encoder, out of fold on train + val, beside the plain SVM a target.

Run from the repository root, with the folder that holds one folder a target:
    python benchmarks/neural_tweeteval.py --data PATH

The five folds and the SVM (words 1–3, characters 2–5) are those of benchmarks/tweeteval.py. The target's name is read
as a pair: no tweet marks it. In every fold the model stops by each tenth tweet of its train side. F_avg is computed
over the joined predictions of the five test sides; differences are paired by tweet. *Ensemble* averages the seeds'
probabilities; *ensemble with linear* averages that with the probabilities of `linear` (logistic regression).
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from neural_common import Run, Settings, limited, parse, parser, run_seeds, settings, subset
from neural_figures import Book, Figure, rates
from stancekit import codebook, tasks
from stancekit.data.load import load
from stancekit.runs.ensemble import together
from stancekit.schema import Prediction
from stancekit.tasks import Part
from tweeteval import CANDIDATES, fitted, folds, out_of_fold, plain_svm

ROWS: dict[str, Settings] = {
    "transformer": {
        "name": "transformer",
        "pool": "mean",
        "target": "pair",
        "max_length": 128,
        "training": {"epochs": 4, "batch_size": 16, "learning_rate": 1e-4, "head_rate": 1.0, "average": 0.3},
    },
}
LOGISTIC = next(own for own in CANDIDATES if own["classifier"] == "logreg")
SVM = "plain SVM per target"
FIGURES = [Figure("f_avg", "f_avg"), Figure("f1", "macro_f1")]


def read(given: argparse.Namespace) -> Part:
    """Return the labelled tweets of train and val; of a trial, so many of them."""
    return limited(
        tasks.part(tasks.stance(codebook.default()), load(given.data, format="tweeteval").sentences), given.limit
    )


def by_fold(given: argparse.Namespace, title: str, own: Settings, whole: Part) -> list[list[Run]]:
    """Return for each fold a run of each seed on its test side."""
    found = []
    for number, (seen, unseen) in enumerate(folds(whole, 5)):
        train, test = subset(whole, seen), subset(whole, unseen)
        found.append(run_seeds(given, f"{title} fold {number}", own, train, test, metric="f_avg"))
    return found


def joined(found: list[list[Run]]) -> list[list[Prediction]]:
    """Return the predictions of each seed over all folds."""
    return [[p for run in seed for p in run.predictions] for seed in zip(*found, strict=True)]


def tell(book: Book, title: str, whole: Part, runs: dict[str, list[list[Prediction]]], own: Settings) -> None:
    """Print and note the figures of a row and its difference from the SVM."""
    book.figures(title, whole, runs[title], FIGURES, own)
    book.differences(title, SVM, whole, runs, FIGURES, own)


def main() -> None:
    """Read the arguments, predict out of fold, and print and note figures and differences."""
    given = parse(parser(__doc__, data="the folder with one folder a target"))
    whole = read(given)
    book = Book(given, "tweeteval_stance", "train + val, out of fold")
    svm = [replace(p, probabilities=None) for p in out_of_fold(whole, plain_svm(None), 5)]
    runs = {SVM: [svm] * len(given.seeds)}
    print(f"{SVM}: F_avg {100 * FIGURES[0].of(whole, svm):.1f}")
    for title, own in settings(ROWS, given).items():
        found = by_fold(given, title, own, whole)
        runs[title] = joined(found)
        print(f"{title}: {rates([run for fold in found for run in fold])}")
        tell(book, title, whole, runs, own)
    linear = out_of_fold(whole, fitted("linear", LOGISTIC), 5)
    means = [together(whole.task, list(said)) for said in zip(*runs["transformer"], strict=True)]
    both = [together(whole.task, list(said)) for said in zip(means, linear, strict=True)]
    for title, row in (("ensemble", means), ("ensemble with linear", both)):
        runs[title] = [row] * len(given.seeds)
        setting = {**own, "of seeds": given.seeds, "linear": LOGISTIC}
        tell(book, title, whole, runs, setting)
        book.differences(title, "transformer", whole, runs, FIGURES, setting)


if __name__ == "__main__":
    main()
