"""Texts to pieces and back: every character's place, under marks, context and windows, for every tokenizer family."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancekit.models.neural.encoders import pretrained
from stancekit.models.neural.encoders.sights import Sights
from stancekit.models.neural.texts import reading
from stancekit.models.neural.texts.reading import Neighbours, Reading
from stancekit.models.neural.texts.window import Window
from stancekit.models.neural.texts.windows import Cutter
from stancekit.schema import Example, Sentence, Span, Target
from tiny import KINDS, corpus

ODD = {
    "empty": "",
    "spaces": "  \t \n\u00a0 ",
    "zero width": "\u200b\u200d\ufeff",
    "emoji": "👩‍👩‍👧‍👦 and 🇵🇱🏳️‍🌈 said so",
    "combining": "Lo\u0308dz e\u0301te\u0301 n\u0303o",
    "cjk": "外交部发言人说，“谈判仍在继续”。",
    "arabic": "قَالَ الوَزِيرُ «نَعَم»",
    "no-break": "10\u00a0000\u202fkm said\u00a0he",
    "ligature": "the ﬁrst ½ of №5",
    "control": "a\x07b\x00c\u0085d",
}
CHUNKS = [*ODD.values(), *(w for s in corpus()[:10] for w in s.text.split()), " ", " ", "  ", "x" * 150]
TEXTS = st.one_of(st.lists(st.sampled_from(CHUNKS), max_size=40).map("".join), st.text(max_size=60))
EASY = st.lists(st.sampled_from([w for s in corpus() for w in s.text.split()]), min_size=1, max_size=120).map(" ".join)
FAST = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(params=[*KINDS, pretrained.BUNDLED], scope="module")
def tokenizer(request, encoders):
    return pretrained.tokenizer(encoders.get(request.param) or pretrained.locate(request.param))


def covered(windows: list[Window]) -> set[int]:
    return {k for window in windows for start, end in window.offsets.tolist() for k in range(start, end) if start >= 0}


def seen(tokenizer, text: str) -> set[int]:
    """The characters that the tokenizer gives to pieces when it reads a text whole."""
    whole = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return {k for start, end in whole for k in range(start, end)}


@given(data=st.data())
@FAST
def test_windows_cover_every_character_that_the_tokenizer_reads(tokenizer, data) -> None:
    text = data.draw(TEXTS)
    second = data.draw(st.none() | TEXTS)
    length = data.draw(st.integers(32, 64))
    (windows,) = Cutter(tokenizer, length).windows([Reading(text, second=second)])
    assert covered(windows) == seen(tokenizer, text)
    assert all(len(w) <= length and len(w.ids) == len(w.types) == len(w.offsets) for w in windows)


@given(data=st.data())
@FAST
def test_nothing_of_a_common_text_is_dropped_and_windows_overlap(tokenizer, data) -> None:
    text = data.draw(EASY)
    (windows,) = Cutter(tokenizer, 32).windows([Reading(text)])
    assert covered(windows) >= {k for k, letter in enumerate(text) if not letter.isspace()}
    for one, other in pairwise(windows):
        own = [{tuple(place) for place in w.offsets.tolist() if place[1] > 0} for w in (one, other)]
        assert own[0] & own[1] and max(own[1]) > max(own[0])


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_texts_have_windows(tokenizer, text: str) -> None:
    for second in (None, "", text):
        (windows,) = Cutter(tokenizer, 32).windows([Reading(text, second=second)])
        assert windows and covered(windows) == seen(tokenizer, text)
        assert not text or all(w.offsets.max() <= len(text) for w in windows)


@pytest.mark.parametrize("text", [corpus()[3].text[:39].ljust(40) * 500, "外交" * 10_000, "ab" * 10_000, " " * 20_000])
def test_a_sentence_of_20000_characters_is_read_whole(tokenizer, text: str) -> None:
    assert len(text) == 20_000
    (windows,) = Cutter(tokenizer, 256).windows([Reading(text)])
    assert covered(windows) >= {k for k, letter in enumerate(text) if not letter.isspace()}


def test_a_reading_does_not_hang_on_its_batch_mates(tokenizer) -> None:
    cutter = Cutter(tokenizer, 48)
    readings = [
        Reading(corpus()[0].text),
        Reading("A word.", second="Karsk"),
        Reading(""),
        Reading("b", second="x " * 90),
    ]
    together = cutter.windows(readings)
    for mine, alone in zip(together, (cutter.windows([r])[0] for r in readings), strict=True):
        assert [w.ids.tolist() for w in mine] == [w.ids.tolist() for w in alone]


@given(data=st.data())
@FAST
def test_a_second_text_leaves_half_of_the_window_and_counts_nowhere(tokenizer, data) -> None:
    text, second = data.draw(EASY), data.draw(EASY)
    cutter = Cutter(tokenizer, 32)
    (alone,), (paired,) = cutter.windows([Reading(text)]), cutter.windows([Reading(text, second=second)])
    inside = [w.inside(0, len(text)) for w in paired]
    assert all(len(own) >= min(8, len(alone[0].inside(0, len(text)))) for own in inside[:-1])
    whole = tokenizer(text, add_special_tokens=False)["input_ids"]
    seconds = set(tokenizer(second, add_special_tokens=False)["input_ids"]) - set(whole)
    assert not seconds & {piece for w, own in zip(paired, inside, strict=True) for piece in w.ids[own].tolist()}
    assert all(w.offsets[0].tolist() == [-1, -1] == w.offsets[-1].tolist() for w in paired)


def spans_in(text: str) -> st.SearchStrategy[list[tuple[int, int]]]:
    cuts = st.lists(st.integers(0, len(text)), max_size=6, unique=True).map(sorted)
    return cuts.map(lambda found: [*zip(found[::2], found[1::2], strict=False)])


@given(data=st.data())
@FAST
def test_places_round_trip_under_marks_and_context(data) -> None:
    text = data.draw(TEXTS.filter(bool))
    spans = data.draw(spans_in(text))
    read = reading.marked(text, spans, "*")
    read = reading.between(read, data.draw(TEXTS), data.draw(TEXTS))
    for start, end in spans:
        first, last = read.place(start, end)
        assert read.text[first:last] == text[start:end]
        assert read.text[first - 2 : first] == "* " and read.text[last : last + 2] == " *"
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    first, last = read.place(start, end)
    letters = [read.text[slice(*read.place(k, k + 1))] for k in range(start, end)]
    assert "".join(letters) == text[start:end]
    assert (read.place(start, start + 1)[0], read.place(end - 1, end)[1]) == (first, last)


def test_spans_that_touch_are_marked_apart() -> None:
    read = reading.marked("abcde", [(0, 3), (3, 5)], "*")
    assert read.text == "* abc ** de *"
    assert [read.text[slice(*read.place(*s))] for s in [(0, 3), (3, 5), (2, 4)]] == ["abc", "de", "c ** d"]


@given(data=st.data())
@FAST
def test_pieces_inside_the_sentence_are_those_of_the_sentence(tokenizer, data) -> None:
    """Context, marks and the second text are there to be read, but no part of the sentence's or the target's mean."""
    text, before, after = (data.draw(EASY) for _ in range(3))
    read = reading.between(reading.marked(text, [], "*"), before, after)
    for window in Cutter(tokenizer, 64).windows([Reading(read.text, read.before, read.marks, "zz qq")])[0]:
        start, end = read.place(0, len(text))
        inside = set(window.inside(start, end).tolist())
        for number, (first, last) in enumerate(window.offsets.tolist()):
            assert (number in inside) == bool(set(range(first, last)) & set(range(start, end)))


def example(text: str, span: Span | None, name: str = "Karsk", index: int = 0) -> Example:
    sentence = Sentence(id=f"d.{index}", text=text, document="d", index=index)
    return Example(id=sentence.id, sentence=sentence, target=Target(name, span))


def test_the_target_of_a_long_sentence_is_read_in_the_window_that_holds_it_best(tokenizer) -> None:
    text = "The harbour said so . " * 60
    at = len(text) - 300
    at = text.index("harbour", at)
    sights = Sights(Cutter(tokenizer, 64), target="mark", context=0, pool="target")
    (rows,) = sights.rows([example(text, Span(at, at + 7, ""))])
    assert len(rows) == 1
    target = np.flatnonzero(rows[0]["pools"][:, 1])
    pieces = tokenizer.convert_ids_to_tokens(rows[0]["ids"][target].tolist())
    assert "".join(pieces).replace("##", "").strip("Ġ▁") == "harbour"
    assert rows[0]["pools"].sum(axis=0) == pytest.approx([1, 1])
    assert target[0] > 8 and target[-1] < len(rows[0]["ids"]) - 8


@pytest.mark.parametrize("pool", ["first", "mean", "target"])
@pytest.mark.parametrize("target", ["mark", "pair", "both", "blind"])
def test_every_sight_weighs_every_example(tokenizer, pool: str, target: str) -> None:
    cases = [
        example("Karsk lied .", Span(0, 5, "")),
        example("They lied .", None),
        example("", None),
        example("short", Span(0, 9, "")),  # beyond the text: as if it had no place
        example(" \u200b ", Span(1, 2, "")),
        example("x " * 400, Span(0, 1, ""), name="A very long name " * 30),
    ]
    rows = Sights(Cutter(tokenizer, 32), target=target, context=1, pool=pool).rows(cases)
    assert [len(r) > 0 for r in rows] == [True] * len(cases)
    for row in (row for windows in rows for row in windows):
        assert row["pools"].shape == (len(row["ids"]), 2 if pool == "target" else 1)
        assert row["pools"].sum(axis=0) == pytest.approx(np.ones(row["pools"].shape[1]))


def test_blind_readings_do_not_know_the_target(tokenizer) -> None:
    sights = Sights(Cutter(tokenizer, 32), target="blind", context=0, pool="target")
    rows = sights.rows([example("Karsk lied .", Span(0, 5, "")), example("Karsk lied .", None, "Tolmenia")])
    assert rows[0][0]["ids"].tolist() == rows[1][0]["ids"].tolist()
    assert (rows[0][0]["pools"] == rows[1][0]["pools"]).all()


def test_context_gives_way_where_it_does_not_fit(tokenizer) -> None:
    texts = ["one two .", "three four .", "five six . " * 4, "x " * 400]
    sentences = [Sentence(id=str(k), text=t, document="d", index=k) for k, t in enumerate(texts)]
    near = Neighbours(sentences)
    assert near.around(sentences[1], 2) == (texts[0], f"{texts[2]} {texts[3]}")
    assert near.around(Sentence(id="9", text="other", document="d", index=1), 1) == ("", "")
    options = [reading.choices(reading.plain(s), near.around(s, 1)) for s in sentences]
    chosen, windows = Cutter(tokenizer, 48).fitting(options)
    assert [r.text.startswith(before) for r, before in zip(chosen[1:], texts, strict=False)] == [True, True, False]
    assert chosen[3].text == texts[3] and len(windows[3]) > 1
    assert [len(w) for w in windows[:2]] == [1, 1]
