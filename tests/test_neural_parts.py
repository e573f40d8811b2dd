"""The parts of neural training against oracles: losses, learning rates by depth, weight means, batches, settings."""

from __future__ import annotations

import math
import platform
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn import functional as F

from stancekit.errors import Problems, StancekitError
from stancekit.models.neural.encoders import hardware, kit, sights
from stancekit.models.neural.encoders.net import Attention
from stancekit.models.neural.learning import averaging, lora, losses
from stancekit.models.neural.learning.averaging import Average
from stancekit.models.neural.learning.loop import groups
from stancekit.models.neural.learning.recipe import CLASSIFYING, Recipe
from stancekit.models.neural.texts import batches
from stancekit.models.neural.texts.batches import Bucketed, Collate
from stancekit.models.neural.transformer import Transformer

LABELS = ("a", "b", "c")
FAST = settings(max_examples=30, deadline=None, derandomize=True)


def test_attention_weighs_pieces_by_their_answer_and_padding_counts_for_nothing() -> None:
    torch.manual_seed(1)
    attention, asking, pieces = Attention(8), torch.randn(2, 8), torch.randn(2, 5, 8)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    found = attention(asking, pieces, mask)
    for row, count in ((0, 5), (1, 3)):
        asked = attention.ask.weight @ asking[row] + attention.ask.bias
        shares = torch.softmax(pieces[row, :count] @ asked / math.sqrt(8), dim=0)
        torch.testing.assert_close(found[row], shares @ pieces[row, :count])
    pieces[1, 3:] = 1e6
    torch.testing.assert_close(attention(asking, pieces, mask), found)


def logits(n: int = 12, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 3)) * 3).float()


