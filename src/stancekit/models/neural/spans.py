"""Fine-tuning an encoder to tag words: labelled spans, and framing devices with frame, target and denial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModelForTokenClassification

from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import read_json, write_json
from stancekit.models import tensors, tuning
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.encoders import net, pretrained, states
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.encoders.states import Floats, Laid, in_row
from stancekit.models.neural.heads import device_rows
from stancekit.models.neural.heads.chain_layer import ChainLayer, tag_names
from stancekit.models.neural.heads.device_heads import DeviceHeads
from stancekit.models.neural.heads.device_rows import DeviceRows
from stancekit.models.neural.heads.span_scorer import SpanScorer
from stancekit.models.neural.heads.tag_net import TagNet
from stancekit.models.neural.learning import loop
from stancekit.models.neural.learning import lora as adapters
from stancekit.models.neural.learning.loop import Job
from stancekit.models.neural.learning.recipe import TAGGING, Recipe
from stancekit.models.neural.texts import ragged
from stancekit.models.neural.texts.batches import Batch, Collate, Row
from stancekit.models.neural.texts.words import WordRow
from stancekit.models.relation_links import Found
from stancekit.schema import Answer, Device, Example, Prediction, Span
from stancekit.tasks import Part, Task
from stancekit.text import tags
from stancekit.text.tags import Item, Tagged
from stancekit.text.tokens import tokens

FILE = "stancekit.json"
DECODERS = ("crf", "valid", "scores")
LONGEST = 64
"""Words of the longest span that `scores` reads."""
_DEVICE = "device"
_LONG = f"longer than {LONGEST} words, left out"
_FIELDS = {"firsts": (0, -1), "tags": (0, -1), "scored": (3, -1), **device_rows.FIELDS}


class Spans:
    """An encoder fine-tuned to tag words with BIO; `lost` counts what the tags of train could not hold.

    `decoder`: `crf` learns which tag follows which, `valid` only forbids what spells no span (transformers'
    token-classification pipeline gives the same tags then, where they are valid), and `scores` judges every stretch of
    up to 64 words as a whole, so that spans of different labels may nest and overlap. Devices are found first, frame
    and target read from the vectors at them, and denial from the words before (`models.denial`). `context` sentences
    before and after are read too. Sentences longer than `max_length` pieces are read in overlapping windows and each
    word is taken from the window that shows most around it. `tune` chooses on dev how readily a span begins. `lora`
    and `training` are those of `transformer`.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"spans", "devices"})

    def __init__(
        self,
        encoder: str = pretrained.BUNDLED,
        *,
        decoder: str = "crf",
        context: int = 0,
        max_length: int = 256,
        tune: bool = True,
        lora: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        seed: int = 13,
    ) -> None:
        problems = Problems()
        if decoder not in DECODERS:
            problems.add("decoder", f"there is no decoder {decoder!r}", did_you_mean(decoder, DECODERS))
        kits.check_length(max_length, problems)
        kits.check_context(context, problems)
        adapters.check(lora, problems)
        self.recipe = Recipe.parse(training, problems, **TAGGING)
        problems.raise_any()
        self.encoder, self.decoder, self.context, self.max_length = encoder, decoder, context, max_length
        self.tune, self.lora, self.seed = tune, lora, seed
        self.readiness, self.longest = 0.0, 0
        self.lost: Counter[str] = Counter()

    def fit(self, train: Part, dev: Part, workspace: Workspace | None = None) -> None:
        """Fine-tune on train; best weights, early stopping and how readily spans begin by dev."""
        if not any(train.gold):
            raise fail("train", "there is no span to learn from", "give more data, or another split")
        if self.decoder == "scores":
            self.longest = min(LONGEST, _longest(train))
        self._prepare(pretrained.locate(self.encoder), train.task)
        laid = self._lay(train.examples)
        tagged = [self._tagged(one, answer) for one, answer in zip(laid, train.gold, strict=True)]
        self.lost = sum((t.lost for t in tagged), Counter())
        prefix = str(self.net.model.base_model_prefix)
        adapters.add(self.net.model, prefix, self.lora)
        rows = self._rows(laid, tagged, train.gold)
        space = workspace or Workspace()
        judge = self._judge(dev, space) if len(dev) else None
        job = Job(rows, self._collate(), _loss, judge, pretrained=f"model.{prefix}.")
        loop.train(self.net, job, self.recipe, workspace, self.seed)
        adapters.merge(self.net.model, prefix, self.lora)
        if len(dev):
            self._tune(self._lay(dev.examples), dev)

    def _prepare(self, folder: Path, task: Task, *, new: bool = True) -> None:
        self.task = task
        self.kit = Kit(folder, self.max_length, self.recipe.device)
        names = tag_names(_labels(task))
        torch.manual_seed(self.seed)  # the heads' first weights
        labels = {"id2label": dict(enumerate(names)), "label2id": {n: k for k, n in enumerate(names)}} if new else {}
        config = pretrained.configuration(folder, **labels)
        auto = AutoModelForTokenClassification
        model = pretrained.load(auto, folder, config=config, ignore_mismatched_sizes=new)
        self.devices, width = DeviceRows(task.labels), int(config.hidden_size)
        heads = DeviceHeads(width, len(task.labels)) if task.kind == "devices" else None
        scorer = SpanScorer(width, _labels(task), self.longest) if self.decoder == "scores" else None
        self.net = TagNet(model, ChainLayer(names, learn=self.decoder == "crf"), scorer, heads)

    def _lay(self, examples: Sequence[Example]) -> list[Laid]:
        return states.lay(self.kit.cutter, [e.sentence for e in examples], self.context)

    def _collate(self) -> Collate:
        return self.kit.collate(net.uses_types(self.net.model), lambda rows, _: ragged.fill(rows, _FIELDS))

    def _rows(self, laid: Sequence[Laid], tagged: Sequence[Tagged], gold: Sequence[Answer]) -> list[Row]:
        number = {name: k for k, name in enumerate(self.net.chain.labels)}
        devices = [_devices(answer) for answer in gold]
        if self.task.kind == "devices":
            self.devices.learn(laid, devices)
        mentions = self.devices.mentions(laid) if self.task.kind == "devices" else [[] for _ in laid]
        found: list[Row] = []
        for one, tags_, answer, own, named in zip(laid, tagged, gold, devices, mentions, strict=True):
            for row in one.rows:
                wanted = [number[tag] for tag in row.tags(tags_.layers[0])]
                extra = self.devices.fields(one, row, own, named) if self.task.kind == "devices" else {}
                if self.net.scorer is not None:
                    extra["scored"] = self._scored(row, _ranges(one.toks, answer))
                found.append({**row.fields(), "tags": wanted, **extra})
        return found

    def _scored(self, row: WordRow, spans: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, int]]:
        """Return the spans that stand whole in a row, with the numbers of their labels."""
        places = in_row(row, [s[:2] for s in spans])
        return [(*place, _labels(self.task).index(spans[k][2])) for k, place in places]

    def _tagged(self, one: Laid, answer: Answer) -> Tagged:
        """Return the tags of an answer, and what they cannot hold; spans that are scored may overlap."""
        items = _items(answer)
        if self.decoder != "scores":
            return tags.tag(items, one.toks)
        found = tags.tag(items, one.toks, layers=max(1, len(items)))
        found.lost[_LONG] += sum(b - a > self.longest for a, b, _ in _ranges(one.toks, answer))
        return replace(found, lost=+found.lost)

    def _judge(self, dev: Part, space: Workspace) -> Any:
        laid = self._lay(dev.examples)

        def judge(_: nn.Module) -> float:
            return space.score(dev, self._predict(dev.examples, laid))

        return judge

    def _tune(self, laid: Sequence[Laid], dev: Part) -> None:
        if not self.tune:
            return
        found, scorer, chain = states.run(self.net, laid, self._collate()), self.net.scorer, self.net.chain
        if scorer is not None:
            scores = scorer.scores([s["words"] for s in found])
            whole = [_ranges(one.toks, answer) for one, answer in zip(laid, dev.gold, strict=True)]
            self.readiness = tuning.best(lambda r: [[s[:3] for s in own] for own in scorer.spans(scores, r)], whole)
            return
        emissions = _emissions(found)
        gold = [tags.ranges(self._tagged(one, own).layers[0]) for one, own in zip(laid, dev.gold, strict=True)]
        if chain.learn or not self._is_standard():
            self.readiness = tuning.best_readiness(chain, emissions, gold)
        else:
            self._lean(tuning.best(lambda r: [tags.ranges(row) for row in chain.tag(self._leant(emissions, r))], gold))

    def _is_standard(self) -> bool:
        """Say whether the tags come from one linear layer, as in most token classifiers of transformers."""
        head = getattr(self.net.model, "classifier", None)
        return isinstance(head, nn.Linear) and head.bias is not None

    def _leant(self, emissions: Sequence[NDArray[np.float64]], readiness: float) -> list[NDArray[np.float64]]:
        more = readiness * np.array([tags.begins(tag) for tag in self.net.chain.labels])
        return [each + more for each in emissions]

    def _lean(self, readiness: float) -> None:
        """Begin spans so readily by the classifier's own bias, so that transformers gives the same tags."""
        begins = [k for k, tag in enumerate(self.net.chain.labels) if tags.begins(tag)]
        with torch.no_grad():
            self.net.model.classifier.bias[begins] += readiness

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with spans in text order and one confidence each.

        A confidence is the least probability, over the span's words, that the word bears the span's label (`scores`:
        the span's own probability); that of a device, times the probability of its frame.
        """
        return self._predict(examples, self._lay(examples)) if examples else []

    def _predict(self, examples: Sequence[Example], laid: Sequence[Laid]) -> list[Prediction]:
        found = states.run(self.net, laid, self._collate())
        spans = self._decoded(found)
        if self.net.devices is None:
            return [_spans(e, one, row) for e, one, row in zip(examples, laid, spans, strict=True)]
        mentions = self.devices.mentions(laid)
        heads = self.net.devices.eval()
        answers = []
        for example, one, state, row, named in zip(examples, laid, found, spans, mentions, strict=True):
            devices = self.devices.complete(heads, one, state["words"], [r[:2] for r in row], named)
            sure = tuple(round(r[3] * share, 4) for r, (_, share) in zip(row, devices, strict=True))
            answers.append(Prediction(id=example.id, answer=tuple(d for d, _ in devices), probabilities=sure))
        return answers

    def _decoded(self, found: Sequence[Mapping[str, Floats]]) -> list[list[Found]]:
        scorer, chain = self.net.scorer, self.net.chain
        if scorer is not None:
            return scorer.spans(scorer.scores([s["words"] for s in found]), self.readiness)
        return chain.spans(_emissions(found), self.readiness)

    def save(self, folder: Path) -> None:
        """Write a plain Hugging Face folder, `heads.safetensors`, and `stancekit.json` (labels, readiness, actors)."""
        net.save_encoder(self.net.model, folder)
        self.kit.save(folder)
        heads = {n: v.detach().cpu().numpy() for n, v in self.net.heads().items()}
        tensors.write(folder / net.HEADS, heads)
        plain = {"labels": self.task.labels, "readiness": self.readiness, "longest": self.longest, "lost": self.lost}
        write_json(folder / FILE, {**plain, "actors": self.devices.dump()})

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the task must have the labels that were learnt."""
        plain = read_json(folder / FILE)
        if tuple(plain["labels"]) != task.labels:
            raise fail(folder, f"the model knows the labels {plain['labels']}, not the task's", "train the run again")
        self.longest = plain["longest"]
        self._prepare(folder, task, new=False)
        net.restore_heads(self.net, self.net.heads(), folder)
        self.readiness, self.lost = plain["readiness"], Counter(plain["lost"])
        self.devices.restore(plain["actors"])
        self.net.eval()


def _loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    found: torch.Tensor = model(**batch)["loss"]
    return found


def _emissions(found: Sequence[Mapping[str, Floats]]) -> list[NDArray[np.float64]]:
    return [state["emissions"].astype(np.float64) for state in found]


def _devices(answer: Answer) -> list[Device]:
    return [item for item in answer if isinstance(item, Device)] if isinstance(answer, tuple) else []


def _labels(task: Task) -> Sequence[str]:
    return [_DEVICE] if task.kind == "devices" else task.labels


def _items(answer: Answer) -> list[Item]:
    items: list[Item] = [(_DEVICE, device.parts) for device in _devices(answer)]
    if isinstance(answer, tuple):
        items += [(item.label, (item,)) for item in answer if isinstance(item, Span)]
    return items


def _ranges(toks: Sequence[Span], answer: Answer) -> list[tuple[int, int, str]]:
    """Return the words of an answer's spans, parts apart: first, last + 1, label."""
    return [(a, b, label) for label, parts in _items(answer) for a, b in tags.token_ranges(parts, toks)]


def _longest(train: Part) -> int:
    """Return the number of words of the longest span."""
    answers = zip(train.examples, train.gold, strict=True)
    lengths = (b - a for e, answer in answers for a, b, _ in _ranges(tokens(e.sentence.text), answer))
    return max(lengths, default=1)


def _spans(example: Example, one: Laid, found: Sequence[Found]) -> Prediction:
    answer = tuple(Span(one.toks[a].start, one.toks[b - 1].end, label) for a, b, label, _ in found)
    return Prediction(id=example.id, answer=answer, probabilities=tuple(round(f[3], 4) for f in found))
