"""Tokens lose nothing; tags hold what they can and count the rest."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from stancekit.schema import Span
from stancekit.text import tags
from stancekit.text.tokens import tokens


def words(text):
    return [token.of(text) for token in tokens(text)]


def test_marks_clitics_and_abbreviations_are_tokens_of_their_own():
    text = "“He didn't say the so-called U.S. ministry's Sen. O'Brien’s 1,200.50 …”"
    expected = "“ He did n't say the so-called U.S. ministry 's Sen. O'Brien ’s 1,200.50 … ”"
    assert words(text) == expected.split()


def test_combining_marks_and_joined_emoji_stay_whole():
    assert words("cafe\u0301s मुक्ति 👨\u200d👩\u200d👧 ❤\ufe0fx") == [
        "cafe\u0301s",
        "मुक्ति",
        "👨\u200d👩\u200d👧",
        "❤\ufe0f",
        "x",
    ]


@given(st.text() | st.text(alphabet="a'’sntdN.-–@#12,\"“ \r\n\u0301\u200d"))
def test_tokens_cover_every_character_that_is_no_space_in_order(text):
    found = tokens(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    covered = {c for token in found for c in range(token.start, token.end)}
    assert covered == {c for c, character in enumerate(text) if not character.isspace()}


TEXT = "The “liberated” districts of Karsk-backed rebels can't fall."


@st.composite
def items_in(draw):
    cuts = sorted(draw(st.sets(st.integers(0, len(TEXT)), min_size=2, max_size=8)))
    chosen = [(a, b) for a, b in itertools.pairwise(cuts) if not TEXT[a:b].isspace()]
    return [(draw(st.sampled_from("xy")), (Span(a, b),)) for a, b in chosen]


@given(items_in(), st.sampled_from(tags.SCHEMES))
def test_one_part_spans_come_back_widened_to_tokens(items, scheme):
    toks = tokens(TEXT)
    tagged = tags.tag(items, toks, scheme=scheme, layers=len(items) or 1)
    assert not tagged.lost[tags.CROWDED]
    back = {span for layer in tagged.layers for span in tags.spans(layer, toks)}
    touched = [(label, [t for t in toks if t.start < p.end and p.start < t.end]) for label, (p,) in items]
    assert back == {Span(t[0].start, t[-1].end, label) for label, t in touched if t}
    exact = sum(
        (t[0].start, t[-1].end) == (p.start, p.end) for (_, t), (_, (p,)) in zip(touched, items, strict=True) if t
    )
    assert tagged.lost[tags.WIDENED] == len([t for _, t in touched if t]) - exact


@given(st.lists(st.sampled_from("O B-x I-x E-x S-x B-y I-y E-y S-y".split()), max_size=12))
def test_broken_bioes_tags_are_read_as_seqeval_does(sequence):
    expected = [(a, b + 1, label) for label, a, b in get_entities(sequence)]
    assert tags.ranges(sequence) == expected


def test_what_one_layer_cannot_hold_is_counted():
    toks = tokens(TEXT)
    items = [("x", (Span(0, 3), Span(16, 25))), ("y", (Span(4, 25),))]
    one, two = tags.tag(items, toks), tags.tag(items, toks, layers=2)
    assert one.lost == {tags.APART: 1, tags.CROWDED: 1}
    assert two.lost == {tags.APART: 1}
    assert [s.label for s in tags.spans(two.layers[1], toks)] == ["y"]
