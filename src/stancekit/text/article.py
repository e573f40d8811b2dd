"""A raw article cut into sentences that know where they stand in it: characters, paragraph, quotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stancekit.schema import Sentence, Span
from stancekit.text import speech
from stancekit.text.segment import sentences
from stancekit.text.speech import Placed

PLACE = ("start", "end", "paragraph", "quotation_start", "quotation_end")
"""The metadata that tell a sentence's place."""
_START, _END, _PARAGRAPH, _OPENS, _CLOSES = PLACE


def split(text: str, document: str, meta: Mapping[str, Any] | None = None) -> list[Sentence]:
    """Return the sentences of a raw article, each with the article's metadata and its place.

    That is `start` and `end` (characters, end exclusive) and `paragraph` (from 0); of a sentence that stands in a
    quotation as a whole, `quotation_start` and `quotation_end`, too.
    """
    spans = sentences(text)
    places = zip(spans, speech.paragraphs(text, spans), speech.running(text, spans), strict=True)
    return [
        Sentence(
            id=f"{document}.{index}",
            text=span.of(text),
            document=document,
            index=index,
            meta={
                **(meta or {}),
                **{_START: span.start, _END: span.end, _PARAGRAPH: number},
                **({_OPENS: quote.start, _CLOSES: quote.end} if quote else {}),
            },
        )
        for index, (span, number, quote) in enumerate(places)
    ]


def placed(sentence: Sentence) -> Placed:
    """Return a sentence's layers with its place in its article, as far as its metadata tell (a user's may say else)."""
    start, paragraph, opens, closes = (_number(sentence.meta.get(k)) for k in (_START, _PARAGRAPH, _OPENS, _CLOSES))
    known = opens is not None and closes is not None and 0 <= opens < closes
    return Placed(sentence.gold, start or 0, Span(opens or 0, closes or 0) if known else None, paragraph or 0)


def _number(value: Any) -> int | None:
    text = str(value).removesuffix(".0")  # a table with gaps gives numbers as 12.0
    return int(text) if text.isascii() and text.isdigit() else None
