"""Pages: a text with its marks, as a tool holds it, cut into sentences; and sentences put together as pages."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancekit.data import record
from stancekit.data.formats import carried as carriage
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.marks import Mark, Marks, marks_of
from stancekit.data.formats.spelled import Found, spell
from stancekit.errors import fail
from stancekit.files import make_folder
from stancekit.schema import Sentence, Span
from stancekit.text.segment import sentences as segment

LIMIT = 1_000_000
"""The longest sentence that is read, in characters; a longer one is a damaged file."""


@dataclass(kw_only=True)
class Piece:
    """One sentence of a page: its span, its index in the document, its place in the file, what was carried of it."""

    span: Span
    index: int
    where: str
    carried: Mapping[str, Any] | None = None


@dataclass(kw_only=True)
class Page:
    """A text with its marks; `annotated` is False where nobody has worked on it yet.

    With `annotator`, the sentences are those of one of several: the id ends in `@` and the name, which also
    stands in the metadata.
    """

    document: str
    text: str
    found: Marks
    pieces: list[Piece]
    annotated: bool = True
    annotator: str = ""


def whole(text: str, where: str, carried: Mapping[str, Any] | None = None, *, split: bool = False) -> list[Piece]:
    """Return a text as one sentence, or cut into sentences by rule where nothing says that it is one."""
    if split and carried is None and len(text) <= LIMIT:
        return [Piece(span=span, index=k, where=where) for k, span in enumerate(segment(text))]
    return [Piece(span=Span(0, len(text)), index=0, where=where, carried=carried)] if text else []


def lines(text: str, where: str) -> Iterator[Piece]:
    """Yield the lines of a text that are not blank; the index is the line's number, from 0."""
    at = 0
    for index, line in enumerate(text.split("\n")):
        size = len(line.removesuffix("\r"))
        if line.strip():
            yield Piece(span=Span(at, at + size), index=index, where=f"{where}:{index + 1}")
        at += len(line) + 1


def assemble(
    pages: Sequence[Page], log: ReadLog, task: str | None = None, annotated: Collection[str] | None = None
) -> Iterator[Sentence]:
    """Yield the sentences of pages; layers that occur anywhere in them count as annotated in all of them.

    Where a sentence carries its own list of layers, that one counts; where `annotated` lists layers and tasks,
    those do everywhere. Marks are cut at the ends of sentences, links across them are dropped; both are counted.
    """
    cut = [(page, [spell(m, _text(page, p), task) for m, p in _cut(page, log)]) for page in pages]
    seen = {name for _, found in cut for item in found for name in item}
    for page, found in cut:
        for piece, item in zip(page.pieces, found, strict=True):
            with log.problems.catching(piece.where):
                sentence = _sentence(page, piece, item, seen, annotated or (), log)
                if sentence is not None:
                    log.place(sentence.id, piece.where)
                    yield sentence


def _text(page: Page, piece: Piece) -> str:
    return piece.span.of(page.text)


def _sentence(
    page: Page, piece: Piece, found: Found, seen: Collection[str], annotated: Collection[str], log: ReadLog
) -> Sentence | None:
    size = piece.span.end - piece.span.start
    if size > LIMIT:
        hint = "put a line end after every sentence; the file may be damaged"
        log.problems.add(piece.where, f"a sentence of {size:,} characters", hint)
        return None
    carried = {"id": f"{page.document}.{piece.index}", "document": page.document, "index": piece.index}
    carried |= piece.carried or {}
    if not page.annotated:
        carried = carriage.untouched(carried)
    for name in annotated if page.annotated else ():
        found.setdefault(name, [])
    value = carriage.native(_text(page, piece), carried, found, seen)
    if page.annotator:
        value["id"] = f"{value['id']}@{page.annotator}"
        value["meta"] = {**(value.get("meta") or {}), "annotator": page.annotator}
    stamp = value.get("codebook")
    sentence = record.Reader(piece.where, log.problems).sentence(value)
    if sentence is not None and isinstance(stamp, dict):
        log.stamp(piece.where, stamp)
    return sentence


