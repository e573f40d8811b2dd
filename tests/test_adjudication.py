"""Disagreements listed and settled; votes kept through files, label maps and formats, and learnt from."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

from stancekit import StancekitError, adjudicate, codebook, disagreements, tasks
from stancekit.cli import GROUPS
from stancekit.data import load as load_module
from stancekit.data.dataset import sentence_hash
from stancekit.data.load import load
from stancekit.models.decision import Decision, Plan
from stancekit.models.linear import Linear
from stancekit.schema import Attribution, Device, Layers, Sentence, Span, Stance, Target

TEXTS = ["The town was liberated, the ministry said.", "Nothing moved, he said.", "It rained.", "Guns again, they say."]
WORD, WIDER = (Span(13, 22),), (Span(9, 22),)
SAID, HE = (Span(37, 41),), (Span(24, 36),)


def annotator(tone, first_devices, relations, stances, topics):
    found = []
    for k, text in enumerate(TEXTS):
        layers = {"devices": first_devices if k == 0 else (), "attributions": relations if k == 0 else ()}
        layers |= {"stances": stances if k == 0 else (), "labels": {"tone": tone[k], "topics": frozenset(topics[k])}}
        found.append(Sentence(id=f"s{k}", text=text, document=f"d{k}", gold=Layers(text=text, **layers)))
    return found


def device(parts, frame="legitimation", target="Karsk"):
    return Device(parts=parts, frame=frame, target=target)


def stance(target, label):
    return Stance(Target(target), label)


RELATION = Attribution(source=HE, cue=SAID, content=(Span(0, 22),), source_type="government", cue_stance="neutral")
OTHER = Attribution(source=HE, cue=SAID, content=(Span(0, 21),), source_type="government", cue_stance="neutral")
ANNOTATORS = {
    "anna": annotator(
        "xyxx",
        (device(WORD),),
        (RELATION,),
        (stance("Karsk", "favor"), stance("ministry", "none")),
        ["a", "", "b", "ab"],
    ),
    "ben": annotator("xxxy", (device(WIDER),), (OTHER,), (stance("Karsk", "none"),), ["a", "a", "b", ""]),
    "cleo": annotator(
        "xyxy", (device(WIDER), device(WORD, "valour")), (RELATION,), (stance("Karsk", "favor"),), ["a", "b", "", "b"]
    ),
}


@pytest.fixture
def files(tmp_path):
    for name, found in ANNOTATORS.items():
        load_module.save(found, tmp_path / f"{name}.jsonl", codebook=codebook.default())
    return [tmp_path / f"{name}.jsonl" for name in ANNOTATORS]


def test_disagreements_are_listed(files, tmp_path):
    found = disagreements(files, to=tmp_path / "open.jsonl")
    counts = Counter(item.task.name for item in found)
    assert counts == {"attribution": 1, "devices": 1, "stance": 2, "tone": 2, "topics": 3}
    assert found.examples == {"attribution": 4, "devices": 4, "stance": 2, "tone": 4, "topics": 4}
    told = repr(found)
    assert "s1: tone\n  Nothing moved, he said.\n  anna: y\n  ben: x\n  cleo: y" in told
    assert "ben: legitimation of Karsk “was liberated” [9–22]" in told
    assert "toward ministry" in told and "  ben: –\n" in told
    assert "tone: 2 of 4 examples disputed" in told
    rows = [json.loads(line) for line in (tmp_path / "open.jsonl").read_text().splitlines()]
    assert len(rows) == len(found) and all(
        row["answer"] is None and set(row["answers"]) == set(ANNOTATORS) for row in rows
    )
    assert disagreements(files, tasks=["tone"]).examples == {"tone": 4}
    assert isinstance(found[0], type(found[1])) and len(found[:2]) == 2


def test_majority_keeps_votes(files, tmp_path):
    found = adjudicate(files, tmp_path / "merged.jsonl")
    assert found.counts == {"examples": 18, "disputed": 9}
    first, second, third, fourth = load(tmp_path / "merged.jsonl")
    assert first.gold.devices == (device(WIDER),)
    assert first.gold.attributions == (RELATION,)
    assert first.gold.stances == (stance("Karsk", "favor"),)
    assert [s.gold.labels["tone"] for s in (first, second, third, fourth)] == list("xyxy")
    assert [s.gold.labels["topics"] for s in (first, third)] == [frozenset("a"), frozenset("b")]
    assert first.gold.votes["stance#1"] == pytest.approx({"favor": 2 / 3, "none": 1 / 3})
    assert first.gold.votes["frames"] == pytest.approx({"legitimation": 1, "valour": 1 / 3})
    assert first.gold.votes["voice"] == {"indirect": 1.0}
    assert second.gold.votes["tone"] == pytest.approx({"y": 2 / 3, "x": 1 / 3})
    assert fourth.gold.votes["topics"] == pytest.approx({"a": 1 / 3, "b": 2 / 3})
    assert first.gold.attributions == adjudicate(files).sentences[0].gold.attributions


def test_first_rule_and_partial_files(files, tmp_path):
    load_module.save(ANNOTATORS["cleo"][:1], tmp_path / "dan.jsonl")
    found = adjudicate([tmp_path / "dan.jsonl", files[1]], rule="first", partial=True).sentences
    assert [s.gold.labels["tone"] for s in found] == list("xxxy")
    assert found[0].gold.devices == ANNOTATORS["cleo"][0].gold.devices
    assert found[1].gold.votes == {}


def test_decisions_from_a_file(files, tmp_path):
    path = tmp_path / "open.jsonl"
    disagreements(files, to=path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    with pytest.raises(StancekitError, match="not decided yet") as caught:
        adjudicate(files, rule="file", decisions=path)
    assert len(caught.value.problems) == len(rows)
    for row in rows:
        row |= {"answer": "x"} if row["task"] == "tone" else {"take": "cleo"}
    path.write_text("\n".join(map(json.dumps, rows)))
    found = adjudicate(files, tmp_path / "merged.jsonl", rule="file", decisions=path).sentences
    assert [s.gold.labels["tone"] for s in found] == list("xxxx")
    assert found[0].gold.devices == ANNOTATORS["cleo"][0].gold.devices
    assert found[0].gold.stances == (stance("Karsk", "favor"),)  # cleo did not name the ministry
    tone = next(row for row in rows if row["task"] == "tone")
    wrong = [{**rows[0], "take": "clea"}, rows[1], rows[1], {**rows[2], "id": "s9"}, {**tone, "answer": "X"}]
    path.write_text("\n".join(map(json.dumps, wrong)))
    with pytest.raises(StancekitError) as caught:
        adjudicate(files, rule="file", decisions=path)
    told = str(caught.value)
    for what in (
        "no annotator 'clea'",
        "did you mean 'cleo'",
        "decided twice",
        "no disputed example",
        "is not decided",
        "no label 'X' of tone",
    ):
        assert what in told


def test_bad_rules(files, tmp_path):
    with pytest.raises(StancekitError, match="no rule 'most'"):
        adjudicate(files, rule="most")
    with pytest.raises(StancekitError, match="belong together"):
        adjudicate(files, rule="file")


def voted(votes, **layers):
    text = TEXTS[0]
    return Sentence(id="s", text=text, document="d", gold=Layers(text=text, votes=votes, **layers))


def test_votes_survive_what_can_hold_them_and_are_counted_elsewhere(tmp_path):
    sentence = voted({"tone": {"x": 0.75, "y": 0.25}}, labels={"tone": "x"})
    for name in ("a.jsonl", "a.parquet"):
        assert load_module.save([sentence], tmp_path / name) == {}
        assert load(tmp_path / name).sentences[0].gold == sentence.gold
    lost = load_module.save([sentence], tmp_path / "a.csv")
    assert lost["votes of annotators"] == 1
    assert sentence_hash(sentence) != sentence_hash(voted({}, labels={"tone": "x"}))


@pytest.mark.parametrize("votes", [{"tone": {"x": 1.5}}, {"tone": "x"}, {"tone": {"x": True}}, [1]])
def test_votes_that_are_no_shares(tmp_path, votes):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "s", "text": "Rain.", "votes": votes}))
    with pytest.raises(StancekitError, match="no shares from 0 to 1"):
        load(path)


MAP = """
sets:
  tone: {x: z, y: z, w: null}
  frame: {valour: legitimation, legitimation: legitimation}