def classes(n: int = 12) -> torch.Tensor:
    return torch.tensor([0, 1, 2, 0, 0, 1] * (n // 6))


WEIGHT = torch.tensor([0.5, 2.0, 1.0])


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_cross_entropy_is_that_of_torch(weight) -> None:
    scores, truth = logits(), classes()
    hard = F.one_hot(truth, 3).float()
    found = losses.exclusive("cross_entropy", scores, hard, weight)
    assert found.item() == pytest.approx(F.cross_entropy(scores, truth, weight=weight).item(), rel=1e-5)
    many = (logits(seed=2) > 0).float()
    found = losses.several("cross_entropy", scores, many, weight)
    assert found.item() == pytest.approx(
        F.binary_cross_entropy_with_logits(scores, many, pos_weight=weight).item(), rel=1e-5
    )


def test_soft_labels_are_shares_of_the_loss() -> None:
    scores, shares = logits(), torch.softmax(logits(seed=3), dim=-1)
    found = losses.exclusive("cross_entropy", scores, shares, None)
    assert found.item() == pytest.approx(F.cross_entropy(scores, shares).item(), rel=1e-5)
    assert losses.several("cross_entropy", scores, shares, None).item() == pytest.approx(
        F.binary_cross_entropy_with_logits(scores, shares).item(), rel=1e-5
    )


def by_hand(name: str, z: float, wanted: float) -> float:
    p = 1 / (1 + math.exp(-z))
    if name == "focal":
        return -((1 - p) ** 2) * math.log(p) if wanted else -(p**2) * math.log(1 - p)
    shifted = max(p - 0.05, 0)
    return -math.log(p) if wanted else -(shifted**4) * math.log(1 - shifted)


@pytest.mark.parametrize("name", ["focal", "asymmetric"])
def test_losses_for_rare_labels_by_hand(name: str) -> None:
    scores, many = logits(), (logits(seed=2) > 0).float()
    each = [by_hand(name, z, y) for z, y in zip(scores.flatten().tolist(), many.flatten().tolist(), strict=True)]
    assert losses.several(name, scores, many, None).item() == pytest.approx(np.mean(each), rel=1e-4)


def test_focal_loss_of_exclusive_classes_by_hand() -> None:
    scores, truth = logits(), classes()
    p = torch.softmax(scores, dim=-1)[range(12), truth].tolist()
    found = losses.exclusive("focal", scores, F.one_hot(truth, 3).float(), None)
    assert found.item() == pytest.approx(np.mean([-((1 - x) ** 2) * math.log(x) for x in p]), rel=1e-4)


@pytest.mark.parametrize("name", losses.NAMES)
def test_losses_stay_numbers_at_the_edge(name: str) -> None:
    scores = torch.tensor([[80.0, -80.0, 0.0], [-1e4, 1e4, -1e4]], requires_grad=True)
    wanted = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    for measure in [losses.several] + [losses.exclusive] * (name != "asymmetric"):
        found = measure(name, scores, wanted, WEIGHT)
        (gradient,) = torch.autograd.grad(found, scores)
        assert found >= 0 and torch.isfinite(found) and torch.isfinite(gradient).all()


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    truth = classes()
    found = losses.weights("balanced", F.one_hot(truth, 3).bool(), LABELS)
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=truth.numpy())
    assert found.tolist() == pytest.approx(wanted)
    assert losses.weights(None, F.one_hot(truth, 3), LABELS) is None
    assert losses.weights({"b": 3}, F.one_hot(truth, 3), LABELS).tolist() == [1, 3, 1]
    never = losses.weights("balanced", torch.zeros(4, 3), LABELS)
    assert torch.isfinite(never).all()


def test_disagreement_is_the_symmetric_divergence() -> None:
    one, other = logits(), logits(seed=4)
    p, q = torch.softmax(one, dim=-1).double(), torch.softmax(other, dim=-1).double()
    both = (p * (p / q).log()).sum(dim=-1) + (q * (q / p).log()).sum(dim=-1)
    assert losses.disagreement(one, other, False).item() == pytest.approx(both.mean().item() / 2, rel=1e-4)
    p, q = torch.sigmoid(one).double(), torch.sigmoid(other).double()
    each = (p - q) * ((p / (1 - p)).log() - (q / (1 - q)).log())
    assert losses.disagreement(one, other, True).item() == pytest.approx(each.mean().item(), rel=1e-4)
    assert losses.disagreement(one, one, True).item() == losses.disagreement(one, one, False).item() == 0


DEPTHS = {
    "encoder.embeddings.word_embeddings.weight": 3,
    "encoder.embeddings.LayerNorm.bias": 3,
    "encoder.encoder.rel_embeddings.weight": 3,
    "encoder.encoder.layer.0.attention.query.weight": 2,
    "encoder.layers.0.mlp.weight": 2,
    "encoder.encoder.layer.1.attention.query.bias": 1,
    "encoder.h.1.weight": 1,
    "encoder.final_norm.weight": 0,
    "encoder.pooler.dense.weight": 0,
    "out.weight": None,
    "dense.bias": None,
}
"""Parameters named as those of the architectures are, and how far below the top they stand (None: not pretrained)."""


class Deep:
    """Stands for a network of these parameters and one that is frozen."""

    def __init__(self) -> None:
        shapes = {name: (2,) if name.endswith("bias") or "norm" in name else (2, 2) for name in DEPTHS}
        self.own = {name: nn.Parameter(torch.zeros(shape)) for name, shape in shapes.items()}
        self.own["encoder.frozen.weight"] = nn.Parameter(torch.zeros(2, 2), requires_grad=False)

    def named_parameters(self):
        return self.own.items()


def test_learning_rates_fall_with_depth() -> None:
    net = Deep()
    recipe = Recipe(learning_rate=1.0, layer_decay=0.5, head_rate=4.0, weight_decay=0.1)
    found = groups(net, "encoder.", recipe)
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in found for p in g["params"]}
    assert len(rates) == len(DEPTHS) and len(found) == len({(g["lr"], g["weight_decay"]) for g in found})
    for name, below in DEPTHS.items():
        rate = 4.0 if below is None else 0.5**below
        decay = 0.0 if net.own[name].ndim < 2 else 0.1
        assert rates[id(net.own[name])] == (rate, decay), name
    assert {g["lr"] for g in groups(net, "encoder.", Recipe(learning_rate=1.0))} == {1.0}


