"""BABE (Spinde et al. 2021): news sentences labelled by experts as biased or not, with the biased words."""

from __future__ import annotations

import ast
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from stancekit.data.formats.base import ReadLog, read_only
from stancekit.data.record import text_problem
from stancekit.errors import StancekitError, did_you_mean, fail
from stancekit.files import os_problem, sha256
from stancekit.schema import Answer, Layers, Sentence, Span

LABELS = ("Biased", "Non-biased")
NO_AGREEMENT = "No agreement"
_NEEDED = ("text", "news_link", "outlet", "topic", "type", "label_bias", "label_opinion", "biased_words")
_OWN = {"news_link", "label_bias", "label_opinion", "biased_words"}
_META = {"outlet": "outlet", "topic": "topic", "type": "leaning"}


_FOLDED = str.maketrans("“”„‘’\u00a0", '"""\'\' ')  # what annotators typed for the text's typography


class BABE:
    """Reads `final_labels_SG2.xlsx`; with `annotators`, `raw_labels_SG2.xlsx`, one record an annotator.

    Labels: `bias` (Biased, Non-biased), `opinion`, and `biased_words`, spans labelled `biased`. The document is the
    article's address. The id is `babe.` with the hash of the text, so that both files have the same; of one
    annotator it ends in `@` and the annotator's number, which also stands as `annotator` in the metadata.
    Sentences without agreement are dropped and counted.
    """

    def __init__(self, *, annotators: bool = False) -> None:
        self.annotators = annotators

    @staticmethod
    def may_be(path: Path) -> bool:
        """Say whether a workbook has a column of this data set's own, or cannot be read: `read` says why."""
        try:
            return not _OWN.isdisjoint(map(str, next(_rows(path), ())))
        except StancekitError:
            return True

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentence of every row."""
        rows = _rows(path)
        header = [str(cell) for cell in next(rows, ())]
        needed = (*_NEEDED, "annotator_id") if self.annotators else _NEEDED
        for name in needed:
            if name not in header:
                hint = did_you_mean(name, header) if header else "give the file as published"
                log.problems.add(path, f"there is no column {name!r}", hint)
        if log.problems:
            return
        if not self.annotators and "annotator_id" in header:
            raise fail(path, "this file has a row an annotator", "set `annotators: true`")
        for number, cells in enumerate(rows, start=2):
            where = f"{path}: row {number}"
            row = {key: "" if cell is None else str(cell) for key, cell in zip(header, cells, strict=False)}
            sentence = self._sentence(row, where, log) if any(row.values()) else None
            if sentence is not None:
                log.place(sentence.id, where)
                yield sentence

    def _sentence(self, row: Mapping[str, str], where: str, log: ReadLog) -> Sentence | None:
        text, label = row["text"], row["label_bias"].split(",")[0]  # one raw label reads `Biased, unfair`
        if label == NO_AGREEMENT:
            log.counts["sentences without agreement (dropped)"] += 1
            return None
        if wrong := text_problem(text):
            return log.problems.add(where, wrong, "remove the row, or set `on_error: skip`")
        if label not in LABELS:
            return log.problems.add(where, f"unknown label {label!r}", f"expected one of: {', '.join(LABELS)}")
        item = f"babe.{sha256(text.encode())[:12]}"
        meta = {new: row[old] for old, new in _META.items() if row[old]}
        words = _words(row["biased_words"], where, log)
        labels: dict[str, Answer] = {"bias": label, "biased_words": _spans(words, text, log)}
        if row["label_opinion"]:
            labels["opinion"] = row["label_opinion"]
        gold = Layers(text=text, labels=labels)
        name = item
        if self.annotators:
            meta["annotator"] = row["annotator_id"]
            name = f"{item}@{row['annotator_id']}"
        document = row["news_link"].strip() or item
        log.counts["sentences without an article's address"] += document == item
        return Sentence(id=name, text=text, document=document, meta=meta, gold=gold)

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Refuse to write: the format is read only."""
        raise read_only("babe")


def _rows(path: Path) -> Iterator[tuple[Any, ...]]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        yield from book.worksheets[0].iter_rows(values_only=True)
        book.close()
    except OSError as error:
        raise os_problem(path, error) from error
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, EOFError, SyntaxError) as error:
        hint = "it is truncated or no xlsx; give the file as published"
        raise fail(path, f"this workbook cannot be read: {error}", hint) from error


def _words(cell: str, where: str, log: ReadLog) -> list[str]:
    """Return the biased words of a cell: a Python list, or of one annotator, words between commas."""
    if not cell.startswith("["):
        return [word for part in cell.split(",") if (word := part.strip()) and word != "nan"]
    try:
        value = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, list):
        log.problems.add(where, f"`biased_words` is no list: {cell[:40]!r}", "write ['word', 'word']")
        return []
    return [word for item in value if (word := str(item).strip())]


def _spans(words: Iterable[str], text: str, log: ReadLog) -> tuple[Span, ...]:
    """Return the next place of every word that is not taken yet, whole words first, letter case apart."""
    found: list[Span] = []
    text = text.translate(_FOLDED)
    for word in words:
        log.counts["biased words"] += 1
        escaped = re.escape(word.translate(_FOLDED))
        places = (m.span() for p in (rf"(?<!\w){escaped}(?!\w)", escaped) for m in re.finditer(p, text, re.IGNORECASE))
        span = next((s for a, b in places if (s := Span(a, b, "biased")) not in found), None)
        log.counts["biased words that are not in the text"] += span is None
        if span is not None:
            found.append(span)
    return tuple(sorted(found))
