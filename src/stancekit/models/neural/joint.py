"""One encoder for all layers: attributions, devices and stances in one pass, learnt where a sentence has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from stancekit.errors import Problems, fail
from stancekit.files import read_json, write_json
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.encoders import net, pretrained, states
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.encoders.states import Floats, Laid
from stancekit.models.neural.heads.heads_net import HeadsNet
from stancekit.models.neural.heads.layer import Layer
from stancekit.models.neural.heads.layer_heads import layers_of
from stancekit.models.neural.learning import loop
from stancekit.models.neural.learning import lora as adapters
from stancekit.models.neural.learning.loop import Job
from stancekit.models.neural.learning.recipe import TAGGING, Recipe
from stancekit.models.neural.texts import ragged
from stancekit.models.neural.texts.batches import Batch, Collate, Row
from stancekit.schema import Example, Layers, Prediction
from stancekit.tasks import Part, Task

FILE = "stancekit.json"


class Joint:
    """An encoder shared by a head for each layer of the task, fine-tuned together.

    A sentence teaches the heads whose layer it has; a layer that all of train lacks is not answered. Attributions: a
    finder tags cues, and a reader the parts of each cue's relation, from the vectors of the same pass. Devices: found
    by tags, then frame and target, and denial by the words before. Stances: the mention's vector beside the sentence's.
    Each label set of its own has a head of its own: toward targets, of the whole sentence, or of spans. `weights`
    multiplies the loss of a layer by its task's name. `context`, `max_length`, `lora` and `training` are those of
    `transformer`.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"layers"})

    def __init__(
        self,
        encoder: str = pretrained.BUNDLED,
        *,
        context: int = 0,
        max_length: int = 256,
        weights: Mapping[str, float] | None = None,
        lora: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        seed: int = 13,
    ) -> None:
        problems = Problems()
        kits.check_length(max_length, problems)
        kits.check_context(context, problems)
        adapters.check(lora, problems)
        self.recipe = Recipe.parse(training, problems, **TAGGING)
        problems.raise_any()
        self.encoder, self.context, self.max_length = encoder, context, max_length
        self.weights, self.lora, self.seed = dict(weights or {}), lora, seed
        self.lost: Counter[str] = Counter()

    def fit(self, train: Part, dev: Part, workspace: Workspace | None = None) -> None:
        """Fine-tune on train; best weights and early stopping by dev."""
        if not len(train):
            raise fail("train", "there is no example to learn from", "give more data, or another split")
        layers = layers_of(train.task)
        self._check_weights(layers)
        gold = [answer for answer in train.gold if isinstance(answer, Layers)]
        taught = [layer for layer in layers if layer.is_taught(gold)]
        if not taught:
            raise fail("train", "no layer has anything to learn from", "give more data, or another split")
        self._prepare(pretrained.locate(self.encoder), taught, lambda layer: layer.learn_labels(gold))
        laid = self._lay(train.examples)
        for layer in self.layers:
            layer.learn(laid, gold)
        adapters.add(self.net, "encoder", self.lora)
        rows = self._rows(laid, gold)
        self.lost = sum((layer.lost for layer in self.layers), Counter())
        space = workspace or Workspace()
        judge = self._judge(dev, space) if len(dev) else None
        loop.train(self.net, Job(rows, self._collate(), _loss, judge), self.recipe, workspace, self.seed)
        adapters.merge(self.net, "encoder", self.lora)
        if len(dev):
            self._tune(dev)

    def _check_weights(self, layers: Sequence[Layer]) -> None:
        problems = Problems()
        for name in self.weights.keys() - {layer.name for layer in layers}:
            known = ", ".join(layer.name for layer in layers)
            problems.add("weights", f"there is no layer {name!r}", f"expected one of: {known}")
        problems.raise_any()

    def _prepare(self, folder: Path, layers: Sequence[Layer], make: Any) -> None:
        self.kit = Kit(folder, self.max_length, self.recipe.device)
        encoder = net.encoder_of(folder)
        torch.manual_seed(self.seed)  # the heads' first weights
        self.layers = list(layers)
        for layer in self.layers:
            make(layer)
        heads = {layer.key: layer.build(int(encoder.config.hidden_size)) for layer in self.layers}
        self.net = HeadsNet(encoder, heads, {layer.key: self.weights.get(layer.name, 1.0) for layer in self.layers})

    def _lay(self, examples: Sequence[Example]) -> list[Laid]:
        return states.lay(self.kit.cutter, [e.sentence for e in examples], self.context)

    def _collate(self) -> Collate:
        fields = {"firsts": (0, -1)} | {k: v for layer in self.layers for k, v in layer.fields.items()}
        return self.kit.collate(net.uses_types(self.net.encoder), lambda rows, _: ragged.fill(rows, fields))

    def _rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> list[Row]:
        extra = [layer.rows(laid, gold) for layer in self.layers]
        found: list[Row] = []
        for at, one in enumerate(laid):
            for k, row in enumerate(one.rows):
                fields = {name: value for own in extra for name, value in own[at][k].items()}
                if fields:
                    found.append({**row.fields(), **fields})
        return found

    def _judge(self, dev: Part, space: Workspace) -> Any:
        laid = self._lay(dev.examples)

        def judge(_: nn.Module) -> float:
            return space.score(dev, self._predict(dev.examples, laid))

        return judge

    def _tune(self, dev: Part) -> None:
        laid = self._lay(dev.examples)
        words = [s["words"] for s in states.run(self.net, laid, self._collate())]
        gold = [answer for answer in dev.gold if isinstance(answer, Layers)]
        for layer in self.layers:
            layer.tune(laid, words, gold)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with its layers; the confidences stand in the order of the task's layers."""
        return self._predict(examples, self._lay(examples)) if examples else []

    def _predict(self, examples: Sequence[Example], laid: Sequence[Laid]) -> list[Prediction]:
        words: list[Floats] = [s["words"] for s in states.run(self.net, laid, self._collate())]
        self.net.layers.eval()
        answers = [layer.answers(examples, laid, words) for layer in self.layers]
        found = []
        for at, example in enumerate(examples):
            whole, sure = Layers(text=example.sentence.text), []
            for layer, own in zip(self.layers, answers, strict=True):
                if layer.is_asked(example):
                    whole = layer.put(whole, [item for item, _ in own[at]])
                sure += [round(share, 4) for _, share in own[at]]
            found.append(Prediction(id=example.id, answer=whole, probabilities=tuple(sure)))
        return found

    def save(self, folder: Path) -> None:
        """Write the encoder as a plain Hugging Face folder, `heads.safetensors`, and `stancekit.json`."""
        self.net.save(folder)
        self.kit.save(folder)
        write_json(folder / FILE, {"layers": {layer.name: layer.dump() for layer in self.layers}})

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the task must have the layers and labels that were learnt."""
        plain = read_json(folder / FILE)["layers"]
        layers = [layer for layer in layers_of(task) if layer.name in plain]
        if {layer.name: list(layer.labels) for layer in layers} != {n: own["labels"] for n, own in plain.items()}:
            raise fail(folder, "the model knows other layers or labels than the task", "train the run again")
        self._prepare(folder, layers, lambda layer: layer.restore(plain[layer.name]))
        self.net.restore(folder)
        self.net.eval()


def _loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    found: torch.Tensor = model(**batch)["loss"]
    return found
