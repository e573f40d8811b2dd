"""Learning from few examples: an encoder tuned so that examples of one label lie together, then a linear decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from stancekit.errors import Problems, fail
from stancekit.files import read_json, write_json
from stancekit.models import head as heads
from stancekit.models import tensors
from stancekit.models.base import Workspace
from stancekit.models.calibrate import Floats
from stancekit.models.decision import Plan
from stancekit.models.head import Head
from stancekit.models.neural.encoders import embedder, net, pretrained, sights
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.encoders.embedder import Embedder
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.encoders.sights import Sights
from stancekit.models.neural.learning import contrast, loop
from stancekit.models.neural.learning.loop import Job
from stancekit.models.neural.learning.recipe import Recipe
from stancekit.models.neural.texts.batches import Batch, Row
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task

FILE = "stancekit.json"
Windows = Mapping[str, Sequence[Sequence[Row]]]
"""The rows of the windows of each example of train and dev."""


class FewShot:
    """A sentence encoder tuned by contrast, then logistic regression on its vectors (after SetFit).

    SetFit (Tunstall et al. 2022) draws pairs and pulls their cosine to 0 or 1; here all pairs of a batch count (the
    loss of Khosla et al. 2020), so that far fewer readings do, and no list of pairs is made. An epoch reads every
    example `readings` times on the average, rare labels more often; examples of several labels are alike by the
    overlap of their sets. `encoder` is `minilm`, a folder or a hub id, pooled as its folder tells
    sentence-transformers, else by the mean. `target` and `context` are those of `Sights`; a text longer than
    `max_length` pieces has the mean of its windows' vectors. `C`, `class_weight` and `threshold` are those of
    `Linear`; thresholds (several labels) are worth most with a dev, as the encoder knows all of train. `training` is
    a `Recipe` with an even `batch_size`.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "multi", "targeted"})

    def __init__(
        self,
        encoder: str = pretrained.BUNDLED,
        *,
        readings: int = 20,
        target: str = "mark",
        context: int = 0,
        max_length: int = 256,
        C: float = 1.0,
        class_weight: str | Mapping[str, float] | None = "balanced",
        threshold: str | float = "tuned",
        training: Mapping[str, Any] | None = None,
        seed: int = 13,
    ) -> None:
        problems = Problems()
        sights.check(target, "standard", context, problems)
        kits.check_length(max_length, problems)
        heads.check(C, class_weight, threshold, problems)
        self.recipe = Recipe.parse(training, problems, epochs=1.0, batch_size=32, learning_rate=5e-5)
        _check(readings, self.recipe, problems)
        problems.raise_any()
        self.encoder, self.readings, self.max_length, self.seed = encoder, readings, max_length, seed
        self.sight: dict[str, Any] = {"pool": "standard", "target": target, "context": context}
        self.decision: dict[str, Any] = {"c": float(C), "class_weight": class_weight, "threshold": threshold}

    def fit(self, train: Part, dev: Part, workspace: Workspace | None = None) -> None:
        """Tune the encoder on train, then learn the decision; best weights and thresholds by dev."""
        classes, always = heads.taught(train)
        self._prepare(pretrained.locate(self.encoder), train.task, classes, always)
        rows: Windows = {"train": self.sights.rows(train.examples), "dev": self.sights.rows(dev.examples)}
        loop.train(self.net, self._job(train, dev, rows, workspace or Workspace()), self.recipe, workspace, self.seed)
        self._learn(train, dev, rows)

    def _prepare(self, folder: Path, task: Task, classes: Sequence[str], always: Sequence[str]) -> None:
        self.kit = Kit(folder, self.max_length, self.recipe.device)
        self.sights = Sights(self.kit.cutter, **self.sight)
        self.net = Embedder(net.encoder_of(folder), embedder.pooling_of(folder))
        plan = Plan("logreg", **self.decision, calibrate=False, multi=task.kind == "multi", seed=self.seed)
        self.head = Head(task, plan, classes, always)

    def _job(self, train: Part, dev: Part, rows: Windows, space: Workspace) -> Job:
        truth = self.head.truth(train)
        own = [(row, k) for k, windows in enumerate(rows["train"]) for row in windows]
        wanted = truth.astype(np.float32)
        flat = [{**row, "wanted": wanted[k]} for row, k in own]
        groups = contrast.groups_of(truth[[k for _, k in own]], train.task.kind == "multi")
        order = contrast.Mixed(groups, len(flat), self.recipe.batch_size, self.readings, self.seed)
        judge = self._judge(train, dev, rows, space) if len(dev) else None
        return Job(flat, self._collate(), _loss, judge, order=order)

    def _judge(self, train: Part, dev: Part, rows: Windows, space: Workspace) -> Callable[[nn.Module], float]:
        def judge(_: nn.Module) -> float:
            self._learn(train, dev, rows)
            return space.score(dev, self._predictions(dev.examples, rows["dev"]))

        return judge

    def _learn(self, train: Part, dev: Part, rows: Windows) -> None:
        held = (self.vectors(rows["dev"]), self.head.truth(dev)) if len(dev) and self.head.holds_out else None
        self.head.fit(train, self.vectors(rows["train"]), held)

    def _collate(self) -> Any:
        return self.kit.collate(net.uses_types(self.net.encoder), _fill)

    def vectors(self, rows: Sequence[Sequence[Row]]) -> Floats:
        """Return a vector of length one for each example from the rows of its windows, (n, width)."""
        flat = [row for windows in rows for row in windows]
        each = np.zeros((len(flat), self.net.width))
        for numbers, found in kits.outputs(self.net, flat, self._collate()):
            each[numbers] = found.double().cpu().numpy()
        total = np.add.reduceat(each, np.cumsum([0, *(len(windows) for windows in rows[:-1])]))
        return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True))

    def _predictions(self, examples: Sequence[Example], rows: Sequence[Sequence[Row]]) -> list[Prediction]:
        return self.head.predictions(examples, self.head.decision.weights.scores(self.vectors(rows)))

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with a label (or labels) and the probability of each."""
        return self._predictions(examples, self.sights.rows(examples)) if examples else []

    def save(self, folder: Path) -> None:
        """Write a folder of sentence-transformers, `heads.safetensors` (the decision) and `stancekit.json` (labels)."""
        self.net.save(folder)
        self.kit.save(folder)
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": self.max_length, "do_lower_case": False})
        tensors.write(folder / net.HEADS, self.head.arrays())
        write_json(folder / FILE, self.head.dump())

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the task must have the labels that were learnt."""
        plain = read_json(folder / FILE)
        if tuple(plain["labels"]) != task.labels:
            raise fail(folder, f"the model knows the labels {plain['labels']}, not the task's", "train the run again")
        self._prepare(folder, task, plain["classes"], plain["always"])
        self.head.decision.restore(tensors.read(folder / net.HEADS))
        self.net.eval()


def _check(readings: Any, recipe: Recipe, problems: Problems) -> None:
    if type(readings) is not int or readings < 1:
        problems.add("readings", f"{readings!r} is no number of readings", "1 or more is expected")
    if recipe.batch_size % 2:
        problems.add("training", f"batch_size is {recipe.batch_size}", "an even number is expected: rows go in pairs")


def _loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    wanted = batch.pop("wanted")
    return contrast.loss(model(**batch), wanted)


def _fill(rows: Sequence[Row], longest: int) -> Batch:
    return {"wanted": torch.from_numpy(np.stack([row["wanted"] for row in rows]))} if "wanted" in rows[0] else {}
