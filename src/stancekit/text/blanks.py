"""White space made plain, so that a line break or a no-break space reads as the blank that it stands for."""

from __future__ import annotations

import re

_BLANK = re.compile(r"\s")


def even(text: str) -> str:
    """Return a text with a plain blank for every character of white space: as long, so offsets stay true."""
    return _BLANK.sub(" ", text)


def joined(text: str) -> str:
    """Return the words of a text with one blank between them: a name as it is written on one line."""
    return " ".join(text.split())
