"""The chain layer against brute force over all tag sequences; words over pieces, against the text they stand in."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import strategies
import tiny
from stancekit.models import tuning
from stancekit.models.neural.encoders import states
from stancekit.models.neural.heads.chain_layer import ChainLayer, tag_names
from stancekit.models.neural.texts import reading
from stancekit.models.neural.texts.reading import Reading
from stancekit.models.neural.texts.window import Window
from stancekit.models.neural.texts.windows import Cutter
from stancekit.models.neural.texts.words import WordRow, best_rows, word_rows
from stancekit.schema import Sentence, Span
from stancekit.text.tags import ranges
from stancekit.text.tokens import tokens

LABELS = tag_names(["a", "b"])  # O B-a I-a B-b I-b


def chain(seed: int = 0, labels=LABELS) -> ChainLayer:
    """Return a chain whose transitions look learnt."""
    found = ChainLayer(labels, learn=True)
    with torch.no_grad():
        found.transitions.copy_(torch.randn(len(labels), len(labels), generator=torch.manual_seed(seed)) / 10)
    return found


def is_valid(path, labels=LABELS) -> bool:
    names = ["O", *(labels[k] for k in path)]
    return all(t[0] != "I" or b[1:] == t[1:] for b, t in pairwise(names))


def path_scores(layer: ChainLayer, emissions: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return the score of every sequence of tags that spells spans, by the definition."""
    follow = layer.table()
    return {
        path: sum(emissions[at, tag] for at, tag in enumerate(path)) + sum(follow[a, b] for a, b in pairwise(path))
        for path in product(range(len(layer.labels)), repeat=len(emissions))
        if is_valid(path, layer.labels)
    }


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, shape)


def entered(path: tuple[int, ...]) -> int:
    """Return how often a span begins where none was before."""
    return sum(LABELS[a] == "O" and LABELS[b][0] == "B" for a, b in pairwise((0, *path)))


@given(st.integers(0, 2**32 - 1), st.lists(st.floats(-3, 3), min_size=2, max_size=5).map(sorted))
def test_readiness_counts_once_a_span(seed: int, readiness: list[float]) -> None:
    layer, emissions = chain(), drawn(seed, 5, len(LABELS))
    scores, begun = path_scores(layer, emissions), []
    for more in readiness:
        (tags,) = layer.tag([emissions], more)
        begun.append(entered(tuple(LABELS.index(tag) for tag in tags)))
        own = {path: value + more * entered(path) for path, value in scores.items()}
        assert own[tuple(LABELS.index(tag) for tag in tags)] == pytest.approx(max(own.values()))
    assert begun == sorted(begun)


def test_readiness_finds_a_span_and_leaves_its_edges() -> None:
    layer = ChainLayer(tag_names(["a"]), learn=False)
    sure, doubtful, out = (-1.0, 1.0, 0.5), (0.5, 0.0, 0.0), (1.0, 0.0, 0.4)  # O B I
    emissions = [np.array(row) for row in ([out, doubtful, out, out], [out, sure, out, out])]
    gold = [[(1, 2, "a")], [(1, 2, "a")]]
    assert tuning.best_readiness(layer, emissions, gold) == 1.0
    assert [ranges(tags) for tags in layer.tag(emissions, 1.0)] == gold
    assert tuning.best_readiness(layer, emissions[1:], gold[1:]) == 0.0  # nothing to gain


@pytest.mark.parametrize("lengths", [(1,), (4,), (3, 1, 4), (2, 0, 3)])
def test_the_loss_is_that_of_all_sequences(lengths: tuple[int, ...]) -> None:
    layer, rng = chain(), np.random.default_rng(len(lengths))
    emissions = drawn(1, len(lengths), max(lengths), len(LABELS))
    tags = np.full(emissions.shape[:2], -1)
    wanted = 0.0
    for row, length in enumerate(lengths):
        if length:
            scores = path_scores(layer, emissions[row, :length])
            path = list(scores)[rng.integers(len(scores))]
            tags[row, :length] = path
            wanted += np.logaddexp.reduce(list(scores.values())) - scores[path]
    given_ = torch.tensor(emissions, requires_grad=True)
    loss = layer.loss(given_, torch.from_numpy(tags))
    assert loss.item() == pytest.approx(wanted / sum(lengths), abs=1e-4)
    loss.backward()
    assert torch.isfinite(given_.grad).all() and torch.isfinite(layer.transitions.grad).all()
    assert not given_.grad[torch.from_numpy(tags) < 0].any(), "padding is no evidence"
    assert not any(layer.transitions.grad[a, b] for a, b in product(range(5), repeat=2) if layer.forbidden[a, b])


