"""Voice and holders against the codebook's own cases (sections 3 and 6), written in its inline markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit.data.formats.markup_line import parse_line
from stancekit.errors import Problems
from stancekit.schema import Layers, Span, words_of
from stancekit.text import brackets, derive
from stancekit.text.quotes import both_sides, one_side, quotations
from stancekit.text.tokens import tokens
from strategies import sentences, texts

HOLDERS = {  # line: kind and source of each device in order, by the codebook's rules
    # 3: the four wordings of one device
    "The town was {legitimation|liberated}": [("author", "")],
    "[T:The town was {legitimation|liberated}], [S:the ministry] [C:said]": [("source", "the ministry")],
    "the ‘{legitimation|liberated}’ town": [("distanced", "")],
    "what [S:the ministry] [C@distancing:claims] is [T:a {legitimation|liberated} town]": [
        ("distanced", "the ministry")
    ],
    # 3: no source, a device that crosses a content edge, parts of one device
    "[T:The town was {legitimation|liberated}], [C:it is reported]": [("source", "")],
    "[S:He] [C:said] they {blame#1|broke }[T:{#1|the truce} again]": [("author", "")],
    "[S:He] [C:said] [T:they {blame#1|broke} the {#1|truce}]": [("source", "He")],
    # 6.2: scare quotes inside indirect content, whole quotations, quotations inside quotations
    "[S:He] [C:said] [T:the “{legitimation|liberated}” town is quiet]": [("distanced", "He")],
    "[T:“{blame|Provocation}!”] [S:he] [C:said]": [("source", "he")],
    "[T:“{blame|Provocation}!”] [S:he] [C@distancing:claimed]": [("distanced", "he")],
    "[T:“They call it a ‘{legitimation|liberated}’ town,”] [S:he] [C:said]": [("source", "he")],
    "“{legitimation|liberated” towns} are shut": [("author", "")],
    # 6.3: the innermost relation alone decides
    "[S:A] [C@distancing:claims] [T:that [S2:B] [C2:said] [T2:it was {blame|aggression}]]": [("source", "B")],
    "[S:A] [C:says] [T:that [S2:B] [C2@distancing:claims] [T2:it was {blame|aggression}]]": [("distanced", "B")],
    # 6.4: two sources of one content, the inner one is the later
    "[S:A] [C:reports], [C2:citing] [S2:B], [T:[T2:{blame|aggression}]]": [("source", "B")],
    # 6.5: so-called as part of a device, or as a distancing cue
    "the {enemy_image|so-called republic}": [("author", "")],
    "the [C@distancing:so-called] [T:{legitimation|liberation}]": [("distanced", "")],
    # two devices in one sentence
    "The “{enemy_image|regime}” was {blame|the aggressor}": [("distanced", ""), ("author", "")],
    "„{enemy_image|Regime}“ und «{valour|Helden}»": [("distanced", ""), ("distanced", "")],
}

VOICES = {
    "The town is quiet.": "author",
    "[T:“The town is quiet,”] [S:he] [C:said].": "direct",
    "[T:The town is quiet], [S:he] [C:said].": "indirect",
    "[S:He] [C:said] [T:the town is “quite quiet” now].": "mixed",
    "[S:He] [C:said] [T:the town is “{legitimation|liberated}” now].": "indirect",
    "[T:“{blame|Provocation}!”] [S:he] [C:said].": "direct",
    "[S:He] [C:spoke].": "indirect",
    "[T:Nobody is in danger,”] [S:Rusk] [C:said].": "direct",
    "[S:Rusk] [C:said]: [T:“Nobody is in danger].": "direct",
    "[T:The soldiers’ homes aren’t theirs], [S:she] [C:said].": "indirect",
    '[T:"The town is quiet,"] [S:he] [C:said], [T:"and will stay so."]': "direct",
    "[S:MAYOR HOLT]: [T:We will rebuild.]": "indirect",
    "[T:“A {valour|heroic} stand,”] [S:he] [C:said].": "direct",
}


def layers(line: str, framing: bool = True) -> Layers:
    problems = Problems()
    text, found = parse_line(line, "here", problems)
    problems.raise_any()
    return Layers(text=text, attributions=found["attributions"], devices=found["devices"] if framing else None)


@pytest.mark.parametrize("line", HOLDERS)
def test_holders_follow_the_codebook(line):
    gold = layers(line)
    assert [(h.kind, words_of(h.source, gold.text)) for h in derive.holders(gold)] == HOLDERS[line]


@pytest.mark.parametrize("line", VOICES)
def test_voices_follow_the_codebook(line):
    assert derive.voice(layers(line)) == VOICES[line]


def test_without_the_framing_layer_every_quotation_counts():
    line = "[S:He] [C:said] [T:the town is “{legitimation|liberated}” now]."
    assert derive.voice(layers(line, framing=False)) == "mixed"
    assert derive.holders(layers(line, framing=False)) is None


def test_a_device_across_a_content_edge_is_told():
    gold = layers("[S:He] [C:said] they {blame#1|broke }[T:{#1|the truce} again]")
    assert derive.crosses_content(gold.devices[0], gold.attributions)
    assert not derive.crosses_content(layers("{blame|it} [T:x]").devices[0], gold.attributions)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("He said “a” and «b».", ["“a”", "«b»"]),
        ("“A ‘b’ c.”", ["“A ‘b’ c.”", "‘b’"]),
        ('"One" and "two"', ['"One"', '"two"']),
        ("„Eins“ zwei", ["„Eins“"]),
        ("»Eins« zwei", ["»Eins«"]),
        ("It isn’t the soldiers’ fault.", []),
        ("An open “one runs on", ["“one runs on"]),
        ("A closed one,” he said", ["A closed one,”"]),
        ("👩‍👩‍👧 “é” 😀", ["“é”"]),
        ("שלום “א ב” עולם", ["“א ב”"]),
    ],
)
def test_quotations(text, quoted):
    assert [text[a:b] for a, b in quotations(text)] == quoted


@given(text=texts("ab '\"“”‘’«»„.,!\u0301😀א") | st.just("x"))
def test_quotations_are_stretches_of_the_text_in_order(text):
    found = quotations(text)
    assert all(0 <= a < b <= len(text) for a, b in found)
    assert found == sorted(set(found), key=lambda pair: (pair[0], -pair[1]))


@given(sentences())
def test_what_is_derived_fits_the_layers(sentence):
    gold = sentence.gold
    assert (derive.voice(gold) is None) == (gold.attributions is None)
    if gold.attributions is not None:
        assert (derive.voice(gold) == "author") == (not gold.attributions)
    holders = derive.holders(gold)
    if gold.devices is not None and gold.attributions is not None:
        assert len(holders) == len(gold.devices)
        assert all((h.relation is not None) or h.kind in ("author", "distanced") for h in holders)


SIDES = {  # a text with the range in ⟦⟧, and what is kept of it
    'Troops "⟦liberated" the village⟧ today': "liberated",
    'the ⟦so-called "people’s republic⟧" of Vesk': "people’s republic",
    'the ⟦so-called "people’s republic"⟧ of Vesk': 'so-called "people’s republic"',
    "“they ⟦liberated⟧ it”": "liberated",
    "they ⟦took “the town⟧ and held it": "the town",
    "“a ⟦cowardly” act of “terror⟧”": "cowardly",
    "⟦”⟧ he said": "”",
    "the regime’s ⟦puppet courts⟧": "puppet courts",
}


def stretch(marked: str) -> tuple[str, list[Span], tuple[int, int]]:
    """Return a text, its tokens, and the tokens that stand between ⟦ and ⟧."""
    start, end = marked.index("⟦"), marked.index("⟧") - 1
    text = marked.replace("⟦", "").replace("⟧", "")
    toks = tokens(text)
    own = [k for k, t in enumerate(toks) if start <= t.start and t.end <= end]
    return text, toks, (own[0], own[-1] + 1)


GROWN = {  # a stretch, and what is left of it when it is grown to both marks of a quotation
    "⟦“We will stay⟧,” she said.": "“We will stay,”",
    "She said ⟦the town was “free⟧.”": "the town was “free.”",
    'He called it ⟦"a massacre⟧".': '"a massacre"',
    "„⟦Das reicht“⟧, sagte er.": "„Das reicht“",
    "⟦She said⟧ “no”.": "She said",
    "“⟦We⟧ will stay,” she said.": "We",
    "⟦“We⟧ will stay,” she said.": "“We",
    "⟦“We will stay⟧, then": "“We will stay",
    "⟦“Losing hurts⟧.": "“Losing hurts.",
    "⟦the soldiers’ word⟧.": "the soldiers’ word",
}


@given(texts(), st.data())
def test_a_range_only_ever_grows_by_marks_and_stops(text: str, data: st.DataObject) -> None:
    toks = tokens(text)
    first = data.draw(st.integers(0, len(toks) - 1))
    last = data.draw(st.integers(first + 1, len(toks)))
    ((start, end),) = both_sides(text, toks, [(first, last)])
    assert start <= first < last <= end and both_sides(text, toks, [(start, end)]) == [(start, end)]
    more = [*toks[start:first], *toks[last:end]]
    assert not any(c.isalnum() for t in more for c in text[t.start : t.end])


def test_a_range_is_cut_until_it_holds_no_mark_alone() -> None:
    text = '9::9::“9::"9'  # the second cut leaves a mark that the first had left whole
    toks = tokens(text)
    (own,) = one_side(text, toks, [(0, 11)])
    assert one_side(text, toks, [own]) == [own]


@given(texts(), st.data())
def test_a_range_is_only_ever_cut(text: str, data: st.DataObject) -> None:
    toks = tokens(text)
    first = data.draw(st.integers(0, len(toks) - 1))
    last = data.draw(st.integers(first + 1, len(toks)))
    ((start, end),) = one_side(text, toks, [(first, last)])
    assert first <= start < end <= last
    assert one_side(text, toks, [(start, end)]) == [(start, end)]


BRACKETS = {
    "⟦Senator Reed (D-Ohio⟧) said no.": "Senator Reed (D-Ohio)",
    "⟦Senator Reed (⟧D-Ohio) said no.": "Senator Reed",
    "Senator Reed ⟦(D-Ohio⟧) said no.": "D-Ohio",
    "⟦Senator Reed (D-Ohio)⟧ said no.": "Senator Reed (D-Ohio)",
    "(He said ⟦the town (and the (old) port⟧) fell.)": "the town (and the (old) port)",
    "The town (⟦he said the port) fell⟧.": "(he said the port) fell",
    "The town ⟦fell) again⟧.": "fell) again",
    "The town ⟦(⟧again) fell.": "(again)",
}


RULES = [(both_sides, GROWN), (one_side, SIDES), (brackets.whole, BRACKETS)]


@pytest.mark.parametrize(("rule", "marked", "wanted"), [(r, *pair) for r, table in RULES for pair in table.items()])
def test_a_range_keeps_to_quotations_and_brackets(rule, marked: str, wanted: str) -> None:
    text, toks, own = stretch(marked)
    ((first, last),) = rule(text, toks, [own])
    assert text[toks[first].start : toks[last - 1].end] == wanted


def test_a_range_does_not_grow_over_another_one() -> None:
    text, toks, own = stretch("⟦The mayor (of Varga⟧ said) no.")
    said = (own[1], own[1] + 1)
    assert brackets.whole(text, toks, [own], [said]) == [own]


@given(st.lists(st.sampled_from(["(", ")", "a", "b"]), min_size=1, max_size=9), st.data())
def test_no_pair_of_brackets_is_halved(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    toks = tokens(text)
    first = data.draw(st.integers(0, len(toks) - 1))
    last = data.draw(st.integers(first + 1, len(toks)))
    ((start, end),) = brackets.whole(text, toks, [(first, last)])
    opened: list[int] = []
    for at, word in enumerate(words):
        if word == "(":
            opened.append(at)
        elif word == ")" and opened and not set("ab").isdisjoint(words[first:last]):
            assert (start <= opened.pop() < end) is (start <= at < end)
