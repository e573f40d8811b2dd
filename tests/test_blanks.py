"""White space: a line break or a no-break space changes nothing that the rules find."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancekit import codebook, tasks
from stancekit.data.load import load
from stancekit.models.lexicon import Lexicon
from stancekit.schema import Example, Sentence
from stancekit.tasks import Part
from stancekit.text import antecedents
from stancekit.text.actors import Actor, Finder, propose

BOOK = codebook.default()
SENTENCES = load("dispatches").sentences[::12]
SPECIAL = (
    "According to the ministry, bandits crossed the border near Mart Olsen.",
    "The town was liberated from this debt, in the words of Mart Olsen.",
    "The Ministry of Defence said on Monday that Mart Olsen, in a statement, told reporters that he had left.",
)
TEXTS = (*SPECIAL, *(s.text for s in SENTENCES))
FINDER = Finder([Actor("Mart Olsen", ("Olsen", "the Ministry of Defence")), *propose(TEXTS)])


def fitted(task):
    model = Lexicon()
    model.fit(tasks.part(task, SENTENCES), Part(task))
    return model


MODELS = [fitted(task) for task in (tasks.layers(BOOK), tasks.voice(BOOK), tasks.stance(BOOK))]


def answers(text):
    return [m.predict([Example(id="1", sentence=Sentence(id="1", text=text))])[0].answer for m in MODELS]


def found(text):
    """Return all that rules find in a text, by offsets and names alone."""
    layers, *others = answers(text)
    whom = antecedents.resolve([layers, replace(layers, text=text)])
    names = propose([f"x {text}"], least=1), propose([text, text]), FINDER.mentions(text), FINDER.first_mentions(text)
    return layers.attributions, layers.devices, others, whom, names


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_no_blank_matters(text, data):
    blanks = text.count(" ")
    others = iter(data.draw(st.lists(st.sampled_from(" \n\t\u00a0\u2009"), min_size=blanks, max_size=blanks)))
    assert found(re.sub(" ", lambda _: next(others), text)) == found(text)


@pytest.mark.parametrize("blank", ["\n", "\u00a0", "\r\n", "\n    "])
def test_a_wrapped_text_is_read_as_on_one_line(blank):
    said, freed = (text.replace(" ", blank) for text in SPECIAL[:2])
    layers = answers(said)[0]
    (relation,) = layers.attributions
    assert [span.of(said).split() for span in relation.cue + relation.source] == [
        ["According", "to"],
        ["the", "ministry"],
    ]
    assert [device.frame for device in layers.devices] == ["enemy_image"]
    assert answers(freed)[0].devices == ()
    assert FINDER.mentions(said)[-1].span.of(said).split() == ["Mart", "Olsen"]
    assert "Mart Olsen" in {actor.name for actor in propose([said], least=1)}