@pytest.mark.parametrize("learn", [True, False])
def test_a_batch_without_any_word_has_no_loss(learn: bool) -> None:
    layer = ChainLayer(LABELS, learn=learn)
    emissions = torch.zeros(2, 3, 5, requires_grad=True)
    loss = layer.loss(emissions, torch.full((2, 3), -1))
    loss.backward()
    assert loss.item() == 0 and not emissions.grad.any()


def test_where_nothing_is_learnt_each_tag_counts_by_itself() -> None:
    layer = ChainLayer(LABELS, learn=False)
    emissions, tags = torch.from_numpy(drawn(2, 2, 3, 5)), torch.tensor([[0, 3, -1], [1, 2, 0]])
    own = torch.nn.functional.cross_entropy(emissions[tags >= 0].float(), tags[tags >= 0])
    assert layer.loss(emissions, tags).item() == pytest.approx(own.item(), rel=1e-6)
    assert not [p for p in layer.parameters() if p.requires_grad]
    assert torch.equal(layer.scores(), layer.forbidden)


@given(st.integers(0, 1000), st.lists(st.integers(0, 4), min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_tags_and_confidences_are_those_of_all_sequences(seed: int, lengths: list[int]) -> None:
    layer = chain(seed)
    emissions = [drawn(seed + k, length, 5) for k, length in enumerate(lengths)]
    for rows, found, spelt in zip(emissions, layer.tag(emissions), layer.spans(emissions), strict=True):
        scores = path_scores(layer, rows)
        best = max(scores, key=scores.__getitem__)
        assert found == [LABELS[k] for k in best] and [s[:3] for s in spelt] == ranges(found)
        total = np.logaddexp.reduce(list(scores.values()))
        for start, end, label, sure in spelt:
            own = [
                sum(np.exp(s - total) for path, s in scores.items() if LABELS[path[at]][2:] == label)
                for at in range(start, end)
            ]
            assert sure == pytest.approx(min(own), abs=2e-6)


@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([1.0, 30.0, 900.0]), st.booleans())
@example(3, 12, 900.0, True)
@settings(deadline=None)
def test_no_span_goes_on_that_did_not_begin(seed: int, length: int, spread: float, learn: bool) -> None:
    layer = chain(seed) if learn else ChainLayer(LABELS, learn=False)
    (found,) = layer.tag([drawn(seed, length, 5) * spread])
    assert is_valid([LABELS.index(tag) for tag in found])


# Words over pieces.


@lru_cache
def tokenizer(kind: str):
    return tiny.tokenizer(kind)


def cut(kind: str, text: str, length: int) -> tuple[list[Span], list[Window], list[WordRow]]:
    toks, read = tokens(text), Reading(text)
    (windows,) = Cutter(tokenizer(kind), length).windows([read])
    return toks, windows, word_rows(toks, read, windows)


def has_piece(windows: list[Window], token: Span) -> bool:
    return any(len(window.inside(token.start, token.end)) for window in windows)


WILD = strategies.ALPHABET + "ﬁ½ⅷ㎏가나ä̈\u00ad\u200b\ufeffʼNß漢😶‍🌫️🇩🇪"


@pytest.mark.parametrize("kind", tiny.KINDS)
@given(st.text(WILD, max_size=400), st.sampled_from([32, 40, 64]))
@example("\u200babc", 32)
@example("x\u0301\u0316 " * 40, 32)
@settings(max_examples=40, deadline=None)
def test_every_word_with_a_piece_stands_in_a_window(kind: str, text: str, length: int) -> None:
    toks, windows, rows = cut(kind, text, length)
    own, place = best_rows(rows, len(toks))
    for number, token in enumerate(toks):
        assert (own[number] >= 0) == has_piece(windows, token), (token.of(text), number)
        holding = [row for row in rows if number in row.words]
        if not holding:
            continue
        row = rows[own[number]]
        assert row.words[place[number]] == number
        assert row.margins[place[number]] == max(r.margins[list(r.words).index(number)] for r in holding)
        first = row.firsts[place[number]]
        start, end = row.window.offsets[first]
        assert start < token.end and end > token.start, "the piece has a character of the word"
        before = row.window.offsets[:first]
        assert not ((before[:, 0] < token.end) & (before[:, 1] > token.start)).any(), "and none before it has"


def test_a_word_is_taken_from_the_window_that_shows_most_around_it() -> None:
    toks, windows, rows = cut("bert", "the war " * 100, 32)
    assert len(rows) == len(windows) > 3
    own, place = best_rows(rows, len(toks))
    assert sorted(set(own)) == list(range(len(rows))) and list(own) == sorted(own)
    widest = [
        max(min(f, len(r.window) - 1 - f) for r in rows for w, f in zip(r.words, r.firsts, strict=True) if w == k)
        for k in range(len(toks))
    ]
    assert [rows[r].margins[p] for r, p in zip(own, place, strict=True)] == widest
    assert min(widest[5:-5]) >= 2, "inside the text no word is read at an edge"


def row_of(*words: int) -> WordRow:
    nothing = np.zeros(len(words), dtype=np.int64)
    window = Window(nothing, nothing, np.zeros((len(words), 2), dtype=np.int64))
    return WordRow(window, np.array(words, dtype=np.int64), nothing, nothing)


SPELT = ["B-a", "I-a", "I-a", "O", "B-b", "B-b", "I-b", "I-a"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((0, 1, 2), ["B-a", "I-a", "I-a"]),
        ((1, 2, 3), ["B-a", "I-a", "O"]),  # the window begins inside a span
        ((0, 2, 4), ["B-a", "I-a", "B-b"]),  # no piece stands for a word
        ((3, 6, 7), ["O", "B-b", "B-a"]),  # a span is interrupted, or its label changes
        ((), []),
    ],
)
def test_tags_of_a_window_spell_spans(words: tuple[int, ...], wanted: list[str]) -> None:
    assert row_of(*words).tags(SPELT) == wanted


