"""The format protocol: a file or folder to sentences and back; what cannot be held is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from stancekit.errors import Problems, StancekitError, fail
from stancekit.schema import Sentence


class ReadLog:
    """What a reader found beside the sentences: problems, counts of what it left out, codebook stamps.

    `asked` says that the sentences are to be answered: then a target needs no label.
    """

    def __init__(self, asked: bool = False) -> None:
        self.asked = asked
        self.problems = Problems()
        self.counts: Counter[str] = Counter()
        self.codebooks: dict[tuple[str, str, str], str] = {}
        self.places: dict[str, str] = {}

    def stamp(self, where: str, value: Mapping[str, str]) -> None:
        """Note the codebook that a record says it was annotated with, and where that first stood."""
        key = (str(value.get("name", "")), str(value.get("version", "")), str(value.get("hash", "")))
        self.codebooks.setdefault(key, where)

    def place(self, sentence_id: str, where: str) -> None:
        """Note where a sentence stands; an id that stands twice is a problem."""
        first = self.places.setdefault(sentence_id, where)
        if first != where:
            hint = "give every sentence an id of its own, or remove one of the two"
            self.problems.add(where, f"the id {sentence_id!r} stands twice, first at {first}", hint)


class Format(Protocol):
    """Reads and writes one file format; the constructor takes its options.

    Where a file's ending is the format's name in the component table, the format is found by it.
    """

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences of a file (or folder), noting problems by file and line in the log.

        A record with a problem is not yielded; an error is raised only where no more can be read, since it cannot be
        skipped. `log.place` is told where a sentence stands.
        """

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write sentences, and return what the format could not hold, counted by kind."""


def read_only(name: str) -> StancekitError:
    """Return the error for writing a format that can only be read."""
    return fail("", f"the format {name} is read only", "write another format, jsonl for one")
