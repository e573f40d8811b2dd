"""brat standoff: a folder with a `.txt` and an `.ann` file per document, a sentence a line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.carried import KEY
from stancekit.data.formats.mark_names import holding, plain, read_plain
from stancekit.data.formats.marks import LAYER_OF, ROLES, Mark, Marks
from stancekit.data.formats.pages import Page, assemble, file_names, folder_for, lines, sheets
from stancekit.data.formats.utf16 import Quoted, shortened, to_characters
from stancekit.errors import fail
from stancekit.files import parse_json, read_text, write_lines, write_text
from stancekit.schema import Sentence, parts_of, words_of

SIDE_FILE = f"{KEY}.jsonl"
_ATTRIBUTES = {"Negated": "negated", "SourceType": "source_type", "CueStance": "cue_stance"}
_TEXT_BOUND = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)", re.DOTALL)
_TIE = re.compile(r"([ER]\S+)\t(\S+ .*|\S+:\S+)")
_ATTRIBUTE = re.compile(r"[AM]\S+\t(\S+) (\S+)(?: (\S+))?\s*")
_NOTE = re.compile(r"#\S*\t\S+ (\S+)\ttarget: (.*)")


class Brat:
    """brat standoff of a folder, or of one `.ann` file with its `.txt` beside.

    Marks are `Source`, `Cue`, `Content`, `frame-NAME`, `stance-LABEL` and `TASK-LABEL`; relations or events
    tie source, cue and content; a note `target: NAME` names a target. `stancekit.jsonl` carries what brat has
    no place for (ids, metadata, sentence labels, which layers were annotated); without it the id is the file
    and the line. With `task`, the marks of another scheme are the answers of that task, by their own names;
    `annotated` lists the layers and tasks that were annotated everywhere, also where there is no mark.
    """

    def __init__(self, *, task: str | None = None, annotated: list[str] | None = None) -> None:
        self.task, self.annotated = task, annotated

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the lines of all texts that have an `.ann` file; marks that cross lines are cut and counted."""
        files = sorted(path.rglob("*.ann")) if path.is_dir() else [path.with_suffix(".ann")]
        if not files:
            log.problems.add(path, "there is no *.ann file below this folder", "give a folder of brat's")
        pages, sides = [], {folder: _side_file(folder, log) for folder in {file.parent for file in files}}
        for file in files:
            with log.problems.catching(file):
                pages.append(self._page(file, sides[file.parent], log))
        yield from assemble(pages, log, self.task, self.annotated)

    def _page(self, file: Path, side: Mapping[str, list[dict[str, Any]]], log: ReadLog) -> Page:
        text_file = file.with_suffix(".txt")
        text = read_text(text_file)
        pieces = list(lines(text, str(text_file)))
        carried = side.get(file.stem)
        if carried is not None and len(carried) != len(pieces):
            what = f"{len(pieces)} lines, but {len(carried)} in {SIDE_FILE}"
            raise fail(text_file, what, f"restore the text as it was written, or remove its lines from {SIDE_FILE}")
        for piece, value in zip(pieces, carried or (), strict=False):
            piece.carried = value
        return Page(document=file.stem, text=text, found=_Annotations(file, text, log).read(self.task), pieces=pieces)

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write a folder with the texts, their annotations, what brat has no place for, and its configuration."""
        lost: Counter[str] = Counter()
        written = sheets(sentences, codebook, lost, one_line=True)
        names = file_names(sheet.document for sheet in written)
        folder_for(path, names.values(), ".ann")
        side, used = [], set()
        for sheet in written:
            name, found = names[sheet.document], holding(sheet.found, lost, named=False)
            used |= {mark.label for mark in found.marks}
            write_text(path / f"{name}.txt", sheet.text)
            write_text(path / f"{name}.ann", "".join(f"{line}\n" for line in _write(found, sheet.text)))
            side += [{"file": name} | value for value in sheet.carried]
        write_lines(path / SIDE_FILE, side)
        write_text(path / "annotation.conf", _configuration(used))
        return +lost


def _side_file(folder: Path, log: ReadLog) -> dict[str, list[dict[str, Any]]]:
    """Return what was carried of every line, by file; empty where the folder has no such file."""
    file, found = folder / SIDE_FILE, dict[str, list[dict[str, Any]]]()
    if not file.is_file():
        return found
    with log.problems.catching(file):
        for number, line in enumerate(read_text(file).split("\n"), start=1):
            if line.strip():
                value = parse_json(line, file, number)
                if not isinstance(value, dict) or not isinstance(value.get("file"), str):
                    raise fail(f"{file}:{number}", "a record must be an object with `file`", "restore the file")
                found.setdefault(value.pop("file"), []).append(value)
    return found


@dataclass
class _Annotations:
    """Reads one `.ann` file: marks, what ties them, and their attributes."""

    path: Path
    text: str
    log: ReadLog
    labels: dict[str, str] = field(default_factory=dict)
    quoted: dict[str, Quoted] = field(default_factory=dict)
    ties: list[tuple[str, list[str]]] = field(default_factory=list)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self, task: str | None) -> Marks:
        for number, line in enumerate(read_text(self.path).split("\n"), start=1):
            line = line.removesuffix("\r")
            if line.strip():
                self._line(line, f"{self.path}:{number}")
        found, numbers = Marks(), dict[str, int]()
        spans = to_characters(self.text, list(self.quoted.values()), self.log)
        for name, pairs in zip(self.quoted, spans, strict=True):
            if pairs is not None:
                label = _label(self.labels[name], task)
                numbers[name] = found.add(Mark(label, parts_of(pairs), self.fields.get(name, {})))
        for kind, names in self.ties:
            self._tie(kind, [numbers[name] for name in names if name in numbers], len(names), found)
        return found

    def _line(self, line: str, where: str) -> None:
        kind = line[0]
        if kind == "T" and (match := _TEXT_BOUND.fullmatch(line)):
            pairs = tuple((int(a), int(b)) for a, b in (pair.split() for pair in match[3].split(";")))
            self.labels[match[1]], self.quoted[match[1]] = match[2], Quoted(where, pairs, match[4])
        elif kind in "ER" and (match := _TIE.fullmatch(line)):
            self.ties.append((kind, [name for item in match[2].split() if (name := item.partition(":")[2])]))
        elif kind in "AM" and (match := _ATTRIBUTE.fullmatch(line)):
            key = _ATTRIBUTES.get(match[1])
            self.log.counts["attributes of another scheme (left out)"] += key is None
            if key:
                self.fields.setdefault(match[2], {})[key] = match[3] or "true"
        elif kind == "#":
            match = _NOTE.fullmatch(line)
            self.log.counts["notes (left out)"] += match is None
            if match:
                self.fields.setdefault(match[1], {})["target"] = match[2]
        elif kind in "N*" and "\t" in line:
            self.log.counts["normalisations and equivalences (left out)"] += 1
        else:
            what = f"broken line of brat standoff: {shortened(line)}"
            self.log.problems.add(where, what, "mend it, or set `on_error: skip`")

    def _tie(self, kind: str, numbers: list[int], told: int, found: Marks) -> None:
        """Keep a relation as a link, an event as a group; what it ties to a line that is not there is missing."""
        self.log.counts["ends of relations without a mark"] += told - len(numbers)
        if kind == "R" and len(numbers) == 2:
            found.links.append((numbers[0], numbers[1]))
        elif kind == "E" and any(found.marks[n].label in ROLES for n in numbers):
            found.groups.append(tuple(numbers))


def _label(name: str, task: str | None) -> str:
    own = name in ROLES or name.split("-")[0] in LAYER_OF
    return read_plain(name) if own or task is None else name


def _write(found: Marks, text: str) -> Iterator[str]:
    """Yield the lines of an `.ann` file."""
    for number, mark in enumerate(found.marks, start=1):
        offsets = ";".join(f"{part.start} {part.end}" for part in mark.parts)
        quote = words_of(mark.parts, text).replace(" … ", " ") if len(mark.parts) > 1 else mark.parts[0].of(text)
        yield f"T{number}\t{plain(mark.label)} {offsets}\t{quote}"
    for number, (a, b) in enumerate(found.links, start=1):
        yield f"R{number}\t{found.marks[b].label.lower()} Arg1:T{a + 1} Arg2:T{b + 1}"
    attributes = [(n, key, value) for n, m in enumerate(found.marks, start=1) for key, value in m.fields.items()]
    names = {key: name for name, key in _ATTRIBUTES.items()}
    for number, (mark_number, key, value) in enumerate(attributes, start=1):
        if key == "target":
            yield f"#{number}\tAnnotatorNotes T{mark_number}\ttarget: {value}"
        else:
            yield f"A{number}\t{names[key]} T{mark_number}" + (f" {value}" if key != "negated" else "")


def _configuration(labels: Iterable[str]) -> str:
    """Return brat's annotation.conf for the marks that were written, and the roles."""
    entities = [*ROLES, *sorted(plain(label) for label in set(labels) - set(ROLES))]
    parts = {
        "entities": entities,
        "relations": [
            "source\tArg1:Cue|Content, Arg2:Source",
            "content\tArg1:Cue, Arg2:Content",
        ],
        "events": [],
        "attributes": [
            f"Negated\tArg:{'|'.join(e for e in entities if e not in ROLES) or '<ENTITY>'}",
            "SourceType\tArg:Source, Value:government|military|international|media|expert|civilian|anonymous|other",
            "CueStance\tArg:Cue, Value:neutral|endorsing|distancing",
        ],
    }
    return "\n".join("\n".join([f"[{name}]", *rows, ""]) for name, rows in parts.items())
