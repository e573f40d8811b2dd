"""What is derived from the annotated spans and never stored beside them: voice, frames, holders.

The rules are those of the codebook, sections 1, 3 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable

from stancekit.schema import Attribution, Device, Holder, Layers, characters, hull
from stancekit.text.quotes import quotations

Quote = tuple[int, int]


def scare_quotes(text: str, devices: Iterable[Device]) -> dict[Quote, Device]:
    """Return the quotations that enclose exactly one device and stand in no longer quotation."""
    quotes = quotations(text)
    by_hull: dict[Quote, list[Device]] = {}
    for device in devices:
        by_hull.setdefault(hull(device.parts), []).append(device)
    found: dict[Quote, Device] = {}
    for quote in quotes:
        if any(other != quote and other[0] <= quote[0] and quote[1] <= other[1] for other in quotes):
            continue
        inside = by_hull.get(_inner(text, quote), [])
        if inside:
            found[quote] = inside[0]
    return found


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
    scare = scare_quotes(layers.text, layers.devices or ())
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
    scare = scare_quotes(layers.text, layers.devices)
    hulls = {hull(device.parts): quote for quote, device in scare.items()}
    return tuple(_holder(d, layers.attributions, hulls.get(hull(d.parts)), layers.text) for d in layers.devices)


def _holder(device: Device, relations: tuple[Attribution, ...], scare: Quote | None, text: str) -> Holder:
    index = innermost(device, relations)
    if index is None:
        return Holder(kind="distanced" if scare else "author")
    relation = relations[index]
    distancing = relation.cue_stance == "distancing"
    quoted_whole = scare is not None and not distancing and _is_whole_content(scare, relation, text)
    kind = "distanced" if distancing or (scare and not quoted_whole) else "source"
    return Holder(kind=kind, relation=index, source=relation.source)


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


def _is_whole_content(quote: Quote, relation: Attribution, text: str) -> bool:
    spoken = {c for c in characters(relation.content) if text[c].isalnum()}
    return spoken == {c for c in range(*quote) if text[c].isalnum()}


def crosses_content(device: Device, relations: tuple[Attribution, ...]) -> bool:
    """Say whether a device lies partly inside and partly outside some relation's content."""
    own = characters(device.parts)
    if innermost(device, relations) is not None:
        return False
    return any(own & characters(r.content) for r in relations)
