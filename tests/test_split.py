"""Splits: no group on two sides, sizes and label shares as near as the groups allow, frozen by lock files."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancekit import tasks
from stancekit.codebook import Codebook
from stancekit.data.assign import assign
from stancekit.data.dataset import Dataset
from stancekit.data.split import PARTS, Split, from_parts, make_split, verify
from stancekit.errors import StancekitError
from stancekit.schema import Layers, Sentence

TASK = tasks.own("label", "single", ["a", "b", "c"])
SHARES = {"train": 0.65, "dev": 0.15, "test": 0.2}


def data(rows, name="data") -> Dataset:
    """A data set of (document, event, outlet, label) rows."""
    sentences = [
        Sentence(
            id=f"{name}{k}",
            text=f"text {k}",
            document=f"d{document}",
            meta={"event": f"e{event}", "outlet": f"o{outlet}"},
            gold=Layers(text=f"text {k}", labels={"label": label}),
        )
        for k, (document, event, outlet, label) in enumerate(rows)
    ]
    return Dataset(name, tuple(sentences), Codebook("bare", "1"))


def articles(count: int, events: int = 20, name: str = "data") -> Dataset:
    return data([(k // 5, k // 5 % events, k % 2, "abc"[k % 3]) for k in range(count)], name)


ROWS = st.lists(st.tuples(*(st.integers(0, 12),) * 3, st.sampled_from("abc")), min_size=1, max_size=60)


@settings(max_examples=300, deadline=None)
@given(
    rows=ROWS,
    by=st.lists(st.sampled_from(["document", "event", "outlet"]), min_size=1, max_size=2, unique=True),
    test=st.sampled_from([0.2, 0.4, {"event": ["e1"]}]),
    seed=st.integers(0, 5),
)
def test_no_group_ever_stands_on_two_sides(rows, by, test, seed):
    dataset = data(rows)
    try:
        split = make_split(dataset, by=by, test=test, dev=0.2, stratify=TASK, seed=seed)
    except StancekitError as error:
        assert error.problems
        return
    sides: dict[tuple[str, object], set[str]] = {}
    for part in PARTS:
        for sentence in split.of(dataset, part):
            for column in by:
                value = sentence.document if column == "document" else sentence.meta[column]
                sides.setdefault((column, value), set()).add(part)
    assert all(len(found) == 1 for found in sides.values())
    assert sorted(i for ids in split.parts.values() for i in ids) == sorted(s.id for s in dataset)
    if isinstance(test, dict):
        assert {s.id for s in dataset if s.meta["event"] == "e1"} <= set(split.parts["test"])


def cost(counts, placed) -> float:
    """The loss that `assign` lowers, computed anew: squared distance of every count from its target."""
    columns = sorted({key for row in counts.values() for key in row})
    total = 0.0
    for column in columns:
        whole = sum(row.get(column, 0) for row in counts.values())
        weight = (len(columns) - 1 or 1) if column == "" else 1
        for part, share in SHARES.items():
            held = sum(row.get(column, 0) for name, row in counts.items() if placed[name] == part)
            total += weight * (held / whole - share) ** 2
    return total


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_assignment_comes_near_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    counts = {f"g{k}": {"": int(random.integers(4, 12)), "a": int(random.integers(1, 9))} for k in range(7)}
    names = list(counts)
    every = [dict(zip(names, sides, strict=True)) for sides in product(SHARES, repeat=7) if set(sides) == set(SHARES)]
    costs = sorted(cost(counts, placed) for placed in every)
    found = cost(counts, assign(counts, {}, SHARES, seed))
    assert found <= costs[len(costs) // 100], "within the best hundredth of all assignments"


def test_seed_fixes_the_split_whatever_the_order_of_the_rows():
    dataset = articles(200)
    shuffled = replace(dataset, sentences=dataset.sentences[::-1])
    one, two = (make_split(d, stratify=TASK, seed=3) for d in (dataset, shuffled))
    assert one.part_of == two.part_of
    assert one.parts == make_split(dataset, stratify=TASK, seed=3).parts
    assert one.part_of != make_split(dataset, stratify=TASK, seed=4).part_of


def test_sizes_and_label_shares_are_as_asked_and_told():
    split = make_split(articles(1000), stratify=TASK)
    assert {part: len(ids) for part, ids in split.parts.items()} == {"train": 650, "dev": 150, "test": 200}
    assert split.deviation[0] < 0.01
    assert split.describe()[1].startswith("label shares differ from all by at most 0.")


def test_a_group_too_large_names_the_values_that_link_it():
    rows = [(k, k, 0 if k < 17 else k, "a") for k in range(20)]
    with pytest.raises(StancekitError, match=r"85%.*outlet=o0 \(joins 17\)"):
        make_split(data(rows), by=["event", "outlet"])
    with pytest.raises(StancekitError, match="it is outlet=o0"):
        make_split(data(rows), by=["outlet"])


def test_holding_out_refuses_groups_that_would_leak():
    dataset = data([(0, 1, 0, "a"), (0, 2, 0, "b"), (1, 3, 0, "a"), (2, 4, 0, "b")])
    with pytest.raises(StancekitError, match="document=d0 would stand in test and the rest"):
        make_split(dataset, test={"event": ["e1"]}, dev=0)
    with pytest.raises(StancekitError, match="no sentence has event 'e9'"):
        make_split(dataset, test={"event": ["e9"]}, dev=0)
    split = make_split(dataset, test={"event": ["e1", "e2"]}, dev={"event": ["e3"]})
    assert split.parts == {"train": ("data3",), "dev": ("data2",), "test": ("data0", "data1")}


def test_columns_must_be_there_for_every_sentence():
    dataset = articles(10)
    with pytest.raises(StancekitError, match="did you mean 'event'"):
        make_split(dataset, by=["evnt"])
    bare = replace(dataset.sentences[3], meta={})
    with pytest.raises(StancekitError, match="1 sentences lack it"):
        make_split(replace(dataset, sentences=(*dataset.sentences[:3], bare)), by=["event"])


def test_with_a_lock_old_groups_keep_their_side_and_new_ones_are_placed(tmp_path):
    lock = tmp_path / "split.json"
    small, large = articles(100), articles(160)
    first = make_split(small, lock=lock, seed=1)
    written = lock.read_bytes()
    assert make_split(small, lock=lock, seed=2).parts == first.parts
    assert lock.read_bytes() == written
    grown = make_split(large, lock=lock, seed=2)
    assert all(grown.part_of[i] == part for i, part in first.part_of.items())
    assert all(grown.parts.values())
    assert Split.read(lock) == grown
    with pytest.raises(StancekitError, match="it was split by document"):
        make_split(large, by=["event"], lock=lock)


def test_a_lock_refuses_changed_and_missing_rows(tmp_path):
    dataset, lock = articles(100), tmp_path / "split.json"
    split = make_split(dataset, lock=lock)
    changed = replace(dataset.sentences[7], meta={"event": "other"})
    rows = (*dataset.sentences[:7], changed, *dataset.sentences[8:-1])
    other = Dataset("data", rows, dataset.codebook, places={"data7": "x.csv:9"})
    assert [(p.where, p.what) for p in verify(split, other)] == [
        ("x.csv:9", "the sentence 'data7' has changed since the split was made"),
        ("data", "the sentence 'data99' of the split is missing"),
    ]
    with pytest.raises(StancekitError, match="has changed since"):
        make_split(other, lock=lock)
    assert len(verify(split, replace(dataset, sentences=dataset.sentences[:2]))) == 21


def test_a_lock_file_that_is_none_is_refused(tmp_path):
    lock = tmp_path / "split.json"
    lock.write_text(json.dumps({"parts": []}))
    with pytest.raises(StancekitError, match="no lock file"):
        make_split(articles(20), lock=lock)


def test_two_locked_groups_cannot_be_tied_together(tmp_path):
    lock = tmp_path / "split.json"
    rows = [(k, k, k, "a") for k in range(12)]
    split = make_split(data(rows), by=["event", "outlet"], lock=lock)
    apart = split.parts["train"][0].removeprefix("data"), split.parts["test"][0].removeprefix("data")
    tie = data([*rows, (12, int(apart[0]), int(apart[1]), "a")])
    with pytest.raises(StancekitError, match=r"two sides: \w+=\w+ in test and \w+=\w+ in train"):
        make_split(tie, by=["event", "outlet"], lock=lock)


def test_parts_in_files_of_their_own_and_a_dev_cut_from_train(tmp_path):
    lock = tmp_path / "split.json"
    train, test = articles(100, name="train"), articles(10, name="test")
    whole, split = from_parts({"train": train, "test": test}, dev=0.2, stratify=TASK, lock=lock)
    assert len(whole) == 110
    assert split.parts["test"] == tuple(s.id for s in test)
    assert len(split.parts["dev"]) == 20
    documents = [{s.document for s in split.of(whole, part)} for part in ("train", "dev")]
    assert not documents[0] & documents[1]
    assert {name: parts[-1] for name, parts in split.leaks.items()} == {"document=d0": "test", "document=d1": "test"}
    again = from_parts({"train": train, "test": test}, dev=0.2, stratify=TASK, seed=99, lock=lock)
    assert again[1].parts == split.parts
    with pytest.raises(StancekitError, match="stands twice, first at"):
        from_parts({"train": train, "test": train})
