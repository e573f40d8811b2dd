"""The transformer on tiny encoders: every architecture, plain folders, adapters, bad input."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

import tiny
from stancekit import codebook, files, tasks
from stancekit.errors import StancekitError
from stancekit.models.base import Workspace
from stancekit.models.neural.learning.holding import held
from stancekit.models.neural.learning.recipe import Recipe
from stancekit.models.neural.transformer import Transformer
from stancekit.schema import Example, Sentence, Span, Target
from stancekit.tasks import Part
from tiny import KINDS, Encoders

BOOK = codebook.default()
TRAINING = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3, "device": "cpu", "precision": "fp32"}


def parts(name: str, train: int = 32, dev: int = 16) -> tuple[Part, Part]:
    whole = tasks.part(tasks.built_in(name, BOOK), tiny.corpus())
    return (
        Part(whole.task, whole.examples[:train], whole.gold[:train]),
        Part(whole.task, whole.examples[train : train + dev], whole.gold[train : train + dev]),
    )


def build(folder: Path, **changes: Any) -> Transformer:
    changes["training"] = {**TRAINING, **changes.get("training", {})}
    return Transformer(str(folder), **{"max_length": 64, **changes})


def fitted(folder: Path, name: str, **changes: Any) -> tuple[Transformer, Part]:
    train, dev = parts(name)
    model = build(folder, **changes)
    model.fit(train, dev)
    return model, dev


def saved(model: Transformer, folder: Path) -> Path:
    model.save(files.make_folder(folder))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


CASES = [
    *((kind, "frames", {}) for kind in KINDS),
    *((kind, "voice", {"pool": "standard"}) for kind in KINDS),
    ("bert", "stance", {"pool": "target", "target": "both", "context": 1, "r_drop": 0.5, "class_weight": "balanced"}),
    ("roberta", "stance", {"pool": "first", "target": "pair", "loss": "focal"}),
    ("deberta", "frames", {"lora": {"rank": 2}, "loss": "asymmetric", "threshold": 0.3}),
    ("modernbert", "voice", {"lora": {}, "pool": "standard", "soft_labels": True}),
    ("bert", "stance", {"pool": "target", "attend": True}),
    ("modernbert", "frames", {"attend": True, "context": 1}),
    ("bert", "voice", {"training": {"checkpointing": True, "layer_decay": 0.9}}),
    ("roberta", "voice", {"pool": "standard", "lora": {"rank": 2}, "training": {"freeze_embeddings": True}}),
]


@pytest.mark.parametrize(("kind", "name", "settings"), CASES)
def test_it_keeps_the_protocol(encoders: Encoders, tmp_path: Path, kind: str, name: str, settings: Any) -> None:
    model, dev = fitted(encoders[kind], name, **settings)
    predictions = model.predict(dev.examples)
    assert [p.id for p in predictions] == [e.id for e in dev.examples] and model.predict([]) == []
    for p in predictions:
        assert set(p.probabilities) == set(dev.task.labels)
        assert name == "frames" or sum(p.probabilities.values()) == pytest.approx(1, abs=1e-4)
    folder = saved(model, tmp_path / "first")
    assert {p.suffix for p in folder.iterdir()} == {".json", ".safetensors"}
    assert not any(str(encoders[kind]) in p.read_text() for p in folder.glob("*.json"))
    again = build(encoders[kind], **settings)
    again.load(folder, dev.task)
    assert again.predict(dev.examples) == predictions and again.predict(dev.examples[::-1]) == predictions[::-1]
    assert contents(saved(again, tmp_path / "again")) == contents(folder)
    AutoModel.from_pretrained(folder)


@pytest.mark.parametrize("settings", [{}, {"pool": "standard", "lora": {"rank": 2}}])
def test_the_same_seed_gives_the_same_bytes(encoders: Encoders, tmp_path: Path, settings: Any) -> None:
    found = []
    for number, seed in enumerate((13, 13, 14)):
        model, _ = fitted(encoders["bert"], "frames", seed=seed, **settings)
        found.append(contents(saved(model, tmp_path / str(number))))
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_embeddings_stay_as_they_were_and_all_else_learns(encoders: Encoders, kind: str) -> None:
    before = dict(AutoModel.from_pretrained(encoders[kind]).named_parameters())
    model, _ = fitted(encoders[kind], "voice", training={"freeze_embeddings": True})
    table = model.net.encoder.get_input_embeddings().weight
    for name, after in model.net.encoder.named_parameters():
        assert torch.equal(after, before[name]) == (after is table), name
        assert after.requires_grad, name


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_without_dropout_reads_alike_while_it_learns_and_is_left_as_it_was(
    encoders: Encoders, kind: str
) -> None:
    model = AutoModel.from_pretrained(encoders[kind]).train()
    attends = model.config._attn_implementation
    for module in model.modules():  # the tiny encoders drop little
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    net = torch.nn.ModuleDict({"encoder": model})
    ids = torch.arange(5, 25)[None]

    def alike() -> bool:
        return torch.equal(*(model(input_ids=ids).last_hidden_state for _ in range(2)))

    before = [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    with held(net, "encoder.", Recipe(encoder_dropout=False), torch.device("cpu")):
        assert alike()
    assert [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)] == before and not alike()
    with held(net, "encoder.", Recipe(), torch.device("cpu")):
        assert not alike() and model.config._attn_implementation == "eager"
    assert model.config._attn_implementation == attends


@pytest.mark.parametrize(("name", "function"), [("voice", "softmax"), ("frames", "sigmoid")])
@pytest.mark.parametrize("kind", KINDS)
def test_a_standard_head_is_a_plain_folder_of_transformers(
    encoders: Encoders, tmp_path: Path, kind: str, name: str, function: str
) -> None:
    model, dev = fitted(encoders[kind], name, pool="standard")
    folder = saved(model, tmp_path / "model")
    predictions = model.predict(dev.examples)
    texts = [e.sentence.text for e in dev.examples]
    tokenizer, plain = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    assert [plain.config.id2label[k] for k in range(len(dev.task.labels))] == list(dev.task.labels)
    short = [k for k, text in enumerate(texts) if len(tokenizer(text)["input_ids"]) <= 64]
    assert len(short) > 4
    with torch.inference_mode():
        for k in short:
            logits = plain.eval()(**tokenizer(texts[k], return_tensors="pt")).logits[0]
            own = logits.softmax(-1) if function == "softmax" else logits.sigmoid()
            assert [*predictions[k].probabilities.values()] == pytest.approx(own.tolist(), abs=2e-6)
    classify = pipeline("text-classification", model=str(folder), device="cpu")
    for k, found in zip(short, classify([texts[k] for k in short], top_k=None), strict=True):
        assert {row["label"]: row["score"] for row in found} == pytest.approx(predictions[k].probabilities, abs=2e-6)


def test_a_long_sentence_is_read_in_windows_and_averaged(encoders: Encoders) -> None:
    model, dev = fitted(encoders["bert"], "voice", pool="standard")
    long = Sentence(id="long", text=" ".join(e.sentence.text for e in dev.examples)[:2000])
    (found,) = model.predict([Example(id="long", sentence=long)])
    (rows,) = model.sights.rows([Example(id="long", sentence=long)])
    assert len(rows) > 5
    with torch.inference_mode():
        each = [model.net(torch.from_numpy(row["ids"])[None]).logits.softmax(-1)[0].numpy() for row in rows]
    assert [*found.probabilities.values()] == pytest.approx(np.mean(each, axis=0), abs=2e-6)


def test_odd_examples_are_answered(encoders: Encoders) -> None:
    model, dev = fitted(encoders["deberta"], "stance", pool="target", context=1)
    sentences = [
        Sentence(id="empty", text=""),
        Sentence(id="spaces", text=" \u00a0 "),
        Sentence(id="long", text="Karsk lied . " * 1540),
        Sentence(id="emoji", text="👩‍👩‍👧‍👦" * 50),
    ]
    targets = [None, Target("Karsk", None), Target("Karsk", Span(0, 5, "")), Target("Karsk", Span(900, 905, ""))]
    examples = [Example(id=f"{s.id}#{k}", sentence=s, target=t) for s in sentences for k, t in enumerate(targets)]
    assert len(sentences[2].text) > 20_000
    assert all(p.answer in dev.task.labels for p in model.predict(examples))


def test_lora_trains_the_adapters_and_leaves_a_plain_encoder(encoders: Encoders, tmp_path: Path) -> None:
    train, dev = parts("frames")
    model = build(encoders["bert"], lora={"rank": 2}, training={"epochs": 2, "average": 0.5})
    learnt: list[str] = []
    space = Workspace(tmp_path / "work", score=lambda *_: learnt.extend(_trainable(model)) or 0.0)
    model.fit(train, dev, space)
    assert learnt and all(("lora_" in n) == n.startswith("encoder.") for n in learnt)
    folder = saved(model, tmp_path / "model")
    own, base = _tensors(folder), _tensors(encoders["bert"])
    pooler = {n for n in base if n.startswith("pooler.")}
    assert set(own) == set(base) - pooler  # no name of the adapters is left
    moved = {n for n in own if not torch.equal(own[n], base[n])}
    assert moved and all(n.endswith("weight") and "embeddings" not in n and "LayerNorm" not in n for n in moved)


@pytest.mark.parametrize("settings", [{"lora": {"rank": 2}}, {"pool": "standard", "lora": {}, "r_drop": 1.0}])
def test_adapters_are_gone_on_with(encoders: Encoders, tmp_path: Path, settings: Any) -> None:
    """Stopped by an error at the third look at dev, after a checkpoint amid the first epoch."""
    train, dev = parts("frames")
    settings |= {"training": {"epochs": 2, "save_steps": 3, "average": 0.6, "evaluations": 2}}
    looks: list[int] = []

    def stop(*_: Any) -> float:
        looks.append(1)
        return 0.0 / (3 - len(looks))

    def fit(name: str, score: Any) -> dict[str, bytes]:
        model = build(encoders["bert"], **settings)
        model.fit(train, dev, Workspace(tmp_path / name, score))
        return contents(saved(model, tmp_path / f"{name}-model"))

    with pytest.raises(ZeroDivisionError):
        fit("stopped", stop)
    assert any((tmp_path / "stopped").glob("checkpoint-*/watch.json"))
    assert fit("stopped", lambda *_: 0.0) == fit("straight", lambda *_: 0.0)


def _trainable(model: Transformer) -> set[str]:
    return {n for n, p in model.net.named_parameters() if p.requires_grad}


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    with safe_open(folder / "model.safetensors", "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_training_gives_back_what_it_learnt(encoders: Encoders) -> None:
    """A word decides the label: a tiny encoder learns that in seconds, and the curve says so."""
    labels = ("calm", "angry")
    task = tasks.own("mood", "single", labels)
    words = ["harbour", "minister", "said", "the", "talks", "in", "port"]
    rng = np.random.default_rng(0)
    examples, gold = [], []
    for k in range(96):
        chosen = [*rng.choice(words, 5), ("peace", "war")[k % 2]]
        rng.shuffle(chosen)
        examples.append(Example(id=str(k), sentence=Sentence(id=str(k), text=" ".join(chosen))))
        gold.append(labels[k % 2])
    train, dev = (Part(task, tuple(examples[a:b]), tuple(gold[a:b])) for a, b in ((0, 64), (64, 96)))
    model = build(encoders["bert"], training={"epochs": 12, "learning_rate": 3e-3, "evaluations": 1, "patience": 3})
    space = Workspace()
    model.fit(train, dev, space)
    answers = [p.answer for p in model.predict(dev.examples)]
    assert np.mean([a == g for a, g in zip(answers, dev.gold, strict=True)]) > 0.9
    losses = [value for _, value in space.curve["loss"]]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) / 2
    assert max(score for _, score in space.curve["dev"]) > 0.9 and space.facts["rows"] == 64


@pytest.mark.parametrize("pool", ["mean", "standard"])
def test_a_saved_head_of_other_labels_is_refused(encoders: Encoders, tmp_path: Path, pool: str) -> None:
    model, dev = fitted(encoders["bert"], "voice", pool=pool)
    folder = saved(model, tmp_path / "model")
    other = replace(dev.task, labels=(*dev.task.labels[1:], "editorial"))
    with pytest.raises(StancekitError, match="the model knows the labels .* not the task's → train the run again"):
        build(encoders["bert"], pool=pool).load(folder, other)


def test_a_saved_head_of_another_shape_is_refused(encoders: Encoders, tmp_path: Path) -> None:
    model, dev = fitted(encoders["bert"], "stance", pool="mean")
    folder = saved(model, tmp_path / "model")
    with pytest.raises(StancekitError, match="these heads belong to another network"):
        build(encoders["bert"], pool="target").load(folder, dev.task)


def test_mistakes_that_only_data_show(encoders: Encoders) -> None:
    train, dev = parts("voice")
    with pytest.raises(StancekitError, match="no example to learn from"):
        build(encoders["bert"]).fit(Part(train.task), dev)
    with pytest.raises(StancekitError, match="asymmetric loss is for several labels") as error:
        build(encoders["bert"], loss="asymmetric", class_weight={"indirekt": 2.0}).fit(train, dev)
    assert "did you mean 'indirect'" in str(error.value)
    with pytest.raises(StancekitError, match="max_length: the encoder reads at most 512 pieces, not 600"):
        build(encoders["bert"], max_length=600).fit(train, dev)


def test_it_fits_without_dev(encoders: Encoders) -> None:
    train, _ = parts("frames")
    model = build(encoders["bert"], training={"average": 0.5, "patience": 2})
    model.fit(train, Part(train.task))
    assert len(model.predict(train.examples)) == len(train)


def test_an_encoder_of_few_places_is_not_asked_for_more(tmp_path: Path) -> None:
    """Batches are padded to multiples of eight, of which 50 is none."""
    folder = tiny.build("bert", tmp_path / "short", max_position_embeddings=50)
    model, dev = fitted(folder, "voice", max_length=50)
    long = Example(id="x", sentence=Sentence(id="x", text="peace " * 300))
    assert len(model.predict([*dev.examples, long])) == len(dev) + 1


@pytest.mark.parametrize("settings", [{"pool": "standard"}, {"lora": {"rank": 2}}])
def test_nothing_is_said_on_the_way(encoders: Encoders, capfd: pytest.CaptureFixture[str], settings: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, dev = fitted(encoders["roberta"], "voice", **settings)
        model.predict(dev.examples)
    assert capfd.readouterr() == ("", "")


def test_what_is_kept_of_the_answers(encoders: Encoders, tmp_path: Path) -> None:
    model, dev = fitted(encoders["bert"], "frames")
    kept = json.loads((saved(model, tmp_path / "m") / "stancekit.json").read_text())
    assert kept["labels"] == list(dev.task.labels) and len(kept["thresholds"]) == len(dev.task.labels)
    for p in model.predict(dev.examples):
        high = {n for (n, value), at in zip(p.probabilities.items(), kept["thresholds"], strict=True) if value >= at}
        assert p.answer == high
