"""From files and folders to articles, every problem noted by its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import decode, os_problem, read_bytes
from stancekit.ingestion.article import LARGEST, TOO_LARGE, Article
from stancekit.ingestion.page import read_page
from stancekit.ingestion.tables import ROLES, read_jsonl, read_parquet

Reader = Callable[[Path, str, "Source"], Iterator[Article]]


@dataclass
class Source:
    """Where articles come from: files and folders, the columns of tables, and what was found wrong."""

    columns: Mapping[str, str] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    counts: Counter[str] = field(default_factory=Counter)

    def articles(self, paths: Iterable[Path]) -> Iterator[Article]:
        """Yield the articles of files, and of folders in the order of their names; a document id stands once."""
        for role in self.columns.keys() - ROLES.keys():
            self.problems.add(f"option {role!r}", "there is no such role of a column", did_you_mean(role, ROLES))
        self.problems.raise_any()
        seen: dict[str, str] = {}
        for file, name in self._files(paths):
            with self.problems.catching(file):
                for article in READERS[file.suffix.lower()](file, name, self):
                    if seen.setdefault(article.document, article.where) != article.where:
                        what = f"the article {article.document!r} stands twice, first at {seen[article.document]}"
                        self.problems.add(article.where, what, "give every article an id of its own")
                    else:
                        yield article

    def _files(self, paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
        """Yield files with the name that their article gets: the path below the folder that was given."""
        for path in paths:
            if path.is_dir():
                for file in sorted(path.rglob("*")):
                    if file.is_file() and file.suffix.lower() in READERS:
                        yield file, file.relative_to(path).with_suffix("").as_posix()
                    elif file.is_file():
                        self.counts[f"file of another kind: {file.suffix or 'without ending'}"] += 1
            elif not path.exists():
                self.problems.add(path, "there is no such file or folder", "check the path")
            elif path.suffix.lower() not in READERS:
                self.problems.add(path, "its ending names no kind of article", _other(path))
            else:
                yield path, path.stem


def _other(path: Path) -> str:
    """Say what to do with a file whose ending is none of an article's."""
    hint = f"expected one of: {', '.join(READERS)}"
    if path.suffix.lower() in (".csv", ".tsv", ".xlsx"):
        hint += "; save a table of articles as one of these (a table of sentences needs no `ingest`)"
    return hint


def _small(path: Path) -> bytes:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise os_problem(path, error) from error
    if size > LARGEST:
        raise fail(path, f"it has {TOO_LARGE}", "give a file an article, or a JSONL file with one a line")
    return read_bytes(path)


def _text(path: Path, name: str, source: Source) -> Iterator[Article]:
    yield Article(document=name, text=decode(_small(path), path), where=str(path))


def _page(path: Path, name: str, source: Source) -> Iterator[Article]:
    text, meta = read_page(_small(path), path)
    yield Article(document=name, text=text, where=str(path), meta=meta)


def _jsonl(path: Path, name: str, source: Source) -> Iterator[Article]:
    return read_jsonl(path, source.columns, source.problems)


def _parquet(path: Path, name: str, source: Source) -> Iterator[Article]:
    return read_parquet(path, source.columns, source.problems)


READERS: dict[str, Reader] = {".html": _page, ".htm": _page, ".txt": _text, ".jsonl": _jsonl, ".parquet": _parquet}
