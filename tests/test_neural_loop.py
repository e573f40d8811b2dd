"""The training loop on a network small enough to be stopped at every step: same bytes, kills, stops, bad luck."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn
from torch.nn import functional as F
from transformers import TrainerState

from stancekit.errors import Interrupted, StancekitError
from stancekit.files import file_hash
from stancekit.models.base import Workspace
from stancekit.models.neural.learning import averaging, loop, watch
from stancekit.models.neural.learning.loop import Job
from stancekit.models.neural.learning.recipe import Recipe
from stancekit.models.neural.texts.batches import Bucketed, Collate

RECIPE = {
    "epochs": 2.5,
    "batch_size": 4,
    "accumulate": 2,
    "learning_rate": 0.02,
    "average": 0.5,
    "evaluations": 2,
    "patience": 6,
    "save_steps": 3,
    "precision": "fp32",
    "device": "cpu",
}
STEPS = 15
"""45 rows are 12 batches and 6 steps an epoch."""


class Small(nn.Module):
    """Classifies the mean of its pieces' vectors; `secret` is of no use and never trained."""

    def __init__(self, seed: int = 3) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.encoder = nn.Embedding(50, 8)
        self.secret = nn.Parameter(torch.ones(2), requires_grad=False)
        self.drop, self.out = nn.Dropout(0.3), nn.Linear(8, 3)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        mask = attention_mask.unsqueeze(-1)
        mean = (self.encoder(input_ids) * mask).sum(dim=1) / mask.sum(dim=1)
        return self.out(self.drop(mean))


def rows(count: int = 45) -> list[dict[str, Any]]:
    rng = np.random.default_rng(5)
    found = [rng.integers(0, 50, rng.integers(1, 30)) for _ in range(count)]
    return [{"ids": ids, "wanted": int(ids.max() % 3)} for ids in found]


def collate() -> Collate:
    return Collate(0, False, lambda own, _: {"wanted": torch.tensor([r["wanted"] for r in own])})


def loss_of(net: nn.Module, batch: Any) -> torch.Tensor:
    return F.cross_entropy(net(batch["input_ids"], batch["attention_mask"]), batch["wanted"])


class Trained:
    """A network after (or amid) a training, and what it left behind."""

    def __init__(self, folder: Path | None = None, *, seed: int = 13, dev: bool = True, hook=None, **changes: Any):
        self.net, self.losses, self.scores = Small(), [], []
        self.space = Workspace(folder, metric="minus the loss")
        held = collate()(rows(60)[45:])

        def loss(net, batch):
            if hook is not None:
                hook(len(self.losses) + 1)
            found = loss_of(net, batch)
            self.losses.append(found.item())
            return found

        def judge(net):
            with torch.no_grad():
                self.scores.append((-float(loss_of(net, held)), averaging.copied(net)))
            return self.scores[-1][0]

        self.job = Job(rows(), collate(), loss, judge if dev else None)
        self.recipe, self.seed = Recipe(**{**RECIPE, **changes}), seed

    def train(self) -> Trained:
        loop.train(self.net, self.job, self.recipe, self.space, self.seed)
        return self

    @property
    def result(self) -> tuple[bytes, Any, Any]:
        return save(self.net.state_dict()), self.space.curve, self.space.facts


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


def kill_at(number: int):
    def hook(call: int) -> None:
        if call == number:
            raise Killed

    return hook


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Trained:
    return Trained(tmp_path_factory.mktemp("undisturbed")).train()


def test_the_same_seed_gives_the_same_bytes_with_and_without_a_workspace(undisturbed) -> None:
    assert Trained().train().result == undisturbed.result
    assert Trained(seed=14).train().result[0] != undisturbed.result[0]


def test_what_a_training_leaves_behind(undisturbed) -> None:
    curve, facts = undisturbed.space.curve, undisturbed.space.facts
    assert (curve["steps"], facts["steps"], facts["rows"]) == (STEPS, STEPS, 45)
    assert (facts["device"], facts["precision"], facts["batch_size"]) == ("cpu", "fp32", 8)
    assert [step for step, _ in curve["dev"]] == [3, 6, 9, 12, 15]
    assert [value for _, value in curve["dev"]] == pytest.approx([s for s, _ in undisturbed.scores], rel=1e-4)
    best = max(range(5), key=lambda k: undisturbed.scores[k][0])
    assert curve["best_step"] == curve["dev"][best][0]
    for name, value in undisturbed.scores[best][1].items():
        assert torch.equal(undisturbed.net.state_dict()[name], value)
    # what the curve calls the loss is the mean of what the batches lost, however many make a step
    each = iter(undisturbed.losses)
    sizes = [2] * 6 + [2] * 6 + [2] * 3
    assert [value for _, value in curve["loss"]] == pytest.approx(
        [sum(next(each) for _ in range(n)) / n for n in sizes], rel=1e-4
    )
    rates = [rate for _, rate in curve["learning_rate"]]
    assert rates.index(max(rates)) == 1 and rates[-1] == 0 and max(rates) == pytest.approx(0.02)
    assert torch.equal(undisturbed.net.secret, torch.ones(2)) and not undisturbed.net.training


