"""Spans to relations by rule, where nothing is trained for it: what belongs together stands near."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

Range = tuple[int, int]
Found = tuple[int, int, str, float]
"""First token, last token + 1, role, confidence."""


@dataclass
class Link:
    """A relation on tokens, with the confidence of its parts."""

    source: list[Range] = field(default_factory=list)
    cue: list[Range] = field(default_factory=list)
    content: list[Range] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)

    def add(self, found: Found) -> None:
        """Take a part in."""
        start, end, role, confidence = found
        getattr(self, role).append((start, end))
        self.confidence.append(confidence)

    @property
    def sure(self) -> float:
        """The product of the confidences of its parts."""
        return round(math.prod(self.confidence), 6)

    def covers(self, start: int, end: int) -> bool:
        """Say whether some part shares a token with a range."""
        return any(a < end and start < b for part in (self.source, self.cue, self.content) for a, b in part)


def by_nearness(found: Sequence[Found]) -> list[Link]:
    """Return a relation for each cue, with the nearest source and the contents to which it is the nearest cue."""
    cues = [f for f in found if f[2] == "cue"]
    links = []
    for cue in cues:
        links.append(Link())
        links[-1].add(cue)
        sources = [f for f in found if f[2] == "source"]
        if sources:
            links[-1].add(min(sources, key=lambda s: (_gap(s, cue), s)))
    for content in found:
        if content[2] == "content" and cues:
            nearest = min(range(len(cues)), key=lambda k: (_gap(content, cues[k]), k))
            links[nearest].add(content)
    return links + without_cue(found, links)


def without_cue(found: Sequence[Found], links: Sequence[Link]) -> list[Link]:
    """Return relations of the contents that no relation holds, each with the nearest source left, if there is one.

    A quotation that goes on from the sentence before has neither source nor cue; a transcript has no cue.
    """
    left = [f for f in found if not any(link.covers(f[0], f[1]) for link in links)]
    sources = [f for f in left if f[2] == "source"]
    extra = []
    for content in left:
        if content[2] == "content":
            extra.append(Link())
            extra[-1].add(content)
            if sources:
                extra[-1].add(min(sources, key=lambda s: (_gap(s, content), s)))
    return extra


def _gap(one: Found, other: Found) -> int:
    return max(0, one[0] - other[1], other[0] - one[1])
