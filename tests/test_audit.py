"""The audit finds what was planted, and little else; its folds, limits and renderings keep their word."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import stancekit
from stancekit import tasks
from stancekit.auditing import Plan, audit, columns
from stancekit.auditing.folds import grouped_folds, random_folds
from stancekit.auditing.noise import candidates
from stancekit.errors import StancekitError
from stancekit.files import write_lines
from stancekit.schema import Example, Prediction, Sentence
from stancekit.tasks import Part

SHARED = Path(os.environ.get("STANCEKIT_SHARED_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
VOCABULARY = [f"w{k}" for k in range(5000)]
WEIGHTS = [1 / (k + 10) for k in range(len(VOCABULARY))]
ONCE = Plan(repeats=1)


def sentence(rng: random.Random, shortest: int = 6) -> list[str]:
    return rng.choices(VOCABULARY, WEIGHTS, k=rng.randint(shortest, 25))


def record(number: int, text: str, part: str, **more: object) -> dict[str, object]:
    return {
        "id": f"s{number}",
        "document": f"d{number // 4}",
        "index": number,
        "text": text,
        "meta": {"part": part},
    } | more


def write(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    write_lines(path, rows)
    return path


def experiment(path: Path, data: Path, test: str = "{part: [test]}") -> Path:
    path.write_text(
        f"name: planted\ntask: {{name: topic, kind: single}}\ndata: {data}\n"
        f"split: {{by: [id], test: {test}, dev: 0}}\nmodel: majority\n",
        encoding="utf-8",
    )
    return path


def planted(seed: int) -> tuple[list[dict[str, object]], set[str], set[str]]:
    """Return 2,000 train sentences, and a test side with 200 copies and 200 one-word edits among 600 sentences."""
    rng = random.Random(seed)
    texts = list({" ".join(sentence(rng)): None for _ in range(2600)})[:2200]
    train, fresh = texts[:2000], texts[2000:]
    copied, edited = rng.sample(train, 200), rng.sample(train, 200)
    test = [text.replace(" ", "  ").capitalize() for text in copied]
    for text in edited:
        words = text.split()
        words[rng.randrange(len(words))] = "elsewhere"
        test.append(" ".join(words))
    rows = [record(k, text, "train") for k, text in enumerate(train)]
    rows += [record(2000 + k, text, "test") for k, text in enumerate([*test, *fresh])]
    for row in rows:
        row["labels"] = {"topic": rng.choice(["war", "trade"])}
    return rows, {f"s{2000 + k}" for k in range(200)}, {f"s{2200 + k}" for k in range(200)}


def words(row: dict[str, object]) -> set[str]:
    return set(re.findall(r"\w+", str(row["text"]).lower()))


@pytest.mark.parametrize("seed", range(5))
def test_planted_copies_are_found_and_pairs_are_true(seed, tmp_path):
    rows, copies, edits = planted(seed)
    data = write(tmp_path / "data.jsonl", rows)
    found = audit(experiment(tmp_path / "x.yaml", data), by=["document"], plan=Plan(repeats=1, folds=2, most=400))
    crossing = [pair for pair in found.duplicates.pairs if pair.sides == ("train", "test")]
    in_test = {pair.ids[1] for pair in crossing}
    assert copies <= {pair.ids[1] for pair in crossing if pair.exact}
    assert len(edits & in_test) >= 0.95 * len(edits)
    twins = {row.name: row for row in found.duplicates.twins}
    assert twins["train-test"].exact == 200
    assert twins["train-test"].near == len(in_test)

    by_id = {str(row["id"]): words(row) for row in rows}
    jaccard = {pair.ids: len(by_id[pair.ids[0]] & by_id[pair.ids[1]]) / len(by_id[pair.ids[0]] | by_id[pair.ids[1]]) for pair in found.duplicates.pairs}  # fmt: skip
    assert all(
        jaccard[pair.ids] == pytest.approx(pair.jaccard) and pair.jaccard >= 0.7 for pair in found.duplicates.pairs
    )
    sample = random.Random(seed).sample(sorted(by_id), 250)
    true = {
        (a, b)
        for a, b in combinations(sorted(sample, key=lambda i: int(i[1:])), 2)
        if len(by_id[a] & by_id[b]) >= 0.7 * len(by_id[a] | by_id[b])
    }
    told = {pair.ids for pair in found.duplicates.pairs if set(pair.ids) <= set(sample)}
    assert told <= true


def test_copies_are_counted_by_class_and_contradictions_told(tmp_path):
    base = "the ferry left the harbour before dawn on monday"
    texts = [
        (base, "test"),
        (base.upper(), "train"),
        (f"{base} again", "test"),
        ("He did.", "train"),
        ("He did.", "test"),
    ]
    rows = [
        record(4 * k, t, part, labels={"topic": "war" if part == "train" else "trade"})
        for k, (t, part) in enumerate(texts)
    ]
    found = audit(experiment(tmp_path / "x.yaml", write(tmp_path / "d.jsonl", rows)))
    twins = {row.name: (row.exact, row.near) for row in found.duplicates.twins}
    assert twins == {"train-test": (2, 3), "inside-train": (0, 0), "inside-test": (0, 2)}
    assert found.duplicates.contradictions == {"topic": 2}
    whole = audit(tmp_path / "d.jsonl")
    assert {row.name: row.near for row in whole.duplicates.twins} == {"documents": 5, "inside-documents": 0}


def leaky(count: int = 600, seed: int = 3) -> list[dict[str, object]]:
    """Return sentences whose label is the outlet's habit: told by its own words, and by nothing that outlets share."""
    rng = random.Random(seed)
    rows = []
    for k in range(count):
        outlet = rng.randrange(12)
        label = "loaded" if (outlet % 2 == 0) == (rng.random() < 0.9) else "plain"
        text = " ".join([*sentence(rng), f"style{outlet}"]) + ("!" if label == "loaded" else ".")
        meta = {"outlet": f"o{outlet}", "desk": f"desk {k % 3}", "code": f"c{outlet}"}
        rows.append(record(k, text, "train", labels={"tone": label}) | {"meta": meta})
    return rows