@given(st.integers(1, 9), st.integers(0, 10_000))
@FAST
def test_the_running_mean_is_the_mean(steps: int, seed: int) -> None:
    rng, net, average = np.random.default_rng(seed), nn.Linear(3, 2), Average()
    seen = []
    for _ in range(steps):
        seen.append(rng.normal(size=(2, 3)).astype(np.float32))
        net.weight.data = torch.from_numpy(seen[-1].copy())
        average.add(net)
    with average.applied(net):
        assert net.weight.detach().numpy() == pytest.approx(np.mean(seen, axis=0), abs=1e-6)
    assert (net.weight.detach().numpy() == seen[-1]).all()


def test_weights_are_copied_put_back_and_kept_on_disk(tmp_path: Path) -> None:
    net, average = nn.Linear(3, 2), Average()
    net.bias.requires_grad_(False)
    with average.applied(net):
        assert average.count == 0
    state = averaging.copied(net)
    assert set(state) == {"weight"} and averaging.is_finite(net)
    averaging.write(tmp_path / "w.safetensors", state)
    net.weight.data += 1
    averaging.put(net, averaging.read(tmp_path / "w.safetensors"))
    assert torch.equal(net.weight, state["weight"])
    with pytest.raises(ZeroDivisionError), average.applied(net):
        average.add(net)
        raise ZeroDivisionError
    net.weight.data[0, 0] = float("inf")
    assert not averaging.is_finite(net)


SIZES = st.lists(st.integers(1, 90), max_size=200)


@given(SIZES, st.integers(1, 16), st.integers(0, 5), st.integers(0, 5))
@FAST
def test_each_epoch_is_a_permutation_that_hangs_on_seed_and_epoch(lengths, size, seed, epoch) -> None:
    one, other = Bucketed(lengths, size, seed), Bucketed(list(lengths), size, seed)
    list(one)
    for sampler in (one, other):
        sampler.set_epoch(epoch)
    assert list(one) == list(one) == list(other)
    assert sorted(one) == list(range(len(lengths))) and len(one) == len(lengths)


def test_epochs_and_seeds_differ_and_mates_have_like_lengths() -> None:
    lengths = np.random.default_rng(0).integers(5, 100, 1000).tolist()
    orders = []
    for seed, epoch in ((1, 0), (1, 1), (2, 0)):
        sampler = Bucketed(lengths, 8, seed)
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        spreads = [np.ptp([lengths[k] for k in orders[-1][at : at + 8]]) for at in range(0, 1000, 8)]
        assert np.mean(spreads) < 5  # of 95
        longest = [max(lengths[k] for k in orders[-1][at : at + 8]) for at in range(0, 1000, 8)]
        assert np.corrcoef(longest[:-1], longest[1:])[0, 1] < 0.5  # the batches themselves come in any order
    assert len({tuple(o) for o in orders}) == 3
    mates = [Counter(frozenset(o[at : at + 8]) for at in range(0, 1000, 8)) for o in orders[:2]]
    assert not mates[0] & mates[1]


def test_a_short_batch_comes_last_so_that_none_is_cut() -> None:
    lengths = [10] * 403  # more than one pool of 50 × 8
    order = list(Bucketed(lengths, 8, 1))
    pool = np.random.default_rng([1, 0]).permutation(403)
    assert set(order[-3:]) == set(pool[400:].tolist())


@given(SIZES, st.integers(1, 300))
@FAST
def test_prediction_batches_cover_all_within_the_limit(lengths, most) -> None:
    found = list(batches.by_length(lengths, most))
    assert sorted(k for own in found for k in own) == list(range(len(lengths)))
    for own in found:
        assert len(own) == 1 or len(own) * max(lengths[k] for k in own) <= most


