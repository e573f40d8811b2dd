"""The layers of a task, each with its head: rows to learn from, answers out of word vectors, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from stancekit import codebook, tasks
from stancekit.models import tuning
from stancekit.models.neural import attribution_heads, device_rows, relation_rows, stance_rows
from stancekit.models.neural.attribution_heads import AttributionHeads
from stancekit.models.neural.device_heads import DeviceTagger
from stancekit.models.neural.device_rows import DeviceRows
from stancekit.models.neural.relation_rows import RelationRows
from stancekit.models.neural.states import Floats, Laid, tensor
from stancekit.models.neural.target_heads import TargetHead
from stancekit.models.relation_tags import flat_tags
from stancekit.schema import Attribution, Device, Example, Layers, Stance
from stancekit.tasks import Task
from stancekit.text import tags

Rows = list[list[dict[str, Any]]]
"""The fields of each row (window) of each sentence; none where the sentence lacks the layer."""

Answers = list[list[tuple[Any, float]]]
"""The items of each sentence, each with its confidence."""


class Layer:
    """One layer: `name` is its task's, `key` its head's, `labels` what the task declares."""

    fields: Mapping[str, tuple[int, int]]
    head: nn.Module

    def __init__(self, task: Task) -> None:
        self.task, self.name, self.labels = task, task.name, task.labels
        self.key = f"on_{task.name.replace('.', '_')}"  # torch has attributes of its own that a label set may be named

    def is_taught(self, gold: Sequence[Layers]) -> bool:
        """Say whether some sentence of train has the layer; an answer of a head that learnt nothing is none."""
        return any(self.task.view(g) is not None for g in gold)

    def learn_labels(self, gold: Sequence[Layers]) -> None:
        """Learn what the head must know before it is built."""

    def learn(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> None:
        """Learn what is kept beside the head."""

    def build(self, width: int) -> nn.Module:
        """Return the head, new."""
        raise NotImplementedError

    def rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> Rows:
        """Return the fields of every row."""
        raise NotImplementedError

    def tune(self, laid: Sequence[Laid], words: Sequence[Floats], gold: Sequence[Layers]) -> None:
        """Choose on dev how readily a word is tagged."""

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the layer's items of every sentence."""
        raise NotImplementedError

    def is_asked(self, example: Example) -> bool:
        """Say whether the layer is asked for: one that is not stays absent, which is not the same as empty."""
        return True

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with this one's items."""
        raise NotImplementedError

    def dump(self) -> dict[str, Any]:
        """Return what is kept beside the head as JSON."""
        return {"labels": list(self.labels)}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""


class AttributionLayer(Layer):
    """Attribution relations by a finder and a reader."""

    fields = attribution_heads.FIELDS
    head: AttributionHeads
    bias = 0.0

    def learn_labels(self, gold: Sequence[Layers]) -> None:
        """Learn which source types and cue stances occur."""
        self.relations = RelationRows.of([_attributions(g) for g in gold])

    def build(self, width: int) -> nn.Module:
        """Return the head, new."""
        self.head = AttributionHeads(width, self.relations.attributes)
        return self.head

    def rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> Rows:
        """Return the finder's and the reader's fields."""
        return [[self._row(one, row, g) for row in one.rows] for one, g in zip(laid, gold, strict=True)]

    def _row(self, one: Laid, row: Any, gold: Layers) -> dict[str, Any]:
        if gold.attributions is None:
            return {}
        own = _attributions(gold)
        found: dict[str, Any] = self.relations.finder_fields(self.head, one, row, own)
        return {**found, **self.relations.reader_fields(self.head, one, row, own)}

    def _found(self, words: Sequence[Floats]) -> list[Any]:
        with torch.inference_mode():
            return [self.head.find(tensor(w))[0].double().numpy() for w in words]

    def tune(self, laid: Sequence[Laid], words: Sequence[Floats], gold: Sequence[Layers]) -> None:
        """Choose on dev how readily the finder tags."""
        own = [k for k, g in enumerate(gold) if g.attributions is not None]
        if own:
            wanted = [tags.ranges(flat_tags(laid[k].toks, _attributions(gold[k]))) for k in own]
            self.bias = tuning.best_bias(self.head.finder_chain, self._found([words[k] for k in own]), wanted)

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the relations of every sentence, outermost first."""
        chain = self.head.finder_chain
        flat = chain.spans(tuning.shifted(self._found(words), chain, self.bias))
        return [
            self.relations.answer(self.head, one, row, own, relation_rows.read_plain(one, own, row))
            for one, own, row in zip(laid, words, flat, strict=True)
        ]

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with these attributions."""
        return replace(whole, attributions=tuple(items))

    def dump(self) -> dict[str, Any]:
        """Return the attributes' labels and the finder's bias."""
        return {**super().dump(), "attributes": self.relations.dump(), "bias": self.bias}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.relations, self.bias = RelationRows(plain["attributes"]), plain["bias"]


