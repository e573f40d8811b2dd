"""Relations as rows of numbers for the attribution heads, and relations read from the heads' scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from stancekit.models import relation_links, relation_shapes
from stancekit.models.neural.encoders import states
from stancekit.models.neural.encoders.states import Floats, Laid, Range, in_row, tensor
from stancekit.models.neural.heads.attribution_heads import AttributionHeads
from stancekit.models.neural.texts.words import WordRow
from stancekit.models.relation_links import Found, Link
from stancekit.models.relation_tags import attribution, flat_tags, link_of, marked, ordered, reader_tags
from stancekit.schema import Attribution
from stancekit.text.tags import token_ranges

ATTRIBUTES = ("source_type", "cue_stance")


@dataclass(frozen=True)
class Read:
    """A cue, and the vectors of the words that were read with it, from the word `first` on."""

    cue: Range
    first: int
    words: Floats

    def place(self, words: Range) -> Range:
        """Return where words stand among those that were read; (−1, −1) stays what it is."""
        return (words[0] - self.first, words[1] - self.first) if words[0] >= 0 else words


class RelationRows:
    """Knows the attributes' labels and the shapes of train's relations; makes rows of them, and relations of scores.

    Without `shapes` a relation may have any.
    """

    def __init__(self, attributes: Mapping[str, Sequence[str]], shapes: Sequence[str] | None = None) -> None:
        self.attributes = {name: tuple(attributes[name]) for name in ATTRIBUTES}
        self.shapes = None if shapes is None else tuple(shapes)

    @classmethod
    def of(cls, gold: Sequence[Sequence[Attribution]]) -> RelationRows:
        """Return one that knows what occurs in train."""
        seen = {name: {getattr(r, name) for row in gold for r in row} - {None} for name in ATTRIBUTES}
        shapes = relation_shapes.usual(r for row in gold for r in row)
        return cls({name: sorted(labels) for name, labels in seen.items()}, shapes)

    @classmethod
    def restore(cls, plain: Mapping[str, Any]) -> RelationRows:
        """Return what `dump` wrote."""
        return cls(plain["attributes"], plain["shapes"])

    def finder_fields(self, heads: AttributionHeads, one: Laid, row: WordRow, gold: Sequence[Attribution]) -> Any:
        """Return the finder's tags of the row's words."""
        number = {name: k for k, name in enumerate(heads.finder_chain.labels)}
        tags = flat_tags(one.toks, gold)
        return {"roles": [number[tag] for tag in row.tags(tags)]}

    def reader_fields(self, heads: AttributionHeads, one: Laid, row: WordRow, gold: Sequence[Attribution]) -> Any:
        """Return the row's cues with the tags and attributes of their relations; what is not in the row is left out."""
        number = {name: k for k, name in enumerate(heads.reader_chain.labels)}
        read = [(cue, r) for r in gold if (cue := marked(r, one.toks)) is not None]
        kept = [(cue, place, read[k][1]) for k, place in in_row(row, [c for c, _ in read]) for cue in [read[k][0]]]
        found: dict[str, Any] = {name: [] for name in ("cues", "parts", "sources", *ATTRIBUTES)}
        for cue, place, relation in kept:
            tags = reader_tags(one.toks, cue, relation)
            source = in_row(row, [s] if (s := _hull(one, relation)) else [])
            found["cues"].append(place)
            found["parts"].append([number[tag] for tag in row.tags(tags)])
            found["sources"].append(source[0][1] if source else (-1, -1))
            for name in ATTRIBUTES:
                label = getattr(relation, name)
                skipped = label not in self.attributes[name] or (name == "source_type" and not source)
                found[name].append(-1 if skipped else self.attributes[name].index(label))
        return found

    def answer(
        self, heads: AttributionHeads, one: Laid, flat: Sequence[Found], plain: Floats, read: Sequence[Read]
    ) -> list[tuple[Attribution, float]]:
        """Return the relations of a sentence, outermost first, each with its confidence.

        `flat` is what the finder found in the vectors of words `plain`; `read` has each cue as it was read. A cue of
        several parts is known by its longest, as in train, so longer ones come first.
        """
        cues = {f[:2]: f for f in flat if f[2] == "cue"}
        seen = {own.cue: own for own in sorted(read, key=lambda r: (r.cue[0] - r.cue[1], r.cue))}
        links: list[Link] = []
        for cue, parts in zip(seen, self._parts(heads, list(seen.values())), strict=True):
            if not any(cue in link.cue for link in links):
                links.append(link_of(cues[cue], parts))
        links += relation_links.without_cue(flat, links)
        links = ordered(relation_shapes.shaped(links, self.shapes, one.sentence.text, one.toks))
        found = []
        for link in links:
            own = seen[link.cue[0]] if link.cue else Read((-1, -1), 0, plain)
            found.append((self._complete(heads, attribution(one.sentence.text, one.toks, link), link, own), link.sure))
        return found

    def _parts(self, heads: AttributionHeads, read: Sequence[Read]) -> Iterator[list[Found]]:
        """Yield what else belongs to each cue's relation; the cue is no part of anything."""
        with torch.inference_mode():
            scores = [heads.read(tensor(r.words), tensor([r.place(r.cue)]))[0, 0].numpy() for r in read]
        for own, found in zip(read, heads.reader_chain.spans(scores), strict=True):
            shifted = [(a + own.first, b + own.first, role, sure) for a, b, role, sure in found]
            yield [f for f in shifted if f[1] <= own.cue[0] or f[0] >= own.cue[1]]

    def _complete(self, heads: AttributionHeads, bare: Attribution, link: Link, read: Read) -> Attribution:
        if not (link.cue or link.source):
            return bare
        places = [read.place(read.cue), read.place(_hull_of(link.source))]
        with torch.inference_mode():
            scored = heads.attributes(tensor(read.words), tensor([places[0]]), tensor([places[1]]))
        best: dict[str, str | None] = dict.fromkeys(ATTRIBUTES)
        for name, own in (("source_type", link.source), ("cue_stance", link.cue)):
            if own and self.attributes[name]:
                best[name] = self.attributes[name][int(np.argmax(scored[name][0, 0].numpy()))]
        return Attribution(source=bare.source, cue=bare.cue, content=bare.content, **best)

    def dump(self) -> dict[str, Any]:
        """Return the attributes' labels and the shapes as JSON."""
        return {"attributes": dict(self.attributes), "shapes": self.shapes}


def read_plain(one: Laid, words: Floats, flat: Sequence[Found]) -> list[Read]:
    """Return each cue read in the sentence as it is, nothing marked."""
    cues = cues_of(flat)
    found = zip(cues, states.stretches(one, cues), strict=True)
    return [Read(cue, low, words[low:high]) for cue, (low, high) in found]


def cues_of(flat: Sequence[Found]) -> list[Range]:
    """Return the cues among what a finder found."""
    return [(f[0], f[1]) for f in flat if f[2] == "cue"]


def _hull(one: Laid, relation: Attribution) -> Range | None:
    found = token_ranges(relation.source, one.toks)
    return _hull_of(found) if found else None


def _hull_of(ranges: Sequence[Range]) -> Range:
    return (min(a for a, _ in ranges), max(b for _, b in ranges)) if ranges else (-1, -1)
