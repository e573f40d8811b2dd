"""What is derived from the annotated spans and never stored beside them: voice, frames, holders.

The rules are those of the codebook, sections 1, 3 and 6.
"""

from __future__ import annotations

from stancekit.schema import Attribution, Device, Holder, Layers, characters, hull
from stancekit.text.quotes import quotations

Quote = tuple[int, int]


def scare_quotes(layers: Layers) -> dict[Quote, Quote]:
    """Return the quotations that keep a device at a distance, each by the stretch of words that it encloses.

    They enclose exactly the words of a device, stand in no longer quotation, and are not the whole content of
    a relation with a non-distancing cue: that is a quotation of its source.
    """
    text = layers.text
    quotes = quotations(text)
    devices = {_inner(text, hull(device.parts)) for device in layers.devices or ()}
    return {
        inner: quote
        for quote in quotes
        if (inner := _inner(text, quote)) in devices
        and not any(other != quote and other[0] <= quote[0] and quote[1] <= other[1] for other in quotes)
        and not any(_is_quotation_of(relation, quote, text) for relation in layers.attributions or ())
    }


def _inner(text: str, quote: Quote) -> Quote:
    """Shrink a quotation to what stands inside its marks, without stops and spaces at its edges."""
    start, end = quote
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end


def voice(layers: Layers) -> str | None:
    """Return `author`, `direct`, `indirect` or `mixed`; None where attribution is not annotated."""
    if layers.attributions is None:
        return None
    if not layers.attributions:
        return "author"
    scare = set(scare_quotes(layers).values())
    quoted = {c for quote in quotations(layers.text) if quote not in scare for c in range(*quote)}
    content = {c for relation in layers.attributions for c in characters(relation.content)}
    spoken = {c for c in content if layers.text[c].isalnum()}
    inside = len(spoken & quoted)
    if not spoken or not inside:
        return "indirect"
    return "direct" if inside == len(spoken) else "mixed"


def frames(layers: Layers) -> frozenset[str] | None:
    """Return the frames of a sentence's devices; None where framing is not annotated."""
    return None if layers.devices is None else frozenset(d.frame for d in layers.devices)


def holders(layers: Layers) -> tuple[Holder, ...] | None:
    """Return the holder of every device, in order; None where one of the two layers is missing."""
    if layers.devices is None or layers.attributions is None:
        return None
    scare = scare_quotes(layers)
    return tuple(
        _holder(device, layers.attributions, _inner(layers.text, hull(device.parts)) in scare)
        for device in layers.devices
    )


def _holder(device: Device, relations: tuple[Attribution, ...], scare_quoted: bool) -> Holder:
    index = innermost(device, relations)
    if index is None:
        return Holder(kind="distanced" if scare_quoted else "author")
    relation = relations[index]
    distanced = scare_quoted or relation.cue_stance == "distancing"
    return Holder(kind="distanced" if distanced else "source", relation=index, source=relation.source)


def innermost(device: Device, relations: tuple[Attribution, ...]) -> int | None:
    """Return the last relation with the shortest content of which one part contains the whole device."""
    start, end = hull(device.parts)
    best: tuple[int, int] | None = None
    for index, relation in enumerate(relations):
        if any(p.start <= start and end <= p.end for p in relation.content):
            length = len(characters(relation.content))
            if best is None or length <= best[0]:
                best = length, index
    return None if best is None else best[1]


def _is_quotation_of(relation: Attribution, quote: Quote, text: str) -> bool:
    """Say whether a quotation is the whole content of a relation whose cue does not distance it."""
    spoken = {c for c in characters(relation.content) if text[c].isalnum()}
    return relation.cue_stance != "distancing" and spoken == {c for c in range(*quote) if text[c].isalnum()}


def crosses_content(device: Device, relations: tuple[Attribution, ...]) -> bool:
    """Say whether a device lies partly inside and partly outside some relation's content."""
    own = characters(device.parts)
    if innermost(device, relations) is not None:
        return False
    return any(own & characters(r.content) for r in relations)
