"""Labelled spans as one tag a token (BIO or BIOES), and back; what tags cannot hold is counted."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stancekit.errors import did_you_mean, fail
from stancekit.schema import Parts, Span

SCHEMES = ("BIO", "BIOES")
OUTSIDE = "O"
WIDENED, APART, CROWDED = "edges inside a token, widened", "parts of one span, tagged apart", "overlapping, left out"

Item = tuple[str, Parts]
"""A label and its parts: a device, a role of a relation, a span of a user's own."""


@dataclass
class Tagged:
    """Layers of tags over the same tokens, each item in the first layer where it has room; and what was lost."""

    layers: list[list[str]]
    lost: Counter[str] = field(default_factory=Counter)


def tag(items: Iterable[Item], toks: Sequence[Span], *, scheme: str = "BIO", layers: int = 1) -> Tagged:
    """Return the tags of items, given in the order in which they take their places.

    An edge inside a token is moved to the token's edge. An item that overlaps others in every layer is left
    out, and the parts of a discontinuous one are tagged apart; all three are counted.
    """
    if scheme not in SCHEMES:
        raise fail("", f"there is no tagging scheme {scheme!r}", did_you_mean(scheme, SCHEMES))
    found = Tagged([[OUTSIDE] * len(toks) for _ in range(layers)])
    for label, parts in items:
        ranges = token_ranges(parts, toks)
        found.lost[WIDENED] += sum((toks[a].start, toks[b - 1].end) not in _edges(parts) for a, b in ranges)
        room = next(
            (row for row in found.layers if all(row[i] == OUTSIDE for a, b in ranges for i in range(a, b))), None
        )
        if room is None:
            found.lost[CROWDED] += 1
            continue
        found.lost[APART] += len(ranges) > 1
        for start, end in ranges:
            room[start:end] = _span_tags(label, end - start, scheme)
    found.lost = +found.lost
    return found


def _edges(parts: Parts) -> set[tuple[int, int]]:
    return {(part.start, part.end) for part in parts}


def _span_tags(label: str, length: int, scheme: str) -> list[str]:
    if scheme == "BIO":
        return [f"B-{label}"] + [f"I-{label}"] * (length - 1)
    if length == 1:
        return [f"S-{label}"]
    return [f"B-{label}"] + [f"I-{label}"] * (length - 2) + [f"E-{label}"]


def begins(tag: str) -> bool:
    """Say whether a span begins at a token with this tag."""
    return tag.startswith(("B-", "S-"))


def token_ranges(parts: Parts, toks: Sequence[Span]) -> list[tuple[int, int]]:
    """Return the tokens that each part touches as (first, last + 1), joined where they overlap."""
    starts, ends = [t.start for t in toks], [t.end for t in toks]
    found: list[tuple[int, int]] = []
    for part in parts:
        first, last = bisect.bisect_right(ends, part.start), bisect.bisect_left(starts, part.end)
        if first >= last:
            continue
        if found and first < found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def ranges(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the spans that tags spell as (first token, last token + 1, label); CoNLL rules for broken tags.

    A span ends before a B or S, at another label, and after an E or S; an I or E without a begin begins one.
    """
    found: list[tuple[int, int, str]] = []
    start, label = 0, ""
    for at, tag_ in enumerate([*tags, OUTSIDE]):
        prefix, _, name = tag_.partition("-")
        if label and (prefix in "OBS" or name != label):
            found.append((start, at, label))
            label = ""
        if prefix != OUTSIDE and not label:
            start, label = at, name
        if prefix in ("E", "S"):
            found.append((start, at + 1, label))
            label = ""
    return found


def spans(tags: Sequence[str], toks: Sequence[Span]) -> list[Span]:
    """Return the labelled character spans that the tags of some tokens spell."""
    return [Span(toks[a].start, toks[b - 1].end, label) for a, b, label in ranges(tags)]
