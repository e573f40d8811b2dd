"""Adapting an encoder to texts: it learns, the same each time, and a kill at any moment changes nothing of the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save
from transformers import AutoModel, AutoModelForMaskedLM

import tiny
import toys
from stancekit import codebook, files, tasks
from stancekit.errors import StancekitError
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.learning import averaging, loop
from stancekit.models.neural.learning.adapt import adapted
from stancekit.models.neural.learning.recipe import Recipe
from stancekit.models.neural.transformer import Transformer

TEXTS = [s.text for s in toys.framed(48)]
RECIPE = Recipe(batch_size=8, learning_rate=3e-3, save_steps=3, device="cpu", precision="fp32")
STANCE = tasks.stance(codebook.default())


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


class Trainings:
    """Looks on at every training: counts the batches of the adaptation and of what follows, and may kill at one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: Counter[str] = Counter()
        self.curves: list[Any] = []
        self.kill: tuple[str, int] | None = None
        self.train = loop.train
        monkeypatch.setattr(loop, "train", self)

    def __call__(self, net: Any, job: Any, recipe: Recipe, space: Workspace | None, seed: int) -> None:
        space = space or Workspace()
        name = "labels" if job.pretrained == "encoder." else "adapt"

        def loss(net_: Any, batch: Any) -> torch.Tensor:
            self.batches[name] += 1
            if (name, self.batches[name]) == self.kill:
                raise Killed
            return job.loss(net_, batch)

        self.train(net, replace(job, loss=loss), recipe, space, seed)
        self.curves.append(space.curve)


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_it_learns_the_texts_the_same_each_time(
    encoders: tiny.Encoders, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    seen, kit = Trainings(monkeypatch), Kit(encoders[kind], 48)
    first, again, other = (adapted(kit, TEXTS, 8.0, RECIPE, None, seed) for seed in (13, 13, 14))
    losses = [value for _, value in seen.curves[0]["loss"]]
    assert np.mean(losses[-6:]) < 0.85 * np.mean(losses[:6])
    assert save(first) == save(again) != save(other)
    before = AutoModel.from_pretrained(encoders[kind]).state_dict()
    moved = [name for name, value in first.items() if not torch.equal(value, before[name])]
    assert set(first) <= set(before) and len(moved) > 10 and all(v.isfinite().all() for v in first.values())


def test_without_a_text_nothing_is_learnt(encoders: tiny.Encoders) -> None:
    kit = Kit(encoders["bert"], 48)
    found, before = adapted(kit, ["", ""], 2.0, RECIPE, None, 13), AutoModel.from_pretrained(encoders["bert"])
    assert all(torch.equal(value, before.state_dict()[name]) for name, value in found.items())


def test_a_tokenizer_without_a_mask_cannot_hide_words(encoders: tiny.Encoders) -> None:
    kit = Kit(encoders["bert"], 48)
    kit.tokenizer.mask_token = None
    with pytest.raises(StancekitError, match=r"adapt: the encoder's tokenizer has no mask .* → set adapt: 0"):
        adapted(kit, TEXTS, 1.0, RECIPE, None, 13)


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_checkpoint_holds_tied_weights_once(encoders: tiny.Encoders, tmp_path: Path, kind: str) -> None:
    adapted(Kit(encoders[kind], 48), TEXTS[:16], 1.0, RECIPE, Workspace(tmp_path), 13)
    (last,) = (tmp_path / "adapt").iterdir()
    held = load_file(last / "model.safetensors")
    model = AutoModelForMaskedLM.from_pretrained(encoders[kind])
    tied = set(model.state_dict()) - set(held)
    assert tied and held.keys() == averaging.whole(model).keys()
    model.load_state_dict(held, strict=False)
    places = {value.data_ptr() for name, value in model.state_dict().items() if name in held}
    assert {model.state_dict()[name].data_ptr() for name in tied} <= places


def build(folder: Path, **settings: Any) -> Transformer:
    recipe = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3, "save_steps": 3, "device": "cpu"}
    training = {**recipe, "precision": "fp32"}
    return Transformer(str(folder), max_length=48, adapt=1.5, training=training, **settings)


def result(model: Transformer, folder: Path) -> dict[str, bytes]:
    model.save(files.make_folder(folder))
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.mark.parametrize("settings", [{}, {"lora": {"rank": 2}}])
@pytest.mark.parametrize(
    ("kill", "left"),
    [
        (("adapt", 2), {"adapt": 5}),  # before a checkpoint
        (("adapt", 5), {"adapt": 2}),
        (("labels", 1), {"adapt": 0}),  # the adaptation had ended
        (("labels", 5), {"adapt": 0}),
    ],
)
def test_a_kill_changes_nothing_of_the_end(
    encoders: tiny.Encoders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kill: Any, left: Any, settings: Any
) -> None:
    train, dev = toys.cut(STANCE, toys.judged(24), 6)
    seen = Trainings(monkeypatch)
    whole = build(encoders["bert"], **settings)
    whole.fit(train, dev, Workspace(tmp_path / "whole"))
    assert dict(seen.batches) == {"adapt": 5, "labels": 5}
    seen.kill = (kill[0], seen.batches[kill[0]] + kill[1])
    with pytest.raises(Killed):
        build(encoders["bert"], **settings).fit(train, dev, Workspace(tmp_path / "killed"))
    seen.kill = None
    seen.batches.clear()
    again = build(encoders["bert"], **settings)
    again.fit(train, dev, Workspace(tmp_path / "killed"))
    assert seen.batches["adapt"] == left["adapt"]
    assert result(again, tmp_path / "a") == result(whole, tmp_path / "b")
