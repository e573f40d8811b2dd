"""What the sentences before say about a sentence: whether a quotation is still open where it begins."""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.schema import Sentence

_OPENERS = {"“": "”", "„": "“”", "«": "»", '"': '"'}
_CLOSERS = frozenset("”»")
_LONGEST = 12
"""A quotation open for more sentences than this was probably never closed in the text."""


def carried(sentences: Sequence[Sentence]) -> list[str]:
    """Return for each sentence how long a quotation has been open at its start: `""`, `1`, `2` or `3` (or more).

    Only the sentences given are seen: one whose predecessor in its document is not among them has no context.
    """
    found = [""] * len(sentences)
    order = sorted(range(len(sentences)), key=lambda i: (sentences[i].document, sentences[i].index))
    previous: Sentence | None = None
    closer, age = "", 0
    for place in order:
        sentence = sentences[place]
        if previous is None or not _follows(previous, sentence):
            closer, age = "", 0
        found[place] = str(min(age, 3)) if closer else ""
        after = left_open(sentence.text, closer)
        age = age + 1 if after and after == closer and age else int(bool(after))
        closer = after if age <= _LONGEST else ""
        previous = sentence
    return found


def _follows(previous: Sentence, sentence: Sentence) -> bool:
    return bool(sentence.document) and (previous.document, previous.index + 1) == (sentence.document, sentence.index)


def left_open(text: str, closer: str = "") -> str:
    """Return the marks that would close the quotation open at a text's end; `closer`: those at its start."""
    for at, mark in enumerate(text):
        if closer and mark in closer:
            if mark != '"' or not _opens_again(text, at):
                closer = ""
        elif mark in _OPENERS:
            closer = closer or _OPENERS[mark]
        elif mark in _CLOSERS:
            closer = ""
    return closer


def _opens_again(text: str, at: int) -> bool:
    """A straight mark at the start of a sentence opens a further paragraph of the same quotation."""
    return at == 0 and len(text) > 1 and not text[1].isspace()
