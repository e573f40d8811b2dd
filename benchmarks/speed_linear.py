"""Time of the linear model beside a plain scikit-learn pipeline with the same features, in one run.

Run from the repository root:
    python benchmarks/speed_linear.py --data PATH        PATH: NewsMTSC's train.jsonl (or any labelled text)

Both get the same n-grams (their probabilities are compared, too) and the same solver. Each round times both, in
turn, on fresh texts' counts (`cold`: nothing is cached); then stancekit fits and predicts again with another seed
(`warm`: as further folds, seeds or settings do). The figure is the median over rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from stancekit import tasks
from stancekit.data.load import load
from stancekit.models import ngrams
from stancekit.models.linear import Linear
from stancekit.schema import Example
from stancekit.tasks import Part

LABELS = ["negative", "neutral", "positive"]


def parts(path: Path) -> tuple[Part, Part]:
    """Return four fifths and one fifth of the sentences, each with the label of its first target."""
    task = tasks.own("sentiment", "single", LABELS)
    sentences = [s for s in load(path, format="newsmtsc").sentences if s.gold.labels["sentiment"]]
    examples = tuple(Example(id=s.id, sentence=s) for s in sentences)
    gold = tuple(s.gold.labels["sentiment"][0].label for s in sentences)  # type: ignore[index,union-attr]
    cut = len(gold) * 4 // 5
    return Part(task, examples[:cut], gold[:cut]), Part(task, examples[cut:], gold[cut:])


def timed(step: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a step took, and what it gave."""
    start = time.perf_counter()
    result = step()
    return time.perf_counter() - start, result


def ours(train: Part, test: Part, seed: int) -> tuple[float, float, Any]:
    """Return seconds to train and to predict, and probabilities."""
    model = Linear(class_weight=None, seed=seed)
    fitting, _ = timed(lambda: model.fit(train, Part(train.task)))
    predicting, found = timed(lambda: model.predict(test.examples))
    return fitting, predicting, np.array([[p.probabilities[label] for label in LABELS] for p in found])


def theirs(train: Part, test: Part) -> tuple[float, float, Any]:
    """Return the same of scikit-learn's pipeline."""
    union = make_union(
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+", sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    pipeline = make_pipeline(union, LogisticRegression(max_iter=1000))
    texts, asked = ([e.sentence.text for e in p.examples] for p in (train, test))
    fitting, _ = timed(lambda: pipeline.fit(texts, train.gold))
    return fitting, *timed(lambda: pipeline.predict_proba(asked))


def main() -> None:
    """Read the arguments and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    train, test = parts(given.data)
    rows: dict[str, list[tuple[float, float]]] = {"scikit-learn": [], "stancekit, cold": [], "stancekit, warm": []}
    for seed in range(given.rounds):
        ngrams.store.cache_clear()
        *cold, found = ours(train, test, seed)
        *warm, _ = ours(train, test, seed + 1)
        *plain, wanted = theirs(train, test)
        for name, value in zip(rows, (plain, cold, warm), strict=True):
            rows[name].append((value[0], value[1]))
    print(f"{len(train)} sentences to train on, {len(test)} to predict, {given.rounds} rounds")
    print(f"largest difference of a probability: {np.abs(found - wanted).max():.1e}")
    base = np.median(rows["scikit-learn"], axis=0)
    for name, values in rows.items():
        fitting, predicting = np.median(values, axis=0)
        ratios = f"ratio {fitting / base[0]:.2f} {predicting / base[1]:.2f}"
        print(f"{name:16} train {fitting:6.2f} s   predict {predicting:6.3f} s   {ratios}")


if __name__ == "__main__":
    main()
