"""Quotation marks: which stretches of a sentence stand between them (codebook, 6.7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from stancekit.schema import Span

_CLOSERS = {"“": "”", "„": "“”", "«": "»", "‘": "’", '"': '"', "»": "«"}
_CLOSING = frozenset("”’»“")
_MARKS = re.compile("[" + "".join(sorted({*_CLOSERS, *_CLOSING})) + "]")
_ENDS = frozenset(".,!?…;:")


def quotations(text: str) -> list[tuple[int, int]]:
    """Return the quotations of a text as (start, end) with their marks, nested ones too, in order.

    One left open runs to the text's end; one that only closes begins at its start. An apostrophe is no mark.
    """
    found, open_marks = _read(text)
    found.extend((start, len(text)) for _, start in open_marks)
    return sorted(set(found), key=lambda pair: (pair[0], -pair[1]))


def left_open(text: str) -> int | None:
    """Return where the outermost quotation begins that nothing closes, None where all are closed."""
    return min((start for _, start in _read(text)[1]), default=None)


def _read(text: str) -> tuple[list[tuple[int, int]], list[tuple[str, int]]]:
    """Return the quotations that are closed, and the marks, with their places, of those that are not."""
    found: list[tuple[int, int]] = []
    open_marks: list[tuple[str, int]] = []
    for match in _MARKS.finditer(text):
        at, mark = match.start(), match.group()
        depth = _closed_by(open_marks, mark, text, at)
        if depth is not None:
            found.append((open_marks[depth][1], at + 1))
            del open_marks[depth:]
        elif _opens(mark, text, at):
            open_marks.append((mark, at))
        elif _only_closes(mark, text, at):
            found.append((0, at + 1))
    return found, open_marks


def is_quotation(text: str) -> bool:
    """Say whether every letter and digit of a text stands between quotation marks."""
    inside = {at for pair in quotations(text) for at in range(*pair)}
    return bool(inside) and all(at in inside for at, character in enumerate(text) if character.isalnum())


def one_side(text: str, toks: Sequence[Span], ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges of tokens (first, last + 1), each cut where it holds one mark of a quotation and not the other.

    What stands inside the quotation is kept: nobody's wording begins in scare quotes and ends after them. A range that
    would be left empty stays as it is.
    """
    pairs = quotations(text)
    found = []
    for one in ranges:
        while (less := _cut(toks, one, pairs)) != one:
            one = less
        found.append(one)
    return found


def _cut(toks: Sequence[Span], own: tuple[int, int], pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    first, last = own
    start, end = toks[first].start, toks[last - 1].end
    for opens, after in pairs:
        if opens < start < after - 1 < end:
            end = after - 1
        elif start <= opens < end - 1 and end < after:
            start = opens + 1
    kept = [k for k in range(first, last) if start <= toks[k].start and toks[k].end <= end]
    return (kept[0], kept[-1] + 1) if kept else own


def both_sides(text: str, toks: Sequence[Span], ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges of tokens, each grown to the other end of a quotation where nothing but stops lies between.

    What somebody says in quotation marks ends with the closing one, whether the full stop stands before it or after; a
    quotation that goes on in the next sentence takes the stop. A range that another one has grown over is left out.
    """
    pairs = quotations(text)
    found = []
    for one in ranges:
        while (more := _grown(text, toks, one, pairs)) != one:
            one = more
        found.append(one)
    return [r for r in found if not any(o != r and o[0] <= r[0] and r[1] <= o[1] for o in found)]


def _grown(text: str, toks: Sequence[Span], one: tuple[int, int], pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    first, last = one
    for opens, after in pairs:
        start, end = toks[first].start, toks[last - 1].end
        if start <= opens < end < after and not has_words(text[end:after]):
            last += sum(t.end <= after for t in toks[last:])
        elif opens < start < after <= end and not has_words(text[opens:start]):
            first -= sum(opens <= t.start for t in toks[:first])
    return first, last


def has_words(text: str) -> bool:
    """Say whether a text holds a letter or digit."""
    return any(map(str.isalnum, text))


def _closed_by(open_marks: list[tuple[str, int]], mark: str, text: str, at: int) -> int | None:
    """Return the depth of the open quotation that this mark closes, if any."""
    if mark == "’" and _is_apostrophe(text, at):
        return None
    for depth in reversed(range(len(open_marks))):
        if mark in _CLOSERS[open_marks[depth][0]]:
            return depth
    return None


def _is_apostrophe(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()


def _before(text: str, at: int) -> str:
    return text[at - 1] if at else " "


def _after(text: str, at: int) -> str:
    return text[at + 1] if at + 1 < len(text) else " "


def _opens(mark: str, text: str, at: int) -> bool:
    before, after = _before(text, at), _after(text, at)
    if mark == '"':
        return not after.isspace() and (before.isspace() or not (before.isalnum() or before in _ENDS))
    if mark == "‘":
        return not before.isalnum() and not after.isspace()
    if mark == "»":
        return before.isspace() and after.isalnum()
    return mark in _CLOSERS


def _only_closes(mark: str, text: str, at: int) -> bool:
    if mark == "’":
        return _before(text, at) in _ENDS
    return mark in '”»"' and not _before(text, at).isspace()
