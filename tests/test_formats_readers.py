"""Readers of published data: on fixtures that we wrote in their format, and on the data where it lies here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stancekit.data.load import load, survey
from stancekit.errors import StancekitError
from stancekit.schema import Span, words_of

FIXTURES = Path(__file__).parent / "fixtures"
SHARED = Path(os.environ.get("STANCEKIT_SHARED_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))


def relations(dataset):
    return [
        (s.index, *(words_of(getattr(a, role), s.text) for role in ("source", "cue", "content")))
        for s in dataset
        for a in s.gold.attributions
    ]


def test_polnear_cuts_relations_at_sentence_ends():
    dataset = load(FIXTURES / "polnear", options={"outside": "keep"})
    assert [s.text for s in dataset][:2] == ["Ferry stays shut", "The ministry said the ferry would stay shut."]
    first = [
        (1, "The ministry", "said", "the ferry would stay shut"),
        (2, "", "", "“We are waiting for the ice 🧊 to go."),
        (3, "Rusk", "said", "Nobody is in danger,”"),
        (4, "Residents", "doubt", "it"),
    ]
    assert relations(dataset) == first
    assert relations(load(FIXTURES / "polnear")) == [first[0], *first[2:]]
    assert dict(dataset.counts) == {
        "relations": 4,
        "relations cut at a sentence end": 1,
        "pieces outside the sentence of their cue": 1,
        "relations without any span": 1,
    }
    meta = {"part": "train", "outlet": "gazette", "date": "2031-04-12", "author": "V. Rusk"}
    assert all(s.meta == meta and s.document == "gazette_2031-04-12_ferry" for s in dataset)
    assert dataset.where(dataset.sentences[2].id).endswith("ferry.txt:3")


def test_polnear_names_every_broken_line_and_skips_on_request():
    options = {"annotator": "bb22"}
    with pytest.raises(StancekitError) as caught:
        load(FIXTURES / "polnear", options=options)
    problems = [(p.where.rpartition("/")[2], p.what.partition(":")[0]) for p in caught.value.problems]
    assert problems == [
        ("gazette_2031-04-12_ferry_bb22.ann:6", "broken line of brat standoff"),
        ("gazette_2031-04-12_ferry_bb22.ann:7", "offset mismatch"),
        ("gazette_2031-04-12_ferry_bb22.ann:8", "offset mismatch"),
    ]
    skipped = load(FIXTURES / "polnear", options=options, on_error="skip")
    assert skipped.counts["problem: offset mismatch"] == 2
    assert relations(skipped) == [(1, "The ministry", "said", "the ferry would stay shut")]
    with pytest.raises(StancekitError, match="did you mean 'aa11'"):
        load(FIXTURES / "polnear", options={"annotator": "aa1"})


def test_newsmtsc_keeps_sentiment_a_label_set_of_its_own():
    dataset = load(FIXTURES / "newsmtsc" / "train.jsonl")
    first, second = dataset
    assert first.gold.stances is None
    found = [(s.target.name, s.target.span.of(first.text), s.label) for s in first.gold.labels["sentiment"]]
    assert found == [("Rusk", "Rusk", "positive"), ("Halásy", "Halásy", "neutral")]
    assert (first.document, first.index, second.index, first.meta) == ("wire_7_12", 3, 9, {"part": "train"})
    assert len(load(FIXTURES / "newsmtsc", format="newsmtsc")) == 2


def test_newsmtsc_refuses_offsets_that_do_not_fit(tmp_path):
    content = (FIXTURES / "newsmtsc" / "train.jsonl").read_text("utf-8")
    (tmp_path / "x.jsonl").write_text(content.replace('"from": 1,', '"from": 2,').replace("2.0", "3.0"), "utf-8")
    _, problems = survey(tmp_path / "x.jsonl")
    assert [(p.where[-1], p.what.split()[0]) for p in problems] == [("1", "offset"), ("2", "unknown")]


def test_tweeteval_stances_are_toward_the_folder_and_cut_at_newlines_only():
    dataset = load(FIXTURES / "tweeteval")
    found = [
        (s.id, s.gold.stances[0].target.name, s.gold.stances[0].label, s.gold.stances[0].target.span) for s in dataset
    ]
    assert found == [
        ("ferry.train.1", "ferry", "favor", None),
        ("ferry.train.2", "ferry", "against", None),
        ("ferry.val.1", "ferry", "none", None),
        ("harbour.train.1", "harbour", "against", None),
    ]
    assert dataset.sentences[1].text == "no more\u2028ferries"
    assert [s.id for s in load(FIXTURES / "tweeteval" / "ferry", options={"part": "val"})] == ["ferry.val.1"]


def test_tweeteval_refuses_files_of_different_length(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "train_text.txt").write_text("a\nb\n")
    (tmp_path / "t" / "train_labels.txt").write_text("1\n")
    with pytest.raises(StancekitError, match="2 texts, but 1 labels"):
        load(tmp_path)


def shared(name: str) -> Path:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not here; set STANCEKIT_SHARED_DATA to the folder that holds it")
    return SHARED / name


@pytest.mark.parametrize(("part", "articles", "count", "broken"), [("train", 840, 19_868, 3), ("dev", 84, 2_193, 0)])
def test_the_whole_of_polnear(part, articles, count, broken):
    dataset = load(shared("polnear") / "data" / part, on_error="skip")
    assert len({s.document for s in dataset}) == articles
    assert dataset.counts["relations"] == count
    kinds = ("broken line of brat standoff", "offset mismatch")
    assert [dataset.counts.get(f"problem: {kind}", 0) for kind in kinds] == [broken, broken]
    assert all(s.meta["outlet"] and s.meta["date"] for s in dataset)


def test_the_whole_of_newsmtsc():
    dataset = load(shared("newsmtsc"), format="newsmtsc")
    targets = [stance for s in dataset for stance in s.gold.labels["sentiment"] if s.meta["part"] == "train"]
    assert len(targets) == 8_739
    assert all(isinstance(t.target.span, Span) for t in targets)


def test_the_whole_of_tweeteval():
    dataset = load(shared("tweeteval_stance"))
    assert [sum(s.meta["part"] == part for s in dataset) for part in ("train", "val")] == [2_620, 294]
