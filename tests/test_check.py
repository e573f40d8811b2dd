"""Data sets, label maps and the check: what is found, where it stands, and what it counts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from stancekit import tasks
from stancekit.codebook import Codebook, Label, default
from stancekit.data.check import check
from stancekit.data.dataset import Dataset, sentence_hash
from stancekit.data.load import load, save, survey
from stancekit.data.split import from_parts, make_split
from stancekit.errors import StancekitError
from stancekit.schema import Attribution, Device, Layers, Sentence, Span, Stance, Target
from strategies import sentences

TEXT = "The regime was liberated, the ministry said."
CONTENT = (Span(0, 24),)


def sentence(name: str = "1", **layers) -> Sentence:
    return Sentence(id=name, text=TEXT, document="d", gold=Layers(text=TEXT, **layers))


def dataset(*rows: Sentence, book: Codebook | None = None) -> Dataset:
    return Dataset("data", rows, book or default(), places={row.id: f"x.jsonl:{k}" for k, row in enumerate(rows, 1)})


PROBLEMS = {
    "ends past the text": sentence(devices=(Device(parts=(Span(4, 99),), frame="blame"),)),
    "two blame devices overlap: 'regime' and 'regime was'": sentence(
        devices=(Device(parts=(Span(4, 10),), frame="blame"), Device(parts=(Span(4, 14),), frame="blame"))
    ),
    "unknown frame 'blme'": sentence(devices=(Device(parts=(Span(4, 10),), frame="blme"),)),
    "unknown source_type 'army'": sentence(attributions=(Attribution(content=CONTENT, source_type="army"),)),
    "unknown cue_stance 'sly'": sentence(attributions=(Attribution(content=CONTENT, cue_stance="sly"),)),
    "unknown stance 'pro'": sentence(stances=(Stance(Target("regime"), "pro"),)),
    "unknown topic 'sport'": sentence(labels={"topic": frozenset(["war", "sport"])}),
    "without source, cue and content": sentence(attributions=(Attribution(),)),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_problems_are_found_with_their_place(what):
    book = replace(default(), sets={**default().sets, "topic": (Label("war"),)})
    report = check(dataset(sentence("0"), PROBLEMS[what], book=book))
    (problem,) = report.problems
    assert (problem.where, what in problem.what, bool(problem.hint)) == ("x.jsonl:2", True, True)


def test_targets_are_held_against_the_actors_beside_the_file(tmp_path):
    (tmp_path / "actors.yaml").write_text("- {name: Karsk, aliases: [Karskan]}\n- {name: Tolmenia}\n")
    head = "---\nlayers: [attribution, framing, stance]\n---\n"
    lines = ["A Karskan {blame>Krask|raid}.", "Karskan troops left.\t~ Karsk=none", "They left.\t~ Tolmenia=none"]
    (tmp_path / "x.markup").write_text(head + "\n".join(lines) + "\n")
    report = check(load(tmp_path / "x.markup"))
    found = [(p.where[-1], p.what, p.hint) for p in report.problems]
    assert found == [("4", "the target 'Krask' is no actor of actors.yaml", "did you mean 'Karsk'?")]
    assert [(w.where[-1], w.what.split(",")[0]) for w in report.warnings] == [("6", "a stance toward 'Tolmenia'")]


def test_a_device_across_a_content_edge_is_a_warning():
    crossing = Device(parts=(Span(15, 29),), frame="legitimation")
    report = check(dataset(sentence(devices=(crossing,), attributions=(Attribution(content=CONTENT),))))
    assert not report.problems
    assert "crosses the edge of a content" in report.warnings[0].what


def test_doubled_ids_and_empty_data():
    assert [p.what for p in check(dataset(sentence(), sentence())).problems] == ["the id '1' stands 2 times"]
    assert [p.what for p in check(dataset()).problems] == ["there is no sentence in it"]


def test_an_answer_that_does_not_fit_the_kind_of_its_task():
    rows = [sentence(str(k), labels={"topic": label}) for k, label in enumerate(["war", "peace", frozenset(["war"])])]
    task = tasks.own("topic", "single", ["war", "peace"])
    assert [p.what for p in check(dataset(*rows), task).problems] == [
        "the answer of 'topic' does not fit a task of kind 'single'"
    ]


def test_counts_are_by_layer_label_and_part():
    rows = [
        replace(sentence(str(k), labels={"topic": "war" if k % 2 else "peace"}, devices=()), document=f"d{k // 2}")
        for k in range(20)
    ]
    data = dataset(*rows)
    task = tasks.own("topic", "single", ["war", "peace", "art"])
    report = check(data, task, make_split(data, stratify=task))
    assert not report.problems
    assert report.counts["data"] == {"sentences": 20, "documents": 10}
    assert report.counts["annotated sentences"] == {"devices": 20, "topic": 20}
    assert report.counts["topic"] == {"war": 10, "peace": 10}
    parts = [report.counts[f"topic, {part}"] for part in ("train", "dev", "test")]
    assert sum(row["examples"] for row in parts) == 20
    assert all(row["art"] == 0 and row["war"] == row["peace"] for row in parts)
    assert report.to_json()["counts"]["topic"] == report.counts["topic"]


def test_leaks_between_files_are_warned_of():
    task = tasks.own("topic", "single", ["war", "peace"])
    rows = [sentence(f"a{k}", labels={"topic": "war" if k % 2 else "peace"}) for k in range(4)]
    whole, split = from_parts({"train": dataset(*rows[:2]), "test": dataset(*rows[2:])}, dev=0)
    report = check(whole, task, split)
    assert "1 groups stand in more than one part" in [warning.what for warning in report.warnings]
    assert report.notes[-1] == "document=d stands in train and test"


def test_the_check_goes_on_from_what_could_be_read(tmp_path):
    (tmp_path / "x.csv").write_text("text,label\na,b\n,c\nd,e\n")
    data, problems = survey(tmp_path / "x.csv")
    report = check(data, problems=problems)
    assert len(report.problems) == 1
    assert report.counts["label"] == {"b": 1, "e": 1}


@given(sentences())
def test_the_hash_covers_content_and_nothing_else(row):
    same = replace(row, id="other", index=99)
    assert sentence_hash(row) == sentence_hash(same)
    changes = [replace(row, document="?"), replace(row, meta={**row.meta, "?": 1})]
    changes.append(replace(row, gold=replace(row.gold, labels={**row.gold.labels, "?": "x"})))
    if row.gold.devices is None:
        changes.append(replace(row, gold=replace(row.gold, devices=())))
    assert sentence_hash(row) not in {sentence_hash(change) for change in changes}


def test_a_data_set_prints_and_turns_into_a_frame():
    data = dataset(sentence(labels={"topic": "war"}, devices=()))
    assert repr(data) == "Dataset data: 1 sentences of 1 documents; devices of 1, topic of 1"
    assert list(data.to_frame()[["text", "frames", "label.topic"]].iloc[0]) == [TEXT, [], "war"]


def test_sentences_without_a_document_are_their_own_as_in_the_split():
    rows = [replace(sentence(str(k)), document="d" * (k > 2)) for k in range(5)]
    assert check(dataset(*rows)).counts["data"] == {"sentences": 5, "documents": 4}
    assert "5 sentences of 4 documents" in repr(dataset(*rows))


def test_what_was_left_out_is_named_in_whole_words(tmp_path):
    """Kinds of problems keep their words; only what differs within a kind is cut."""
    rows = [{"id": 10, "text": "ab"}, {"id": 10, "text": "c"}, {"id": 11, "text": "d"}, {"id": 11, "text": "e"}]
    rows += [{"id": k, "text": "ab", "devices": [{"spans": [[-k, 5]], "frame": "blame"}]} for k in (1, 2)]
    rows += [{"id": 3, "text": "it's", "index": "1"}, {"id": 4, "text": "x", "it's": 1}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert load(tmp_path / "x.jsonl", on_error="skip").counts == {
        "problem: the id … stands twice": 2,
        "problem: `spans` … lies outside the text of … characters": 2,
        "problem: `meta` must be an object and `index` a whole number": 1,
        "problem: unknown key …": 1,
    }


def test_labels_that_yaml_takes_for_truth_values_stay_words(tmp_path):
    (tmp_path / "book.yaml").write_text("{name: own, version: 1, sets: {biased: [yes, no, off]}}")
    (tmp_path / "x.csv").write_text("text,biased\na,yes\nb,no\nc,maybe\n")
    options = {"label": "biased", "task": "biased"}
    data, problems = survey(tmp_path / "x.csv", codebook=tmp_path / "book.yaml", options=options)
    assert [s.gold.labels["biased"] for s in data] == ["yes", "no"]
    assert [(p.where[-1], p.what) for p in problems] == [("4", "unknown biased 'maybe'")]


MAP = """
from: {name: old, version: 1}
to: {name: stancekit, version: "1.0"}
sets:
  frame: {guilt: blame, accusation: blame, mood: null}
  sentiment: {positive: favor, negative: against, neutral: none}
