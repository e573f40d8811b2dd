"""PTC, span identification: `spans` beside `crf`, character F1 on articles of train held out.

Run from the repository root, with the folder as published:
    python benchmarks/neural_ptc.py screen --data PATH     for choosing: a fifth of the articles that `read` learns from
    python benchmarks/neural_ptc.py read --data PATH       every fifth article of train, once a row

The figure is that of the shared task (SemEval-2020 task 11, SI; Da San Martino et al. 2019), on offsets of the article
with overlapping spans merged: precision is the mean over predicted spans s of |s ∩ gold| / |s|, recall that over gold
spans t of |t ∩ predicted| / |t|, both over all articles at once. That is stancekit's `span_proportional`, but for gold
spans that cross lines or overlap, which count once here; both are printed. Intervals resample articles. Models stop
by each tenth article of their train.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neural_common import Settings, cut, limited, parse, parser, run_seeds, settings
from neural_figures import Book, Figure, counted, counted_difference, rates
from stancekit import tasks
from stancekit.data.formats.pages import lines
from stancekit.data.load import load
from stancekit.files import read_text
from stancekit.metrics.base import Counts
from stancekit.schema import Prediction, Span
from stancekit.tasks import Part

LABEL = "propaganda"
TASK = tasks.own("propaganda", "spans", [LABEL])
METRIC = "si_f1"
OURS = Figure("span_proportional", "span_proportional_f1")
ROWS: dict[str, Settings] = {
    "crf": {"name": "crf"},
    "spans": {"name": "spans"},
}

Ranges = list[tuple[int, int]]
"""Character ranges of an article."""


def read(path: Path) -> Part:
    """Return the lines of all articles with their spans, one label for all."""
    return tasks.part(TASK, load(path, format="ptc", options={"subtask": "SI"}).sentences)


def merged(ranges: Ranges) -> Ranges:
    """Return ranges with those that share a character put together."""
    found: Ranges = []
    for start, end in sorted(ranges):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def gold_ranges(path: Path) -> dict[str, Ranges]:
    """Return the annotated spans of every article, as published and merged."""
    found: dict[str, Ranges] = {}
    for row in read_text(path / "train-task1-SI.labels").splitlines():
        article, start, end = row.split("\t")
        found.setdefault(article, []).append((int(start), int(end)))
    return {article: merged(ranges) for article, ranges in found.items()}


def predicted_ranges(path: Path, part: Part, predictions: Sequence[Prediction]) -> dict[str, Ranges]:
    """Return the predicted spans of every article on its own offsets, merged."""
    starts: dict[str, dict[int, int]] = {}
    found: dict[str, Ranges] = {}
    for example, prediction in zip(part.examples, predictions, strict=True):
        article = example.sentence.document
        if article not in starts:
            text = read_text(path / "train-articles" / f"article{article}.txt")
            starts[article] = {piece.index: piece.span.start for piece in lines(text, "")}
        at = starts[article][example.sentence.index]
        assert isinstance(prediction.answer, tuple)
        spans = [s for s in prediction.answer if isinstance(s, Span)]
        found.setdefault(article, []).extend((at + s.start, at + s.end) for s in spans)
    return {article: merged(ranges) for article, ranges in found.items()}


def covered(these: Ranges, by: Ranges) -> float:
    """Return the sum over ranges of the share that others cover, which do not overlap one another."""
    shares = [sum(max(0, min(b, d) - max(a, c)) for c, d in by) / (b - a) for a, b in these]
    return float(sum(shares))


def counts(articles: Sequence[str], gold: Mapping[str, Ranges], given: Mapping[str, Ranges]) -> Counts:
    """Return for each article: covered shares and number of predicted spans, then of gold spans."""
    rows = []
    for article in articles:
        own, found = gold.get(article, []), given.get(article, [])
        rows.append((covered(found, own), len(found), covered(own, found), len(own)))
    return np.array(rows, dtype=np.float64)


def si_f1(summed: Counts) -> Any:
    """Return the harmonic mean of precision and recall, over (…, 4)."""
    hits, given, found, own = np.moveaxis(summed, -1, 0)
    precision, recall = hits / np.maximum(given, 1), found / np.maximum(own, 1)
    return 2 * precision * recall / np.maximum(precision + recall, 1e-12)


def measure(given: argparse.Namespace, train: Part, held: Part, part: str) -> None:
    """Train, predict, and print and note the figures of every row and its difference from the CRF."""
    articles = sorted({e.sentence.document for e in held.examples})
    gold = gold_ranges(given.data)
    book = Book(given, "ptc", part)
    groups = articles * len(given.seeds)
    rest, dev = cut(train, 10, 1)
    found: dict[str, Counts] = {}
    for title, own in settings(ROWS, given).items():
        runs = run_seeds(given, f"{given.step} {title}", own, rest, held, metric=OURS.row, dev=dev)
        rows = [counts(articles, gold, predicted_ranges(given.data, held, run.predictions)) for run in runs]
        found[title] = np.concatenate(rows)
        each = [float(si_f1(row.sum(axis=0))) for row in rows]
        by_line = np.mean([OURS.of(held, run.predictions) for run in runs])
        print(f"{title}: {rates(runs)}; {OURS.row} by line {100 * by_line:.1f}")
        book.tell(title, METRIC, counted(METRIC, found[title], groups, si_f1), own, each)
        if title != "crf" and "crf" in found:
            pair = counted_difference(METRIC, found["crf"], found[title], groups, si_f1)
            book.tell(f"{title} − crf", METRIC, pair, own)


def main() -> None:
    """Read the arguments and run one of the two steps."""
    options = parser(__doc__, data="the folder with train-articles and train-task1-SI.labels")
    options.add_argument("step", choices=["screen", "read"])
    given = parse(options)
    train, held = cut(read(given.data), 5)
    part = "every fifth article of train"
    if given.step == "screen":
        train, held = cut(train, 5, 2)
        part = "a fifth of the other articles of train"
    measure(given, limited(train, given.limit), limited(held, given.limit), part)


if __name__ == "__main__":
    main()
