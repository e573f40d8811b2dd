"""One encoder for all layers, on sentences that lack some: every head learns, and answers only what it is asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import tiny
import toys
from stancekit import codebook, files, tasks
from stancekit.errors import StancekitError
from stancekit.models.base import Workspace
from stancekit.models.neural import joint as module
from stancekit.models.neural.joint import Joint
from stancekit.runs import headline
from stancekit.schema import Device, Example, Layers, Sentence, Span, Stance, Target
from stancekit.tasks import Part, Task

BOOK = codebook.default()
MOODS = ("positive", "negative", "neutral")
DEVICES = replace(tasks.devices(BOOK), labels=tuple(toys.FRAMES.values()))
SENTIMENT = tasks.own("sentiment", "targeted", MOODS)
OWN = (
    tasks.own("tone", "single", DEVICES.labels),
    tasks.own("sides", "multi", ("east", "west")),
    tasks.own("marks", "spans", ("loud", "warm")),
)
TASK = tasks.over((tasks.attribution(BOOK), DEVICES, tasks.stance(BOOK), *OWN, SENTIMENT))


def sentences(size: int, first: int = 0) -> list[Sentence]:
    """Return sentences each of which has one layer alone."""
    return [
        *toys.attributed(size, first),
        *toys.framed(size, first + 1000),
        *toys.judged(size, first + 2000),
        *toys.judged(size, first + 3000, "sentiment", MOODS),
        *toys.labelled(size, first + 4000),
    ]


def build(folder: Path, **changes: Any) -> Joint:
    changes["training"] = {**toys.TRAINING, **changes.get("training", {})}
    return Joint(str(folder), **{"max_length": 48, **changes})


def saved(model: Joint, folder: Path) -> Path:
    model.save(files.make_folder(folder))
    return folder


def right(part: Part, predictions: Sequence[Any]) -> dict[str, float]:
    """Return for each layer the share of its sentences that are answered exactly right."""
    found = {}
    for task in part.task.inner:
        own = [(task.view(g), task.view(p.answer)) for g, p in zip(part.gold, predictions, strict=True)]
        pairs = [(gold, given) for gold, given in own if gold is not None]
        if pairs:
            found[task.name] = sum(gold == given for gold, given in pairs) / len(pairs)
    return found


@pytest.fixture(scope="module")
def learnt(encoders: tiny.Encoders) -> tuple[Joint, Part, Part]:
    """A model that has learnt every layer of the toy language, with its train and dev."""
    train, dev = tasks.part(TASK, sentences(40)), tasks.part(TASK, sentences(10, 500))
    model = build(encoders["bert"], training={"epochs": 24})
    model.fit(train, dev, Workspace(score=headline.of(TASK).judge))
    return model, train, dev


def test_every_head_learns_from_the_sentences_that_have_its_layer(learnt: tuple[Joint, Part, Part]) -> None:
    model, train, dev = learnt
    found = right(train, model.predict(train.examples))
    assert {name: share > 0.85 for name, share in found.items()} == {one.name: True for one in TASK.inner}, found
    assert headline.of(TASK).judge(dev, model.predict(dev.examples)) > 0.6


def test_a_layer_is_answered_where_it_is_asked_for(learnt: tuple[Joint, Part, Part]) -> None:
    model, _, _ = learnt
    (one,) = toys.judged(1, 5000)
    first, second = [s.target for s in one.gold.stances or ()]

    def answer(**layers: Any) -> tuple[Layers, int]:
        asked = Example(id="x", sentence=replace(one, gold=Layers(text=one.text, **layers)))
        (prediction,) = model.predict([asked])
        assert isinstance(prediction.answer, Layers) and isinstance(prediction.probabilities, tuple)
        found = prediction.answer
        count = len(found.attributions or ()) + len(found.devices or ()) + len(found.stances or ())
        given = [[own] if isinstance(own, str) else own for own in found.labels.values()]
        assert len(prediction.probabilities) == count + sum(map(len, given))
        return found, len(prediction.probabilities)

    nothing, _ = answer()
    assert nothing.stances is None and {*nothing.labels} == {"tone", "sides", "marks"} and nothing.devices is not None
    none, _ = answer(stances=())
    assert none.stances == ()
    both, _ = answer(stances=(Stance(second, ""), Stance(first, "")))
    assert [s.target for s in both.stances or ()] == [second, first] and "sentiment" not in both.labels
    twice, _ = answer(stances=(Stance(first, ""),) * 2, labels={"sentiment": (Stance(Target("Nobody"), ""),)})
    assert len(twice.stances or ()) == 2
    (mood,) = twice.labels["sentiment"]
    assert mood.target == Target("Nobody") and mood.label in MOODS
    (single,) = model.predict([Example(id="x", sentence=replace(one, gold=Layers(text=one.text)), target=first)])
    assert [s.target for s in single.answer.stances] == [first]


def test_gold_labels_are_not_looked_at(learnt: tuple[Joint, Part, Part]) -> None:
    model, _, dev = learnt

    def without(sentence: Sentence) -> Sentence:
        gold = sentence.gold
        toward = {n: own for n, own in gold.labels.items() if n == "sentiment"}
        blank = {n: tuple(Stance(s.target, "") for s in own) for n, own in toward.items()}
        stances = None if gold.stances is None else tuple(Stance(s.target, "") for s in gold.stances)
        return replace(sentence, gold=Layers(text=sentence.text, stances=stances, labels=blank))

    blind = [Example(id=e.id, sentence=without(e.sentence)) for e in dev.examples]
    assert model.predict(blind) == model.predict(dev.examples)


def test_a_loaded_model_answers_alike_in_any_order(
    encoders: tiny.Encoders, learnt: tuple[Joint, Part, Part], tmp_path: Path
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


@pytest.mark.parametrize(
    "inner",
    [
        TASK.inner[:-1],  # a layer that the model knows is not asked for
        (*TASK.inner[:-1], replace(SENTIMENT, labels=MOODS[::-1])),
        (*TASK.inner[:-1], replace(SENTIMENT, labels=(*MOODS, "mixed"))),
    ],
)
def test_other_layers_or_labels_are_refused(
    encoders: tiny.Encoders, learnt: tuple[Joint, Part, Part], tmp_path: Path, inner: tuple[Task, ...]
) -> None:
    folder = saved(learnt[0], tmp_path / "model")
    with pytest.raises(StancekitError, match="other layers or labels than the task → train the run again"):
        build(encoders["bert"]).load(folder, tasks.over(inner))


def test_odd_texts_are_answered(learnt: tuple[Joint, Part, Part]) -> None:
    model, _, _ = learnt
    odd = [replace(s, gold=Layers(text=s.text, stances=(Stance(Target("Karsk"), ""),))) for s in toys.odd()]
    found = model.predict([Example(id=s.id, sentence=s) for s in odd])
    for one, prediction in zip(odd, found, strict=True):
        answer = prediction.answer
        assert isinstance(answer, Layers) and [s.target.name for s in answer.stances or ()] == ["Karsk"]
        spans = [s for r in answer.attributions or () for s in (*r.source, *r.cue, *r.content)]
        spans += [s for d in answer.devices or () for s in d.parts]
        assert all(s.end <= len(one.text) for s in spans)
        assert all(0 < sure <= 1 for sure in prediction.probabilities or ())
    assert len(found[3].answer.attributions) > 300 and len(found[3].answer.devices) > 300
    assert model.predict([]) == []


def test_what_tags_cannot_hold_is_counted(encoders: tiny.Encoders) -> None:
    (one,) = toys.labelled(1)
    (mark,) = one.gold.labels["marks"]
    twice = (mark, Span(mark.start, mark.end, "warm" if mark.label == "loud" else "loud"))
    train = tasks.part(TASK, [replace(one, gold=replace(one.gold, labels={"marks": twice})), *toys.labelled(3, 50)])
    model = build(encoders["bert"], training=toys.QUICK)
    model.fit(train, Part(TASK))
    assert model.lost == {"overlapping, left out": 1}


def test_layers_that_train_lacks_are_not_made_up(encoders: tiny.Encoders, tmp_path: Path) -> None:
    train = tasks.part(TASK, [*toys.framed(12), *(replace(s, gold=_looked(s)) for s in toys.framed(4, 50))])
    model = build(encoders["bert"], training=toys.QUICK)
    model.fit(train, train)
    examples = tasks.part(TASK, sentences(2)).examples
    found = [p.answer for p in model.predict(examples)]
    assert all(a.attributions is None and a.stances is None and not a.labels for a in found)
    assert all(a.devices is not None for a in found)
    again = build(encoders["bert"])
    again.load(saved(model, tmp_path / "model"), TASK)
    assert [p.answer for p in again.predict(examples)] == found


def _looked(sentence: Sentence) -> Layers:
    """Return gold in which targets were looked for and none was found."""
    return Layers(text=sentence.text, stances=(), devices=())


def test_there_must_be_something_to_learn(encoders: tiny.Encoders) -> None:
    nothing = tasks.part(TASK, [Sentence(id="x", text="Peace.", gold=Layers(text="Peace.", stances=()))])
    for part in (Part(TASK), nothing):
        with pytest.raises(StancekitError, match="to learn from"):
            build(encoders["bert"]).fit(part, Part(TASK))


def test_a_batch_may_hold_nothing_for_a_head_and_nothing_for_any(encoders: tiny.Encoders) -> None:
    """Rows come one by one: of a long sentence most windows lack the target, and no head learns from them."""
    (judged,) = toys.judged(1)
    text = judged.text + " town" * 200
    long = replace(judged, text=text, gold=replace(judged.gold, text=text))
    empty = replace(judged, id="none", gold=Layers(text=judged.text, stances=()))
    train = tasks.part(
        TASK, [long, empty, *toys.attributed(5), *toys.framed(2), *toys.judged(2, 90, "sentiment", MOODS)]
    )
    model, space = build(encoders["bert"], training={**toys.QUICK, "batch_size": 1}), Workspace()
    model.fit(train, Part(TASK), space)
    assert space.facts["steps"] == space.facts["rows"] > 15
    losses = [loss for _, loss in space.curve["loss"]]
    assert 0.0 in losses and max(losses) < 20


def test_heads_without_examples_get_no_gradient_and_the_others_do(encoders: tiny.Encoders) -> None:
    train = tasks.part(TASK, sentences(3))
    model = build(encoders["bert"], training=toys.QUICK)
    model.fit(train, Part(TASK))
    model.net.train()
    rows = model._rows(model._lay(train.examples), list(train.gold))
    kinds = {"on_attribution": "roles", "on_devices": "devices", "on_stance": "toward.on_stance"}
    for name, field in {**kinds, "on_sentiment": "toward.on_sentiment"}.items():
        model.net.zero_grad()
        own = [row for row in rows if field in row]
        assert len(own) == 3
        module._loss(model.net, model._collate()(own)).backward()
        moved = {n.split(".")[1] for n, p in model.net.layers.named_parameters(prefix="l") if _moves(p)}
        assert moved == {name} and all(p.grad is None or p.grad.isfinite().all() for p in model.net.parameters())
        assert _moves(model.net.encoder.embeddings.word_embeddings.weight)


def fit_beside(encoder: str, folder: str) -> None:
    """Fit as one of several processes, whose batches of one row lack other heads each."""
    train = tasks.part(TASK, sentences(3))
    model = build(Path(encoder), training={**toys.QUICK, "batch_size": 1})
    model.fit(train, Part(TASK))
    saved(model, Path(folder))


@pytest.mark.slow
def test_two_processes_learn_alike_where_each_lacks_heads(encoders: tiny.Encoders, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    code = "import sys, test_neural_joint; test_neural_joint.fit_beside(*sys.argv[1:])"
    processes = []
    for rank in ("0", "1"):
        environment = {**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", code, str(encoders["bert"]), str(tmp_path / rank)]
        processes.append(subprocess.Popen(command, cwd=Path(__file__).parent, env=environment))
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / rank).iterdir()} for rank in ("0", "1"))
    assert second.items() <= first.items() and "heads.safetensors" in second  # the first alone writes the encoder
    assert "model.safetensors" in first


def _moves(parameter: torch.nn.Parameter) -> bool:
    return parameter.grad is not None and bool(parameter.grad.any())


def test_a_weight_multiplies_the_loss_of_its_layer(encoders: tiny.Encoders) -> None:
    train = tasks.part(TASK, [*toys.framed(3), *toys.judged(3)])

    def loss(**weights: float) -> float:
        model = build(encoders["bert"], weights=weights, training=toys.QUICK)
        model.fit(train, Part(TASK))
        fresh = build(encoders["bert"], weights=weights)
        fresh._prepare(encoders["bert"], model.layers, lambda _: None)
        fresh.net.train()
        for each in fresh.net.modules():
            if isinstance(each, torch.nn.Dropout):
                each.p = 0.0
        rows = fresh._rows(fresh._lay(train.examples), list(train.gold))
        return module._loss(fresh.net, fresh._collate()(rows)).item()

    both, devices, stance = loss(), loss(stance=0.0), loss(devices=0.0)
    assert both == pytest.approx(devices + stance, rel=1e-4) and min(devices, stance) > 0.5
    assert loss(devices=3.0, stance=0.5) == pytest.approx(3 * devices + stance / 2, rel=1e-4)


def test_weights_name_layers(encoders: tiny.Encoders) -> None:
    train = tasks.part(TASK, sentences(1))
    with pytest.raises(StancekitError) as error:
        build(encoders["bert"], weights={"device": 2.0, "mood": 1.0, "stance": 1.0}).fit(train, Part(TASK))
    assert len(error.value.problems) == 2 and "attribution, devices, stance, tone, sides, marks, sentiment" in str(
        error.value
    )


def test_the_task_holder_is_answered_too(encoders: tiny.Encoders, tmp_path: Path) -> None:
    task = replace(tasks.holder(BOOK), labels=DEVICES.labels)
    both = [replace(s, gold=replace(s.gold, attributions=())) for s in toys.framed(8)]
    both += [replace(s, gold=replace(s.gold, devices=())) for s in toys.attributed(10, 100)]
    train = tasks.part(task, both)
    model = build(encoders["bert"], training=toys.QUICK)
    model.fit(train, train, Workspace(score=headline.of(task).judge))
    again = build(encoders["bert"])
    again.load(saved(model, tmp_path / "model"), task)
    found = again.predict(train.examples)
    assert found == model.predict(train.examples)
    assert all(p.answer.stances is None and p.answer.devices is not None for p in found)
    assert all(d.frame in task.labels for p in found for d in p.answer.devices)


@pytest.mark.parametrize("name", ["type", "items", "heads.of state", "layers"])
def test_a_label_set_may_have_any_name(encoders: tiny.Encoders, tmp_path: Path, name: str) -> None:
    task = tasks.over((tasks.own(name, "targeted", MOODS),))
    train = tasks.part(task, toys.judged(4, 0, name, MOODS))
    model = build(encoders["bert"], training=toys.QUICK)
    model.fit(train, Part(task))
    again = build(encoders["bert"])
    again.load(saved(model, tmp_path / "model"), task)
    found = again.predict(train.examples)
    assert found == model.predict(train.examples) and all(len(p.answer.labels[name]) == 2 for p in found)


@pytest.mark.parametrize("kind", ["roberta", "deberta", "modernbert"])
def test_every_architecture_keeps_the_protocol(encoders: tiny.Encoders, tmp_path: Path, kind: str) -> None:
    train = tasks.part(TASK, sentences(4))
    settings = {"context": 1, "lora": {"rank": 2} if kind == "deberta" else None, "training": toys.QUICK}
    model = build(encoders[kind], **settings)
    model.fit(train, train, Workspace(score=headline.of(TASK).judge))
    again = build(encoders[kind], **settings)
    again.load(saved(model, tmp_path / "model"), TASK)
    examples = [*train.examples, *toys.bare(toys.odd()[:3])]
    assert again.predict(examples) == model.predict(examples)


def test_a_frame_is_the_authors_device_and_not_the_gold_ones(learnt: tuple[Joint, Part, Part]) -> None:
    """Devices are found in the text alone: gold devices of other words change nothing."""
    model, _, _ = learnt
    (one,) = toys.framed(1, 7000)
    false = Device(parts=(Span(0, 3),), frame="cruelty", target="Orlen")
    told = replace(one, gold=Layers(text=one.text, devices=(false,)))
    assert model.predict([Example(id="x", sentence=told)])[0] == model.predict(toys.bare([replace(one, id="x")]))[0]
