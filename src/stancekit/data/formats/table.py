"""CSV and TSV, with a column mapping."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.columns import Columns, RowReader, to_rows
from stancekit.files import read_text, replacing
from stancekit.schema import Sentence


@dataclass(frozen=True, kw_only=True)
class Csv(Columns):
    """Comma-separated values with a header; a table holds the answers of one task.

    With `quotes=False`, quotation marks are text, and a cell can hold neither delimiter nor line end.
    """

    delimiter: str = ","
    quotes: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.delimiter) != 1:
            raise ValueError("`delimiter` must be one character")

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentence of every row; a row of another length than the header is a problem."""
        rows = self._rows(path, log)
        _, header = next(rows, (1, []))
        roles = self.resolve(header, f"{path}:1")
        reader = RowReader(self, roles, header, path, log)
        for number, (line, cells) in enumerate(rows, start=1):
            where = f"{path}:{line}"
            if len(cells) != len(header):
                what = f"the row has {len(cells)} cells, the header {len(header)}"
                log.problems.add(where, what, "quote cells that hold a delimiter or a line end")
                continue
            sentence = reader.sentence(dict(zip(header, cells, strict=True)), number, where)
            if sentence is not None:
                yield sentence

    def _rows(self, path: Path, log: ReadLog) -> Iterator[tuple[int, list[str]]]:
        """Yield rows that are not blank, with the line at which each begins."""
        reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True, **self._dialect())
        line = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                hint = "mend the quotation marks; set `quotes: false` where they are text"
                log.problems.add(f"{path}:{line}", f"no valid {type(self).__name__.upper()}: {error}", hint)
                return
            if cells is None:
                return
            if cells:
                yield line, cells
            line = reader.line_num + 1

    def _dialect(self) -> dict[str, Any]:
        return {"delimiter": self.delimiter, "quoting": csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE}

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write a row a sentence, or a row a target; return what the table cannot hold."""
        lost: Counter[str] = Counter()
        header, rows = to_rows(sentences, self, lost)
        lost["codebook stamp"] += codebook is not None
        with replacing(path) as stream:
            writer = csv.writer(stream, delimiter=self.delimiter)  # with CRLF, so that cells with either are quoted
            writer.writerow(header)
            writer.writerows([row.get(name, "") for name in header] for row in rows)
        return +lost


@dataclass(frozen=True, kw_only=True)
class Tsv(Csv):
    """Tab-separated values with a header."""

    delimiter: str = "\t"