@pytest.fixture(scope="module")
def leaked(tmp_path_factory):
    return audit(
        write(tmp_path_factory.mktemp("leaky") / "leaky.jsonl", leaky()), limits={"gap.outlet": 0.1, "gap.desk": 0.1}
    )


def test_shortcuts_and_gaps_are_those_that_were_built_in(leaked):
    task = leaked.task("tone")
    scores = {one.name: one.folds["macro_f1"].value for one in task.shortcuts}
    assert list(scores) == ["majority", "document", "outlet", "desk", "surface", "text"]
    assert scores["outlet"] == pytest.approx(0.9, abs=0.03)
    assert scores["surface"] > 0.95  # the mark at the end tells
    assert max(scores["desk"], scores["majority"]) < 0.6
    gaps = {one.column: one for one in task.gaps}
    assert gaps["outlet"].gap.value > 0.2 and gaps["outlet"].gap.low > 0
    assert gaps["desk"].gap.value < 0.1 and gaps["desk"].gap.low is None  # three groups give no interval
    assert gaps["outlet"].shared == (1, 1) and 0.5 < gaps["document"].shared[0] < 1
    assert "left out: code makes the same groups as outlet" in task.notes
    assert [one.figure for one in leaked.exceeded] == ["gap.tone.outlet"]


def test_renderings_tell_the_same_and_hide_text(leaked):
    value = json.loads(json.dumps(leaked.to_json(), allow_nan=False))
    assert "style" not in json.dumps(value["tasks"])
    for one in value["findings"]:
        assert one in repr(leaked)
    assert "tone: outlet reaches macro-F1" in repr(leaked)
    shown, hidden = leaked.to_html(), leaked.to_html(no_text=True)
    assert "style3" in shown and "style3" not in hidden
    assert "://" not in shown and "src=" not in shown
    again = audit(leaked.subject.source, limits=leaked.limits)
    assert again.to_html() == shown


def test_text_is_escaped_on_the_page(tmp_path):
    rows = [record(k, "<script>alert(1)</script> of the harbour at dawn", "train") for k in range(2)]
    page = audit(write(tmp_path / "x.jsonl", rows)).to_html()
    assert "&lt;script&gt;alert" in page and "<script>alert" not in page


def test_command_exits_with_1_above_a_limit(tmp_path):
    from stancekit.cli import audit as command

    data = write(tmp_path / "d.jsonl", leaky(200))
    call = ["audit", str(data), "--by", "outlet", "--repeats", "1", "--quiet", "--json"]
    runner = CliRunner()
    fine = runner.invoke(command.app, [*call, "--limit", "gap=0.9", "--html", str(tmp_path / "a.html")])
    assert fine.exit_code == 0 and json.loads(fine.stdout)["exceeded"] == []
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    high = runner.invoke(command.app, [*call, "--limit", "shortcut.outlet=0.5"])
    assert high.exit_code == 1 and json.loads(high.stdout)["exceeded"][0]["figure"] == "shortcut.tone.outlet"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"limits": {"gap.author": 0.1}, "plan": ONCE}, "no such figure"),
        ({"by": ["outlett"]}, "did you mean 'outlet'"),
        ({"task": "ton"}, "did you mean 'tone'"),
        ({"plan": Plan(folds=1, most=2)}, "folds: it is 1(.|\n)*most: it is 2"),
        ({"overrides": ["seeds=[1]"]}, "this is data"),
    ],
)
def test_mistakes_are_told(arguments, told, tmp_path):
    with pytest.raises(StancekitError, match=told):
        audit(write(tmp_path / "d.jsonl", leaky(120)), **arguments)


