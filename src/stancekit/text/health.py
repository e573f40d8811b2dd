"""Is a text English, and is it whole? Measured by function words and by traces of a wrong encoding."""

from __future__ import annotations

import re

ENOUGH_WORDS = 20
"""A text of fewer words is not judged."""
ENGLISH_SHARE, FOREIGN_SHARE = 0.2, 0.12
"""English prose has a third of these words and more, other languages that share some of them less than 0.12; a text
in between (short, or full of names) is not told."""
BROKEN_SHARE = 0.002

_WORD = re.compile(r"[^\W\d_]+")
_FUNCTION_WORDS = frozenset(
    "the of and to that was is with from it he his are this which they were their said not but would been who its she "
    "after than when there as you your we our what if these those into has have had could should out up how why for on "
    "in".split()
)
_BROKEN = re.compile(r"\ufffd|ï¿½|Ã[\x80-\xbf]|Â[\xa0-\xbf]|â€.?|ðŸ.{0,2}")


def english_share(text: str) -> float | None:
    """Return the share of English function words among a text's words; None where there are too few to judge."""
    words = _WORD.findall(text.lower())
    if len(words) < ENOUGH_WORDS:
        return None
    return sum(word in _FUNCTION_WORDS for word in words) / len(words)


def broken_share(text: str) -> float:
    """Return the share of characters that are replacement characters or mojibake (UTF-8 read as Latin-1)."""
    return sum(len(match[0]) for match in _BROKEN.finditer(text)) / len(text) if text else 0.0
