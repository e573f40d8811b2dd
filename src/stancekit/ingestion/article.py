"""An article as it comes in: its text, from which sentences take their offsets, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stancekit.errors import Problems
from stancekit.text import health

LARGEST = 20_000_000
"""Bytes of one article; a line or file of more is no article, and is refused before it fills the memory."""
TOO_LARGE = f"more than {LARGEST // 1_000_000} MB in one piece, which is no article"


@dataclass(frozen=True, kw_only=True)
class Article:
    """One article: a document's id, its text, its metadata, and where it stands (`file`, `file:line` or row)."""

    document: str
    text: str
    where: str
    meta: Mapping[str, Any] = field(default_factory=dict)


def judge(article: Article, problems: Problems) -> dict[str, Any] | None:
    """Return what is measured of an article (`language`, `broken`), or None after noting why it is left out."""
    before = len(problems)
    if not article.text.strip():
        problems.add(article.where, "the article has no text", "remove it, or name the column of the text")
    if "\0" in article.text:
        problems.add(article.where, "there is a NUL character in the text", "the file is damaged; mend or remove it")
    broken = health.broken_share(article.text)
    if broken > health.BROKEN_SHARE:
        what = f"{broken:.1%} of the characters are broken (wrong encoding on the way)"
        problems.add(article.where, what, "fetch it again, or read it in its own encoding")
    found = {"broken": round(broken, 5)} if broken else {}
    english = _check_language(article, problems)
    if len(problems) > before:
        return None
    return found | ({"language": "en"} if english else {})


def _check_language(article: Article, problems: Problems) -> bool:
    """Say whether the article is known to be English, noting one that is known not to be."""
    share = health.english_share(article.text)
    declared = str(article.meta.get("language") or "").lower()
    if share is not None and share < health.FOREIGN_SHARE:
        what = f"this is no English: {share:.0%} of its words are English function words"
        problems.add(article.where, what + (f", declared is {declared!r}" if declared else ""), "leave it out")
    elif declared and not declared.startswith("en"):
        problems.add(article.where, f"the language is given as {declared!r}", "leave it out, or mend `language`")
    return share is not None and share >= health.ENGLISH_SHARE
