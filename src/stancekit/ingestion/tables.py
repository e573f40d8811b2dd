"""Articles in JSONL and Parquet: a row an article, its columns found by their usual names or as told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stancekit.errors import Problems, StancekitError, did_you_mean, fail
from stancekit.files import decode, os_problem, parse_json
from stancekit.ingestion.article import LARGEST, TOO_LARGE, Article

ROLES: dict[str, tuple[str, ...]] = {
    "text": ("text", "body", "content", "maintext", "article"),
    "document": ("document", "id", "article_id", "doc_id", "uid", "url"),
    "title": ("title", "headline"),
    "outlet": ("outlet", "source", "publisher", "sitename", "source_name"),
    "date": ("date", "date_publish", "published", "publish_date", "pubdate", "published_at"),
    "author": ("author", "authors", "byline"),
    "language": ("language", "lang"),
    "url": ("url", "link"),
}
_LONGEST_META = 300


def read_jsonl(path: Path, columns: Mapping[str, str], problems: Problems) -> Iterator[Article]:
    """Yield the article of every line; a line longer than an article can be is a problem, and is not held in memory."""
    for number, line in _lines(path, problems):
        where = f"{path}:{number}"
        with problems.catching(where):
            row = parse_json(_decoded(line, path, where), path, number)
            if not isinstance(row, dict):
                raise fail(where, "an article must be a JSON object", 'write {"id": …, "text": …, "outlet": …} a line')
            yield _article(row, columns, path, number, where)


def _decoded(line: bytes, path: Path, where: str) -> str:
    try:
        return decode(line, path)
    except StancekitError as error:
        raise StancekitError(*(replace(problem, where=where) for problem in error.problems)) from error


def _lines(path: Path, problems: Problems) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with path.open("rb") as stream:
            while line := stream.readline(LARGEST):
                number += 1
                if len(line) == LARGEST and not line.endswith(b"\n"):
                    problems.add(f"{path}:{number}", f"the line has {TOO_LARGE}", "write one article a line")
                    while line and not line.endswith(b"\n"):
                        line = stream.readline(LARGEST)
                elif line.strip():
                    yield number, line
    except OSError as error:
        raise os_problem(path, error) from error


def read_parquet(path: Path, columns: Mapping[str, str], problems: Problems) -> Iterator[Article]:
    """Yield the article of every row, batch by batch."""
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=500):
                for row in batch.to_pylist():
                    number += 1
                    where = f"{path} (row {number})"
                    with problems.catching(where):
                        yield _article(row, columns, path, number, where)
    except OSError as error:
        raise os_problem(path, error) from error
    except pa.ArrowException as error:
        raise fail(path, f"no readable Parquet: {str(error).splitlines()[0]}", "the file is damaged") from error


def _article(row: Mapping[str, Any], columns: Mapping[str, str], path: Path, number: int, where: str) -> Article:
    given = {role: name for role in ROLES if (name := _column(role, row, columns))}
    text = row.get(given.get("text", ""))
    if not isinstance(text, str):
        what = f"there is no text; the columns are {', '.join(map(repr, row)) or 'none'}"
        raise fail(where, what, did_you_mean("text", row) + " (name it: -o text=COLUMN)")
    if len(text) > LARGEST:
        raise fail(where, f"the text has {TOO_LARGE}", "give one article a row")
    document = row.get(given.get("document", ""))
    taken = set(given.values())
    meta = {role: _plain(row[name]) for role, name in given.items() if role not in ("text", "document")}
    meta |= {name: _plain(value) for name, value in row.items() if name not in taken and name not in ROLES}
    kept = {key: value for key, value in meta.items() if value is not None and value != ""}
    return Article(
        document=str(document) if document not in (None, "") else f"{path.stem}.{number}",
        text=text,
        where=where,
        meta=kept,
    )


def _column(role: str, row: Mapping[str, Any], columns: Mapping[str, str]) -> str | None:
    if role in columns:
        return columns[role]
    return next((name for name in ROLES[role] if name in row and name not in columns.values()), None)


def _plain(value: Any) -> Any:
    """Return a short plain value, or None for what is no metadata (nested values, long texts)."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_META else None
    if value is None or isinstance(value, bool | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else None
