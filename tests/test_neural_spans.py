"""Spans and devices on tiny encoders: a toy language learnt by heart, long and odd texts, plain folders."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

import tiny
import toys
from stancekit import codebook, files, tasks
from stancekit.errors import StancekitError
from stancekit.models.base import Workspace
from stancekit.models.neural.heads.chain_layer import tag_names
from stancekit.models.neural.heads.span_scorer import SpanScorer
from stancekit.models.neural.spans import Spans
from stancekit.schema import Device, Layers, Sentence, Span
from stancekit.tasks import Part
from stancekit.text import tags
from stancekit.text.tokens import tokens

THINGS = tasks.own("things", "spans", ["thing", "act"])
DEVICES = replace(tasks.devices(codebook.default()), labels=tuple(toys.FRAMES.values()))


def told(count: int, first: int = 0) -> list[Sentence]:
    """Return sentences with things (of one or two words) and acts among words that are neither."""
    found = []
    for number in range(first, first + count):
        line = toys.Line(number)
        spans = []
        for label in line.rng.permutation(["thing", "act", ""]):
            line.some(1, 2)
            if label:
                among = (
                    ("city", "sea", "army", "city gate", "old sea") if label == "thing" else ("fell", "rose", "left")
                )
                spans.append(replace(line.any(among), label=str(label)))
        line.add(".")
        found.append(line.sentence(number, labels={"things": tuple(sorted(spans))}))
    return found


def build(folder: Path, **changes: Any) -> Spans:
    changes["training"] = {**toys.TRAINING, **changes.get("training", {})}
    return Spans(str(folder), **{"max_length": 48, **changes})


def saved(model: Spans, folder: Path) -> Path:
    model.save(files.make_folder(folder))
    return folder


def right(model: Spans, part: Part) -> float:
    return toys.share_right(model.predict(part.examples), part.gold)


def joined(sentences: list[Sentence]) -> tuple[Sentence, tuple[Span, ...]]:
    """Return sentences as one, with their spans."""
    text, spans = "", []
    for sentence in sentences:
        shift = len(text) + bool(text)
        text = f"{text} {sentence.text}" if text else sentence.text
        spans += [Span(s.start + shift, s.end + shift, s.label) for s in THINGS.view(sentence.gold)]
    return Sentence(id="long", text=text), tuple(spans)


@pytest.fixture(scope="module")
def learnt(encoders: tiny.Encoders) -> tuple[Spans, Part]:
    """A model that has learnt the toy language."""
    train, dev = toys.cut(THINGS, told(128), 16)
    model = build(encoders["bert"], decoder="valid")
    model.fit(train, dev)
    return model, dev


def test_it_learns_where_spans_are(learnt: tuple[Spans, Part]) -> None:
    model, dev = learnt
    train, _ = toys.cut(THINGS, told(112))
    assert right(model, train) > 0.8 and right(model, dev) > 0.6
    for prediction, example in zip(model.predict(dev.examples), dev.examples, strict=True):
        edges = tokens(example.sentence.text)
        assert {s.start for s in prediction.answer} <= {t.start for t in edges}
        assert {s.end for s in prediction.answer} <= {t.end for t in edges}
        assert len(prediction.probabilities) == len(prediction.answer)
        assert all(0.3 < sure <= 1 for sure in prediction.probabilities)


def test_a_long_text_is_tagged_like_its_sentences(learnt: tuple[Spans, Part]) -> None:
    model, _ = learnt
    sentences = told(40, 2000)
    long, gold = joined(sentences)
    (one,) = model._lay(toys.bare([long]))
    assert len(one.rows) > 8
    (found,) = model.predict(toys.bare([long]))
    agreed = set(found.answer) & set(gold)
    assert 2 * len(agreed) / (len(found.answer) + len(gold)) > 0.85


def test_training_on_a_long_text_loses_nothing_at_the_edges_of_windows(encoders: tiny.Encoders) -> None:
    """A window may begin inside a span; the chain must not be asked for tags that it forbids."""
    text = "the " + "war " * 200
    long = Sentence(id="x", text=text, gold=Layers(text=text, labels={"things": (Span(4, len(text) - 1, "thing"),)}))
    train, dev = toys.cut(THINGS, [long, *told(8)])
    model, space = build(encoders["bert"], training={"epochs": 2}), Workspace()
    model.fit(train, dev, space)
    assert space.facts["rows"] > 12 and max(loss for _, loss in space.curve["loss"]) < 10


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_the_saved_folder_is_a_token_classifier_of_transformers(
    encoders: tiny.Encoders, learnt: tuple[Spans, Part], tmp_path: Path, kind: str
) -> None:
    if kind == "bert":
        model, dev = learnt
    else:
        model, (train, dev) = build(encoders[kind], decoder="valid"), toys.cut(THINGS, told(64), 16)
        model.fit(train, dev)
    before = model.net.model.classifier.bias.tolist()
    model._lean(0.25)  # what tuning does when dev asks for it
    leant = [b + 0.25 * name.startswith("B-") for name, b in zip(tag_names(THINGS.labels), before, strict=True)]
    assert model.net.model.classifier.bias.tolist() == pytest.approx(leant) and model.readiness == 0.0
    folder = saved(model, tmp_path / "model")
    plain = AutoModelForTokenClassification.from_pretrained(folder)
    names = tag_names(THINGS.labels)
    assert tuple(plain.config.id2label[k] for k in range(len(names))) == names
    classify = pipeline("token-classification", model=str(folder), device="cpu", ignore_labels=[])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    same = 0
    for example, prediction in zip(dev.examples, model.predict(dev.examples), strict=True):
        text = example.sentence.text
        assert len(tokenizer(text)["input_ids"]) <= 48
        pieces = classify(text)
        toks = tokens(text)
        own = [next(p["entity"] for p in pieces if p["end"] > t.start) for t in toks]  # by each word's first piece
        if tags.tag([(s.label, (s,)) for s in tags.spans(own, toks)], toks).layers[0] == own:  # where they are valid
            same += 1
            assert tuple(tags.spans(own, toks)) == prediction.answer
    assert same > len(dev) / 2
    model._lean(-0.25)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("bert", {"decoder": "crf", "tune": False}),
        ("deberta", {"decoder": "crf", "lora": {"rank": 2}, "context": 1}),
        ("modernbert", {"decoder": "valid", "context": 2}),
        ("roberta", {"decoder": "scores"}),
        ("roberta", {"training": {"checkpointing": True, "accumulate": 2, "layer_decay": 0.9}}),
    ],
)
def test_a_loaded_model_answers_alike(encoders: tiny.Encoders, tmp_path: Path, kind: str, settings: Any) -> None:
    training = {**settings.get("training", {}), "epochs": 2}
    train, dev = toys.cut(THINGS, told(32), 8)
    model = build(encoders[kind], **{**settings, "training": training})
    model.fit(train, dev)
    examples = [*dev.examples, *toys.bare(toys.odd()[:3])]
    folder = saved(model, tmp_path / "model")
    assert {p.suffix for p in folder.iterdir()} == {".json", ".safetensors"}
    again = build(encoders[kind], **{**settings, "training": training})
    again.load(folder, THINGS)
    found = model.predict(examples)
    assert again.predict(examples) == found and again.predict(examples[::-1]) == found[::-1]
    with pytest.raises(StancekitError, match="the model knows the labels .* → train the run again"):
        again.load(folder, replace(THINGS, labels=("act", "thing")))


def test_neighbours_are_read_and_never_tagged(encoders: tiny.Encoders) -> None:
    """Only the sentence before says whether the words after `this` are a thing."""
    sentences = []
    for number in range(96):
        line, opening = toys.Line(number), number % 4 < 2
        if number % 2 == 0:
            line.add("they said the" if opening else "he")
            sentences.append(line.sentence(number, labels={"things": ()}))
            continue
        line.add("this")
        what = line.some(2, 2)
        spans = (replace(what, label="thing"),) if opening else ()
        sentences.append(line.sentence(number, labels={"things": spans}))
    train, dev = toys.cut(THINGS, sentences, 16)
    model = build(encoders["bert"], context=1, training={"epochs": 20})
    model.fit(train, dev)
    assert right(model, dev) > 0.9
    alone = [p.answer for p in model.predict(toys.bare([replace(e.sentence, document="") for e in dev.examples]))]
    assert len({bool(answer) for answer in alone[1::2]}) == 1, "without the sentence before nothing tells"


def test_odd_texts_are_answered(learnt: tuple[Spans, Part]) -> None:
    model, _ = learnt
    odd = toys.odd()
    assert len(odd[3].text) > 20_000
    found = model.predict(toys.bare(odd))
    assert all(s.end <= len(one.text) for one, p in zip(odd, found, strict=True) for s in p.answer)
    assert [p.answer for p in found[:2]] == [(), ()] and model.predict([]) == []


def test_devices_are_read_with_frame_target_and_denial(encoders: tiny.Encoders, tmp_path: Path) -> None:
    train, dev = toys.cut(DEVICES, toys.framed(128), 16)
    model = build(encoders["bert"], training={"epochs": 20})
    model.fit(train, dev)
    assert right(model, train) > 0.9 and right(model, dev) > 0.7
    new, _ = toys.cut(DEVICES, toys.framed(72, 900, ("Zubrow", "Kestrel")))  # actors that train never names
    found = [p.answer for p in model.predict(new.examples)]
    pairs = [(f[0], g[0]) for f, g in zip(found, new.gold, strict=True) if len(f) == 1]
    assert len(pairs) > 60
    assert [f.negated for f, _ in pairs] == [g.negated for _, g in pairs]
    named = [f.target for f, g in pairs if g.target is not None]
    assert {*named} - {None} <= {"Zubrow", "Kestrel"} and sum(t is not None for t in named) > 0.6 * len(named)
    again = build(encoders["bert"])
    again.load(saved(model, tmp_path / "model"), DEVICES)
    assert again.predict(new.examples) == model.predict(new.examples)
    assert all(len(p.probabilities) == len(p.answer) for p in again.predict(toys.bare(toys.odd())))


def test_what_the_tags_of_train_could_not_hold_is_counted(encoders: tiny.Encoders, tmp_path: Path) -> None:
    text = "a heroic brave town and a sham truce"

    def device(frame: str, *parts: tuple[int, int]) -> Device:
        return Device(parts=tuple(Span(*p) for p in parts), frame=frame)

    gold = (device("valour", (2, 14)), device("cruelty", (9, 19)), device("legality", (26, 28), (31, 36)))
    sentence = Sentence(id="x", text=text, gold=Layers(text=text, devices=gold))
    train, dev = toys.cut(DEVICES, [sentence])
    model = build(encoders["bert"], training=toys.QUICK)
    model.fit(train, dev)
    assert dict(model.lost) == {tags.WIDENED: 1, tags.CROWDED: 1, tags.APART: 1}
    again = build(encoders["bert"])
    again.load(saved(model, tmp_path / "model"), DEVICES)
    assert again.lost == model.lost


def nested(count: int) -> list[Sentence]:
    """Return sentences in which an act stands inside a thing, or the two share a word."""
    found = []
    for number in range(count):
        line = toys.Line(number)
        line.some(1, 2)
        thing = line.any(("city", "army"))
        act = line.any(("fell", "rose"))
        end = line.any(("gate", "wall")) if number % 2 else act
        spans = (Span(thing.start, end.end, "thing"), Span(thing.start if number % 3 else act.start, act.end, "act"))
        line.some(1, 2)
        found.append(line.sentence(number, labels={"things": tuple(sorted(spans))}))
    return found


def test_scored_spans_nest_and_overlap(encoders: tiny.Encoders) -> None:
    train, dev = toys.cut(THINGS, nested(96), 16)
    tagger = build(encoders["bert"], training=toys.QUICK)
    tagger.fit(train, dev)
    assert tagger.lost[tags.CROWDED] == len(train)
    model = build(encoders["bert"], decoder="scores")
    model.fit(train, dev)
    assert not model.lost and model.longest == 3
    answers = [p.answer for p in model.predict(dev.examples)]
    whole = [answer for answer in answers if len(answer) == 2]
    assert len(whole) > len(answers) / 2 and all(a[0].end > a[1].start for a in whole)


def test_scores_of_spans_are_those_of_the_definition() -> None:
    torch.manual_seed(0)
    scorer = SpanScorer(8, ["a", "b"], longest=3).eval()
    for parameter in scorer.parameters():
        torch.nn.init.normal_(parameter)
    words, real = torch.randn(2, 5, 8), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    found = scorer(words, real)
    start, end, inside = scorer.edges(words).chunk(3, dim=-1)
    first, last = torch.tanh(scorer.first(words)), torch.tanh(scorer.last(words))
    for n, s, length, label in itertools.product(range(2), range(5), range(3), range(2)):
        e = s + length
        if e >= (5, 3)[n]:
            assert found[n, s, length, label] < -1000
            continue
        value = first[n, s] @ scorer.pairs[label] @ last[n, e] / 8 + start[n, s, label] + end[n, e, label]
        value = value + inside[n, s : e + 1, label].mean() + scorer.lengths[length, label]
        assert found[n, s, length, label].item() == pytest.approx(value.item(), abs=1e-4)
    gold = torch.tensor([[[0, 2, 1], [1, 5, 0]], [[2, 3, 0], [-1, -1, -1]]])  # the second is too long
    chance = torch.sigmoid(found.double())
    wanted = torch.zeros_like(found)
    wanted[0, 0, 1, 1] = wanted[1, 2, 0, 0] = 1
    likely = torch.where(wanted > 0, chance, 1 - chance)[found > -1000]
    assert scorer.loss(words, real, gold).item() == pytest.approx(-likely.log().sum().item() / 8, rel=1e-4)


@given(arrays(np.float32, (6, 3, 2), elements=st.floats(-4, 4, width=16)), st.sampled_from([-1.0, 0.0, 1.0]))
def test_the_likeliest_of_overlapping_spans_of_a_label_stays(scores: np.ndarray, readiness: float) -> None:
    for start, length in itertools.product(range(6), range(3)):
        if start + length >= 6:
            scores[start, length] = -1e4
    (found,) = SpanScorer(4, ["a", "b"], longest=3).spans([scores], readiness)
    assert found == sorted(found)
    kept = {(a, b, label): scores[a, b - a - 1, "ab".index(label)] for a, b, label, _ in found}
    for (a, b, label), (c, d, other) in itertools.combinations(kept, 2):
        assert label != other or b <= c or d <= a
    for start, length, label in itertools.product(range(6), range(3), "ab"):
        value, place = scores[start, length, "ab".index(label)], (start, start + length + 1, label)
        rivals = [v for (a, b, x), v in kept.items() if x == label and a < place[1] and b > place[0]]
        assert (place in kept) or value <= -readiness or max(rivals) >= value


def test_mistakes(encoders: tiny.Encoders) -> None:
    with pytest.raises(StancekitError) as error:
        Spans(decoder="crv", max_length=8, context=-1, lora={"range": 4}, training={"epoch": 3})
    assert [word in str(error.value) for word in ("did you mean 'crf'", "no usable window", "'epochs'")] == [True] * 3
    assert len(error.value.problems) == 5
    train, dev = toys.cut(THINGS, [replace(s, gold=Layers(text=s.text, labels={"things": ()})) for s in told(4)])
    with pytest.raises(StancekitError, match="there is no span to learn from"):
        build(encoders["bert"]).fit(train, dev)
