"""Quotations that run over several sentences: which sentences of an article stand in one, and whose words they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from stancekit.schema import Attribution, Layers, Parts, Span, characters, words_of
from stancekit.text.antecedents import Antecedent
from stancekit.text.blanks import joined
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
    return [bisect_right(ends, s.start) for s in sentences]


def running(text: str, sentences: Sequence[Span]) -> list[Span | None]:
    """Return for each sentence of an article the quotation in which it stands as a whole, marks included, or None.

    A quotation that is left open ends with its paragraph, or goes on where the next one begins with the same mark. Of
    nested ones the outermost is returned. Sentences stand in order.
    """
    later = sorted(_quotes(text), key=lambda q: (-q.start, q.end))  # the next one last
    open_: list[Span] = []
    found = []
    for sentence in sentences:
        while later and later[-1].start < sentence.end:
            open_.append(later.pop())
        open_ = [quote for quote in open_ if quote.end > sentence.start]
        found.append(next((quote for quote in open_ if _holds(quote, sentence, text)), None))
    return found


def _quotes(text: str) -> list[Span]:
    found: list[Span] = []
    going = None  # the number of the quotation that the paragraph before has left open
    for start, end in blocks(text):
        block = text[start:end]
        head, left, number = end - len(block.lstrip()), left_open(block), None
        if going is not None and text[found[going].start] != text[head]:
            going = None
        for a, b in quotations(block):
            if going is not None and start + a == head:
                found[going], own = Span(found[going].start, max(found[going].end, start + b)), going
            else:
                found.append(Span(start + a, start + b))
                own = len(found) - 1
            if (a, b) == (left, len(block)):
                number = own
        going = number
    return found


def _holds(quote: Span, sentence: Span, text: str) -> bool:
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
    inside: dict[Span, list[Antecedent]] = {}
    heard = _Heard()
    for number, one in enumerate(article):
        heard = heard.turned_to(one)
        speaker = None
        if one.quotation is not None:
            if one.quotation not in inside:
                inside[one.quotation] = _inside(article, one.quotation)
            near = min(inside[one.quotation], key=lambda a: (abs(a.sentence - number), -a.sentence), default=None)
            speaker = near or heard.speaker
        bare = [k for k, r in enumerate(one.layers.attributions or ()) if not r.source and not r.cue]
        found.update({(number, k): speaker for k in bare if one.quotation is not None})
        heard.hear(number, one, speaker if bare else None)
    return found


@dataclass
class _Heard:
    """Who has spoken so far: `quoted` last in quotation marks in this paragraph, `named` last in it in any words.

    `above` is who speaks on from the paragraph before, where this one holds nothing but quotations (`only_quoted`);
    `announced` the source of the last sentence, where a colon ends it.
    """

    paragraph: int = 0
    quoted: Antecedent | None = None
    named: Antecedent | None = None
    above: Antecedent | None = None
    announced: Antecedent | None = None
    only_quoted: bool = True

    @property
    def speaker(self) -> Antecedent | None:
        """Who speaks in a quotation that follows."""
        return self.quoted or self.named or (self.above if self.only_quoted else None)

    def turned_to(self, one: Placed) -> _Heard:
        """Return who has spoken where a sentence follows: somebody from the paragraph before, where it begins one."""
        if one.paragraph == self.paragraph:
            return self
        follows = one.paragraph == self.paragraph + 1
        return _Heard(one.paragraph, above=(self.announced or self.quoted) if follows else None)

    def hear(self, number: int, one: Placed, speaker: Antecedent | None) -> None:
        """Take in a sentence and, where it is a quotation without a source, whose it is."""
        own, quoted = (_last_source(number, one, fits) for fits in (lambda *_: True, _is_quoted))
        self.quoted, self.named = quoted or speaker or self.quoted, own or self.named
        self.announced = own if one.layers.text.rstrip().endswith(":") else None
        self.only_quoted = self.only_quoted and one.quotation is not None


def _inside(article: Sequence[Placed], quotation: Span) -> list[Antecedent]:
    """Return the sources of the sentences with a relation whose content stands in a quotation."""
    start, end = quotation.start, quotation.end
    near = [k for k, one in enumerate(article) if one.start < end and start < one.start + len(one.layers.text)]
    found = (_last_source(k, article[k], lambda one, r: _stands_in(one, r, quotation)) for k in near)
    return [source for source in found if source is not None]


def _last_source(number: int, one: Placed, fits: Callable[[Placed, Attribution], bool]) -> Antecedent | None:
    """Return the source of the last fitting relation of a sentence."""
    sources: list[Parts] = [r.source for r in one.layers.attributions or () if r.source and fits(one, r)]
    return Antecedent(number, sources[-1], joined(words_of(sources[-1], one.layers.text))) if sources else None


def _stands_in(one: Placed, relation: Attribution, quotation: Span) -> bool:
    places = [one.start + at for at in characters(relation.content) if one.layers.text[at].isalnum()]
    return bool(places) and all(quotation.start <= at < quotation.end for at in places)


def _is_quoted(one: Placed, relation: Attribution) -> bool:
    return any(is_quotation(part.of(one.layers.text)) for part in relation.content)
