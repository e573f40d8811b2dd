"""PTC (Da San Martino et al. 2019; SemEval-2020 task 11): propaganda techniques as spans of news articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from stancekit.data.formats.base import ReadLog, read_only
from stancekit.data.formats.marks import Mark, Marks
from stancekit.data.formats.pages import Page, assemble, lines
from stancekit.data.formats.utf16 import shortened
from stancekit.errors import did_you_mean, fail
from stancekit.files import read_text
from stancekit.schema import Sentence, Span

TASK = "propaganda"
ANY = "propaganda"
"""The label of every span of subtask SI, which has no techniques."""


class PTC:
    """Reads the folder with `train-articles/` and `train-task2-TC.labels`, or those of another part.

    Spans are the answers of the task `propaganda`, labelled by their technique; with `subtask="SI"`, those of
    span identification. A sentence is a line (the first one is the title); a span that crosses lines is
    cut and counted. `part` chooses `train` or `dev`, where both are there.
    """

    def __init__(self, *, subtask: Literal["TC", "SI"] = "TC", part: str = "train") -> None:
        if subtask not in ("TC", "SI"):
            raise fail("", f"`subtask` is {subtask!r}", did_you_mean(subtask, ("TC", "SI")))
        self.subtask, self.part = subtask, part

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the lines of all articles."""
        folder = path / f"{self.part}-articles"
        files = sorted(folder.glob("article*.txt"))
        labels = sorted(path.glob(f"{self.part}-task*-{self.subtask}.labels"))
        if not files or not labels:
            what = f"there is no {self.part}-articles/article*.txt, or no {self.part}-task*-{self.subtask}.labels"
            raise fail(path, what, "give the folder as published")
        spans = _spans(labels[0], self.subtask, log)
        pages = []
        for file in files:
            with log.problems.catching(file):
                text, name = read_text(file), file.stem.removeprefix("article")
                found = Marks([mark for where, mark in spans.pop(name, ()) if _inside(mark, text, where, log)])
                pages.append(Page(document=name, text=text, found=found, pieces=list(lines(text, str(file)))))
        for name, left in spans.items():
            log.problems.add(left[0][0], f"there is no article {name!r}", f"restore {folder.name}/article{name}.txt")
        yield from assemble(pages, log, annotated=[TASK])

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Refuse to write: the format is read only."""
        raise read_only("ptc")


def _spans(path: Path, subtask: str, log: ReadLog) -> dict[str, list[tuple[str, Mark]]]:
    """Return the spans of every article with their places in the file of labels."""
    found: dict[str, list[tuple[str, Mark]]] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        cells, where = line.rstrip("\r").split("\t"), f"{path}:{number}"
        if not line.strip():
            continue
        label = cells[1] if subtask == "TC" and len(cells) == 4 else ANY
        offsets = cells[-2:]
        if len(cells) != (4 if subtask == "TC" else 3) or not all(o.isascii() and o.isdigit() for o in offsets):
            what = f"broken line: {shortened(line)}"
            log.problems.add(where, what, "expected: article, technique (TC), start, end, with tabs between")
            continue
        with log.problems.catching(where):
            mark = Mark(f"{TASK}/{label}", (Span(int(offsets[0]), int(offsets[1])),))
            found.setdefault(cells[0], []).append((where, mark))
            log.counts["spans"] += 1
    return found


def _inside(mark: Mark, text: str, where: str, log: ReadLog) -> bool:
    part = mark.parts[0]
    if part.end > len(text):
        what = f"offset mismatch: {part.start}–{part.end} lies outside the text of {len(text)} characters"
        log.problems.add(where, what, "read the article with its line ends as they are, or mend the line")
    return part.end <= len(text)