def test_without_dev_the_mean_of_the_last_weights_is_the_result() -> None:
    seen: list[Any] = []
    trained = Trained(dev=False, average=0.2)
    watching = watch.Watch.on_step_end

    def noted(self, *given, **named):
        seen.append(averaging.copied(trained.net))
        return watching(self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch.Watch, "on_step_end", noted)
        trained.train()
    for name, value in averaging.trainable(trained.net).items():
        mean = np.mean([state[name].numpy() for state in seen[-3:]], axis=0)
        assert value.numpy() == pytest.approx(mean, abs=1e-6)


PLACES = [
    *(("loss", n) for n in (1, 8, 18, 29)),  # amid a step, between save points, amid an epoch
    *(("weights", n) for n in (1, 3)),  # amid a checkpoint: before the optimizer's state
    ("average", 2),
    *(("mark", n) for n in (1, 4, 5)),  # all is there but the mark; the fifth is the last step's
]


def break_at(place: str, number: int, how, patch: pytest.MonkeyPatch) -> Any:
    """Do `how` at the n-th loss, or before the n-th write of a part of a checkpoint; return the loss's hook."""
    if place == "loss":
        return lambda call: how() if call == number else None
    module, name = {
        "weights": (loop, "save_file"),
        "average": (averaging, "write"),
        "mark": (watch, "write_json"),
    }[place]
    real, calls = getattr(module, name), []

    def write(*given: Any, **named: Any) -> None:
        calls.append(1)
        if len(calls) == number:
            how()
        real(*given, **named)

    patch.setattr(module, name, write)
    return None


def killed() -> None:
    raise Killed


