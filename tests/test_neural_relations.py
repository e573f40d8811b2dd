"""Attribution relations on a tiny encoder: nested, split and cue-less ones learnt by heart; long, odd and lone texts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tiny
import toys
from stancekit import codebook, files, tasks
from stancekit.errors import StancekitError
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders import states
from stancekit.models.neural.heads import relation_rows
from stancekit.models.neural.heads.attribution_heads import AttributionHeads
from stancekit.models.neural.heads.relation_rows import Read, RelationRows
from stancekit.models.neural.relations import Relations
from stancekit.schema import Attribution, Layers, Sentence, Span, parts_of
from stancekit.tasks import Part
from stancekit.text.tokens import tokens

TASK = tasks.attribution(codebook.default())


def build(folder: Path, **changes: Any) -> Relations:
    changes["training"] = {**toys.TRAINING, **changes.get("training", {})}
    return Relations(str(folder), **{"max_length": 48, **changes})


def saved(model: Relations, folder: Path) -> Path:
    model.save(files.make_folder(folder))
    return folder


@pytest.fixture(scope="module")
def learnt(encoders: tiny.Encoders) -> tuple[Relations, Part, Part]:
    """A model that has learnt the toy language, with its train and dev."""
    train, dev = toys.cut(TASK, toys.attributed(120), 20)
    model = build(encoders["bert"])
    model.fit(train, dev)
    return model, train, dev


def test_every_shape_of_relation_is_learnt_whole(learnt: tuple[Relations, Part, Part]) -> None:
    model, train, dev = learnt
    assert toys.share_right(model.predict(train.examples), train.gold) > 0.9
    right: Counter[str] = Counter()
    for prediction, gold, example in zip(model.predict(dev.examples), dev.gold, dev.examples, strict=True):
        shape = toys.SHAPES[int(example.id) % 5]
        right[shape] += prediction.answer == gold  # with source type and cue stance
        assert len(prediction.probabilities) == len(prediction.answer)
        assert all(0 < sure <= 1 for sure in prediction.probabilities)
    assert all(right[shape] >= 3 for shape in toys.SHAPES), right
    shown = {r.source_type for g in dev.gold for r in g} | {r.cue_stance for g in dev.gold for r in g}
    assert shown == {None, "state", "unnamed", "neutral", "distancing"}


def test_a_loaded_model_answers_alike_in_any_order(
    encoders: tiny.Encoders, learnt: tuple[Relations, Part, Part], tmp_path: Path
) -> None:
    model, _, dev = learnt
    folder = saved(model, tmp_path / "model")
    assert {p.suffix for p in folder.iterdir()} == {".json", ".safetensors"}
    again = build(encoders["bert"])
    again.load(folder, TASK)
    found = model.predict(dev.examples)
    assert again.predict(dev.examples) == found and again.predict(dev.examples[::-1]) == found[::-1]
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == {
        f.name: f.read_bytes() for f in saved(again, tmp_path / "again").iterdir()
    }


def test_odd_texts_are_answered(learnt: tuple[Relations, Part, Part]) -> None:
    model, _, _ = learnt
    odd = toys.odd()
    found = model.predict(toys.bare(odd))
    spans = [[s for r in p.answer for s in (*r.source, *r.cue, *r.content)] for p in found]
    assert all(s.end <= len(one.text) for one, own in zip(odd, spans, strict=True) for s in own)
    assert [p.answer for p in found[:2]] == [(), ()] and model.predict([]) == []
    said = [r for r in found[3].answer if [s.of(odd[3].text) for s in r.cue] == ["said"]]
    assert len(said) > 400, "of 545 in 20,000 characters"


def test_a_cue_is_read_in_the_windows_that_hold_it(learnt: tuple[Relations, Part, Part]) -> None:
    """Far from its cue nothing belongs to a relation, and a text takes no more windows than it has cues nearby."""
    model, _, _ = learnt
    text = "Karsk said that the port . " * 60
    one = Sentence(id="x", text=text)
    place = next(k for k, t in enumerate(tokens(text)) if t.of(text) == "said" and k > 150)
    (whole,) = model._lay([one])
    (laid,) = model._lay_cues([whole], [[(place, place + 1)]])
    assert len(whole.rows) > 6 and len(laid.rows) <= 2 and len(laid.toks) < 48
    assert laid.toks == whole.toks[laid.first : laid.first + len(laid.toks)]
    assert laid.first + 8 < place < laid.first + len(laid.toks) - 8, "the window that shows most around it"
    shown = {t for row in laid.rows for t in row.words}
    assert shown == set(range(len(laid.toks)))
    (prediction,) = model.predict(toys.bare([one]))
    for relation in prediction.answer:
        spans = (*relation.source, *relation.cue, *relation.content)
        assert max(s.end for s in spans) - min(s.start for s in spans) < 48 * 8


def test_training_on_a_long_text_loses_nothing_at_the_edges_of_windows(encoders: tiny.Encoders) -> None:
    text = "he said " + "war " * 150
    relation = Attribution(source=parts_of([(0, 2)]), cue=parts_of([(3, 7)]), content=parts_of([(8, len(text) - 1)]))
    long = Sentence(id="x", text=text, gold=Layers(text=text, attributions=(relation,)))
    train, dev = toys.cut(TASK, [long, *toys.attributed(10)])
    model, space = build(encoders["bert"], training={"epochs": 2}), Workspace()
    model.fit(train, dev, space)
    assert space.facts["rows"] > 20 and max(loss for _, loss in space.curve["loss"]) < 12


def test_neighbours_lend_what_they_say_and_nothing_else(encoders: tiny.Encoders) -> None:
    """The source type of `he` stands in the sentence before alone."""
    sentences = []
    for number in range(64):
        line, kind = toys.Line(number), ("state", "unnamed")[number // 2 % 2]
        if number % 2 == 0:
            line.add({"state": "Karsk waits .", "unnamed": "night falls ."}[kind])
            sentences.append(line.sentence(number, attributions=()))
            continue
        source, cue, content = line.add("he"), line.add("said"), line.some(1, 2)
        relation = Attribution(source=(source,), cue=(cue,), content=(content,), source_type=kind, cue_stance="neutral")
        sentences.append(line.sentence(number, attributions=(relation,)))
    train, _ = toys.cut(TASK, sentences)
    model = build(encoders["bert"], context=1, empty=0.0)
    space = Workspace()
    model.fit(train, Part(TASK), space)
    assert space.facts["rows"] == 64, "32 for the finder, which learns from no sentence without relation, 32 for cues"
    found = model.predict(train.examples)
    assert toys.share_right(found[1::2], train.gold[1::2]) > 0.9
    texts = [e.sentence.text for e in train.examples]
    assert all(s.end <= len(t) for t, p in zip(texts, found, strict=True) for r in p.answer for s in r.content)


@pytest.mark.parametrize(("empty", "rows"), [(0.0, 0), (0.25, 2), (0.5, 4), (1.0, 8)])
def test_sentences_without_a_relation_are_thinned_evenly(encoders: tiny.Encoders, empty: float, rows: int) -> None:
    sentences = [toys.said(k, "none") for k in range(8)] + [toys.said(9, "quote")]
    train, dev = toys.cut(TASK, sentences)
    model, space = build(encoders["bert"], empty=empty, training=toys.QUICK), Workspace()
    model.fit(train, dev, space)
    assert space.facts["rows"] == rows + 1


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("roberta", {"tune": False}), ("deberta", {"lora": {"rank": 2}, "context": 1}), ("modernbert", {})],
)
def test_every_architecture_keeps_the_protocol(
    encoders: tiny.Encoders, tmp_path: Path, kind: str, settings: Any
) -> None:
    train, dev = toys.cut(TASK, toys.attributed(30), 10)
    model = build(encoders[kind], **settings, training=toys.QUICK)
    model.fit(train, dev)
    again = build(encoders[kind], **settings, training=toys.QUICK)
    again.load(saved(model, tmp_path / "model"), TASK)
    examples = [*dev.examples, *toys.bare(toys.odd()[:3])]
    assert again.predict(examples) == model.predict(examples)


TEXT = "Vesna did , they say , not deny it ."
TOKS = tokens(TEXT)


def span(word: str, last: str = "") -> Span:
    return Span(TEXT.index(word), TEXT.index(last or word) + len(last or word))


OUTER = Attribution(
    source=(span("Vesna"),), cue=(span("did"), span("not", "deny")), content=(span("it"),), cue_stance="distancing"
)
INNER = Attribution(source=(span("they"),), cue=(span("say"),), content=(span("Vesna", "it"),))


def laid() -> states.Laid:
    cutter = states.Cutter(tiny.tokenizer("bert"), 64)
    (found,) = states.lay(cutter, [Sentence(id="s", text=TEXT)], 0)
    return found


def test_what_readers_learn_of_a_cue() -> None:
    """A content goes on around the marked cue, and its tags still spell spans; a further cue part is tagged."""
    heads = AttributionHeads(8, {"source_type": [], "cue_stance": ["distancing"]})
    rows = RelationRows({"source_type": [], "cue_stance": ["distancing"]})
    one = laid()
    fields = rows.reader_fields(heads, one, one.rows[0], [OUTER, INNER])
    names = heads.reader_chain.labels
    assert fields["cues"] == [(6, 8), (4, 5)] and fields["sources"] == [(0, 1), (3, 4)]
    spelt = [" ".join(names[k].replace("content", "t").replace("source", "s") for k in p) for p in fields["parts"]]
    assert spelt == ["B-s B-cue O O O O O O B-t O", "B-t I-t I-t B-s O B-t I-t I-t I-t O"]
    assert fields["cue_stance"] == [0, -1] and fields["source_type"] == [-1, -1]
    flat = " ".join(names[k] for k in rows.finder_fields(heads, one, one.rows[0], [OUTER, INNER])["roles"])
    assert flat == "B-source B-cue B-content B-source B-cue B-content B-cue I-cue B-content O"


class Told(AttributionHeads):
    """Heads that read fixed parts by cue, and attributes by the vectors that they are given."""

    def __init__(self, parts: dict[tuple[int, int], str]) -> None:
        super().__init__(2, {"source_type": ["unmarked", "marked"], "cue_stance": ["unmarked", "marked"]})
        self.parts = parts

    def read(self, words: torch.Tensor, cues: torch.Tensor) -> torch.Tensor:
        tags = self.parts[tuple(cues[0, 0].tolist())].split()
        scores = torch.zeros(1, 1, len(tags), len(self.reader_chain.labels))
        for at, tag in enumerate(tags):
            scores[0, 0, at, self.reader_chain.labels.index(tag)] = 9.0
        return scores

    def attributes(self, words: torch.Tensor, cues: torch.Tensor, sources: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict.fromkeys(("source_type", "cue_stance"), words[:, :1])  # which label the vectors speak for


UNMARKED, MARKED = np.tile(np.float32([1, 0]), (10, 1)), np.tile(np.float32([0, 1]), (10, 1))
CUES = [(1, 2, "cue", 0.9), (4, 5, "cue", 0.8), (6, 8, "cue", 0.7)]
WHOLE = {
    (6, 8): "B-source B-cue O O O O B-content I-content B-content O",  # what overlaps the cue is not taken
    (4, 5): "O O O B-source O O O O O O",
    (1, 2): "O O O O O O O O O O",
}


def test_relations_are_put_together_from_what_each_cue_reads() -> None:
    """A further part of a cue makes no relation of its own, and attributes are read where the cue was marked."""
    rows = RelationRows(dict.fromkeys(("source_type", "cue_stance"), ("unmarked", "marked")))
    read = [Read((1, 2), 0, MARKED), Read((4, 5), 0, UNMARKED), Read((6, 8), 0, MARKED)]
    found = rows.answer(Told(WHOLE), laid(), CUES, UNMARKED, read)
    assert [relation for relation, _ in found] == [
        Attribution(source=(span("they"),), cue=(span("say"),), source_type="unmarked", cue_stance="unmarked"),
        replace(OUTER, source_type="marked", cue_stance="marked"),
    ]
    assert [sure for _, sure in found] == [pytest.approx(0.8, abs=0.01), pytest.approx(0.7, abs=0.01)]


def test_what_was_read_of_a_stretch_stands_where_the_stretch_stands() -> None:
    rows = RelationRows(dict.fromkeys(("source_type", "cue_stance"), ("unmarked", "marked")))
    heads = Told({(2, 3): "O B-source O O O"})
    found = rows.answer(heads, laid(), CUES[1:2], UNMARKED, [Read((4, 5), 2, MARKED[:5])])
    assert [r for r, _ in found] == [
        Attribution(source=(span("they"),), cue=(span("say"),), source_type="marked", cue_stance="marked")
    ]


def test_a_content_without_cue_takes_the_source_that_is_left() -> None:
    rows = RelationRows({"source_type": ("unmarked", "marked"), "cue_stance": ()})
    flat = [(0, 1, "source", 0.5), (6, 9, "content", 0.5)]
    ((found, sure),) = rows.answer(Told({}), laid(), flat, MARKED, [])
    assert found == Attribution(source=(span("Vesna"),), content=(span("not", "it"),), source_type="marked")
    assert sure == 0.25


def test_labels_and_confidences_of_relations_stand_together() -> None:
    assert relation_rows.cues_of([(1, 2, "cue", 0.9), (2, 4, "content", 0.6)]) == [(1, 2)]
    rows = RelationRows.of([[OUTER, INNER], [replace(INNER, source_type="state")]])
    plain = rows.dump()
    assert plain["attributes"] == {"source_type": ("state",), "cue_stance": ("distancing",)}
    assert plain["shapes"] == ("source cue content",) and RelationRows.restore(plain).dump() == plain


def test_mistakes(encoders: tiny.Encoders) -> None:
    with pytest.raises(StancekitError) as error:
        Relations(empty=2, max_length=8, context=1.5, training={"device": "gpu"})
    assert len(error.value.problems) == 4 and "did you mean 'cpu'" in str(error.value)
    train, dev = toys.cut(TASK, [toys.said(1, "none")])
    with pytest.raises(StancekitError, match="there is no relation to learn from"):
        build(encoders["bert"]).fit(train, dev)
