"""Quotations over several sentences: which sentences stand in them, and whose words they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from stancekit.schema import Attribution, Layers, Sentence, Span, words_of
from stancekit.text import article as articles
from stancekit.text import speech
from stancekit.text.segment import sentences
from stancekit.text.speech import Placed, paragraphs, running, speakers, spoken
from strategies import texts

ARTICLES = {  # an article, and which of its sentences stand in a quotation as a whole
    "Holt spoke. “We held the line. It was a massacre. Nobody helped,” said Holt. It is quiet.": [0, 1, 1, 0, 0],
    '"Straight. Two of them. Three," he said.': [1, 1, 0],
    "“First paragraph. It goes on.\n\n“Second one. Done,” she said.": [1, 1, 1, 0],
    "He left it open: “We go. They stay.\n\nThe town is quiet.": [0, 1, 0],
    "He left it open: “We go. They stay.\n\n“We do.” They do.": [0, 1, 1, 0],
    "The “liberated” town is quiet. “Yes.” The ‘free’ press’s word.": [0, 1, 0],
}


@pytest.mark.parametrize("text", ARTICLES)
def test_sentences_that_stand_in_a_quotation(text: str) -> None:
    found = running(text, sentences(text))
    assert [int(quote is not None) for quote in found] == ARTICLES[text]


@given(texts())
def test_a_quotation_holds_every_letter_of_its_sentence(text: str) -> None:
    spans = sentences(text)
    for span, quote in zip(spans, running(text, spans), strict=True):
        letters = [at for at in range(span.start, span.end) if text[at].isalnum()]
        assert quote is None or all(quote.start <= at < quote.end for at in letters)


@given(texts())
def test_one_pass_finds_what_looking_at_every_quotation_finds(text: str) -> None:
    spans, quotes = sentences(text), sorted(speech._quotes(text), key=lambda q: (q.start, -q.end))
    over = [[q for q in quotes if q.start < s.end and q.end > s.start] for s in spans]
    held = [[q for q in own if speech._holds(q, s, text)] for own, s in zip(over, spans, strict=True)]
    assert running(text, spans) == [next(iter(own), None) for own in held]


def article() -> list[Placed]:
    """Return “We held. It was a massacre. Nobody helped,” said Holt. with the relation of its last sentence."""
    text = "“We held. It was a massacre. Nobody helped,” said Holt."
    last = Attribution(source=(Span(21, 25),), cue=(Span(16, 20),), content=(Span(0, 15),))
    spans = sentences(text)
    found = []
    for span, quote in zip(spans, running(text, spans), strict=True):
        relations = () if quote else (last,)
        found.append(Placed(Layers(text=span.of(text), attributions=relations, devices=()), span.start, quote))
    return found


def test_what_is_said_in_a_quotation_is_its_speakers() -> None:
    placed = article()
    layers = [spoken(one) for one in placed]
    assert [[words_of(r.content, one.text) for r in one.attributions or ()] for one in layers] == [
        ["“We held."],
        ["It was a massacre."],
        ["Nobody helped,”"],
    ]
    told = [Placed(own, one.start, one.quotation) for own, one in zip(layers, placed, strict=True)]
    assert {key: (who.sentence, who.text) for key, who in speakers(told).items()} == {
        (0, 0): (2, "Holt"),
        (1, 0): (2, "Holt"),
    }
    assert [spoken(one) for one in told] == layers  # what is told already is not told again


SPEAKERS = {  # an article; its relations as sentence, source, content; and who speaks in its sentences without a source
    "“We held,” said Holt. “It was a massacre. Nobody helped.”": ([(0, "Holt", "“We held,”")], {1: "Holt", 2: "Holt"}),
    "Holt said it was bad. “Nobody helped.”": ([(0, "Holt", "it was bad")], {1: "Holt"}),
    "“We go,” said Ann, and Bo said no. “Yes.”": ([(0, "Bo", ""), (0, "Ann", "“We go,”")], {1: "Ann"}),
    "“We held,” said Holt.\n\n“A massacre.” “Yes.”": ([(0, "Holt", "“We held,”")], {1: "Holt", 2: "Holt"}),
    "“We held,” said Holt.\n\n“A massacre.”\n\n“Yes.”": ([(0, "Holt", "“We held,”")], {1: "Holt", 2: "Holt"}),
    "“A massacre. Yes.\n\n“We held,” said Holt.": ([(2, "Holt", "“We held,”")], {0: "Holt", 1: "Holt"}),
    "Holt went on:\n\n“A massacre.”": ([(0, "Holt", "")], {1: "Holt"}),
    "Holt said it was bad.\n\n“A massacre.”": ([(0, "Holt", "it was bad")], {}),
    "“We held,” said Holt.\n\nIt is quiet. “A massacre.”": ([(0, "Holt", "“We held,”")], {}),
    "“We held,” said Holt.\n\nIt is quiet.\n\n“A massacre.”": ([(0, "Holt", "“We held,”")], {}),
}


@pytest.mark.parametrize("text", SPEAKERS)
def test_whose_words_a_quotation_is(text: str) -> None:
    told, wanted = SPEAKERS[text]
    spans, placed = sentences(text), []
    for k, (span, quote, number) in enumerate(zip(spans, running(text, spans), paragraphs(text, spans), strict=True)):
        relations = tuple(
            Attribution(source=at(span.of(text), source), cue=(Span(0, 1),), content=at(span.of(text), content))
            for own, source, content in told
            if own == k
        )
        layers = Layers(text=span.of(text), attributions=relations, devices=())
        placed.append(Placed(layers, span.start, quote, number))
    placed = [replace(one, layers=spoken(one)) for one in placed]
    found = speakers(placed)
    assert {number: who.text for (number, _), who in found.items() if who} == wanted
    bare = {k for k, one in enumerate(placed) if one.quotation and not any(r.source for r in one.layers.attributions)}
    assert {number for number, _ in found} == bare  # one whose speaker nobody tells is told as such


def at(text: str, words: str) -> tuple[Span, ...]:
    return (Span(text.index(words), text.index(words) + len(words)),) if words else ()


def test_without_a_layer_nothing_is_added() -> None:
    one = article()[0]
    bare = Placed(Layers(text=one.layers.text), one.start, one.quotation)
    assert spoken(bare).attributions is None and not speakers([bare])


@pytest.mark.parametrize("meta", [{"start": "noon", "paragraph": "intro"}, {"quotation_start": 4}, {"paragraph": None}])
def test_metadata_of_a_users_own_tell_no_place(meta: dict[str, object]) -> None:
    one = articles.placed(Sentence(id="a", text="It was a massacre.", meta={**meta, "quotation_end": 2}))
    assert (one.start, one.paragraph, one.quotation) == (0, 0, None)


def test_a_table_gives_places_as_words() -> None:
    meta = {"start": "12", "paragraph": 3.0, "quotation_start": "10", "quotation_end": "40"}
    one = articles.placed(Sentence(id="a", text="It was a massacre.", meta=meta))
    assert (one.start, one.paragraph, one.quotation) == (12, 3, Span(10, 40))
