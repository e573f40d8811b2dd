"""Round brackets: a span holds both of a pair, or neither, unless another span stands between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stancekit.schema import Span

Range = tuple[int, int]


def whole(text: str, toks: Sequence[Span], ranges: Iterable[Range], others: Sequence[Range] = ()) -> list[Range]:
    """Return ranges of words with both brackets of every pair, or neither.

    A bracket at a range's edge whose fellow stands outside is left out; one inside makes the range grow to its fellow,
    unless that would run over `others`. Nobody ascribes to "Senator Reed (D-Ohio": of the sources in PolNeAR's train
    that have a bracket 169 hold both of a pair, and 3 one.
    """
    pairs = _pairs(text, toks) if "(" in text else []
    if not pairs:
        return list(ranges)
    own, found = [*ranges], []
    for number, one in enumerate(own):
        taken = [*others, *own[:number], *own[number + 1 :]]
        trimmed = _trimmed(one, pairs)
        grown = _grown(trimmed, pairs)
        found.append(trimmed if any(a < grown[1] and grown[0] < b for a, b in taken) else grown)
    return found


def _pairs(text: str, toks: Sequence[Span]) -> list[Range]:
    """Return the words that are the two brackets of a pair, by their numbers, inner pairs first."""
    found: list[Range] = []
    opened: list[int] = []
    for number, tok in enumerate(toks):
        if tok.of(text) == "(":
            opened.append(number)
        elif tok.of(text) == ")" and opened:
            found.append((opened.pop(), number))
    return found


def _trimmed(one: Range, pairs: Sequence[Range]) -> Range:
    """Return a range without brackets at its edges whose fellow stands outside; a range of nothing else stays."""
    fellow = dict(pairs) | {closing: opening for opening, closing in pairs}
    start, end = one
    while start < end and start in fellow and not one[0] <= fellow[start] < one[1]:
        start += 1
    while start < end and end - 1 in fellow and not one[0] <= fellow[end - 1] < one[1]:
        end -= 1
    return (start, end) if start < end else one


def _grown(one: Range, pairs: Iterable[Range]) -> Range:
    start, end = one
    for opening, closing in pairs:
        if (start <= opening < end) is not (start <= closing < end):
            start, end = min(start, opening), max(end, closing + 1)
    return start, end
