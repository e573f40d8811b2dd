"""Parquet: native records without loss, and any other table by a column mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stancekit.data.formats.arrow import read_rows, to_table
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.columns import Columns
from stancekit.errors import fail
from stancekit.files import os_problem, replacing
from stancekit.schema import Sentence


@dataclass(frozen=True, kw_only=True)
class Parquet(Columns):
    """A Parquet file; the column mapping is for tables that are not of the native schema."""

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentence of every row, batch by batch."""
        try:
            with pq.ParquetFile(path) as file:
                yield from read_rows(_rows(file), file.schema_arrow.names, self, path, log)
        except OSError as error:
            raise os_problem(path, error) from error
        except pa.ArrowException as error:
            what = f"no readable Parquet: {str(error).splitlines()[0]}"
            raise fail(path, what, "the file is damaged or of another format") from error

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write native records; nothing is lost."""
        table = to_table(sentences, codebook, path)
        with replacing(path, "wb") as stream:
            pq.write_table(table, stream)
        return Counter()


def _rows(file: pq.ParquetFile) -> Iterator[dict[str, Any]]:
    for batch in file.iter_batches():
        yield from batch.to_pylist()
