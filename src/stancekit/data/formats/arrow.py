"""Native records as Arrow tables: the schema that Parquet and `datasets` share, both ways.

Free-form fields (`meta`, `labels`, `votes`) are JSON text; a layer that was not annotated is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stancekit.data import record
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.columns import Columns, RowReader
from stancekit.errors import fail
from stancekit.files import dump_json, parse_json
from stancekit.schema import Sentence

_PAIRS = pa.list_(pa.list_(pa.int64()))
_HOLDER = pa.struct([("kind", pa.string()), ("relation", pa.int64()), ("source", _PAIRS), ("source_text", pa.string())])
_ATTRIBUTION = pa.struct(
    [(role, _PAIRS) for role in ("source", "cue", "content")]
    + [("source_type", pa.string()), ("cue_stance", pa.string())]
)
_DEVICE = pa.struct(
    [("spans", _PAIRS), ("frame", pa.string()), ("target", pa.string()), ("negated", pa.bool_()), ("holder", _HOLDER)]
)
_STANCE = pa.struct([("target", pa.string()), ("stance", pa.string()), ("span", pa.list_(pa.int64()))])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("document", pa.string()),
        ("index", pa.int64()),
        ("text", pa.string()),
        ("meta", pa.string()),
        ("attributions", pa.list_(_ATTRIBUTION)),
        ("devices", pa.list_(_DEVICE)),
        ("stances", pa.list_(_STANCE)),
        ("voice", pa.string()),
        ("frames", pa.list_(pa.string())),
        ("labels", pa.string()),
        ("votes", pa.string()),
        ("codebook", pa.struct([(key, pa.string()) for key in ("name", "version", "hash")])),
    ]
)
_FREE = ("meta", "labels", "votes")
_NATIVE = frozenset(("id", "document", "index", "text", "meta", "attributions", "devices", "stances"))


def to_table(sentences: Iterable[Sentence], codebook: Mapping[str, str] | None, where: Path) -> pa.Table:
    """Return sentences as a table of the native schema; nothing is lost."""
    rows = []
    for sentence in sentences:
        row = record.dump(sentence, codebook)
        rows.append(row | {key: dump_json(row[key]) for key in _FREE if key in row})
    try:
        return pa.Table.from_pylist(rows, schema=SCHEMA)
    except (pa.ArrowException, OverflowError) as error:
        raise fail(where, f"the sentences do not fit the table: {error}", "mend the values named") from error


def read_rows(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], columns: Columns, path: Path, log: ReadLog
) -> Iterator[Sentence]:
    """Yield the sentences of rows with the native schema, or else by a column mapping."""
    if _NATIVE.issubset(names):
        yield from _native(rows, path, log)
        return
    reader = RowReader(columns, columns.resolve(names, str(path)), names, path, log)
    for number, row in enumerate(rows, start=1):
        sentence = reader.sentence(row, number, f"{path} (row {number})")
        if sentence is not None:
            yield sentence


def _native(rows: Iterable[Mapping[str, Any]], path: Path, log: ReadLog) -> Iterator[Sentence]:
    for number, row in enumerate(rows, start=1):
        where = f"{path} (row {number})"
        with log.problems.catching(where):
            raw = {key: value for key, value in row.items() if value is not None}
            raw |= {key: parse_json(raw[key], path, number) for key in _FREE if isinstance(raw.get(key), str)}
            sentence = record.Reader(where, log.problems, log.asked).sentence(raw)
            if sentence is not None:
                if "codebook" in raw:
                    log.stamp(where, raw["codebook"])
                log.place(sentence.id, where)
                yield sentence
