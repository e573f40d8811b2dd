"""Fine-tuning an encoder to classify sentences: one label, several labels, or a label toward a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from stancekit.errors import Problems, fail
from stancekit.files import read_json, write_json
from stancekit.models import soft
from stancekit.models.base import Workspace
from stancekit.models.calibrate import Floats, Truth
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.encoders import net, pretrained, sights
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.encoders.net import Classifier
from stancekit.models.neural.encoders.sights import Sights
from stancekit.models.neural.heads import answers
from stancekit.models.neural.heads.answers import Answers
from stancekit.models.neural.learning import loop, losses
from stancekit.models.neural.learning import lora as adapters
from stancekit.models.neural.learning.adapt import adapted
from stancekit.models.neural.learning.loop import Job
from stancekit.models.neural.learning.recipe import CLASSIFYING, Recipe
from stancekit.models.neural.texts.batches import Batch, Row, padded
from stancekit.models.swap import with_swapped
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task

FILE = "stancekit.json"


class Transformer:
    """An encoder fine-tuned as a whole under a classifying head.

    `encoder` is `minilm`, a folder or a hub id. `pool` is what the head reads (`standard`: the architecture's own
    head, which transformers' `AutoModelForSequenceClassification` and pipelines load as it is); with `attend` it reads
    beside what the last pooled vector, the target's say, attends to in all that is read. `target` and `context` are
    those of `Sights`. Sentences longer than `max_length` pieces are read in overlapping windows
    whose probabilities are averaged. Before fine-tuning, `adapt` epochs of masked language modelling on train's texts
    can go (no label is looked at); `swap` adds copies of train in which targets change places. `loss` is
    cross_entropy, focal or (several labels) asymmetric; `class_weight` is null, `balanced` or a weight by label;
    `r_drop` weighs the disagreement of two readings under dropout; with `soft_labels` annotators' votes are learnt.
    `threshold` (several labels) is a number or `tuned` on dev. `lora` puts adapters on the encoder: {rank, alpha,
    dropout}. `training` is a `Recipe`.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "multi", "targeted"})

    def __init__(
        self,
        encoder: str = pretrained.BUNDLED,
        *,
        pool: str = "mean",
        attend: bool = False,
        target: str = "mark",
        context: int = 0,
        max_length: int = 256,
        adapt: float = 0.0,
        swap: bool = False,
        loss: str = "cross_entropy",
        class_weight: str | Mapping[str, float] | None = None,
        r_drop: float = 0.0,
        soft_labels: bool = False,
        threshold: str | float = "tuned",
        lora: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        seed: int = 13,
    ) -> None:
        problems = Problems()
        sights.check(target, pool, context, problems)
        kits.check_length(max_length, problems)
        losses.check(loss, class_weight, problems)
        answers.check(threshold, problems)
        for name, value in (("r_drop", r_drop), ("adapt", adapt)):
            if type(value) not in (int, float) or value < 0:
                problems.add(name, f"{value!r} is no such number", "a number is expected, 0 or more")
        if attend and pool == "standard":
            problems.add("attend", "the architecture's own head attends to nothing more", "give another `pool`")
        adapters.check(lora, problems)
        self.recipe = Recipe.parse(training, problems, **CLASSIFYING)
        problems.raise_any()
        self.encoder, self.max_length, self.seed = encoder, max_length, seed
        self.sight: dict[str, Any] = {"pool": pool, "target": target, "context": context}
        self.loss, self.class_weight, self.r_drop, self.soft_labels = loss, class_weight, r_drop, soft_labels
        self.adapt, self.swap, self.attend = adapt, swap, attend
        self.lora, self.threshold = lora, threshold

    def fit(self, train: Part, dev: Part, workspace: Workspace | None = None) -> None:
        """Fine-tune on train; best weights, early stopping and thresholds by dev."""
        if self.swap and train.task.kind == "targeted":
            train = with_swapped(train, self.seed)
        self.fit_shares(train, self.wanted(train), dev, workspace)

    def wanted(self, train: Part) -> Floats:
        """Return the share of each label that gold, or with `soft_labels` the votes, give each example, (n, labels)."""
        truth = _truth(train)
        return soft.shares(train, train.task.labels, truth) if self.soft_labels else truth.astype(np.float64)

    def fit_shares(self, train: Part, wanted: Floats, dev: Part, workspace: Workspace | None = None) -> None:
        """Fine-tune on shares of labels, (n, labels), in the place of gold: annotators' votes, a teacher's word."""
        self._check(train)
        self._prepare(pretrained.locate(self.encoder), train.task)
        space = workspace or Workspace()
        prefix = self._prefix()
        if self.adapt:
            texts = [e.sentence.text for e in train.examples]
            state = adapted(self.kit, texts, self.adapt, self.recipe, workspace, self.seed)
            getattr(self.net, prefix).load_state_dict(state, strict=False)
        adapters.add(self.net, prefix, self.lora)
        self._weight = losses.weights(self.class_weight, torch.from_numpy(_truth(train)), train.task.labels)
        rows = self._rows(train.examples, wanted)
        judge = self._judge(dev, space) if len(dev) else None
        job = Job(rows, self._collate(), self._loss, judge, pretrained=f"{prefix}.")
        loop.train(self.net, job, self.recipe, workspace, self.seed)
        adapters.merge(self.net, prefix, self.lora)
        if len(dev):
            self.answers.tune(self._probabilities(dev.examples), _truth(dev))

    def _check(self, train: Part) -> None:
        if not len(train):
            raise fail("train", "there is no example to learn from", "give more data, or another split")
        problems = Problems()
        task = train.task
        losses.check(self.loss, self.class_weight, problems, multi=task.kind == "multi", labels=task.labels)
        problems.raise_any()

    def _prepare(self, folder: Path, task: Task, *, new: bool = True) -> None:
        self.task = task
        self.kit = Kit(folder, self.max_length, self.recipe.device)
        self.sights = Sights(self.kit.cutter, **self.sight)
        self.answers = Answers(task.labels, task.kind == "multi", self.threshold)
        torch.manual_seed(self.seed)  # the head's first weights
        if self.sight["pool"] == "standard":
            self.net = self._standard(folder, task) if new else _standard(folder)
        else:
            encoder = net.encoder_of(folder)
            self.net = Classifier(encoder, self.sights.pools, len(task.labels), attend=self.attend)

    def _standard(self, folder: Path, task: Task) -> Any:
        kind = "multi_label_classification" if task.kind == "multi" else "single_label_classification"
        names = dict(enumerate(task.labels))
        config = pretrained.configuration(folder, id2label=names, label2id={n: k for k, n in names.items()})
        config.problem_type = kind
        return pretrained.load(AutoModelForSequenceClassification, folder, config=config, ignore_mismatched_sizes=True)

    def _prefix(self) -> str:
        return "encoder" if isinstance(self.net, Classifier) else str(self.net.base_model_prefix)

    def _encoder(self) -> Any:
        return self.net.encoder if isinstance(self.net, Classifier) else self.net

    def _collate(self) -> Any:
        return self.kit.collate(net.uses_types(self._encoder()), _fill)

    def _rows(self, examples: Sequence[Example], wanted: Floats) -> list[Row]:
        found: list[Row] = []
        for windows, shares in zip(self.sights.rows(examples), wanted.astype(np.float32), strict=True):
            found += [{**row, "wanted": shares} for row in windows]
        return found

    def _loss(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        wanted = batch.pop("wanted")
        if self.r_drop:
            batch = {name: torch.cat([value, value]) for name, value in batch.items()}
        logits = model(**batch)["logits"]
        several = self.task.kind == "multi"
        measure = losses.several if several else losses.exclusive
        halves = list(logits.chunk(2)) if self.r_drop else [logits]
        found = sum((measure(self.loss, half, wanted, self._weight) for half in halves), torch.zeros(()))
        if self.r_drop:
            found = found / 2 + self.r_drop * losses.disagreement(halves[0], halves[1], several)
        return found

    def _judge(self, dev: Part, space: Workspace) -> Any:
        rows = self.sights.rows(dev.examples)

        def judge(_: nn.Module) -> float:
            found = self._probabilities(dev.examples, rows)
            self.answers.tune(found, _truth(dev))
            return space.score(dev, self.answers.predictions(dev.examples, found))

        return judge

    def _probabilities(self, examples: Sequence[Example], rows: Sequence[Sequence[Row]] | None = None) -> Floats:
        """Return the probability of each label, (n, labels), averaged over an example's windows."""
        own = rows if rows is not None else self.sights.rows(examples)
        flat = [row for windows in own for row in windows]
        each = np.zeros((len(flat), len(self.task.labels)))
        for numbers, found in kits.outputs(self.net, flat, self._collate()):
            logits = found["logits"].double()
            shares = torch.sigmoid(logits) if self.task.kind == "multi" else torch.softmax(logits, dim=-1)
            each[numbers] = shares.cpu().numpy()
        owners = np.repeat(np.arange(len(own)), [len(windows) for windows in own])
        total = np.zeros((len(own), len(self.task.labels)))
        np.add.at(total, owners, each)
        return total / np.bincount(owners, minlength=len(own))[:, None]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with a label (or labels) and the probability of each."""
        if not examples:
            return []
        return self.answers.predictions(examples, self._probabilities(examples))

    def save(self, folder: Path) -> None:
        """Write a plain Hugging Face folder and `stancekit.json` (labels, thresholds)."""
        if isinstance(self.net, Classifier):
            self.net.save(folder)
        else:
            net.save_encoder(self.net, folder)
        self.kit.save(folder)
        write_json(folder / FILE, self.answers.dump())

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the task must have the labels that were learnt."""
        plain = read_json(folder / FILE)
        if tuple(plain["labels"]) != task.labels:
            raise fail(folder, f"the model knows the labels {plain['labels']}, not the task's", "train the run again")
        self._prepare(folder, task, new=False)
        if isinstance(self.net, Classifier):
            self.net.restore(folder)
        self.answers.restore(plain)
        self.net.eval()


def _standard(folder: Path) -> Any:
    return pretrained.load(AutoModelForSequenceClassification, folder)


def _fill(rows: Sequence[Row], longest: int) -> Batch:
    found: Batch = {}
    if "pools" in rows[0]:
        found["pools"] = padded([row["pools"] for row in rows], longest, 0.0)
    if "wanted" in rows[0]:
        found["wanted"] = torch.from_numpy(np.stack([row["wanted"] for row in rows]))
    return found


def _truth(part: Part) -> Truth:
    """Return which label each example has, (n, labels)."""
    sets = [a if isinstance(a, frozenset) else frozenset([a]) for a in part.gold]
    return np.array([[label in own for label in part.task.labels] for own in sets], np.bool_)
