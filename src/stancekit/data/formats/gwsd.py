"""GWSD (Luo et al. 2020): the stance of news sentences on global warming."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from stancekit.data.formats.base import ReadLog, read_only
from stancekit.data.record import text_problem
from stancekit.errors import did_you_mean, fail
from stancekit.files import read_text
from stancekit.schema import Layers, Sentence, Stance, Target

TASK = "agreement"
TARGET = Target("climate change is a serious concern")
LABELS = ("disagree", "agree", "neutral")
WORKERS = {"disagrees": "disagree", "agrees": "agree", "neutral": "neutral"}


class GWSD:
    """Reads `GWSD_train.tsv`; the label is the largest posterior, toward the one target of the data set.

    The labels are those of the task `agreement`. Rows without posteriors are screens of the annotators: they
    are dropped and counted. With `annotators`, one record a worker who answered, with the worker as
    `annotator` in the metadata and after an `@` in the id; screens are dropped all the same.
    """

    def __init__(self, *, annotators: bool = False) -> None:
        self.annotators = annotators

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentence of every row, or one a worker."""
        rows = csv.DictReader(read_text(path).splitlines(keepends=True), delimiter="\t")
        try:
            header = list(rows.fieldnames or ())
            for name in ("sentence", "guid", *LABELS):
                if name not in header:
                    hint = did_you_mean(name, header) if header else "give the file as published"
                    log.problems.add(f"{path}:1", f"there is no column {name!r}", hint)
            if log.problems:
                return
            for row in rows:
                for sentence in self._row(row, f"{path}:{rows.line_num}", log):
                    log.place(sentence.id, f"{path}:{rows.line_num}")
                    yield sentence
        except csv.Error as error:
            where = f"{path}:{rows.line_num + 1}"
            raise fail(where, f"no valid TSV: {error}", "give the file as published") from error

    def _row(self, row: Mapping[str, str | None], where: str, log: ReadLog) -> Iterator[Sentence]:
        text, name = row["sentence"] or "", row["guid"] or ""
        given = [row[label] or "" for label in LABELS]
        if not any(given):
            log.counts["screens (dropped)"] += 1
            return
        shares = [_number(value) for value in given]
        wrong = text_problem(text) or ("" if name else "`guid` is missing")
        if wrong or not all(math.isfinite(share) for share in shares):
            log.problems.add(where, wrong or f"posteriors that are no numbers: {given}", "give the file as published")
            return
        meta = {key: row[key] for key in ("round", "batch") if row.get(key)}
        answers = [("", max(zip(shares, LABELS, strict=True))[1])]
        if self.annotators:
            workers = sorted(key for key in row if key and key.startswith("worker_") and row[key])
            unknown = [row[key] for key in workers if row[key] not in WORKERS]
            if unknown:
                log.problems.add(where, f"unknown label {unknown[0]!r}", did_you_mean(str(unknown[0]), WORKERS))
                return
            answers = [(key, WORKERS[row[key] or ""]) for key in workers]
        for annotator, label in answers:
            own = {"annotator": annotator} if annotator else {}
            gold = Layers(text=text, labels={TASK: (Stance(TARGET, label),)})
            sentence_id = f"{name}@{annotator}" if annotator else name
            yield Sentence(id=sentence_id, text=text, document=name, meta=meta | own, gold=gold)

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Refuse to write: the format is read only."""
        raise read_only("gwsd")


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan
