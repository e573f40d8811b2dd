"""The few-shot model: what a batch is mixed of, what the loss asks, what a saved folder is, and that it learns."""

from __future__ import annotations

import json
import shutil
import signal
import tracemalloc
from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stancekit import files, tasks
from stancekit.errors import Interrupted, StancekitError
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders import embedder
from stancekit.models.neural.fewshot import FewShot
from stancekit.models.neural.learning import contrast
from stancekit.models.neural.learning.contrast import Mixed
from stancekit.schema import Example, Sentence, Span, Target
from stancekit.tasks import Part

WORDS = "the ministry said town talks calm again reported shelling soldiers wounded".split()
SIGNS = {"a": "gift", "b": "zoo", "c": "fox"}
FP32 = {"precision": "fp32", "device": "cpu", "learning_rate": 1e-3, "batch_size": 8}


def part(kind, count=24, seed=0):
    """Sentences of random words and one that tells the label (targeted: all three, the label is that of the target)."""
    rng = np.random.default_rng(seed)
    examples, gold = [], []
    for number in range(count):
        words, label, other = list(rng.choice(WORDS, 4)), "abc"[number % 3], "abc"[(number // 3) % 3]
        answer, target = label, None
        if kind == "targeted":
            text, name = " ".join(rng.permutation([*words, *SIGNS.values()])), SIGNS[label]
            target = Target(name, Span(text.index(name), text.index(name) + len(name)))
        else:
            signs = [SIGNS[label]] if kind == "single" else [SIGNS[x] for x in sorted({label, other} - {"c"})]
            text = " ".join(rng.permutation([*words, *signs]))
        if kind == "multi":
            answer = frozenset({label, other} - {"c"})
        examples.append(Example(id=str(number), sentence=Sentence(id=str(number), text=text), target=target))
        gold.append(answer)
    labels = ["a", "b"] if kind == "multi" else ["a", "b", "c"]
    return Part(tasks.own("own", kind, labels), tuple(examples), tuple(gold))


def model(folder, **changes):
    training = FP32 | changes.pop("training", {})
    return FewShot(str(folder), **{"readings": 20, "max_length": 64, **changes}, training=training)


def fitted(folder, kind="single", dev=None, workspace=None, **changes):
    found, train = model(folder, **changes), part(kind)
    found.fit(train, dev or Part(train.task), workspace)
    return found


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def saved(found, folder):
    found.save(files.make_folder(folder))
    return folder


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any), st.sampled_from([2, 6, 8]), st.integers(1, 4))
def test_every_row_of_a_batch_meets_one_of_its_group(sizes, size, readings):
    ends = np.cumsum([0, *sizes])
    groups = [np.arange(start, end) for start, end in pairwise(ends)]
    order = Mixed(groups, int(ends[-1]), size, readings, seed=3)
    found = list(order)
    assert len(found) == len(order) and len(found) % size == 0
    assert abs(len(found) - readings * ends[-1]) <= size
    owner = np.searchsorted(ends, np.array(found), side="right")
    assert (owner[::2] == owner[1::2]).all()
    assert list(Mixed(groups, int(ends[-1]), size, readings, seed=3)) == found


def test_rare_groups_are_read_more_often_than_they_are_and_every_row_in_turn():
    order = Mixed([np.arange(100), np.arange(100, 104)], 104, 8, 20, seed=1)
    counts = np.bincount(list(order), minlength=104)
    assert counts[100:].sum() / counts.sum() == pytest.approx(2 / 12, abs=0.02)  # roots 10 and 2
    assert counts[:100].max() - counts[:100].min() <= 1 and counts[100:].max() - counts[100:].min() <= 1
    first = list(order)
    order.set_epoch(1)
    assert list(order) != first


def test_no_list_of_pairs_is_made():
    rows = 100_000
    order = Mixed([np.arange(0, rows, 2), np.arange(1, rows, 2)], rows, 32, 20, seed=1)
    tracemalloc.start()
    assert len(list(islice(order, 320))) == 320
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * rows  # bytes; the pairs are 5 · 10⁹


@given(st.lists(st.sets(st.sampled_from("abc")), min_size=2, max_size=6))
def test_likeness_is_the_jaccard_overlap_and_the_loss_is_the_papers(sets):
    wanted = np.array([[label in own for label in "abc"] for own in sets], np.float32)
    like = np.array([[len(x & y) / len(x | y) if x | y else 1.0 for y in sets] for x in sets])
    assert np.allclose(contrast.overlap(torch.from_numpy(wanted)), like)
    rng = np.random.default_rng(len(sets))
    vectors = rng.normal(size=(len(sets), 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    each = []
    for i in range(len(sets)):
        others = [j for j in range(len(sets)) if j != i]
        if total := sum(like[i, j] for j in others):
            below = np.log(sum(np.exp(vectors[i] @ vectors[j] / contrast.TEMPERATURE) for j in others))
            each.append(
                -sum(like[i, j] * (vectors[i] @ vectors[j] / contrast.TEMPERATURE - below) for j in others) / total
            )
    found = contrast.loss(torch.from_numpy(vectors), torch.from_numpy(wanted))
    assert float(found) == pytest.approx(np.mean(each) if each else 0.0, abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "target", "low", "high"),
    [
        ("single", "mark", 0.8, 1),
        ("multi", "mark", 0.8, 1),
        ("targeted", "pair", 0.8, 1),
        ("targeted", "blind", 0, 0.5),
    ],
)
def test_it_learns_from_eight_examples_a_class(encoders, kind, target, low, high):
    found, test = fitted(encoders["bert"], kind, target=target), part(kind, 30, seed=1)
    answers = [p.answer for p in found.predict(test.examples)]
    assert low <= np.mean([a == g for a, g in zip(answers, test.gold, strict=True)]) <= high


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_a_saved_folder_is_one_of_sentence_transformers(encoders, tmp_path, pooling):
    from sentence_transformers import SentenceTransformer

    source = with_pooling(encoders["bert"], tmp_path / "source", {"pooling_mode": pooling})
    found = fitted(source, readings=1)
    folder = saved(found, tmp_path / "saved")
    texts = [*WORDS, "", "Karsk : said it “again” , Élan", " ".join(WORDS)]
    examples = [Example(id=t, sentence=Sentence(id=t, text=t)) for t in texts]
    theirs = SentenceTransformer(str(folder), device="cpu")
    assert theirs.max_seq_length == 64
    rows = found.sights.rows(examples)
    assert max(map(len, rows)) == 1
    assert np.allclose(found.vectors(rows), theirs.encode(texts), atol=1e-6)
    assert {p.suffix for p in folder.rglob("*") if p.is_file()} == {".json", ".safetensors"}
    assert embedder.pooling_of(folder) == pooling
    again = model(folder, readings=1)  # a run's model is an encoder like any other
    again.fit(part("single"), Part(part("single").task))


def with_pooling(source, folder, config, module="Pooling"):
    shutil.copytree(source, folder)
    kinds = {"": "Transformer", "1_Pooling": module}
    listed = [{"path": p, "type": f"sentence_transformers.models.{t}"} for p, t in kinds.items()]
    files.write_json(folder / "modules.json", listed)
    files.write_json(files.make_folder(folder / "1_Pooling") / "config.json", config)
    return folder


@pytest.mark.parametrize(
    ("config", "module", "said"),
    [
        ({"pooling_mode_weightedmean_tokens": True}, "Pooling", "weightedmean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "Pooling", "cls and max"),
        ({"in_features": 32}, "Dense", "pass through Dense"),
    ],
)
def test_other_poolings_are_refused(encoders, tmp_path, config, module, said):
    with pytest.raises(StancekitError, match=said):
        fitted(with_pooling(encoders["bert"], tmp_path / "source", config, module))


def test_a_long_text_is_the_mean_of_its_windows_and_batches_change_nothing(encoders):
    found = fitted(encoders["roberta"], readings=1, max_length=32)
    texts = ["", "Karsk", " ".join(WORDS * 30)]
    examples = [Example(id=str(k), sentence=Sentence(id=str(k), text=t)) for k, t in enumerate(texts)]
    rows = found.sights.rows(examples)
    assert [len(own) > 1 for own in rows] == [False, False, True]
    each = found.vectors([[row] for row in rows[2]])
    mean = each.mean(axis=0)
    whole = found.vectors(rows)
    assert np.allclose(whole[2], mean / np.linalg.norm(mean), atol=1e-6)
    assert np.allclose(np.linalg.norm(whole, axis=1), 1)
    assert np.allclose(found.vectors(rows[:1]), whole[:1], atol=1e-6)
    assert [p.id for p in found.predict(examples)] == ["0", "1", "2"]


def test_dev_chooses_the_weights(encoders):
    space, dev = Workspace(), part("multi", 18, seed=2)
    found = fitted(encoders["bert"], "multi", dev, space, training={"evaluations": 4})
    assert [step for step, _ in space.curve["dev"]] == [15, 30, 45, 60] and space.facts["steps"] == 60
    best = max(score for _, score in space.curve["dev"])
    assert space.score(dev, found.predict(dev.examples)) == pytest.approx(best, abs=1e-5)


def test_stopped_training_goes_on_to_the_same_bytes(encoders, tmp_path, monkeypatch):
    settings = {"readings": 2, "training": {"save_steps": 5, "epochs": 2.0, "batch_size": 4}}
    calls, loss = [], contrast.loss

    def stopping(*given):
        calls.append(given)
        if len(calls) == 17:  # of 24, in the second epoch, between save points
            signal.raise_signal(signal.SIGINT)
        return loss(*given)

    monkeypatch.setattr(contrast, "loss", stopping)
    with pytest.raises(Interrupted):
        fitted(encoders["bert"], workspace=Workspace(tmp_path / "work"), **settings)
    assert any((tmp_path / "work").glob("checkpoint-*"))
    resumed = fitted(encoders["bert"], workspace=Workspace(tmp_path / "work"), **settings)
    straight = fitted(encoders["bert"], **settings)
    assert contents(saved(resumed, tmp_path / "one")) == contents(saved(straight, tmp_path / "other"))


def test_a_task_of_other_labels_is_refused(encoders, tmp_path):
    folder = saved(fitted(encoders["bert"], readings=1), tmp_path / "saved")
    assert json.loads((folder / "stancekit.json").read_text())["labels"] == ["a", "b", "c"]
    with pytest.raises(StancekitError, match="knows the labels"):
        model(folder).load(folder, tasks.own("own", "single", ["a", "b"]))


def test_settings_that_make_no_sense_are_named_together():
    with pytest.raises(StancekitError) as error:
        FewShot(readings=0, target="marks", C=0, training={"batch_size": 7})
    assert {p.where for p in error.value.problems} == {"readings", "target", "C", "training"}
