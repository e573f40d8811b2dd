"""The training loop: transformers' Trainer with our batches, learning rates, dev scoring and safe checkpoints."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import Sampler
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from stancekit.errors import Interrupted, Problem, fail
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders import hardware
from stancekit.models.neural.encoders.pretrained import quietly
from stancekit.models.neural.learning import averaging
from stancekit.models.neural.learning.holding import held
from stancekit.models.neural.learning.recipe import Recipe
from stancekit.models.neural.learning.watch import GENTLER, Stop, Watch
from stancekit.models.neural.texts.batches import Batch, Bucketed, Collate, Row, Rows

_WEIGHTS = "model.safetensors"
_LAYER = re.compile(r"\.(?:layer|layers|h|blocks?)\.(\d+)\.")


@dataclass(frozen=True)
class Job:
    """What is to be trained: rows, how they become batches, the loss of a batch, and how dev judges the network.

    `loss` takes the network (which may be wrapped for several processes) and a batch; `judge` takes the network
    and returns the score of dev, higher is better (None: there is no dev). `order` gives the rows of each epoch
    (None: all of them, in batches of similar length).
    """

    rows: Sequence[Row]
    collate: Collate
    loss: Callable[[nn.Module, Batch], torch.Tensor]
    judge: Callable[[nn.Module], float] | None = None
    pretrained: str = "encoder."
    order: Sampler[int] | None = None


def train(net: nn.Module, job: Job, recipe: Recipe, workspace: Workspace | None, seed: int) -> None:
    """Train a network in place, going on from the workspace's last checkpoint where there is one.

    Ends with the weights that dev liked best. Raises `StancekitError` when stopped (after a checkpoint), when the
    loss is no number, and when memory or disk run out.
    """
    space = workspace or Workspace()
    recipe = recipe.lengthened(len(job.rows), hardware.processes())
    where = hardware.device(recipe.device)
    kind = hardware.precision(recipe.precision, where)
    hardware.seed_all(seed)
    hardware.keep_memory(where)
    still = held(net, job.pretrained, recipe, where)
    with tempfile.TemporaryDirectory() as temporary, quietly(), hardware.memory_errors(), still:
        keeps = space.folder is not None
        folder = space.folder if space.folder is not None else Path(temporary)
        watch = Watch(net, job.judge, recipe, space)
        loop = Loop(net, job, recipe, _arguments(folder, recipe, where, kind, seed, keeps), watch, seed)
        PartialState().wait_for_everyone()  # the first process clears the folder before others look into it
        last = _last_checkpoint(folder)
        if last is not None:
            watch.restore(last)
        if last is not None and watch.over:  # stopped between training's end and the model's last byte
            net.load_state_dict(averaging.read(last / _WEIGHTS), strict=False)  # tied weights lie there once
        else:
            with Stop() as watch.stop:
                loop.train(resume_from_checkpoint=str(last) if last else None)
        loop.accelerator.unwrap_model(net, keep_fp32_wrapper=False)
        if watch.stopped:
            shown = f"training was stopped after {watch.step} of {loop.state.max_steps} steps"
            raise Interrupted(Problem("training", shown, "go on with --resume" if keeps else "train again"))
        watch.finish()
        space.facts.update(hardware.facts(where, kind), rows=len(job.rows), steps=watch.step)
        space.facts["batch_size"] = recipe.batch_size * recipe.accumulate * space.facts["processes"]
    net.to("cpu").eval()


def _arguments(
    folder: Path, recipe: Recipe, where: torch.device, kind: str, seed: int, keeps: bool
) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.accumulate,
        activation_checkpointing=recipe.checkpointing,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        warmup_steps=min(recipe.warmup, 1 - 1e-9),  # from 1 on it would be a number of steps
        max_grad_norm=recipe.max_grad_norm,
        bf16=kind == "bf16",
        use_cpu=where.type == "cpu",
        seed=seed,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        save_strategy="steps" if keeps else "no",
        save_steps=recipe.save_steps,
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=where.type == "cuda",
        ddp_find_unused_parameters=True,
    )


class Loop(Trainer):
    """The Trainer with batches of similar length, learning rates by depth, and checkpoints marked when whole."""

    def __init__(
        self, net: nn.Module, job: Job, recipe: Recipe, args: TrainingArguments, watch: Watch, seed: int
    ) -> None:
        config = vars(net.config) if hasattr(net, "config") else {}
        before = dict(config)
        lengths = [len(row["ids"]) for row in job.rows]
        self.order = job.order if job.order is not None else Bucketed(lengths, recipe.batch_size, seed)
        told: list[TrainerCallback] = [Epochs(self.order), watch]
        super().__init__(net, args, train_dataset=Rows(job.rows), data_collator=job.collate, callbacks=told)
        config.clear()  # the Trainer notes a setting of its own in it, which would be saved with the model
        config.update(before)
        self.remove_callback(PrinterCallback)
        self.net, self.job, self.recipe, self.watch = net, job, recipe, watch
        self.model_accepts_loss_kwargs = False

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.order

    def compute_loss(
        self, model: nn.Module, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Return the loss of a batch as the job defines it."""
        return self.job.loss(model, inputs)

    def training_step(self, model: nn.Module, inputs: Batch, num_items_in_batch: Any = None) -> torch.Tensor:
        """Take a step, and stop at a loss that is no number before it spoils weights that are saved."""
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        value = float(loss)
        if not math.isfinite(value):
            raise fail("training", f"the loss is {value} at step {self.state.global_step + 1}", GENTLER)
        self.watch.heard(value * self.current_gradient_accumulation_steps)  # the Trainer returns the batch's share
        return loss

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Group parameters by their depth, each group with its own learning rate."""
        kind, options = self.get_optimizer_cls_and_kwargs(self.args)
        self.optimizer = kind(groups(self.net, self.job.pretrained, self.recipe), **options)
        return self.optimizer

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        if self.args.should_save and output_dir is not None:
            Path(output_dir).mkdir(parents=True, exist_ok=True)
            save_file(averaging.whole(self.net), Path(output_dir) / _WEIGHTS, metadata={"format": "pt"})


class Epochs(TrainerCallback):
    """Tells the sampler each epoch: accelerate does not reach it where several processes go on amid an epoch."""

    def __init__(self, order: Sampler[int]) -> None:
        self.order = order

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Set the epoch; amid one, `state.epoch` is a fraction."""
        if hasattr(self.order, "set_epoch"):
            self.order.set_epoch(int((state.epoch or 0.0) + 1e-6))


def groups(net: nn.Module, pretrained: str, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the optimizer's groups: learning rate by depth and head, no weight decay on biases and norms."""
    named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    depths = {name: _depth(name) for name, _ in named}
    top = max([d for d in depths.values() if d is not None], default=-1) + 1
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        if name.startswith(pretrained):
            depth = depths[name]
            below = 0 if depth is None and "embed" not in name.lower() else top - (-1 if depth is None else depth)
            rate = recipe.learning_rate * recipe.layer_decay**below
        else:
            rate = recipe.learning_rate * recipe.head_rate
        decay = 0.0 if parameter.ndim < 2 else recipe.weight_decay
        found.setdefault((rate, decay), []).append(parameter)
    return [{"params": own, "lr": rate, "weight_decay": decay} for (rate, decay), own in found.items()]


def _depth(name: str) -> int | None:
    match = _LAYER.search(name)
    return int(match.group(1)) if match else None


def _last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint; what a kill left half-written is removed by the first process."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    whole = [p for p in found if Watch.is_whole(p)]
    if PartialState().is_main_process:
        for path in set(found) - set(whole):
            shutil.rmtree(path)
    PartialState().wait_for_everyone()
    return whole[-1] if whole else None
