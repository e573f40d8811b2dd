"""TweetEval stance, out of fold on train + val: the linear model beside a majority per target and a plain SVM.

Run from the repository root:
    python benchmarks/tweeteval.py --data PATH

Five folds stratified by target and label. In every fold, the linear model's settings are chosen by three inner
folds of its train side alone; F_avg is computed over the joined predictions of the five test sides, the
differences by paired bootstrap over tweets.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from ledger import append
from stancekit import codebook, components, scoring, tasks
from stancekit.data.load import load
from stancekit.schema import Prediction
from stancekit.tasks import Part

Predict = Callable[[Part, Part], list[Prediction]]
SEED = 13
ANSWERS_ONLY = {"calibrate": False}
CANDIDATES: list[dict[str, Any]] = [
    {"classifier": "svm", "C": 0.1, "word": [1, 3], "min_df": 2, "target": {"pair": 1.0}, **ANSWERS_ONLY},
    {"classifier": "svm", "C": 0.3, "word": [1, 3], "min_df": 2, "target": {"pair": 1.0}, **ANSWERS_ONLY},
    {"classifier": "logreg", "C": 1.0, "word": [1, 3], "min_df": 2, "target": {"pair": 1.0}, **ANSWERS_ONLY},
    {"classifier": "nbsvm", "C": 1.0, "word": [1, 3], "target": {"pair": 2.0}, **ANSWERS_ONLY},
]


def subset(whole: Part, rows: Sequence[int]) -> Part:
    """Return some examples of a part."""
    return Part(whole.task, tuple(whole.examples[k] for k in rows), tuple(whole.gold[k] for k in rows))


def names(part: Part) -> list[str]:
    """Return the target of every example."""
    return [e.target.name if e.target else "" for e in part.examples]


def folds(part: Part, count: int) -> list[tuple[Any, Any]]:
    """Return folds stratified by target and label."""
    strata = [f"{name} {label}" for name, label in zip(names(part), part.gold, strict=True)]
    return list(StratifiedKFold(count, shuffle=True, random_state=SEED).split(strata, strata))


def out_of_fold(part: Part, predict: Predict, count: int) -> list[Prediction]:
    """Return predictions of every example by a model that has not seen its fold."""
    found = [predict(subset(part, seen), subset(part, unseen)) for seen, unseen in folds(part, count)]
    return [p for fold in found for p in fold]


def fitted(name: str, settings: dict[str, Any]) -> Predict:
    """Return a step that fits one of stancekit's models and predicts."""

    def predict(train: Part, test: Part) -> list[Prediction]:
        model = components.build("model", name, settings)
        model.fit(train, Part(train.task))
        return model.predict(test.examples)  # type: ignore[no-any-return]

    return predict


def plain_svm(weight: str | None) -> Predict:
    """Return a step with one scikit-learn pipeline a target: words 1–3, characters 2–5, LinearSVC."""

    def predict(train: Part, test: Part) -> list[Prediction]:
        found: dict[str, str] = {}
        for name in sorted(set(names(test))):
            own, asked = ([k for k, n in enumerate(names(p)) if n == name] for p in (train, test))
            union = make_union(
                TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True),
                TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
            )
            svm = make_pipeline(union, LinearSVC(class_weight=weight, random_state=SEED))
            svm.fit([train.examples[k].sentence.text for k in own], [train.gold[k] for k in own])
            labels = svm.predict([test.examples[k].sentence.text for k in asked])
            found |= {test.examples[k].id: str(label) for k, label in zip(asked, labels, strict=True)}
        return [Prediction(id=e.id, answer=found[e.id]) for e in test.examples]

    return predict


def f_avg(part: Part, predictions: list[Prediction], resamples: int = 100) -> scoring.Score:
    """Return the mean of F1(favor) and F1(against), with its interval over tweets."""
    return scoring.score(part, predictions, metrics=["f_avg"], resamples=resamples).find("f_avg")


def chosen(counts: Counter[str]) -> Predict:
    """Return a step that chooses the linear model's settings by inner folds of train, and notes its choice."""

    def predict(train: Part, test: Part) -> list[Prediction]:
        values = [f_avg(train, out_of_fold(train, fitted("linear", c), 3)).value for c in CANDIDATES]
        best = CANDIDATES[int(np.argmax(values))]
        label = f"{best['classifier']} C {best['C']} pair {best['target']['pair']}"
        counts[label] += 1
        print(f"  chosen: {label}; inner F_avg {' '.join(f'{100 * v:.1f}' for v in values)}", flush=True)
        return fitted("linear", best)(train, test)

    return predict


def main() -> None:
    """Read the arguments, predict out of fold, print figures and differences, and add them to the ledger."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with one folder a target")
    given = parser.parse_args()
    part = tasks.part(tasks.stance(codebook.default()), load(given.data, format="tweeteval").sentences)
    choices: Counter[str] = Counter()
    systems: dict[str, Predict] = {
        "majority per target": fitted("majority", {}),
        "plain SVM per target": plain_svm(None),
        "plain SVM per target, balanced": plain_svm("balanced"),
        "linear": chosen(choices),
    }
    runs = {name: out_of_fold(part, predict, 5) for name, predict in systems.items()}
    for name, predictions in runs.items():
        score = f_avg(part, predictions, 10_000)
        print(f"{name:32} {100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]")
        setting = {"chosen in inner folds": dict(choices)} if name == "linear" else {}
        append("tweeteval_stance", "train + val, out of fold", score, name, setting)
    for name in [n for n in systems if n != "linear"]:
        pair = {name: runs[name], "linear": runs["linear"]}
        score = scoring.compare(part, pair, metrics=["f_avg"]).find("f_avg", slice=f"linear − {name}")
        span = f"[{100 * score.low:+.1f}, {100 * score.high:+.1f}]"
        print(f"linear − {name:32} {100 * score.value:+.1f} {span} p {score.p:.4f}")
        append("tweeteval_stance", "train + val, out of fold", score, f"linear − {name}", {"test": "paired bootstrap"})


if __name__ == "__main__":
    main()
