"""Quotations that run over several sentences: which sentences of an article stand in one, and whose words they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from stancekit.schema import Attribution, Layers, Parts, Span, characters, words_of
from stancekit.text.antecedents import Antecedent
from stancekit.text.quotes import has_words, is_quotation, left_open, quotations
from stancekit.text.segment import blocks

Speakers = dict[tuple[int, int], Antecedent | None]
"""By sentence and relation, who speaks; None where nobody is found."""


@dataclass(frozen=True)
class Placed:
    """A sentence's layers and where it stands in its article: at which character, and in which paragraph.

    `quotation` is the one it wholly stands in, if any.
    """

    layers: Layers
    start: int
    quotation: Span | None
    paragraph: int = 0


def paragraphs(text: str, sentences: Sequence[Span]) -> list[int]:
    """Return the number of each sentence's paragraph."""
    ends = [end for _, end in blocks(text)]
    return [sum(end <= s.start for end in ends) for s in sentences]


def running(text: str, sentences: Sequence[Span]) -> list[Span | None]:
    """Return for each sentence of an article the quotation in which it stands as a whole, marks included, or None.

    A quotation that is left open ends with its paragraph, or goes on where the next one begins with the same mark. Of
    nested ones the outermost is returned.
    """
    quotes = sorted(_quotes(text), key=lambda q: (q.start, -q.end))
    return [next((q for q in quotes if _holds(q, s, text)), None) for s in sentences]


def _quotes(text: str) -> Iterable[Span]:
    going = None  # where the quotation began that the paragraph before has left open
    for start, end in blocks(text):
        block = text[start:end]
        head = end - len(block.lstrip())
        if going is not None and text[going] != text[head]:
            going = None
        for a, b in quotations(block):
            yield Span(going if going is not None and start + a == head else start + a, start + b)
        left = left_open(block)
        if left is None or going is None or start + left != head:
            going = None if left is None else start + left


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


def speakers(article: Sequence[Placed]) -> Speakers:
    """Return, for each (sentence, relation) of a content alone in a quotation, its source elsewhere, or None.

    It is that of the nearest sentence whose content stands in the same quotation, the later one of two. Without one, as
    in “We held,” said Holt. “It was a massacre.”, it is the last source before in the paragraph, one of a quotation
    first; and where the paragraph begins with the quotation, that of the last quotation in the paragraph before, or of
    its last words where a colon ends it.
    """
    found: Speakers = {}
    for number, one in enumerate(article):
        for index, relation in enumerate(one.layers.attributions or ()):
            if one.quotation is None or relation.source or relation.cue:
                continue
            found[number, index] = _inside(article, number, one.quotation) or _before(article, number, found)
    return found


def _inside(article: Sequence[Placed], number: int, quotation: Span) -> Antecedent | None:
    order = sorted(range(len(article)), key=lambda k: (abs(k - number), -k))
    return _first(article, order, lambda one, relation: _stands_in(one, relation, quotation))


def _before(article: Sequence[Placed], number: int, found: Speakers) -> Antecedent | None:
    """Return who spoke last before a quotation: in its paragraph, or (where that begins with it) in the one before."""
    own = article[number].paragraph
    earlier = [k for k in range(number - 1, -1, -1) if article[k].paragraph == own]
    speaker = _last(article, earlier, found) or _first(article, earlier, lambda *_: True)
    if speaker is not None or any(article[k].quotation is None for k in earlier):
        return speaker
    above = [k for k in range(number - 1, -1, -1) if article[k].paragraph == own - 1]
    announced = [k for k in above[:1] if article[k].layers.text.rstrip().endswith(":")]
    return _first(article, announced, lambda *_: True) or _last(article, above, found)


def _last(article: Sequence[Placed], order: Iterable[int], found: Speakers) -> Antecedent | None:
    """Return the speaker of the first of these sentences that holds a quotation of somebody known."""
    for k in order:
        known = [speaker for (number, _), speaker in found.items() if number == k and speaker is not None]
        speaker = _first(article, [k], _is_quoted) or next(iter(known), None)
        if speaker is not None:
            return speaker
    return None


def _first(
    article: Sequence[Placed], order: Iterable[int], fits: Callable[[Placed, Attribution], bool]
) -> Antecedent | None:
    """Return the source of the last fitting relation of the first sentence that has one."""
    for k in order:
        one = article[k]
        sources: list[Parts] = [r.source for r in one.layers.attributions or () if r.source and fits(one, r)]
        if sources:
            return Antecedent(k, sources[-1], words_of(sources[-1], one.layers.text))
    return None


def _stands_in(one: Placed, relation: Attribution, quotation: Span) -> bool:
    places = [one.start + at for at in characters(relation.content) if one.layers.text[at].isalnum()]
    return bool(places) and all(quotation.start <= at < quotation.end for at in places)


def _is_quoted(one: Placed, relation: Attribution) -> bool:
    return any(is_quotation(part.of(one.layers.text)) for part in relation.content)
