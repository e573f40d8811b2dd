"""Word and punctuation tokens with character offsets, from which the text can be put together again."""

from __future__ import annotations

import re
import unicodedata

from stancekit.schema import Span

_CLITIC = r"['’](?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)(?!\w)"
_NOT = r"[nN]['’][tT](?!\w)"
_TOKEN = re.compile(
    rf"""
    https?://[^\s<>"”’)]+                           # an address
    | (?<!\w)(?:[^\W\d_]\.){{2,}}                   # U.S., p.m.
    | (?<!\w)(?:Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Maj|Capt|Sgt|Rev|Hon|St)\.(?=\s)
    | (?<=\w){_NOT}                                 # did|n't
    | (?<=\w){_CLITIC}                              # ministry|'s, they|'ve
    | \d+(?:[.,:]\d+)+                              # 1,200.50
    | [@#]\w+                                       # a handle, a hashtag
    | \w+?(?={_NOT})
    | \w+(?:(?:[-‐‑]|(?!{_CLITIC})['’])\w+)*        # so-called, O'Brien
    | \.{{2,}} | -{{2,}}                            # an ellipsis, a dash of hyphens
    | \S
    """,
    re.VERBOSE,
)
_ZERO_WIDTH_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_JOINERS = "\u200c" + _ZERO_WIDTH_JOINER


def tokens(text: str) -> list[Span]:
    """Return the tokens of a text as character spans, in order; together they cover all that is no space.

    A quotation mark, an apostrophe-s and an n't are tokens of their own; hyphenated words, abbreviations
    such as U.S. and characters with their combining marks are one.
    """
    pairs = [match.span() for match in _TOKEN.finditer(text)]
    if not text.isascii():
        pairs = _joined(pairs, text)
    return [Span(start, end) for start, end in pairs]


def _joined(pairs: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Put pieces of one word or emoji together: Python's \\w does not hold combining marks and joiners."""
    found: list[tuple[int, int]] = []
    for start, end in pairs:
        if found and found[-1][1] == start and _belong_together(text[start - 1], text[start]):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _belong_together(before: str, after: str) -> bool:
    if _is_mark(after):
        return True
    return before == _ZERO_WIDTH_JOINER or (_is_mark(before) and before != _EMOJI_STYLE and after.isalnum())


def _is_mark(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character).startswith("M")
