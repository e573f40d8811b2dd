"""Every format that can be written gives back what it can hold, with exact offsets on awkward text."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stancekit import components
from stancekit.codebook import Codebook
from stancekit.data.load import guess, load, save
from stancekit.errors import StancekitError
from stancekit.schema import Layers, Sentence, Stance, Target
from strategies import corpora, sentences, texts

BARE = Codebook("bare", "1")
WRITABLE = {"jsonl": "x.jsonl", "markup": "x.markup", "parquet": "x.parquet", "datasets": "x"}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SLOW = settings(QUICK, max_examples=8)


def round_trip(rows, path: Path, format: str | None = None, options=None):
    lost = save(rows, path, format=format, options=options or {}, codebook=BARE)
    return lost, list(load(path, format=format, options=options or {}, codebook=BARE))


@QUICK
@given(rows=corpora())
def test_jsonl_keeps_everything(tmp_path, rows):
    assert round_trip(rows, tmp_path / "x.jsonl") == (Counter(), rows)


@QUICK
@given(rows=corpora())
def test_parquet_keeps_everything(tmp_path, rows):
    assert round_trip(rows, tmp_path / "x.parquet") == (Counter(), rows)


@SLOW
@given(rows=corpora())
def test_datasets_keep_everything(tmp_path, rows):
    assert round_trip(rows, tmp_path / "x", "datasets") == (Counter(), rows)


@settings(QUICK, max_examples=100)
@given(rows=corpora(own=False))
def test_markup_keeps_all_but_line_ends_and_what_it_counts(tmp_path, rows):
    lost, found = round_trip(rows, tmp_path / "x.markup")
    lost.pop("line end in a text (now a space)", None)
    assert not lost
    for sentence, again in zip(rows, found, strict=True):
        text = sentence.text.replace("\r", " ").replace("\n", " ")
        assert again == replace(sentence, text=text, gold=replace(sentence.gold, text=text))


@QUICK
@given(
    text=texts(),
    label=st.text("ab é\"'\n,\t;", max_size=5).map(str.strip).filter(bool),
    name=st.sampled_from(["x.csv", "x.tsv"]),
)
def test_tables_keep_a_label(tmp_path, text, label, name):
    rows = [
        Sentence(
            id="7",
            text=text,
            document="d",
            index=3,
            meta={"outlet": "é,\t"},
            gold=Layers(text=text, labels={"label": label}),
        )
    ]
    lost, found = round_trip(rows, tmp_path / name)
    assert (+lost, found) == (Counter({"codebook stamp": 1}), rows)


@QUICK
@given(
    row=sentences(own=False), labels=st.frozensets(st.text("ab é", min_size=1).map(str.strip).filter(bool), max_size=3)
)
def test_tables_keep_several_labels_or_a_target(tmp_path, row, labels):
    several = replace(row, gold=Layers(text=row.text, labels={"topic": labels}))
    assert round_trip([several], tmp_path / "x.csv", options={"task": "topic"})[1] == [several]
    stances = (row.gold.stances or ())[:1] or (Stance(Target("A"), "favor"),)
    targeted = replace(row, gold=Layers(text=row.text, stances=stances))
    assert round_trip([targeted], tmp_path / "y.tsv", options={"task": "stance"})[1] == [targeted]


def test_tables_count_what_they_cannot_hold(tmp_path):
    text = "A and B met."
    stances = (Stance(Target("A"), "favor"), Stance(Target("B"), "none"))
    rows = [Sentence(id="1", text=text, document="d", gold=Layers(text=text, devices=(), stances=stances))]
    lost, found = round_trip(rows, tmp_path / "x.csv", options={"task": "stance"})
    assert (
        lost["sentence with several targets (now a row each)"]
        == lost["answers of devices (a table holds those of one task)"]
        == 1
    )
    assert [(s.id, s.gold.stances) for s in found] == [("1#1", stances[:1]), ("1#2", stances[1:])]


@pytest.mark.parametrize("name", components.names("format"))
def test_every_format_reads_or_refuses_to_write_with_reason(tmp_path, name):
    row = Sentence(id="d.0", text="A 😀 met B.", document="d")
    path = tmp_path / f"x.{name}"
    try:
        save([row], path, format=name)
    except StancekitError as error:
        assert "read only" in str(error)
        return
    assert list(load(path, format=name)) == [row]
    assert guess(path) == name


@pytest.mark.parametrize(
    "name",
    [n for n in components.names("format") if n not in ("polnear", "newsmtsc", "tweeteval", "babe", "ptc", "gwsd")],
)
def test_writing_twice_gives_the_same_bytes(tmp_path, name):
    rows = [Sentence(id=f"d.{k}", text=f"Text {k}.", document="d", index=k, meta={"outlet": "o"}) for k in range(3)]
    for folder in ("one", "two"):
        save(rows, tmp_path / folder / f"x.{name}", format=name)

    def content(folder: str):
        return {p.name: p.read_bytes() for p in sorted((tmp_path / folder).rglob("*")) if p.is_file()}

    assert content("one") == content("two") != {}


def test_crlf_files_read_like_others(tmp_path):
    header = "---\r\ndocument: d\r\nlayers: [framing]\r\n---\r\n"
    (tmp_path / "x.markup").write_bytes(f"{header}A {{blame|provocation}}.\r\n".encode())
    (tmp_path / "x.csv").write_bytes('text,label\r\n"two\r\nlines",a\r\n'.encode("utf-8-sig"))
    assert [s.text for s in load(tmp_path / "x.markup")] == ["A provocation."]
    (row,) = load(tmp_path / "x.csv")
    assert (row.text, row.gold.labels) == ("two\r\nlines", {"label": "a"})


def test_class_numbers_become_names_and_parts_are_chosen(tmp_path):
    datasets = pytest.importorskip("datasets")
    kinds = datasets.ClassLabel(names=["no", "yes"])
    features = datasets.Features({"sentence": datasets.Value("string"), "y": kinds, "tags": datasets.Sequence(kinds)})
    rows = {"sentence": ["a", "b", "c"], "y": [0, 1, -1], "tags": [[1], [0, 1], []]}
    table = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict(train=table, other=table).save_to_disk(str(tmp_path / "d"))
    options = {"text": "sentence", "label": "y", "split": "train"}
    assert [s.gold.labels.get("label") for s in load(tmp_path / "d", options=options)] == ["no", "yes", None]
    options = {"text": "sentence", "labels": "tags", "split": "train"}
    assert [s.gold.labels["label"] for s in load(tmp_path / "d", options=options)] == [{"yes"}, {"no", "yes"}, set()]
    with pytest.raises(StancekitError, match="give `split`"):
        load(tmp_path / "d", options={"text": "sentence"})


def test_a_failed_write_leaves_the_earlier_data_set(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    old, new = Sentence(id="1", text="Old.", document="d"), Sentence(id="2", text="New.", document="d")
    save([old], tmp_path / "x", format="datasets")
    rename = Path.rename

    def full(self, target):
        if self.name == "new":
            raise OSError(28, "no space")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(StancekitError, match="the disk is full"):
        save([new], tmp_path / "x", format="datasets")
    monkeypatch.undo()
    assert list(load(tmp_path / "x")) == [old]
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    (tmp_path / "mine").mkdir()
    with pytest.raises(StancekitError, match="no data set of `datasets`"):
        save([new], tmp_path / "mine", format="datasets")


def test_the_hub_without_a_network_says_so(monkeypatch):
    datasets = pytest.importorskip("datasets")
    import huggingface_hub.constants

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(StancekitError, match="the hub cannot be reached"):
        load("nobody/nothing", format="datasets")


def test_a_large_corpus_reads_in_order_from_a_folder(tmp_path):
    rows = [Sentence(id=f"d{k}.{i}", text="x", document=f"d{k}", index=i) for k in range(3) for i in range(2)]
    save(rows, tmp_path / "corpus", format="markup")
    assert len(list((tmp_path / "corpus").iterdir())) == 3
    assert list(load(tmp_path / "corpus")) == rows


def test_a_folder_of_jsonl_reads_by_file_name_and_names_the_file_of_a_problem(tmp_path):
    rows = [
        Sentence(id=f"{name}.{k}", text="x", document=name, index=k, gold=Layers(text="x", labels={"tone": "calm"}))
        for name in "ab"
        for k in range(2)
    ]
    for name, own in (("b", rows[2:]), ("a", rows[:2]), (".a", rows[:2])):
        save(own, tmp_path / f"{name}.jsonl")
    assert guess(tmp_path) == "jsonl" and list(load(tmp_path)) == rows
    (tmp_path / "b.jsonl").write_text('{"id": "b.0", "document": "b", "text": "", "labels": {}}\n', encoding="utf-8")
    with pytest.raises(StancekitError, match=r"b\.jsonl:1"):
        load(tmp_path)


@pytest.mark.parametrize(
    "beside",
    [
        {"articles.jsonl": '{"id": "n1", "document": "n1", "text": "A whole article."}'},
        {"page.txt": "An article."},
        {"export.jsonl": '{"text": "x", "label": [[0, 1, "S"]]}'},
    ],
)
def test_a_folder_that_holds_articles_too_is_no_data_set(tmp_path, beside):
    save([Sentence(id="a.0", text="x", document="a", gold=Layers(text="x", stances=()))], tmp_path / "a.jsonl")
    for name, content in beside.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(StancekitError, match="its format cannot be told"):
        guess(tmp_path)
