"""A saved web page to its article: trafilatura finds the text, and nothing is fetched or guessed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from trafilatura import bare_extraction

from stancekit.errors import fail
from stancekit.files import decode

_CHARSET = re.compile(rb"<meta[^>]{1,200}charset=[\"']?([\w-]+)", re.IGNORECASE)
_LANGUAGE = re.compile(r"<html[^>]{0,500}?\blang=[\"']?([\w-]+)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"”’»)]*\s*$", re.MULTILINE)
_FIELDS = {"title": "title", "author": "author", "sitename": "outlet", "date": "date", "url": "url"}
_LEAST_WORDS = 25
_DATES = {"extensive_search": False, "original_date": True, "max_date": "2999-12-31"}


def read_page(content: bytes, path: Path) -> tuple[str, dict[str, Any]]:
    """Return the article of an HTML page, its paragraphs as lines, and the metadata that the page states."""
    html = _decoded(content, path)
    options: dict[str, Any] = {"include_comments": False, "include_tables": False, "with_metadata": True}
    found: Any = bare_extraction(html, date_extraction_params=_DATES, **options)
    text = (found.text or "").strip() if found is not None else ""
    if len(text.split()) < _LEAST_WORDS or len(_SENTENCE_END.findall(text)) < 2:
        what = "there is no article in this page" + (f", only {len(text.split())} words" if text else "")
        raise fail(path, what, "save the article's own page, after its scripts have run")
    meta = {own: getattr(found, name) for name, own in _FIELDS.items() if getattr(found, name)}
    language = _LANGUAGE.search(html)
    return text, meta | ({"language": language[1].lower()} if language else {})


def _decoded(content: bytes, path: Path) -> str:
    """Decode a page as it says itself, else as UTF-8."""
    declared = _CHARSET.search(content[:4096])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name in ("utf-8", "utf8"):
        return decode(content, path)
    try:
        return content.decode(name)
    except (LookupError, UnicodeDecodeError) as error:
        raise fail(path, f"it says that it is {name}, but cannot be read so", "save it as UTF-8") from error
