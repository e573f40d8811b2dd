"""NewsMTSC: sentiment toward a target, the linear model with and without the target's view.

Run from the repository root:
    python benchmarks/newsmtsc.py choose --data PATH      settings, by articles of train held out
    python benchmarks/newsmtsc.py read --data PATH        dev_rw and dev_mt, once a row; appended to ledger.jsonl
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ledger import append
from stancekit import components, scoring, tasks
from stancekit.data.load import load
from stancekit.models.calibrate import inner_folds
from stancekit.tasks import Part

TASK = tasks.own("sentiment", "targeted", ["negative", "neutral", "positive"], ["f1"])
BLIND = {"mask": False, "mark": False, "window": 0, "name": False}
CANDIDATES: dict[str, dict[str, Any]] = {
    "no target": {"target": BLIND},
    "mask, window 5": {"target": {"window": 5, "name": False}},
    "mask, window 5, name": {"target": {"window": 5}},
    "mask, window 12, name": {"target": {"window": 12}},
    "mask, window 20, name": {"target": {"window": 20}},
    "mark only, window 12, name": {"target": {"mask": False, "window": 12}},
    "window 12, word 1-3": {"word": [1, 3], "target": {"window": 12}},
    "window 12, min_df 2": {"min_df": 2, "target": {"window": 12}},
    "window 12, C .5": {"C": 0.5, "target": {"window": 12}},
    "window 12, C 2": {"C": 2.0, "target": {"window": 12}},
    "window 12, svm C .1": {"classifier": "svm", "C": 0.1, "target": {"window": 12}},
    "no target, svm C .1": {"classifier": "svm", "C": 0.1, "target": BLIND},
    "window 5, svm C .1": {"classifier": "svm", "C": 0.1, "target": {"window": 5}},
    "window 20, svm C .1": {"classifier": "svm", "C": 0.1, "target": {"window": 20}},
    "window 12, svm C .05": {"classifier": "svm", "C": 0.05, "target": {"window": 12}},
    "window 12, svm C .2": {"classifier": "svm", "C": 0.2, "target": {"window": 12}},
    "window 12, nbsvm C 1": {"classifier": "nbsvm", "C": 1.0, "target": {"window": 12}},
    "window 12, pair .5": {"target": {"window": 12, "pair": 0.5}},
}
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "majority": ("majority", {"per_target": False}),
    "linear, no target": ("linear", CANDIDATES["no target, svm C .1"]),
    "linear": ("linear", CANDIDATES["window 5, svm C .1"]),
}


def part(path: Path) -> Part:
    """Return the labelled targets of one file."""
    return tasks.part(TASK, load(path, format="newsmtsc").sentences)


def subset(whole: Part, rows: Any) -> Part:
    """Return some examples of a part."""
    return Part(whole.task, tuple(whole.examples[k] for k in rows), tuple(whole.gold[k] for k in rows))


def macro_f1(model: Any, test: Part, resamples: int) -> scoring.Score:
    """Return macro-F1 with its interval over articles."""
    scores = scoring.score(test, model.predict(test.examples), groups_by=("document",), slices=(), resamples=resamples)
    return scores.find("macro_f1")


def choose(data: Path, folds: int) -> None:
    """Print the mean macro-F1 of every candidate over folds of train that keep articles whole."""
    train = part(data / "train.jsonl")
    cuts = list(inner_folds([e.sentence.document for e in train.examples], 5))[:folds]
    for name, settings in CANDIDATES.items():
        found = []
        for seen, unseen in cuts:
            model = components.build("model", "linear", settings)
            model.fit(subset(train, seen), Part(TASK))
            found.append(macro_f1(model, subset(train, unseen), 100).value)
        print(f"{name:30} {100 * sum(found) / len(found):.1f}", flush=True)


def read(data: Path) -> None:
    """Fit every row on train, read the two dev files once, whole and without the articles of train."""
    train = part(data / "train.jsonl")
    articles = {e.sentence.document for e in train.examples}
    for row, (name, settings) in ROWS.items():
        model = components.build("model", name, settings)
        model.fit(train, Part(TASK))
        for file in ("dev_rw", "dev_mt"):
            whole = part(data / f"{file}.jsonl")
            apart = [k for k, e in enumerate(whole.examples) if e.sentence.document not in articles]
            for cut, test in ((file, whole), (f"{file}, articles not in train", subset(whole, apart))):
                score = macro_f1(model, test, 10_000)
                print(f"{row:20} {cut:32} n {len(test):5} {_shown(score)}", flush=True)
                append("newsmtsc", cut, score, row, {"model": name, **settings})


def _shown(score: scoring.Score) -> str:
    return f"{100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def main() -> None:
    """Read the arguments and run one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["choose", "read"])
    parser.add_argument("--data", type=Path, required=True, help="the folder with train.jsonl and the dev files")
    parser.add_argument("--folds", type=int, default=3, help="of the five folds by article, how many `choose` fits")
    given = parser.parse_args()
    if given.step == "choose":
        choose(given.data, given.folds)
    else:
        read(given.data)


if __name__ == "__main__":
    main()