rename_sets: {tone: mood}
"""


def test_a_label_map_maps_votes(tmp_path):
    votes = {
        "tone": {"x": 0.5, "y": 0.25, "w": 0.25},
        "frames": {"valour": 0.5, "legitimation": 0.75},
        "topics": {"a": 0.5},
    }
    sentence = voted(votes, labels={"tone": "x"}, devices=(device(WORD),))
    load_module.save([sentence], tmp_path / "a.jsonl")
    (tmp_path / "map.yaml").write_text(MAP)
    (mapped,) = load(tmp_path / "a.jsonl", label_map=tmp_path / "map.yaml")
    assert mapped.gold.votes == {"mood": {"z": 0.75}, "frames": {"legitimation": 0.75}, "topics": {"a": 0.5}}


@pytest.mark.parametrize("classifier", ["logreg", "svm", "nbsvm"])
@pytest.mark.parametrize("multi", [False, True])
def test_votes_teach_as_every_annotators_label_would(classifier, multi):
    generator = np.random.default_rng(3)
    matrix = sparse.csr_matrix(generator.random((60, 8)) * (generator.random((60, 8)) < 0.5))
    given = np.eye(3)[generator.integers(0, 3, (4, 60))] if not multi else generator.integers(0, 2, (4, 60, 3))
    one = Plan(classifier=classifier, c=1.0, class_weight=None, threshold=0.5, multi=multi, calibrate=False, seed=13)
    soft = Decision(one, "abc")._learn(matrix, given.mean(axis=0))
    stacked = sparse.vstack([matrix] * 4).tocsr()
    every = Decision(replace(one, c=0.25), "abc")._learn(stacked, given.reshape(-1, 3).astype(float))
    if classifier == "nbsvm":  # its ratio smooths by one count, so four annotators of weight one are smoothed less
        assert np.corrcoef(soft.rows.ravel(), every.rows.ravel())[0, 1] > 0.95
    else:
        assert soft.rows == pytest.approx(every.rows, abs=0.02)


def test_linear_learns_from_votes():
    answers = [("good", {"good": 1.0}), ("bad", {"bad": 1.0}), ("good", {"good": 0.6, "bad": 0.4})] * 6
    words = ["bright calm", "grim dark", "murky grey"] * 6
    several = []
    for k, ((label, votes), text) in enumerate(zip(answers, words, strict=True)):
        gold = Layers(text=text, labels={"tone": label}, votes={"tone": votes})
        several.append(Sentence(id=f"s{k}", text=text, document=f"d{k}", gold=gold))
    part = tasks.part(tasks.own("tone", "single", ["good", "bad"]), several)
    murky = [e for e in part.examples if "murky" in e.sentence.text][:1]
    probability = {}
    for soft in (False, True):
        model = Linear(soft_labels=soft, class_weight=None)
        model.fit(part, tasks.Part(part.task))
        probability[soft] = model.predict(murky)[0].probabilities["good"]
    assert probability[False] - probability[True] > 0.1
    assert abs(probability[True] - 0.6) < abs(probability[False] - 0.6)
    plain = tasks.part(
        part.task,
        [
            Sentence(id=s.id, text=s.text, document=s.document, gold=Layers(text=s.text, labels=s.gold.labels))
            for s in several
        ],
    )
    without = Linear(soft_labels=True, class_weight=None)
    without.fit(plain, tasks.Part(part.task))
    assert without.predict(murky)[0].probabilities["good"] == probability[False]


def run(*arguments):
    import importlib

    for group in GROUPS:
        importlib.import_module(f"stancekit.cli.{group}")
    from stancekit.cli.app import app

    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_commands(files, tmp_path):
    done = run(
        "agree", *files, "--task", "tone", "--order", "x, y", "--resamples", 100, "--to", tmp_path / "a.json", "-q"
    )
    assert done.exit_code == 0 and (tmp_path / "a.json").exists()
    done = run("agree", *files, "--task", "tone", "--json")
    assert set(json.loads(done.output)["tasks"]["tone"]) == {"agreement", "ceiling"}
    assert run("disagreements", *files, "--to", tmp_path / "open.jsonl").exit_code == 0
    rows = run("disagreements", *files, "--task", "tone", "--json").output.splitlines()
    assert [json.loads(row)["id"] for row in rows] == ["s1", "s3"]
    assert run("adjudicate", *files, "--to", tmp_path / "merged.jsonl").exit_code == 0
    assert len(load(tmp_path / "merged.jsonl")) == 4