class DeviceLayer(Layer):
    """Framing devices, found by tags, each with frame, target and denial."""

    fields = device_rows.FIELDS
    head: DeviceTagger
    bias = 0.0

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.devices = DeviceRows(task.labels)

    def build(self, width: int) -> nn.Module:
        """Return the head, new."""
        self.head = DeviceTagger(width, len(self.labels))
        return self.head

    def _gold(self, gold: Layers) -> list[Device] | None:
        answer = self.task.view(gold)
        return [d for d in answer if isinstance(d, Device)] if isinstance(answer, tuple) else None

    def learn(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> None:
        """Learn the names of the actors that devices frame."""
        self.devices.learn(laid, [self._gold(g) or [] for g in gold])

    def rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> Rows:
        """Return the tags of words, and the devices' attributes."""
        number = {name: k for k, name in enumerate(self.head.labels)}
        found: Rows = []
        for one, g, named in zip(laid, gold, self.devices.mentions(laid), strict=True):
            own = self._gold(g)
            if own is None:
                found.append([{} for _ in one.rows])
                continue
            spelt = _device_tags(one, own)
            found.append(
                [
                    {"devices": [number[tag] for tag in row.tags(spelt)], **self.devices.fields(one, row, own, named)}
                    for row in one.rows
                ]
            )
        return found

    def _found(self, words: Sequence[Floats]) -> list[Any]:
        with torch.inference_mode():
            return [self.head.find(tensor(w))[0].double().numpy() for w in words]

    def tune(self, laid: Sequence[Laid], words: Sequence[Floats], gold: Sequence[Layers]) -> None:
        """Choose on dev how readily a device is found."""
        own = [(k, devices) for k, g in enumerate(gold) if (devices := self._gold(g)) is not None]
        if own:
            wanted = [tags.ranges(_device_tags(laid[k], devices)) for k, devices in own]
            self.bias = tuning.best_bias(self.head.chain, self._found([words[k] for k, _ in own]), wanted)

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the devices of every sentence, in text order."""
        flat = self.head.chain.spans(tuning.shifted(self._found(words), self.head.chain, self.bias))
        found: Answers = []
        for one, own, row, named in zip(laid, words, flat, self.devices.mentions(laid), strict=True):
            devices = self.devices.complete(self.head.heads, one, own, [r[:2] for r in row], named)
            found.append([(device, r[3] * share) for r, (device, share) in zip(row, devices, strict=True)])
        return found

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with these devices."""
        return replace(whole, devices=tuple(items))

    def dump(self) -> dict[str, Any]:
        """Return the actors and the finder's bias."""
        return {**super().dump(), "actors": self.devices.dump(), "bias": self.bias}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.devices.restore(plain["actors"])
        self.bias = plain["bias"]


class TargetLayer(Layer):
    """Labels toward targets: the stance layer, or a label set of another data set under its own name."""

    head: TargetHead

    def build(self, width: int) -> nn.Module:
        """Return the head, new."""
        self.head = TargetHead(self.key, width, len(self.labels))
        return self.head

    def is_taught(self, gold: Sequence[Layers]) -> bool:
        """Say whether train has a target to learn from."""
        return any(self.task.view(g) for g in gold)

    @property
    def fields(self) -> Mapping[str, tuple[int, int]]:  # type: ignore[override]
        """Columns and filling of the fields."""
        return self.head.fields

    def rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> Rows:
        """Return where targets stand and their labels."""
        found: Rows = []
        for one, g in zip(laid, gold, strict=True):
            answer = self.task.view(g)
            own = [s for s in answer if isinstance(s, Stance)] if isinstance(answer, tuple) else None
            rows = [{} if own is None else self._row(one, row, own) for row in one.rows]
            found.append(rows)
        return found

    def _row(self, one: Laid, row: Any, stances: Sequence[Stance]) -> dict[str, Any]:
        return stance_rows.fields(self.key, self.labels, one, row, stances)

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the stance toward each target that is asked for."""
        return [
            stance_rows.answer(self.head, self.labels, one, own, tasks.targets_of(e, self.name))
            for e, one, own in zip(examples, laid, words, strict=True)
        ]

    def is_asked(self, example: Example) -> bool:
        """Say whether there are targets, or the sentence was looked through for them."""
        return bool(tasks.targets_of(example, self.name)) or self.task.view(example.sentence.gold) is not None

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with these stances."""
        if self.task.needs == ("stances",):
            return replace(whole, stances=tuple(items))
        return replace(whole, labels={**whole.labels, self.name: tuple(items)})


_KINDS: dict[str, type[Layer]] = {"relations": AttributionLayer, "devices": DeviceLayer, "targeted": TargetLayer}


def layers_of(task: Task) -> list[Layer]:
    """Return the layers of a task: those it is over, or (`holder`) attributions and devices."""
    inner = task.inner
    if not inner:
        book = codebook.default()
        inner = (tasks.attribution(book), replace(tasks.devices(book), labels=task.labels))
    return [_KINDS[one.kind](one) for one in inner]


def _attributions(gold: Layers) -> list[Attribution]:
    return list(gold.attributions or ())


def _device_tags(one: Laid, devices: Sequence[Device]) -> list[str]:
    return tags.tag([("device", d.parts) for d in devices], one.toks).layers[0]
