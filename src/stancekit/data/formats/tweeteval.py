"""TweetEval's stance folders (SemEval-2016 task 6 A): tweets that favor a target, oppose it, or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from stancekit.data.formats.base import ReadLog, read_only
from stancekit.errors import did_you_mean
from stancekit.files import read_text
from stancekit.schema import Layers, Sentence, Stance, Target

LABELS = {"0": "none", "1": "against", "2": "favor"}


class TweetEval:
    """Reads `PART_text.txt` and `PART_labels.txt` of one target's folder, or of the folders of all targets.

    The target is the folder's name, its mention is not marked. `part` chooses train, val or test; all that
    are there are read otherwise. Every tweet is a document of its own.
    """

    def __init__(self, *, part: str | None = None) -> None:
        self.part = part

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield one sentence a line."""
        below = [path] if any(path.glob("*_text.txt")) else sorted(p for p in path.glob("*") if p.is_dir())
        files = [file for folder in below for file in sorted(folder.glob("*_text.txt"))]
        parts = {file.name.removesuffix("_text.txt") for file in files}
        if not files:
            log.problems.add(path, "there is no *_text.txt in it", "give tweeteval's stance folder, or one of a target")
        elif self.part and self.part not in parts:
            log.problems.add(path, f"there is no part {self.part!r}", did_you_mean(self.part, parts))
        for file in files:
            part = file.name.removesuffix("_text.txt")
            if self.part in (None, part):
                with log.problems.catching(file):
                    yield from _read_part(file, part, log)

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Refuse to write: the format is read only."""
        raise read_only("tweeteval")


def _read_part(file: Path, part: str, log: ReadLog) -> Iterator[Sentence]:
    labels_file = file.with_name(f"{part}_labels.txt")
    texts, labels = _lines(file), _lines(labels_file)
    if len(texts) != len(labels):
        what = f"{len(texts)} texts, but {len(labels)} labels in {labels_file.name}"
        log.problems.add(file, what, "lines are cut at \\n only; restore both files as published")
        return
    target = file.parent.name
    for number, (text, label) in enumerate(zip(texts, labels, strict=True), start=1):
        if label.strip() not in LABELS:
            known = ", ".join(f"{digit} ({name})" for digit, name in LABELS.items())
            log.problems.add(f"{labels_file}:{number}", f"unknown label {label!r}", f"expected one of: {known}")
        elif not text.strip():
            log.problems.add(f"{file}:{number}", "the text is empty", "restore the file as published")
        else:
            name = f"{target}.{part}.{number}"
            stances = (Stance(Target(target), LABELS[label.strip()]),)
            gold = Layers(text=text, stances=stances)
            log.place(name, f"{file}:{number}")
            yield Sentence(id=name, text=text, document=name, meta={"target": target, "part": part}, gold=gold)


def _lines(file: Path) -> list[str]:
    return read_text(file).removesuffix("\n").split("\n")
