"""What many articles share: wire copy that several outlets print, and lines that stand under everything."""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.ingestion.article import Article
from stancekit.profile import words
from stancekit.schema import Sentence
from stancekit.text.duplicates import connected, exact_duplicates, near_duplicates

WIRE_JACCARD = 0.5
"""Runs of three words that two articles share, of all that either has; a copy cut to two thirds is above it."""
BOILERPLATE_ARTICLES = 3
SHORTEST = 4


def wire_groups(articles: Sequence[Article]) -> dict[str, str]:
    """Return the group of every article that has near-identical others: the document id of the group's first."""
    pairs = near_duplicates([article.text for article in articles], threshold=WIRE_JACCARD, shingle=3)
    return {articles[k].document: articles[group[0]].document for group in connected(pairs) for k in group}


def boilerplate(sentences: Sequence[Sentence], groups: dict[str, str]) -> set[str]:
    """Return the ids of sentences that stand in three or more articles that are no copies of one another.

    Short ones (`Why?`) recur by chance and are not counted; lines without words (`___`) are.
    """
    found: set[str] = set()
    long = [s for s in sentences if not 0 < len(words(s.text)) < SHORTEST]
    for group in exact_duplicates([sentence.text for sentence in long]):
        members = [long[k] for k in group]
        if len({groups.get(s.document, s.document) for s in members}) >= BOILERPLATE_ARTICLES:
            found.update(s.id for s in members)
    return found