def _cut(page: Page, log: ReadLog) -> list[tuple[Marks, Piece]]:
    """Return the marks of every sentence, on its own offsets."""
    starts = [piece.span.start for piece in page.pieces]
    pieces = [Marks() for _ in page.pieces]
    numbers: list[dict[int, int]] = []
    for mark in page.found.marks:
        shares = _shares(mark, page.pieces, starts)
        log.counts["marks cut at the end of a sentence"] += len(shares) > 1
        log.counts["marks outside every sentence"] += not shares
        numbers.append({k: pieces[k].add(Mark(mark.label, parts, mark.fields)) for k, parts in shares.items()})
    for a, b in page.found.links:
        common = numbers[a].keys() & numbers[b].keys()
        log.counts["links across sentences (dropped)"] += not common
        for k in common:
            pieces[k].links.append((numbers[a][k], numbers[b][k]))
    for group in page.found.groups:
        homes = sorted({k for n in group for k in numbers[n]})
        log.counts["relations cut at the end of a sentence"] += len(homes) > 1
        for k in homes:
            pieces[k].groups.append(tuple(numbers[n][k] for n in group if k in numbers[n]))
    log.counts = +log.counts
    return list(zip(pieces, page.pieces, strict=True))


def _shares(mark: Mark, pieces: Sequence[Piece], starts: Sequence[int]) -> dict[int, tuple[Span, ...]]:
    """Return the parts of a mark in each sentence that it touches, on the sentence's offsets."""
    found: dict[int, tuple[Span, ...]] = {}
    for part in mark.parts:
        k = max(bisect.bisect_right(starts, part.start) - 1, 0)
        while k < len(pieces) and pieces[k].span.start < part.end:
            span = pieces[k].span
            start, end = max(part.start, span.start), min(part.end, span.end)
            if start < end:
                found[k] = (*found.get(k, ()), Span(start - span.start, end - span.start))
            k += 1
    return found


@dataclass
class Sheet:
    """A document to be written: its sentences one below the other, and their marks on its text."""

    document: str
    text: str = ""
    spans: list[Span] = field(default_factory=list)
    found: Marks = field(default_factory=Marks)
    carried: list[dict[str, Any]] = field(default_factory=list)


def sheets(
    sentences: Iterable[Sentence], codebook: Mapping[str, str] | None, lost: Counter[str], *, one_line: bool = False
) -> list[Sheet]:
    """Return a sheet a document; with `one_line`, line ends inside a sentence become spaces and are counted."""
    found: dict[str, Sheet] = {}
    every = list(sentences)
    for sentence, carried in zip(every, carriage.carry(every, codebook), strict=True):
        sheet = found.setdefault(sentence.document, Sheet(sentence.document))
        text, marks = sentence.text, marks_of(sentence.gold, lost)
        if one_line:
            lost["line end in a text (now a space)"] += sum(text.count(end) for end in "\r\n")
            text = text.replace("\r", " ").replace("\n", " ")
        start, first = len(sheet.text), len(sheet.found.marks)
        sheet.text += text + "\n"
        sheet.spans.append(Span(start, start + len(text)))
        sheet.found.marks += marks.moved(start)
        sheet.found.links += [(a + first, b + first) for a, b in marks.links]
        sheet.carried.append(carried)
    return list(found.values())


def folder_for(path: Path, names: Collection[str], ending: str) -> Path:
    """Create the folder that the documents are written to; one that holds others is refused, they would mix."""
    make_folder(path)
    others = sorted(file.name for file in path.glob(f"*{ending}") if file.stem not in names)
    if others:
        what = f"there are other documents in this folder: {', '.join(others[:3])}{' …' if len(others) > 3 else ''}"
        raise fail(path, what, "give a new folder")
    return path


def file_names(documents: Iterable[str]) -> dict[str, str]:
    """Return a safe file name, without ending, for every document; no two are the same."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for document in documents:
        base = re.sub(r"[^\w.-]+", "_", document).strip(".")[:100] or "document"
        name, k = base, 1
        while name.lower() in taken:  # some file systems do not tell case apart
            k += 1
            name = f"{base}-{k}"
        taken.add(name.lower())
        found[document] = name
    return found
