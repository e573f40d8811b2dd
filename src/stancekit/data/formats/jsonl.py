"""The native format: one sentence a line, as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from stancekit.data import record
from stancekit.data.formats.base import ReadLog
from stancekit.files import parse_json, read_text, write_lines
from stancekit.schema import Sentence


def files(folder: Path) -> list[Path]:
    """Return the JSONL files of a folder that are not hidden, by name."""
    return sorted(path for path in folder.glob("*.jsonl") if not path.name.startswith("."))


class Jsonl:
    """Native JSONL: every field of a sentence, without loss; a file, or the files of a folder by their names."""

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentence of every line that is not blank."""
        for file in files(path) if path.is_dir() else [path]:
            yield from self._file(file, log)

    def _file(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        for number, line in enumerate(read_text(path).split("\n"), start=1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            with log.problems.catching(where):
                raw = parse_json(line, path, number)
                sentence = record.Reader(where, log.problems, log.asked).sentence(raw)
                if sentence is not None:
                    if isinstance(raw.get("codebook"), dict):
                        log.stamp(where, raw["codebook"])
                    log.place(sentence.id, where)
                    yield sentence

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write one native record a line; nothing is lost."""
        write_lines(path, (record.dump(sentence, codebook) for sentence in sentences))
        return Counter()