def test_where_words_stand_in_a_row() -> None:
    row = row_of(2, 3, 5, 6)
    places = {(2, 4): (0, 2), (5, 7): (2, 4), (3, 6): None, (1, 3): None, (4, 5): None, (3, 3): None}
    assert {pair: row.within(*pair) for pair in places} == places
    assert states.in_row(row, [(4, 6), (5, 6), (2, 3)]) == [(1, (2, 3)), (2, (0, 1))]


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_the_words_of_neighbours_are_read_and_are_no_words_of_the_sentence(kind: str) -> None:
    texts = ["Karsk lied.", "The mayor said so.", "Nobody knew."]
    sentences = [Sentence(id=str(k), text=t, document="d", index=k) for k, t in enumerate(texts)]
    cutter = Cutter(tokenizer(kind), 64)
    laid = states.lay(cutter, sentences, 1)
    for number, one in enumerate(laid):
        (row,) = one.rows
        assert list(row.words) == list(range(len(tokens(texts[number]))))
        text = " ".join(texts[max(0, number - 1) : number + 2])
        assert row.window.offsets.max() == len(text)
        start = text.index(texts[number])
        for token, first in zip(one.toks, row.firsts, strict=True):
            begin, end = row.window.offsets[first]
            assert begin < start + token.end and end > start + token.start
    small = states.lay(Cutter(tokenizer(kind), 32), [sentences[0], Sentence(id="x", text="war " * 90)], 1)
    assert [len(one.rows) > 1 for one in small] == [False, True]


def test_a_marked_cue_moves_no_word() -> None:
    text = "Karsk said it, he said."
    cutter = Cutter(tokenizer("bert"), 32)
    (plain,) = states.lay(cutter, [Sentence(id="s", text=text)], 0)
    views = states.marked(plain, [(k, k + 1) for k in range(len(plain.toks))], "*")
    for number, (view, one) in enumerate(zip(views, states.lay_views(cutter, views, [], 0), strict=True)):
        (row,) = one.rows
        shown = [view.read.text[slice(*row.window.offsets[first])] for first in row.firsts]
        assert all(t.of(text).lower().startswith(s.lower()) for t, s in zip(plain.toks, shown, strict=True))
        start, end = row.firsts[number], len(row.window) if number == len(plain.toks) - 1 else row.firsts[number + 1]
        marks = [k for k in range(len(row.window)) if view.read.text[slice(*row.window.offsets[k])] == "*"]
        assert marks[0] == start - 1 and start < marks[1] < end


@given(st.text(WILD, min_size=3, max_size=30), st.data())
@settings(max_examples=50, deadline=None)
def test_a_stretch_of_a_marked_text_keeps_every_place(text: str, data: st.DataObject) -> None:
    a, b, c, d = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    read = reading.marked(text, [(b, c)], "*") if b < c else Reading(text)
    short = read.stretch(a, d)
    assert short.text == text[a:b] + ("* " + text[b:c] + " *" if b < c else "") + text[c:d]
    for start in range(a, d):
        assert short.text[slice(*short.place(start, start + 1))] == text[start]