def test_few_examples_and_one_answer_give_notes_only(tmp_path):
    rows = [
        record(k, f"sentence number {k} of the day", "train", labels={"tone": "plain" if k % 2 else "loud"})
        for k in range(20)
    ]
    found = audit(write(tmp_path / "d.jsonl", rows))
    assert not found.task("tone").shortcuts and "tone: 20 examples are too few" in found.to_json()["findings"][-1]
    same, bare = ([row | {"labels": labels} for row in rows] for labels in ({"tone": "plain"}, {}))
    for few, what in ((same, "same answer"), (rows[:3], "2 labels for 3 sentences"), (bare, "no sentence has a label")):
        found = audit(write(tmp_path / "d.jsonl", few))
        assert what in found.to_json()["findings"][-1] and what in repr(found) and what in found.to_html()
        assert not found.tasks


def test_every_kind_of_task_is_audited(tmp_path):
    rng = random.Random(1)
    rows = []
    for k in range(120):
        text = " ".join(sentence(rng)) + " ministry town"
        spans = [{"start": 0, "end": 2, "label": rng.choice(["a", "b"])}] if k % 3 else []
        targets = [{"target": t, "label": rng.choice(["favor", "against"])} for t in ("Karsk", "Orlen")[: 1 + k % 2]]
        labels = {"spans": spans, "toward": targets, "many": rng.sample(["x", "y", "z"], k % 3)}
        rows.append(record(k, text, "train", labels=labels))
    found = audit(write(tmp_path / "d.jsonl", rows), plan=ONCE, by=["document"])
    assert {task.name: task.kind for task in found.tasks} == {"many": "multi", "spans": "multi", "toward": "targeted"}
    names = [one.name for one in found.task("toward").shortcuts]
    assert names[:4] == ["majority", "majority_per_target", "target_alone", "target_hidden"]
    assert set(found.task("toward").shortcuts[0].folds) == {"macro_f1", "f_avg"}


@given(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=60), st.integers(2, 6), st.integers(0, 99))
def test_folds_hold_their_promise(values, count, seed):
    grouped = grouped_folds(values, count, seed)
    assert all(len({f for v, f in zip(values, grouped, strict=True) if v == value}) == 1 for value in values)
    assert set(grouped) == set(range(min(count, len(set(values)))))
    dealt = random_folds(values, count, seed)
    sizes = np.bincount(dealt, minlength=count)
    assert sizes.max() - sizes.min() <= 1
    for value in values:
        each = np.bincount(dealt[np.array(values) == value], minlength=count)
        assert each.max() - each.min() <= 1


def test_flipped_labels_are_doubted_first():
    rng = np.random.default_rng(7)
    labels = ("a", "b", "c")
    true = rng.integers(0, 3, 900)
    given = np.where(rng.random(900) < 0.08, (true + rng.integers(1, 3, 900)) % 3, true)
    raw = np.exp(3.5 * np.eye(3)[true] + rng.normal(size=(900, 3)))
    rows = raw / raw.sum(axis=1, keepdims=True)
    task = tasks.own("tone", "single", labels)
    examples = tuple(Example(id=str(k), sentence=Sentence(id=str(k), text="x")) for k in range(900))
    run = [
        Prediction(id=str(k), answer="a", probabilities=dict(zip(labels, row, strict=True)))
        for k, row in enumerate(rows.tolist())
    ]
    found = candidates(Part(task, examples, tuple(labels[k] for k in given)), [run])
    flipped = {str(k) for k in np.flatnonzero(given != true)}
    assert len(flipped & {c.id for c in found}) >= 0.85 * len(flipped)
    first = [c.id for c in found[: len(flipped)]]
    assert sum(i in flipped for i in first) >= 0.85 * len(first)


def test_audit_is_public():
    assert stancekit.audit is audit


BABE = SHARED / "babe" / "data" / "final_labels_SG2.xlsx"


@pytest.mark.slow
@pytest.mark.skipif(not BABE.exists(), reason=f"BABE is not at {BABE}; set STANCEKIT_SHARED_DATA")
def test_babe_shows_what_is_known_of_it():
    task = audit(BABE, task="bias", format="babe", by=["document", "outlet", "topic"]).task("bias")
    scores = {one.name: one.folds["macro_f1"].value for one in task.shortcuts}
    known = {"outlet": 0.736, "topic": 0.566, "majority": 0.337, "text": 0.728}
    assert {name: scores[name] for name in known} == pytest.approx(known, abs=0.01)
    grouped = {one.column: one.grouped.value for one in task.gaps}
    assert grouped == pytest.approx({"document": 0.721, "outlet": 0.645, "topic": 0.709}, abs=0.01)
    low, high = next(one.shared for one in task.gaps if one.column == "document")
    assert 0.55 < low < high < 0.64


def test_no_audit_groups_by_a_sentences_place_unless_asked_to():
    examples = [
        Example(id=str(k), sentence=Sentence(id=str(k), text="a", meta={"paragraph": k % 3, "outlet": str(k % 2)}))
        for k in range(12)
    ]
    assert columns.usable(examples) == (["outlet"], [])
    assert columns.usable(examples, ["paragraph"])[0] == ["paragraph"]