@pytest.mark.parametrize(("place", "number"), PLACES)
def test_a_killed_training_goes_on_to_the_same_bytes(
    undisturbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, number: int
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        Trained(tmp_path, hook=break_at(place, number, killed, patch)).train()
    again = Trained(tmp_path).train()
    assert again.result == undisturbed.result
    assert len(again.losses) < len(undisturbed.losses) or (place, number) in (("loss", 1), ("weights", 1), ("mark", 1))


def test_a_training_killed_again_and_again_arrives(undisturbed, tmp_path: Path) -> None:
    for _ in range(9):
        try:
            found = Trained(tmp_path, hook=kill_at(8)).train()
            break
        except Killed:
            continue
    assert found.result == undisturbed.result


@pytest.mark.parametrize("changes", [{}, {"patience": 1, "learning_rate": 1.5}, {"dev": False}, {"average": 0.0}])
def test_a_finished_training_is_not_gone_on_with(tmp_path: Path, changes: Any) -> None:
    """A kill may come after the last checkpoint and before the model is saved."""
    changes = {"save_steps": 1, **changes}
    first = Trained(tmp_path, **changes).train()
    assert (first.space.facts["steps"] < STEPS) == ("patience" in changes)
    again = Trained(tmp_path, **changes).train()
    assert again.losses == again.scores == [] and again.result == first.result


def test_ctrl_c_ends_the_step_saves_and_says_how_to_go_on(undisturbed, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    hook = lambda call: signal.raise_signal(signal.SIGINT) if call == 15 else None
    with pytest.raises(Interrupted, match="stopped after 8 of 15 steps → go on with --resume"):
        Trained(tmp_path, hook=hook).train()
    assert signal.getsignal(signal.SIGINT) is before
    again = Trained(tmp_path).train()
    assert len(again.losses) == len(undisturbed.losses) - 16 and again.result == undisturbed.result


def test_ctrl_c_without_a_workspace_says_that_nothing_is_kept() -> None:
    hook = lambda call: signal.raise_signal(signal.SIGINT) if call == 3 else None
    with pytest.raises(Interrupted, match="train again"):
        Trained(hook=hook).train()


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    def hook(call: int) -> None:
        if call == 9:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Trained(tmp_path, hook=hook).train()
    assert Trained(tmp_path).train().losses


def test_ctrl_c_in_the_last_step_stops_nothing(undisturbed, tmp_path: Path) -> None:
    hook = lambda call: signal.raise_signal(signal.SIGINT) if call == 30 else None
    assert Trained(tmp_path, hook=hook).train().result == undisturbed.result


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing", "unmarked", "bad mark", "half deleted"])
def test_a_damaged_checkpoint_is_passed_over(undisturbed, tmp_path: Path, damage: str) -> None:
    with pytest.raises(Killed):
        Trained(tmp_path, hook=kill_at(20)).train()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-6", "checkpoint-9"]
    last = tmp_path / "checkpoint-9"
    optimizer = last / "optimizer.pt"
    if damage == "truncated":
        optimizer.write_bytes(optimizer.read_bytes()[:-100])
    elif damage == "changed":
        optimizer.write_bytes(optimizer.read_bytes()[:-100] + bytes(100))
    elif damage == "missing":
        optimizer.unlink()
    elif damage == "unmarked":
        (last / "watch.json").unlink()
    elif damage == "bad mark":
        (last / "watch.json").write_text('{"loss": [')
    else:
        for path in [p for p in last.iterdir() if p.name != "watch.json"]:
            path.unlink()
    again = Trained(tmp_path).train()
    assert len(again.losses) == 30 - 12 and again.result == undisturbed.result


def test_checkpoints_are_never_unpickled_freely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Killed):
        Trained(tmp_path, hook=kill_at(20)).train()
    real, asked = torch.load, []

    def load(*given: Any, **named: Any) -> Any:
        asked.append(named.get("weights_only"))
        return real(*given, **named)

    monkeypatch.setattr(torch, "load", load)
    Trained(tmp_path).train()
    assert len(asked) >= 3 and set(asked) == {True}


def test_code_in_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        Trained(tmp_path, hook=kill_at(20)).train()

    class Bad:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    mark, state = tmp_path / "checkpoint-9" / "watch.json", tmp_path / "checkpoint-9" / "scheduler.pt"
    digest = file_hash(state)
    torch.save(Bad(), state)
    mark.write_text(mark.read_text().replace(digest, file_hash(state)))
    with pytest.raises(Exception, match="[Ww]eights.only|Unsupported"):
        Trained(tmp_path).train()
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(("at", "epoch"), [(None, 0), (0.5, 0), (1.0, 1), (1 + 1 / 3, 1), (3 - 1e-12, 3)])
def test_the_sampler_is_told_its_epoch_also_amid_one(at: float | None, epoch: int) -> None:
    order = Bucketed([1, 2, 3], 2, 0)
    loop.Epochs(order).on_epoch_begin(None, TrainerState(epoch=at), None)  # type: ignore[arg-type]
    assert order.epoch == epoch


@pytest.mark.parametrize("poison", ["weights", "rate", "last step"])
@pytest.mark.parametrize("dev", [True, False])
def test_a_loss_that_is_no_number_is_said(poison: str, dev: bool) -> None:
    trained = Trained(dev=dev, max_grad_norm=0.0)
    if poison == "weights":
        trained.net.out.weight.data[0, 0] = float("nan")
    elif poison == "rate":
        trained = Trained(dev=dev, learning_rate=1e38, max_grad_norm=0.0)
    else:  # the loss of the last step is a number, its gradient is not
        trained.net.out.weight.register_hook(
            lambda grad: grad * float("nan") if len(trained.losses) == 30 else grad  # type: ignore[func-returns-value]
        )
    with pytest.raises(StancekitError, match=r"(the loss is|no numbers).* step \d+ → lower training.learning_rate"):
        trained.train()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    ],
)
def test_out_of_memory_names_the_settings(error: Exception) -> None:
    def hook(call: int) -> None:
        raise error

    with pytest.raises(StancekitError, match=r"memory → lower training\.batch_size.*max_length.*training\.checkp"):
        Trained(hook=hook).train()


def test_other_errors_stay_what_they_are() -> None:
    def hook(call: int) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        Trained(hook=hook).train()


@pytest.mark.parametrize("part", ["weights", "optimizer"])
def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(undisturbed, tmp_path: Path, part: str) -> None:
    """A file's greatest size stands for a full disk."""
    sizes: dict[str, int] = {}

    def hook(call: int) -> None:
        if call == 8:
            first = tmp_path / "checkpoint-3"
            sizes.update({"weights": 200, "optimizer": (first / "optimizer.pt").stat().st_size - 500})
            resource.setrlimit(resource.RLIMIT_FSIZE, (sizes[part], hard))

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(StancekitError, match=r"disk is full → .*--resume"):
            Trained(tmp_path, hook=hook).train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert (tmp_path / "checkpoint-6").exists()
    again = Trained(tmp_path).train()
    assert len(again.losses) == 30 - 6 and again.result == undisturbed.result


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of some checkpoints."""
    libc = ctypes.CDLL(None, use_errno=True)
    place = str(tmp_path).encode()
    if os.geteuid() or libc.mount(b"tmpfs", place, b"tmpfs", 0, b"size=512k"):
        pytest.skip("a file system can be mounted by root only")
    yield tmp_path
    libc.umount2(place, 2)


def test_a_full_disk_is_said_and_nothing_is_lost(undisturbed, small_disk: Path) -> None:
    filler = small_disk / "filler"

    def hook(call: int) -> None:
        if call == 8:
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            filler.write_bytes(b"x" * (free - 8192))

    with pytest.raises(StancekitError, match="disk is full"):
        Trained(small_disk, hook=hook).train()
    filler.unlink()
    again = Trained(small_disk).train()
    assert len(again.losses) == 30 - 6 and again.result == undisturbed.result
