"""Quotations that run over several sentences: which sentences of an article stand in one, and whose words they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stancekit.schema import Attribution, Layers, Span, characters, words_of
from stancekit.text.antecedents import Antecedent
from stancekit.text.quotes import has_words, quotations
from stancekit.text.segment import blocks


@dataclass(frozen=True)
class Placed:
    """A sentence's layers and where it stands in its article; `quotation` is the one it wholly stands in, if any."""

    layers: Layers
    start: int
    quotation: Span | None


def running(text: str, sentences: Sequence[Span]) -> list[Span | None]:
    """Return for each sentence of an article the quotation in which it stands as a whole, marks included, or None.

    A quotation that is left open ends with its paragraph. Of nested ones the outermost is returned.
    """
    quotes = [Span(a + start, b + start) for start, end in blocks(text) for a, b in quotations(text[start:end])]
    quotes.sort(key=lambda q: (q.start, -q.end))
    return [next((q for q in quotes if _holds(q, s, text)), None) for s in sentences]


def _holds(quote: Span, sentence: Span, text: str) -> bool:
    if quote.start >= sentence.end or quote.end <= sentence.start:
        return False
    return not has_words(text[sentence.start : quote.start]) and not has_words(text[quote.end : sentence.end])


def spoken(one: Placed) -> Layers:
    """Return a sentence's layers with a relation more where it stands in a quotation and none says so.

    Its content is the whole sentence; it has no cue, and its source stands elsewhere, if anywhere.
    """
    layers = one.layers
    if one.quotation is None or layers.attributions is None:
        return layers
    letters = {at for at, character in enumerate(layers.text) if character.isalnum()}
    if any(letters <= characters(relation.content) for relation in layers.attributions):
        return layers
    whole = Attribution(source=(), cue=(), content=(Span(0, len(layers.text)),))
    return replace(layers, attributions=(*layers.attributions, whole))


def speakers(article: Sequence[Placed]) -> Mapping[tuple[int, int], Antecedent]:
    """Return, for each (sentence, relation) of a content alone, the source that the same quotation has elsewhere.

    It is that of the nearest sentence with a relation whose content stands in the quotation, the later one of two.
    """
    found = {}
    for number, one in enumerate(article):
        for index, relation in enumerate(one.layers.attributions or ()):
            if one.quotation is None or relation.source or relation.cue:
                continue
            order = sorted(range(len(article)), key=lambda k: (abs(k - number), -k))
            near = [(k, source) for k in order if (source := _source(article[k], one.quotation))]
            if near:
                at, source = near[0]
                found[number, index] = Antecedent(at, source, words_of(source, article[at].layers.text))
    return found


def _source(one: Placed, quotation: Span) -> tuple[Span, ...]:
    """Return the source of a sentence's first relation whose content stands in a quotation; () without one."""
    for relation in one.layers.attributions or ():
        places = [one.start + at for at in characters(relation.content) if one.layers.text[at].isalnum()]
        if relation.source and places and all(quotation.start <= at < quotation.end for at in places):
            return relation.source
    return ()