def test_rows_are_padded_to_eights_but_not_beyond_the_encoders_places() -> None:
    rows = [{"ids": np.arange(1, n), "types": np.zeros(n - 1, np.int64), "x": n} for n in (4, 14)]
    batch = Collate(9, True, lambda own, longest: {"x": torch.tensor([r["x"] + longest for r in own])})(rows)
    assert batch["input_ids"].tolist() == [[1, 2, 3] + [9] * 13, [*range(1, 14)] + [9] * 3]
    assert batch["attention_mask"].sum(dim=1).tolist() == [3, 13] and batch["x"].tolist() == [20, 30]
    assert batch["token_type_ids"].dtype == torch.int64
    tight = Collate(9, False, most=14)(rows)
    assert tight["input_ids"].shape == (2, 14) and "token_type_ids" not in tight
    pools = batches.padded([np.ones((2, 3), np.float32), np.ones((1, 3), np.float32)], 4, 0.0)
    assert pools.shape == (2, 4, 3) and pools.dtype == torch.float32 and pools.sum() == 9


BAD_TRAINING = {
    "epoch": (3, "there is no setting 'epoch' → did you mean 'epochs'"),
    "epochs": (0, "epochs is 0 → more than 0"),
    "batch_size": (1.5, "batch_size is 1.5 → int is expected"),
    "learning_rate": (-1, "learning_rate is -1 → float is expected, 0 or more"),
    "warmup": (2, "warmup is 2.0 → a share from 0 to 1"),
    "average": ("half", "average is 'half' → float"),
    "checkpointing": (1, "checkpointing is 1 → bool"),
    "precision": ("fp16", "there is no precision 'fp16'"),
    "device": ("gpu", "there is no device 'gpu'"),
    "save_steps": (0, "save_steps is 0"),
}


def test_mistakes_of_the_recipe_are_said_all_at_once() -> None:
    problems = Problems()
    Recipe.parse({name: value for name, (value, _) in BAD_TRAINING.items()}, problems)
    said = [str(p) for p in problems]
    assert len(said) == len(BAD_TRAINING)
    for _, text in BAD_TRAINING.values():
        assert any(text in line for line in said), text
    fine = Recipe.parse({"epochs": 2, "device": "cpu"}, problems, epochs=5.0, batch_size=4)
    assert (fine.epochs, fine.batch_size, type(fine.epochs)) == (2.0, 4, float)


@pytest.mark.parametrize(
    ("given", "rows", "processes", "epochs"),
    [
        ({}, 1600, 1, 8.0),  # 100 steps an epoch
        ({}, 1600, 2, 16.0),
        ({}, 100_000, 1, 4.0),
        ({}, 5, 1, 30.0),
        ({"accumulate": 2}, 1600, 1, 16.0),
        ({"epochs": 1}, 1600, 1, 1.0),
        ({"epochs": 1, "least_steps": 200}, 1600, 1, 2.0),
    ],
)
def test_few_rows_are_read_more_often(given: dict[str, int], rows: int, processes: int, epochs: float) -> None:
    recipe = Recipe.parse(given, Problems(), **CLASSIFYING)
    assert recipe.lengthened(rows, processes).epochs == epochs


BAD_SETTINGS = {
    "pool": ("max", "there is no 'max'"),
    "target": ("marks", "did you mean 'mark'"),
    "context": (-1, "no number of sentences"),
    "max_length": (8, "no usable window"),
    "loss": ("hinge", "there is no loss 'hinge'"),
    "class_weight": ({"a": "much"}, "the weight of 'a' is 'much'"),
    "threshold": ("tune", "'tune' is no threshold"),
    "r_drop": (-1, "-1 is no such number"),
    "adapt": (-1.0, "-1.0 is no such number"),
    "lora": ({"ranks": 4, "rank": 0}, "there is no setting 'ranks'"),
    "training": ({"epoch": 1}, "there is no setting 'epoch'"),
}


