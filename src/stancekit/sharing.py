"""Sharing what may be shared: labels without the text they are about, and the way back for who has the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stancekit.data import load as load_module
from stancekit.data.guess import PAGES, guess
from stancekit.data.record import Reader
from stancekit.data.stripped import restore, strip
from stancekit.errors import Problem, Problems, StancekitError, fail
from stancekit.files import dump_json, parse_json, read_text, spare, write_lines
from stancekit.ingestion import cut
from stancekit.ingestion.read import READERS, Source
from stancekit.schema import Sentence
from stancekit.text.fingerprint import difference, letters_hash

VERSION = 1
_TEXTUAL = frozenset(("title", "headline", "abstract", "description", "lead", "subtitle", "source_text", "text"))
_MOST_WORDS = 8
_HEAD = {"sentences", "codebook"}
_NEEDED: Mapping[str, type] = {
    **dict.fromkeys(("id", "document", "hash", "letters_hash", "checks"), str),
    **dict.fromkeys(("index", "letters"), int),
    "meta": dict,
    "offsets": list,
}


def release(
    data: str | Path,
    to: str | Path,
    *,
    meta: Sequence[str] | None = None,
    codebook: str | Path | None = None,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Counter[str]:
    """Write ids, offsets, hashes and labels of a data set without any of its text; return what was left out.

    Metadata that is text itself (titles, descriptions, anything of more than 8 words) is left out; `meta`
    names the columns to keep instead. Derived fields are left out: they come back with the text.
    """
    spare([data, codebook], to)
    dataset = load_module.load(data, format=format, options=options or {}, codebook=codebook)
    dropped: Counter[str] = Counter()

    def keep(key: str, value: Any) -> bool:
        wanted = key in meta if meta is not None else not _is_text(key, value)
        dropped[f"metadata {key!r}"] += not wanted
        return wanted

    head = {"stancekit_release": VERSION, "name": dataset.name, "sentences": len(dataset)}
    rows = [strip(sentence, keep) for sentence in dataset]
    write_lines(Path(to), [head | {"codebook": dataset.codebook.stamp}, *rows])
    return +dropped


def _is_text(key: str, value: Any) -> bool:
    content = value if isinstance(value, str) else dump_json(value)
    return key.lower() in _TEXTUAL or len(content.split()) > _MOST_WORDS


@dataclass(frozen=True, repr=False)
class Rehydrated:
    """Sentences with their text back, how each was found (`id`, `document`, `offsets`, `hash`), and what was not."""

    sentences: tuple[Sentence, ...]
    found_by: Mapping[str, int]
    problems: tuple[Problem, ...]

    def __repr__(self) -> str:
        ways = ", ".join(f"{count} by {way}" for way, count in sorted(self.found_by.items()))
        return f"{len(self.sentences)} sentences ({ways}); {len(self.problems)} not"


def rehydrate(
    released: str | Path,
    texts: str | Path,
    to: str | Path | None = None,
    *,
    codebook: str | Path | None = None,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    on_error: Literal["stop", "skip"] = "stop",
) -> Rehydrated:
    """Put the labels of a release back on a text that one has oneself.

    `texts` is a data set, or articles (pages, plain text, a folder of them, `NAME.articles.jsonl`). A sentence
    is found by its id, by document and index, by document and the offsets that `ingest` noted, or by its hash,
    and taken only if its letters are the same: white space and the shape of quotation marks may differ, and
    offsets are then carried over. Of one that differs it is said where. With `on_error="skip"` those are
    left out and listed, otherwise nothing is written.
    """
    spare([released, texts, codebook], to)
    head, rows = _read(Path(released))
    found_by: Counter[str] = Counter()
    problems, sentences = Problems(), []
    index = _Texts(Path(texts), codebook, format, options or {})
    for where, row in rows:
        with problems.catching(where):
            way, text = index.find(row, where)
            sentence = _restored(row, text, where, problems)
            if sentence is not None:
                found_by[way] += 1
                sentences.append(sentence)
    if on_error == "stop" or not sentences:
        problems.raise_any()
    if to is not None:
        load_module.save(sentences, to, codebook=head["codebook"])
    return Rehydrated(tuple(sentences), found_by, tuple(problems))


def _read(path: Path) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """Return the head and the rows of a release, each with its place."""
    lines = [(k, line) for k, line in enumerate(read_text(path).split("\n"), start=1) if line.strip()]
    head = parse_json(lines[0][1], path, lines[0][0]) if lines else {}
    if not isinstance(head, dict) or head.get("stancekit_release") != VERSION or not head.keys() >= _HEAD:
        raise fail(path, "this is no release of stancekit", "give a file that `stancekit release` wrote")
    problems, rows = Problems(), []
    for number, line in lines[1:]:
        where = f"{path}:{number}"
        with problems.catching(where):
            row = parse_json(line, path, number)
            if not isinstance(row, dict) or not all(isinstance(row.get(k), t) for k, t in _NEEDED.items()):
                raise fail(where, "this is no sentence of a release", "get the file again")
            rows.append((where, row))
    if len(lines) - 1 != head["sentences"]:
        problems.add(path, f"it has {len(lines) - 1} of {head['sentences']} sentences", "it is cut off; get it again")
    problems.raise_any()
    return head, rows


def _restored(row: Mapping[str, Any], text: str, where: str, problems: Problems) -> Sentence | None:
    try:
        return Reader(where, problems).sentence(restore(row, text))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        hint = "get the exact text, or the release again"
        raise fail(where, f"its offsets cannot be carried over: {error!r}", hint) from error


class _Texts:
    """The other side's texts, to be found by several ways."""

    def __init__(self, path: Path, codebook: str | Path | None, format: str | None, options: Mapping[str, Any]) -> None:
        self.articles: dict[str, str] = {}
        self.sentences: list[Sentence] = []
        if _holds_articles(path, format):
            self._read_articles(path)
        else:
            self.sentences = list(load_module.load(path, format=format, options=options, codebook=codebook))
        self.by_id = {s.id: s.text for s in self.sentences}
        self.by_place = {(s.document, s.index): s.text for s in self.sentences}
        self.by_hash = {letters_hash(s.text): s.text for s in self.sentences}

    def _read_articles(self, path: Path) -> None:
        source = Source()
        for article in source.articles([path]):
            self.articles[article.document] = article.text
            self.sentences.extend(cut(article))
        source.problems.raise_any()

    def find(self, row: Mapping[str, Any], where: str) -> tuple[str, str]:
        """Return how a released sentence was found, and its text; otherwise say how the nearest one differs."""
        candidates = list(self._candidates(row))
        for way, text in candidates:
            if letters_hash(text) == row["letters_hash"]:
                return way, text
        name = f"the sentence {row['id']!r}"
        if not candidates:
            hint = f"get the text of {row['document']!r}, or leave it out (--skip-errors)"
            raise fail(where, f"{name} is not in the texts", hint)
        way, text = candidates[0]
        hint = "get the version that was annotated, or leave it out (--skip-errors)"
        raise fail(where, f"{name}, found by {way}, differs: {difference(row, text)}", hint)

    def _candidates(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        start, end = row["meta"].get("start"), row["meta"].get("end")
        article = self.articles.get(row["document"])
        if article is not None and type(start) is int and type(end) is int and end <= len(article):
            yield "offsets", article[start:end]
        for way, table, key in (
            ("id", self.by_id, row["id"]),
            ("document", self.by_place, (row["document"], row["index"])),
            ("hash", self.by_hash, row["letters_hash"]),
        ):
            if key in table:
                yield way, table[key]  # type: ignore[index]


def _holds_articles(path: Path, format: str | None) -> bool:
    """Say whether a path holds raw articles and no sentences."""
    if format is not None or not path.exists():
        return False
    if path.is_dir():
        return not _is_data_set(path) and any(p.suffix.lower() in READERS for p in path.rglob("*"))
    return path.suffix.lower() in PAGES or path.name.endswith(".articles.jsonl")


def _is_data_set(folder: Path) -> bool:
    try:
        return bool(guess(folder))
    except StancekitError:
        return False