rename_sets: {sentiment: stance}
"""


def mapped(tmp_path, row: Sentence, text: str = MAP, stamp: Codebook | None = None):
    (tmp_path / "map.yaml").write_text(text)
    save([row], tmp_path / "x.jsonl", codebook=stamp or Codebook("old", "1"))
    return load(tmp_path / "x.jsonl", label_map=tmp_path / "map.yaml")


def test_a_label_map_merges_renames_drops_and_tells(tmp_path):
    devices = tuple(Device(parts=(Span(k, k + 1),), frame=f) for k, f in enumerate(["guilt", "accusation", "mood"]))
    targets = (Stance(Target("A"), "positive"), Stance(Target("B"), "neutral"))
    data = mapped(tmp_path, sentence(devices=devices, labels={"sentiment": targets}))
    gold = data.sentences[0].gold
    assert [d.frame for d in gold.devices] == ["blame", "blame"]
    assert [s.label for s in gold.stances] == ["favor", "none"]
    assert not gold.labels
    lines = data.label_map.describe()
    assert {"frame: guilt → blame", "frame: mood → (dropped)", "set sentiment → stance"} <= set(lines)


@pytest.mark.parametrize(
    ("text", "frame", "stamp", "what"),
    [
        (MAP, "gulit", None, "the label map does not mention the frame 'gulit'"),
        (MAP + "others: keep", "gulit", None, "unknown frame 'gulit'"),
        (MAP, "guilt", Codebook("old", "2"), "annotated with codebook old 2, expected is old 1"),
        (MAP.replace("1.0", "9"), "guilt", None, "the label map leads to stancekit 9"),
        ("sets: {frame: {a: [b]}}", "guilt", None, "becomes one label or null"),
        ("set: {}", "guilt", None, "unknown key 'set'"),
        ("[]", "guilt", None, "a label map is a mapping"),
    ],
)
def test_a_label_map_refuses_what_it_does_not_cover(tmp_path, text, frame, stamp, what):
    row = sentence(devices=(Device(parts=(Span(4, 10),), frame=frame),))
    with pytest.raises(StancekitError, match=what):
        mapped(tmp_path, row, text, stamp)
