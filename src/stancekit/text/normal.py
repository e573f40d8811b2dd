"""What two copies of a text share when they differ only in white space and the shape of quotation marks.

The letters of a text are its characters without white space and invisible ones, quotation marks and dashes
made plain. Every kept character stands for exactly one of the text, so offsets can be carried over.
"""

from __future__ import annotations

import unicodedata
from itertools import accumulate

_PLAIN = str.maketrans(dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("‘’‚‛`´′", "'") | dict.fromkeys("‐‑‒–—―−", "-"))
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


def letters(text: str) -> str:
    """Return the letters of a text, case kept."""
    return "".join(filter(_is_kept, text)).translate(_PLAIN)


def same(text: str) -> str:
    """Return what two copies of a text share: its letters without case."""
    return letters(text).casefold()


def counts(text: str) -> list[int]:
    """Return how many letters stand before each offset of a text, shape (len(text) + 1,)."""
    return list(accumulate((int(_is_kept(c)) for c in text), initial=0))


def places(text: str) -> list[int]:
    """Return the offset of every letter of a text."""
    return [at for at, character in enumerate(text) if _is_kept(character)]


def _is_kept(character: str) -> bool:
    return not (character.isspace() or character in _INVISIBLE or unicodedata.category(character) == "Cc")