def test_mistakes_of_the_transformer_are_said_all_at_once() -> None:
    with pytest.raises(StancekitError) as error:
        Transformer(**{name: value for name, (value, _) in BAD_SETTINGS.items()})
    said = str(error.value)
    assert len(error.value.problems) == len(BAD_SETTINGS) + 1
    for _, text in BAD_SETTINGS.values():
        assert text in said


def test_the_architectures_own_head_attends_to_nothing_more() -> None:
    with pytest.raises(StancekitError, match="attend: .* → give another `pool`"):
        Transformer(pool="standard", attend=True)


def test_settings_that_hang_on_the_task() -> None:
    problems = Problems()
    losses.check("asymmetric", {"d": 1}, problems, multi=False, labels=LABELS)
    assert sorted(p.where for p in problems) == ["class_weight", "loss"]
    problems = Problems()
    losses.check("asymmetric", {"a": 1}, problems, multi=True, labels=LABELS)
    lora.check({"rank": 4, "alpha": 8.0}, problems)
    sights.check("pair", "first", 2, problems)
    kit.check_length(32, problems)
    assert not len(problems)


def test_hardware_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert hardware.device("auto") == torch.device("cpu")
    with pytest.raises(StancekitError, match="there is no cuda here → take one of: cpu"):
        hardware.device("cuda")
    with pytest.raises(StancekitError, match="bf16 is not supported on mps"):
        hardware.precision("bf16", torch.device("mps"))
    for flags, kind in (({"avx512_bf16"}, "bf16"), ({"avx2", "sse"}, "fp32")):
        monkeypatch.setattr(hardware, "_cpu_flags", lambda flags=flags: flags)
        assert hardware.precision("auto", torch.device("cpu")) == kind
    assert hardware.precision("fp32", torch.device("cpu")) == "fp32"


FAULTS = """
import resource, torch
from torch import nn
from stancekit.models.neural.encoders import hardware

net = nn.Sequential(nn.Embedding(30_000, 384), nn.Linear(384, 384), nn.GELU(), nn.Linear(384, 384))
adam = torch.optim.AdamW(net.parameters())

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        net(torch.randint(30_000, (8, 32))).sum().backward()
        adam.step()
        adam.zero_grad()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
before = faults()
hardware.keep_memory(torch.device("cpu"))
faults()
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_kept_and_not_fetched_again() -> None:
    """In a process of its own, whose memory nothing else has cut into pieces."""
    said = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True).stdout
    before, after = map(int, said.split())
    assert after < before / 10


def test_a_saved_model_answers_where_its_own_device_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for there, expected in ((False, ["cpu", "cpu", "cpu"]), (True, ["cuda", "cuda", "cpu"])):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert [hardware.nearest(wanted).type for wanted in ("auto", "cuda", "cpu")] == expected


class Lent(nn.Linear):
    """A network that notes where it is put."""

    def to(self, place: torch.device) -> Lent:
        self.places = [*getattr(self, "places", []), place]
        return super().to(place)

    def forward(self, input_ids: torch.Tensor, **_: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids.float()[:, :1])


@pytest.mark.parametrize("read", [1, 2])  # given up after the first of two batches, and after both
def test_a_network_is_lent_to_the_device_and_comes_back(monkeypatch: pytest.MonkeyPatch, read: int) -> None:
    there, asked = torch.device("cpu", 0), []
    monkeypatch.setattr(hardware, "nearest", lambda wanted: asked.append(wanted) or there)
    net = Lent(1, 1).train()
    rows = [{"ids": np.full(3000, k)} for k in range(2)]
    given_out = kit.outputs(net, rows, Collate(0, False, device="mps"))
    for _ in range(read):
        next(given_out)
    given_out.close()
    assert asked == ["mps"] and net.places == [there, torch.device("cpu")] and net.training
