"""Relations as tags over words, and tags as relations: what finders and readers of attributions share."""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.models.relation_links import Found, Link, Range
from stancekit.schema import Answer, Attribution, Parts, Span
from stancekit.text import brackets, quotes
from stancekit.text.tags import OUTSIDE, token_ranges

_ORDER = ("cue", "source", "content")
"""Where roles overlap in one sequence of tags, the earlier takes the token."""


def relations_of(answer: Answer) -> list[Attribution]:
    """Return the relations of an answer."""
    return [item for item in answer if isinstance(item, Attribution)] if isinstance(answer, tuple) else []


def flat_tags(toks: Sequence[Span], relations: Sequence[Attribution]) -> list[str]:
    """Return one tag a token over all relations: what overlaps is cut, cue over source over content."""
    owner: list[tuple[str, int] | None] = [None] * len(toks)
    parts = [(role, token_ranges(getattr(r, role), toks)) for role in reversed(_ORDER) for r in relations]
    for number, (role, ranges) in enumerate(parts):
        for start, end in ranges:
            owner[start:end] = [(role, number)] * (end - start)
    before = [None, *owner[:-1]]
    return [
        OUTSIDE if own is None else f"{'I' if own == last else 'B'}-{own[0]}"
        for own, last in zip(owner, before, strict=True)
    ]


def marked(relation: Attribution, toks: Sequence[Span]) -> Range | None:
    """Return the part of a cue that stands for it: the longest; None without a cue."""
    return max(token_ranges(relation.cue, toks), key=lambda r: r[1] - r[0], default=None)


def reader_tags(toks: Sequence[Span], cue: Range, relation: Attribution) -> list[str]:
    """Return the tags of one relation; its marked cue is outside, further parts of the cue are tagged."""
    found = [OUTSIDE] * len(toks)
    for role in reversed(_ORDER):
        for start, end in token_ranges(getattr(relation, role), toks):
            found[start:end] = [f"B-{role}"] + [f"I-{role}"] * (end - start - 1)
    found[slice(*cue)] = [OUTSIDE] * (cue[1] - cue[0])
    return found


def spell(found: Sequence[Found], length: int) -> list[str]:
    """Return spans as tags over `length` tokens."""
    row = [OUTSIDE] * length
    for start, end, role, _ in found:
        row[start:end] = [f"B-{role}"] + [f"I-{role}"] * (end - start - 1)
    return row


def link_of(cue: Found, parts: Sequence[Found]) -> Link:
    """Return the relation of a cue from what was read for it; of several sources the surest."""
    link = Link()
    link.add(cue)
    sources = [part for part in parts if part[2] == "source"]
    for part in parts:
        if part[2] != "source" or part == max(sources, key=lambda s: s[3]):
            link.add(part)
    return link


def ordered(links: Sequence[Link]) -> list[Link]:
    """Return relations outermost first: by where their content begins, the longer first; then by their cue."""

    def order(link: Link) -> tuple[int, int, list[Range]]:
        parts = link.content or link.cue or link.source
        return min(a for a, _ in parts), -max(b for _, b in parts), link.cue

    return sorted(links, key=order)


def attribution(text: str, toks: Sequence[Span], link: Link) -> Attribution:
    """Return a relation on tokens as one on characters.

    Contents hold both marks of a quotation, or neither, and every part both brackets of a pair, or neither, unless
    another part stands between them.
    """
    source, cue, content = link.source, link.cue, quotes.both_sides(text, toks, link.content)

    def parts(own: Sequence[Range], *others: Sequence[Range]) -> Parts:
        kept = brackets.whole(text, toks, own, [one for other in others for one in other])
        return tuple(Span(toks[a].start, toks[b - 1].end) for a, b in sorted(kept))

    return Attribution(
        source=parts(source, cue, content), cue=parts(cue, source, content), content=parts(content, source, cue)
    )
