"""PolNeAR (Newell et al. 2018): attribution relations in US political news, in brat standoff."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stancekit.data.formats.base import ReadLog, read_only
from stancekit.errors import did_you_mean, fail
from stancekit.files import read_text
from stancekit.schema import Attribution, Layers, Parts, Sentence, Span, hull
from stancekit.text.segment import sentences as segment

ROLES = {"Source": "source", "Cue": "cue", "Content": "content", "Content2": "content"}
_META = {"publisher": "outlet", "publication_date": "date", "author": "author", "compartment": "part"}
_OFFSETS = re.compile(r"\d+ \d+(;\d+ \d+)*")


@dataclass
class _Relation:
    """A relation on offsets of the article."""

    source: list[Span] = field(default_factory=list)
    cue: list[Span] = field(default_factory=list)
    content: list[Span] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        return self.source + self.cue + self.content


class PolNeAR:
    """Reads a folder with `text/` and `attributions/`, or one of several such folders (train, dev).

    Sentences are ours; a relation is cut at their ends: its parts in other sentences are missing from the
    sentence of its cue, and counted. With `outside="keep"` they stand as a relation of their own where they are
    (the second sentence of a quotation is content too). `annotator` chooses one of
    several annotators by code, otherwise the first by name. Source type and cue stance are not annotated.
    """

    def __init__(self, *, annotator: str | None = None, outside: Literal["keep", "missing"] = "missing") -> None:
        if outside not in ("keep", "missing"):
            raise fail("", f"`outside` is {outside!r}", "`keep` or `missing` is expected")
        self.annotator, self.outside = annotator, outside

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences of all articles; counts say how many relations were cut."""
        folders = [p.parent for p in sorted(path.rglob("attributions")) if p.is_dir()]
        if not folders:
            log.problems.add(path, "there is no folder `attributions` in it", "give polnear/data, or its train or dev")
        metadata = _metadata(path, log)
        for folder in folders:
            for article, files in self._articles(folder, log):
                with log.problems.catching(files):
                    meta = {"part": folder.name} | metadata.get(article, {})
                    yield from self._read_article(folder / "text" / f"{article}.txt", files, meta, log)

    def _articles(self, folder: Path, log: ReadLog) -> Iterator[tuple[str, Path]]:
        """Yield every article with the file of the annotator asked for, or of the first one."""
        by_article: dict[str, dict[str, Path]] = {}
        for file in sorted((folder / "attributions").glob("*.ann")):
            article, _, annotator = file.stem.rpartition("_")
            by_article.setdefault(article, {})[annotator] = file
        chosen = {a: f.get(self.annotator) if self.annotator else f[min(f)] for a, f in by_article.items()}
        if self.annotator and not any(chosen.values()):
            known = {annotator for files in by_article.values() for annotator in files}
            log.problems.add(folder, f"there is no annotator {self.annotator!r}", did_you_mean(self.annotator, known))
        yield from ((article, file) for article, file in chosen.items() if file)

    def _read_article(self, text_file: Path, file: Path, meta: Mapping[str, str], log: ReadLog) -> Iterator[Sentence]:
        text = read_text(text_file)
        spans = segment(text)
        pieces: list[list[_Relation]] = [[] for _ in spans]
        for relation in _relations(file, text, log):
            cut = _cut(relation, spans, log)
            home = next((k for k, piece in sorted(cut.items()) if piece.cue), min(cut, default=0))
            for k, piece in cut.items():
                if k == home or self.outside == "keep":
                    pieces[k].append(piece)
        for k, (span, found) in enumerate(zip(spans, pieces, strict=True)):
            name, sentence_text = f"{text_file.stem}.{k}", span.of(text)
            layers = Layers(text=sentence_text, attributions=_attributions(found))
            line = text.count("\n", 0, span.start) + 1
            log.place(name, f"{text_file}:{line}")
            yield Sentence(id=name, text=sentence_text, document=text_file.stem, index=k, meta=meta, gold=layers)

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Refuse to write: the format is read only."""
        raise read_only("polnear")


def _metadata(path: Path, log: ReadLog) -> dict[str, dict[str, str]]:
    """Return the metadata of articles from the nearest metadata.tsv, in the folder, below it or above it."""
    places = [*sorted(path.rglob("metadata.tsv")), *(p / "metadata.tsv" for p in path.resolve().parents[:2])]
    file = next((p for p in places if p.is_file()), None)
    if file is None:
        log.counts["articles without metadata.tsv"] += 1
        return {}
    rows = csv.DictReader(read_text(file).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["filename"]: {new: row[old] for old, new in _META.items() if row.get(old)} for row in rows}


def _relations(file: Path, text: str, log: ReadLog) -> list[_Relation]:
    """Read the relations of an annotation file, noting broken lines and offsets that do not fit the text."""
    spans: dict[str, list[Span]] = {}
    events: list[tuple[str, str]] = []
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        where, fields = f"{file}:{number}", line.rstrip("\r").split("\t")
        if line.startswith("T"):
            found = _text_bound(fields, text, where, log)
            if found is not None:
                spans[fields[0]] = found
        elif line.startswith("E") and len(fields) > 1:
            events.append((where, fields[1]))
        elif line.strip() and not line.startswith("#"):
            _broken(line, where, log)
    return [r for where, body in events if (r := _relation(body, spans, where, log)) is not None]


def _broken(line: str, where: str, log: ReadLog) -> None:
    log.problems.add(where, f"broken line of brat standoff: {line[:40]!r}", "mend it, or set `on_error: skip`")


def _text_bound(fields: list[str], text: str, where: str, log: ReadLog) -> list[Span] | None:
    """Return the spans of a T line; None where it is broken."""
    _, _, offsets = fields[1].partition(" ") if len(fields) > 1 else ("", "", "")
    if len(fields) < 3 or not _OFFSETS.fullmatch(offsets):
        return _broken("\t".join(fields), where, log)
    pairs = [(int(a), int(b)) for a, b in (pair.split() for pair in offsets.split(";"))]
    if not all(a < b <= len(text) for a, b in pairs):
        what = f"offset mismatch: {offsets} lies outside the text of {len(text)} characters"
        log.problems.add(where, what, "mend it, or set `on_error: skip`")
        return None
    covered, told = " ".join(text[a:b] for a, b in pairs), fields[2]
    if covered.split() != told.split():
        what = f"offset mismatch: the offsets cover {_short(covered)}, the line says {_short(told)}"
        log.problems.add(where, what, "mend it, or set `on_error: skip`")
        return None
    return [Span(a, b) for a, b in pairs]


def _short(text: str) -> str:
    return repr(text if len(text) < 60 else f"{text[:15]} … {text[-40:]}")


def _relation(body: str, spans: Mapping[str, list[Span]], where: str, log: ReadLog) -> _Relation | None:
    """Return the relation of an E line; what it ties to a skipped line is missing."""
    kind, *roles = body.split()
    if not kind.startswith("Attribution"):
        return None
    log.counts["relations"] += 1
    relation = _Relation()
    for item in roles:
        role, _, name = item.partition(":")
        if role.rstrip("0123456789") not in ROLES:
            log.problems.add(where, f"unknown role {role!r}", did_you_mean(role, ROLES))
        elif name not in spans:
            log.counts["relation parts without a span"] += 1
        else:
            getattr(relation, ROLES[role.rstrip("0123456789")]).extend(spans[name])
    if not relation.spans:
        log.counts["relations without any span"] += 1
        return None
    return relation


def _cut(relation: _Relation, sentences: list[Span], log: ReadLog) -> dict[int, _Relation]:
    """Return what each sentence holds of a relation, on offsets of the sentence."""
    pieces: dict[int, _Relation] = {}
    for role in ("source", "cue", "content"):
        for part in getattr(relation, role):
            for k, sentence in enumerate(sentences):
                start, end = max(part.start, sentence.start), min(part.end, sentence.end)
                if start < end:
                    piece = pieces.setdefault(k, _Relation())
                    getattr(piece, role).append(Span(start - sentence.start, end - sentence.start))
    log.counts["relations cut at a sentence end"] += len(pieces) > 1
    log.counts["pieces outside the sentence of their cue"] += len(pieces) - 1
    return pieces


def _attributions(relations: list[_Relation]) -> tuple[Attribution, ...]:
    """Return relations outermost first: by the start of their content, the longer first."""

    def order(relation: _Relation) -> tuple[int, int]:
        start, end = hull(tuple(relation.content or relation.spans))
        return start, -end

    def parts(spans: list[Span]) -> Parts:
        return tuple(sorted(set(spans)))

    return tuple(
        Attribution(source=parts(r.source), cue=parts(r.cue), content=parts(r.content))
        for r in sorted(relations, key=order)
    )
