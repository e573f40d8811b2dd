"""Bad input: each kind gets an error that names the place and the remedy, and everything else is still read."""

from __future__ import annotations

import json
import re

import pytest

from stancekit import tasks
from stancekit.data.check import check
from stancekit.data.load import load, survey
from stancekit.data.split import make_split
from stancekit.errors import StancekitError
from stancekit.schema import Stance, Target

GOOD = '{"id": "g", "text": "A good line."}\n'
BOMB = "---\na: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HEAD = "---\nlayers: [attribution, framing]\n---\n"


def record(**fields) -> bytes:
    return (GOOD + json.dumps({"id": "b", "text": "Bad."} | fields) + "\n").encode()


BAD = {  # file name, content, line, what the error says, what it advises
    "an empty file": ("x.jsonl", b"", None, "there is no sentence", "at least one"),
    "an empty table": ("x.csv", b"", 1, "there is no column 'text'", ""),
    "a broken JSON line": ("x.jsonl", GOOD.encode() + b'{"id": \n', 2, "no valid JSON", "mend or remove"),
    "a number that is none": ("x.jsonl", record(meta={"n": 0}).replace(b"0", b"NaN"), 2, "no JSON number", "mend"),
    "an infinite number": ("x.jsonl", record(meta={"n": 0}).replace(b"0", b"1e999"), 2, "no JSON number", "mend"),
    "half a character": ("x.jsonl", record(text="a\ud800"), 2, "surrogates not allowed", "mend"),
    "deep nesting": ("x.jsonl", b"[" * 100_000, 1, "no valid JSON", "mend"),
    "another encoding": ("x.jsonl", GOOD.encode() + "é".encode("latin-1"), 2, "byte 0xe9 is not UTF-8", "UTF-8"),
    "UTF-16": ("x.csv", "text\nhello".encode("utf-16"), 1, "UTF-16", "UTF-8"),
    "a NUL byte": ("x.csv", b"text\nab\0c\n", 2, "NUL byte", "damaged"),
    "a NUL character": ("x.jsonl", record(text="a\0"), 2, "NUL character", ""),
    "no text": ("x.jsonl", record(text=" "), 2, "the text is missing or empty", ""),
    "no id": ("x.jsonl", record(id=None), 2, "`id` is missing", ""),
    "a mistyped key": ("x.jsonl", record(stnces=[]), 2, "unknown key 'stnces'", ""),
    "a span past the end": (
        "x.jsonl",
        record(devices=[{"spans": [[0, 5]], "frame": "blame"}]),
        2,
        "0–5 lies outside the text of 4",
        "offsets",
    ),
    "an empty span": (
        "x.jsonl",
        record(devices=[{"spans": [[2, 2]], "frame": "blame"}]),
        2,
        "2–2 lies outside",
        "offsets",
    ),
    "an unknown label": (
        "x.jsonl",
        record(devices=[{"spans": [[0, 3]], "frame": "blames"}]),
        2,
        "unknown frame 'blames'",
        "did you mean 'blame'",
    ),
    "a truth that is a text": (
        "x.jsonl",
        record(devices=[{"spans": [[0, 3]], "frame": "blame", "negated": "no"}]),
        2,
        "`negated` is 'no'",
        "true or false",
    ),
    "devices that are no list": ("x.jsonl", record(devices=7), 2, "`devices` must be a list", "[]"),
    "a derived field that disagrees": ("x.jsonl", record(attributions=[], voice="direct"), 2, "'author'", "derived"),
    "another codebook": (
        "x.jsonl",
        record(codebook={"name": "stancekit", "version": "0.1", "hash": "0"}),
        2,
        "stancekit 0.1",
        "label_map",
    ),
    "a codebook changed in silence": (
        "x.jsonl",
        record(codebook={"name": "stancekit", "version": "1.0", "hash": "0"}),
        2,
        "had another content",
        "label_map",
    ),
    "a doubled id": ("x.jsonl", GOOD.encode() * 2, 2, "stands twice, first at", "id of its own"),
    "a missing column": ("x.csv", b"txt,label\na,b\n", 1, "the columns are 'txt', 'label'", "did you mean 'txt'"),
    "a doubled column": ("x.csv", b"text,a,a\nx,1,2\n", 1, "stand twice: 'a'", "rename"),
    "one label or several": (
        "x.csv",
        b"text,label,labels\na,b,c\n",
        1,
        "one label and for several",
        "`label` or `labels`",
    ),
    "a ragged row": ("x.tsv", b'text\tlabel\n"two\nlines"\ta\nx\n', 4, "1 cells, the header 2", "quote"),
    "an open quotation mark": ("x.csv", b'text\n"a\n', 2, "no valid CSV", "quotes: false"),
    "a target without span in the text": (
        "x.csv",
        b"text,label,target,span_start,span_end\nab,favor,b,1,3\n",
        2,
        "1–3 lies outside the text of 2",
        "",
    ),
    "a label without target": ("x.csv", b"text,label,target\nab,favor,\n", 2, "has no target", "empty the label"),
    "a YAML bomb": (
        "x.markup",
        f"{BOMB}---\nText.\n".encode(),
        None,
        "unfold into too many values",
        "write the values out",
    ),
    "metadata that JSON cannot hold": (
        "x.markup",
        b"---\nside: !!set {a}\n---\nText.\n",
        2,
        "'side' is no plain",
        "text",
    ),
    "a header that stays open": ("x.markup", b"---\ndocument: d\n", 1, "the header is not closed", "---"),
    "text before the header": ("x.markup", b"Text.\n", 1, "before the header", "---"),
    "an open mark": ("x.markup", f"{HEAD}[S:He said.\n".encode(), 4, "a mark [ is not closed", "]"),
    "a mark of no kind": ("x.markup", f"{HEAD}Item [a] here.\n".encode(), 4, "unreadable mark '[a] here.'", "\\"),
    "a layer that is not listed": (
        "x.markup",
        f"{HEAD}Ok.\t~ Karsk=favor\n".encode(),
        4,
        "no such layer",
        "add stance",
    ),
    "a damaged Parquet file": ("x.parquet", b"PAR1 no", None, "no readable Parquet", "damaged"),
    "an unknown format": ("x.docx", b"", None, "cannot be told", "give `format`, one of: jsonl"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_by_place_and_remedy(tmp_path, case):
    name, content, line, what, hint = BAD[case]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(StancekitError) as caught:
        load(path)
    problem = caught.value.problems[0]
    assert problem.where.startswith(f"{path}:{line}" if line else str(path))
    assert what in problem.what
    assert hint in problem.hint


@pytest.mark.parametrize("case", ["another codebook", "a codebook changed in silence"])
def test_mixed_codebooks_cannot_be_skipped(tmp_path, case):
    name, content, *_ = BAD[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StancekitError, match="label_map"):
        load(tmp_path / name, on_error="skip")


NOT_RECORDS = ("another encoding", "another codebook", "a codebook changed in silence")
ONE_BAD_RECORD = [c for c, row in BAD.items() if row[1].startswith(GOOD.encode()) and c not in NOT_RECORDS]


@pytest.mark.parametrize("case", ONE_BAD_RECORD)
def test_skipping_leaves_the_bad_record_out_and_counts_it(tmp_path, case):
    name, content, *_ = BAD[case]
    (tmp_path / name).write_bytes(content)
    dataset = load(tmp_path / name, on_error="skip")
    assert [s.text for s in dataset] == ["A good line."]
    assert sum(n for kind, n in dataset.counts.items() if kind.startswith("problem: ")) == 1


def test_a_broken_row_of_a_table_takes_no_other_row_with_it(tmp_path):
    """The rows after it were left out, too, and without a word where errors are skipped."""
    rows = [f"t{k},a\n" for k in range(20)]
    long = f"{'x' * 200_000},a\n"
    (tmp_path / "x.csv").write_text("text,label\n" + "".join([*rows[:5], '"He said" no more,a\n', long, *rows[5:]]))
    _, problems = survey(tmp_path / "x.csv")
    assert [(p.where[-1], "131,072" in p.what, "quotes: false" in p.hint) for p in problems] == [
        ("7", False, True),
        ("8", True, False),
    ]
    assert [s.text for s in load(tmp_path / "x.csv", on_error="skip")] == [f"t{k}" for k in range(20)]


@pytest.mark.parametrize(
    ("rows", "last"),
    [(["a,b", '"an open one,b', "c,d", '"e",f', "g,h"], 5), (["a,b", '"open to the end,b', "c,d"], 4)],
)
def test_rows_that_an_open_quotation_mark_swallows_cannot_be_skipped(tmp_path, rows, last):
    (tmp_path / "x.csv").write_text("text,label\n" + "\n".join(rows))
    with pytest.raises(StancekitError, match=f"x.csv:3: no valid CSV: .*runs to line {last}; it cannot be skipped"):
        load(tmp_path / "x.csv", on_error="skip")


def test_a_file_that_is_not_read_to_its_end_cannot_be_skipped(tmp_path):
    (tmp_path / "a.jsonl").write_text(GOOD)
    (tmp_path / "b.jsonl").write_bytes(b"\xe9\n")
    with pytest.raises(StancekitError, match=r"b.jsonl:1: byte 0xe9"):
        load(tmp_path, format="jsonl", on_error="skip")


def test_every_problem_is_reported_in_one_pass(tmp_path):
    (tmp_path / "x.csv").write_text("text,label,target\n,a,b\nx,y,\nok,y,z\nx\n")
    _, problems = survey(tmp_path / "x.csv")
    assert [p.where.rpartition(":")[2] for p in problems] == ["2", "3", "5"]


def test_a_missing_file_lists_the_bundled_data():
    with pytest.raises(StancekitError, match="did you mean 'dispatches'"):
        load("dispatchs")


def test_one_class_only_and_an_empty_train_part(tmp_path):
    (tmp_path / "x.csv").write_text("text,label,document\n" + "".join(f"t{k},same,d{k}\n" for k in range(6)))
    dataset = load(tmp_path / "x.csv")
    task = tasks.own("label", "single", ["same", "other"])
    split = make_split(dataset, test=0.2, dev=0.2)
    found = [p.what for p in check(dataset, task, split).problems]
    assert found == ["the part train has one class only of label: 'same'"]
    with pytest.raises(StancekitError, match="the part train is empty"):
        make_split(dataset, test={"document": [f"d{k}" for k in range(6)]}, dev=0)
    with pytest.raises(StancekitError, match="leave nothing for train"):
        make_split(dataset, test=0.5, dev=0.5)


def test_blanks_around_a_label_or_target_make_no_other_one(tmp_path):
    (tmp_path / "x.csv").write_text("text,label,target\na,favor ,Karsk\u00a0\nb, ,Karsk\nc,\tfavor,Karsk\n")
    one, none, other = load(tmp_path / "x.csv", options={"task": "stance"})
    assert one.gold.stances == other.gold.stances == (Stance(Target("Karsk"), "favor"),)
    assert none.gold.stances is None
    dataset = load(tmp_path / "x.csv", options={"target": None, "text": "text", "label": "target"})
    assert check(dataset).counts["label"] == {"Karsk": 3}


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
@pytest.mark.parametrize("quote", ["", '"'])
def test_the_header_of_a_csv_tells_its_delimiter(tmp_path, delimiter, quote):
    rows = [("Satz", "label"), ("Eins; zwei" if delimiter != ";" else "Eins, zwei", "a")]
    text = "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + "\r\n" for row in rows)
    (tmp_path / "x.csv").write_text(text, encoding="utf-8-sig")
    dataset = load(tmp_path / "x.csv", options={"text": "Satz"})
    assert [(s.text, s.gold.labels) for s in dataset] == [(rows[1][0], {"label": "a"})]
    assert any("in the place of the comma" in kind for kind, n in dataset.counts.items() if n) == (delimiter != ",")
    with pytest.raises(StancekitError, match="the columns are 'Satz', 'label'"):
        load(tmp_path / "x.csv")
    if delimiter != ",":  # one that is given stays
        with pytest.raises(StancekitError, match=f"{re.escape(str(tmp_path / 'x.csv'))}:1"):
            load(tmp_path / "x.csv", options={"text": "Satz", "delimiter": ","})


def test_columns_are_chosen(tmp_path):
    (tmp_path / "x.csv").write_text("Satz;label;labels;n\nEins, zwei;a;b|c;3\n")
    options = {"delimiter": ";", "text": "Satz", "labels": "labels", "task": "topic", "meta": ["n"]}
    (row,) = load(tmp_path / "x.csv", options=options)
    assert (row.text, row.gold.labels, row.meta) == ("Eins, zwei", {"topic": {"b", "c"}}, {"n": "3"})
    for options, what in (
        ({"delimiter": ""}, "one character"),
        ({"meta": "n"}, "a list"),
        ({"txt": "a"}, "did you mean"),
    ):
        with pytest.raises(StancekitError, match=what):
            load(tmp_path / "x.csv", options=options)
