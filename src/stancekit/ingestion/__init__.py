"""From raw articles to sentences to label: offsets into the article, metadata, copies marked, nothing guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from stancekit.data import load as load_module
from stancekit.errors import Problem, fail
from stancekit.files import spare, write_lines
from stancekit.ingestion.article import Article, judge
from stancekit.ingestion.copies import boilerplate, wire_groups
from stancekit.ingestion.read import Source
from stancekit.schema import Sentence
from stancekit.text.article import split

_NO_META: Mapping[str, Any] = {}


@dataclass(frozen=True, repr=False)
class Ingested:
    """Articles and their sentences, with what was left out and why; `files` are those written."""

    articles: tuple[Article, ...]
    sentences: tuple[Sentence, ...]
    problems: tuple[Problem, ...]
    counts: Mapping[str, int]
    files: tuple[Path, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return counts and problems as JSON."""
        told = [{"where": p.where, "what": p.what, "hint": p.hint} for p in self.problems]
        return {"counts": dict(self.counts), "left_out": told, "files": list(map(str, self.files))}

    def __repr__(self) -> str:
        return "\n".join(f"{count:>8} {what}" for what, count in self.counts.items())


def ingest(
    *sources: str | Path,
    to: str | Path | None = None,
    columns: Mapping[str, str] = _NO_META,
    meta: Mapping[str, Any] = _NO_META,
    on_error: Literal["stop", "skip"] = "stop",
) -> Ingested:
    """Turn HTML pages, plain text, folders, and JSONL or Parquet of articles into sentences.

    Every sentence carries the article's metadata, its place in the article (`start` and `end` in characters, end
    exclusive; its paragraph and quotation, by which `tag` finds speakers), `wire_group` where the article has
    near-identical others, and `boilerplate` where it stands in many articles. `columns` names the columns of tables by
    role, `meta` adds metadata to every article.
    Articles that are no English, broken or unreadable are problems: all are raised at once, or left out and
    listed with `on_error="skip"`. `to` is written in the format of its ending, and the articles' texts, into
    which the offsets point, beside it as `NAME.articles.jsonl`.
    """
    if to is not None:
        spare(sources, to, _articles_beside(Path(to)))
    source = Source(columns)
    for kind in [type(given).__name__ for given in sources if not isinstance(given, str | Path)]:
        source.problems.add("ingest", f"{kind} is no path", "give paths one after another: ingest(*paths)")
    source.problems.raise_any()
    articles = []
    for article in source.articles(map(Path, sources)):
        measured = judge(article, source.problems)
        if measured is not None:
            articles.append(replace(article, meta={**article.meta, **measured, **meta}))
    if on_error == "stop" or not articles:
        source.problems.raise_any()
    if not articles:
        raise fail(", ".join(map(str, sources)) or "ingest", "there is no article in it", "give files or folders")
    sentences, counts = _sentences(articles)
    found = Ingested(tuple(articles), sentences, tuple(source.problems), counts | source.counts)
    return found if to is None else replace(found, files=_write(found, Path(to)))


def _sentences(articles: Sequence[Article]) -> tuple[tuple[Sentence, ...], Counter[str]]:
    groups = wire_groups(articles)
    bare = [s for a in articles for s in cut(a, {"wire_group": groups[a.document]} if a.document in groups else {})]
    repeated = boilerplate(bare, groups)
    marked = (replace(s, meta={**s.meta, "boilerplate": True}) if s.id in repeated else s for s in bare)
    counts = Counter({"articles": len(articles), "sentences": len(bare)})
    counts["articles with near-identical others"] = len(groups)
    counts["groups of near-identical articles"] = len(set(groups.values()))
    counts["sentences of boilerplate"] = len(repeated)
    counts["articles whose language cannot be told"] = sum("language" not in a.meta for a in articles)
    counts["articles with some broken characters"] = sum("broken" in a.meta for a in articles)
    return tuple(marked), +counts


def cut(article: Article, more: Mapping[str, Any] = _NO_META) -> Iterable[Sentence]:
    """Return the sentences of an article, with their places in it as metadata."""
    return split(article.text, article.document, {**article.meta, **more})


def _articles_beside(to: Path) -> Path:
    return to.with_name(f"{to.stem}.articles.jsonl")


def _write(found: Ingested, to: Path) -> tuple[Path, ...]:
    articles = _articles_beside(to)
    load_module.save(found.sentences, to)
    write_lines(articles, ({"document": a.document, "text": a.text, "meta": dict(a.meta)} for a in found.articles))
    return to, articles
