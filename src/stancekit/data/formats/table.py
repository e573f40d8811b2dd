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
from stancekit.errors import Problem, StancekitError
from stancekit.files import read_text, replacing
from stancekit.schema import Sentence


@dataclass(frozen=True, kw_only=True)
class Csv(Columns):
    """Comma-separated values with a header; a table holds the answers of one task.

    Without `delimiter`, it is the semicolon or tab (as spreadsheets write in many countries) where the header has the
    columns asked for only so, else the comma; written are commas. With `quotes=False`, quotation marks are text, and a
    cell can hold neither delimiter nor line end.
    """

    delimiter: str | None = None
    quotes: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delimiter is not None and len(self.delimiter) != 1:
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
        """Yield rows that are not blank, with the line at which each begins; the first is the header.

        After a broken row of one line the next line is a row again. One that runs over several lines has swallowed
        rows, and where these end is not known; without a header no row can be read.
        """
        text = read_text(path)
        delimiter = self.delimiter or self._found(text)
        log.counts[f"delimiter {delimiter!r} in the place of the comma"] += self.delimiter is None and delimiter != ","
        reader, line, header = self._reader(text, delimiter), 1, True
        while True:
            cells: list[str] | None = []
            try:
                cells = next(reader, None)
            except csv.Error as error:
                problem = self._broken(error, path, line, reader.line_num)
                if header or reader.line_num > line:
                    raise StancekitError(problem) from error
                log.problems.found.append(problem)
            if cells is None:
                return
            if cells:
                yield line, cells
                header = False
            line = reader.line_num + 1

    def _broken(self, error: csv.Error, path: Path, first: int, last: int) -> Problem:
        """Return the problem of a row, from its first line to the one where reading it ended."""
        what, hint = str(error), "mend the quotation marks; set `quotes: false` where they are text"
        if "field limit" in what:
            what = f"a cell of more than {csv.field_size_limit():,} characters"
            hint = "close the quotation mark that opens it, or give its sentences a row each"
        lines = f" (in a row that runs to line {last}; it cannot be skipped)" if last > first else ""
        return Problem(f"{path}:{first}", f"no valid {type(self).__name__.upper()}: {what}{lines}", hint)

    def _reader(self, text: str, delimiter: str) -> Any:
        own: dict[str, Any] = {"delimiter": delimiter, "quoting": csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE}
        return csv.reader(io.StringIO(text, newline=""), strict=True, **own)

    def _found(self, text: str) -> str:
        """Return the delimiter by which the header has the columns asked for; else that by which it has most."""

        def fits(delimiter: str) -> tuple[bool, int]:
            try:
                header: list[str] = next(filter(None, self._reader(text, delimiter)), [])
            except csv.Error:
                return False, 0
            return {*self.asked().values(), *(self.meta or ())} <= set(header), len(header)

        return max(",;\t", key=fits)  # the first of those that fit alike

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write a row a sentence, or a row a target; return what the table cannot hold."""
        lost: Counter[str] = Counter()
        header, rows = to_rows(sentences, self, lost)
        lost["codebook stamp"] += codebook is not None
        with replacing(path) as stream:
            writer = csv.writer(stream, delimiter=self.delimiter or ",")
            writer.writerow(header)  # with CRLF, so that cells with either are quoted
            writer.writerows([row.get(name, "") for name in header] for row in rows)
        return +lost


@dataclass(frozen=True, kw_only=True)
class Tsv(Csv):
    """Tab-separated values with a header."""

    delimiter: str | None = "\t"
