"""What watches a training: dev scores, best and averaged weights, the curve, progress, and a wish to stop."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from stancekit.errors import StancekitError, fail
from stancekit.files import file_hash, read_json, write_json
from stancekit.models.base import Workspace
from stancekit.models.neural.learning import averaging
from stancekit.models.neural.learning.averaging import Average
from stancekit.models.neural.learning.recipe import Recipe

GENTLER = "lower training.learning_rate, or set training.precision: fp32"
_STATE = "watch.json"
_POINTS = 100
"""About so many points of the loss make a curve."""


class Stop:
    """Turns the first Ctrl-C into a wish, so that the step in hand ends and is saved; the second one interrupts."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


class Watch(TrainerCallback):
    """Judges the network on dev, keeps what dev liked best, and can be saved and restored with a checkpoint."""

    def __init__(
        self, net: nn.Module, judge: Callable[[nn.Module], float] | None, recipe: Recipe, space: Workspace
    ) -> None:
        self.net, self.judge, self.recipe, self.space = net, judge, recipe, space
        self.average = Average()
        self.best: averaging.State = {}
        self.stop = Stop()
        self.stopped = self.over = False
        self.step = 0
        self._loss: list[float] = []
        self._plain: dict[str, Any] = {"loss": [], "learning_rate": [], "dev": [], "best": None, "worse": 0}
        self._told = 0.0

    def heard(self, loss: float) -> None:
        """Note the loss of a batch."""
        self._loss.append(loss)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Average, judge and tell; ask the loop to save or stop where that is due."""
        self.step = step = state.global_step
        steps = state.max_steps
        if self.recipe.average and step > steps * (1 - self.recipe.average):
            self.average.add(self.net)
        if step % max(1, math.ceil(steps / _POINTS)) == 0 or step == steps:
            self._point(step, kwargs["lr_scheduler"].get_last_lr())
        if self._is_due(step, state):
            self._judge(step, control)
        if self._is_stop_asked() and not control.should_training_stop:
            self.stopped = step < steps
            control.should_training_stop = True
            control.should_save = self.stopped and self.space.folder is not None
        self._tell(step, steps)
        return control

    def _is_stop_asked(self) -> bool:
        """Say whether to stop here; of several processes the first one decides, for all must end at the same step."""
        asked = [self.stop.asked]
        if PartialState().num_processes > 1:
            broadcast_object_list(asked)
        return asked[0]

    def _point(self, step: int, rates: list[float]) -> None:
        mean = sum(self._loss) / max(1, len(self._loss))
        self._plain["loss"].append([step, float(f"{mean:.6g}")])
        self._plain["learning_rate"].append([step, float(f"{max(rates):.6g}")])
        self._loss.clear()

    def _is_due(self, step: int, state: TrainerState) -> bool:
        if self.judge is None:
            return False
        per_epoch = state.max_steps / max(1e-9, self.recipe.epochs)
        every = max(1, round(per_epoch / self.recipe.evaluations))
        return step == state.max_steps or (step % every == 0 and state.max_steps - step >= every // 2)

    def _judge(self, step: int, control: TrainerControl) -> None:
        assert self.judge is not None
        self._check_weights()
        with self.average.applied(self.net):
            self.net.eval()
            score = [self.judge(self.net)]
            self.net.train()
            broadcast_object_list(score)  # all processes must decide alike
            self._plain["dev"].append([step, float(f"{score[0]:.6g}")])
            best = self._plain["best"]
            if best is None or score[0] > best[1]:
                self._plain["best"], self._plain["worse"] = [step, score[0]], 0
                self.best = averaging.copied(self.net)
            else:
                self._plain["worse"] += 1
        if self.recipe.patience and self._plain["worse"] >= self.recipe.patience:
            control.should_training_stop = True

    def _tell(self, step: int, steps: int) -> None:
        now = time.monotonic()
        if now - self._told < 0.2 and step < steps:
            return
        self._told = now
        notes = [f"loss {self._plain['loss'][-1][1]:.3f}"] if self._plain["loss"] else []
        notes += [f"dev {self._plain['dev'][-1][1]:.3f}"] if self._plain["dev"] else []
        self.space.progress("training", step, steps, " · ".join(notes))

    def _check_weights(self) -> None:
        """Stop at weights that a step spoilt after its loss was still a number."""
        if not averaging.is_finite(self.net):
            raise fail("training", f"the weights are no numbers any longer after step {self.step}", GENTLER)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Put what is watched beside the checkpoint; the JSON, written last, marks it as whole and tells its hashes."""
        PartialState().wait_for_everyone()  # each process writes a share of the checkpoint
        if not PartialState().is_main_process:
            return
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        for name, weights in (("average", self.average.mean), ("best", self.best)):
            if weights:
                averaging.write(folder / f"{name}.safetensors", weights)
        plain = self._plain | {"averaged": self.average.count, "open": self._loss, "step": self.step}
        plain |= {"over": control.should_training_stop and not self.stopped, "hashes": _hashes(folder)}
        write_json(folder / _STATE, plain)

    @staticmethod
    def is_whole(checkpoint: Path) -> bool:
        """Say whether a checkpoint was written to its end, and nothing of it was lost or changed since."""
        try:
            hashes = read_json(checkpoint / _STATE)["hashes"]
            return bool(_hashes(checkpoint).items() >= hashes.items())
        except (StancekitError, KeyError, TypeError, AttributeError):
            return False

    def restore(self, checkpoint: Path) -> None:
        """Go on as at a checkpoint."""
        plain = read_json(checkpoint / _STATE)
        self.over, self.step = plain.pop("over"), plain.pop("step")
        del plain["hashes"]
        self.average.count, self._loss = plain.pop("averaged"), plain.pop("open")
        self._plain = plain
        if self.average.count:
            own = averaging.read(checkpoint / "average.safetensors")
            self.average.mean = {n: own[n].to(value.device) for n, value in averaging.trainable(self.net).items()}
        if plain["best"] is not None:
            self.best = averaging.read(checkpoint / "best.safetensors")

    def finish(self) -> None:
        """Give the network the weights that dev liked best (without dev: the averaged ones), and leave the curve."""
        if self.best:
            averaging.put(self.net, self.best)
        else:
            self._check_weights()
            if self.average.count:
                averaging.put(self.net, self.average.mean)
        best = self._plain["best"]
        curve = {key: self._plain[key] for key in ("loss", "learning_rate", "dev")}
        self.space.curve.update(curve, metric=self.space.metric, best_step=best[0] if best else None, steps=self.step)


def _hashes(folder: Path) -> dict[str, str]:
    return {p.name: file_hash(p) for p in sorted(folder.iterdir()) if p.is_file()}
