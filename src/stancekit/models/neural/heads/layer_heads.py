"""The layers that stancekit knows, each with its head: attributions, devices, and labels toward targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from stancekit import codebook, tasks
from stancekit.models.neural.encoders.states import Floats, Laid
from stancekit.models.neural.heads import attribution_heads, device_rows, relation_rows, stance_rows
from stancekit.models.neural.heads.attribution_heads import AttributionHeads
from stancekit.models.neural.heads.chain_layer import ChainLayer
from stancekit.models.neural.heads.device_heads import DeviceTagger
from stancekit.models.neural.heads.device_rows import DeviceRows
from stancekit.models.neural.heads.layer import Answers, Layer, Rows, TaggedLayer
from stancekit.models.neural.heads.own_layers import LabelLayer, SpanLayer
from stancekit.models.neural.heads.relation_rows import RelationRows
from stancekit.models.neural.heads.target_heads import TargetHead
from stancekit.models.relation_tags import flat_tags
from stancekit.schema import Attribution, Device, Example, Layers, Stance
from stancekit.tasks import Task
from stancekit.text import tags
from stancekit.text.tags import Tagged


class AttributionLayer(TaggedLayer):
    """Attribution relations by a finder and a reader."""

    fields = attribution_heads.FIELDS
    head: AttributionHeads

    @property
    def chain(self) -> ChainLayer:
        """The chain over the finder's tags."""
        return self.head.finder_chain

    def tagged(self, one: Laid, gold: Layers) -> Tagged | None:
        """Return the finder's tags: cues, and as hints sources and contents (the reader holds the relations whole)."""
        return None if gold.attributions is None else Tagged([flat_tags(one.toks, _attributions(gold))])

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

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the relations of every sentence, outermost first."""
        return [
            self.relations.answer(self.head, one, row, own, relation_rows.read_plain(one, own, row))
            for one, own, row in zip(laid, words, self.found(words), strict=True)
        ]

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with these attributions."""
        return replace(whole, attributions=tuple(items))

    def dump(self) -> dict[str, Any]:
        """Return the attributes' labels, the relations' shapes and the finder's readiness."""
        return {**super().dump(), **self.relations.dump(), "readiness": self.readiness}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.relations, self.readiness = RelationRows.restore(plain), plain["readiness"]


class DeviceLayer(TaggedLayer):
    """Framing devices, found by tags, each with frame, target and denial."""

    fields = device_rows.FIELDS
    head: DeviceTagger

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

    def tagged(self, one: Laid, gold: Layers) -> Tagged | None:
        """Return the tags of devices."""
        own = self._gold(gold)
        return None if own is None else tags.tag([("device", d.parts) for d in own], one.toks)

    def learn(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> None:
        """Learn the names of the actors that devices frame."""
        self.devices.learn(laid, [self._gold(g) or [] for g in gold])

    def rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> Rows:
        """Return the tags of words, and the devices' attributes."""
        found: Rows = [[{} for _ in one.rows] for one in laid]
        for at, (one, g, named) in enumerate(zip(laid, gold, self.devices.mentions(laid), strict=True)):
            own = self._gold(g) or []
            for k, numbers in enumerate(self.numbers(one, g)):
                found[at][k] = {"devices": numbers, **self.devices.fields(one, one.rows[k], own, named)}
        return found

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the devices of every sentence, in text order."""
        found: Answers = []
        mentions = self.devices.mentions(laid)
        for one, own, row, named in zip(laid, words, self.found(words), mentions, strict=True):
            devices = self.devices.complete(self.head.heads, one, own, [r[:2] for r in row], named)
            found.append([(device, r[3] * share) for r, (device, share) in zip(row, devices, strict=True)])
        return found

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with these devices."""
        return replace(whole, devices=tuple(items))

    def dump(self) -> dict[str, Any]:
        """Return the actors and the finder's readiness."""
        return {**super().dump(), "actors": self.devices.dump(), "readiness": self.readiness}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.devices.restore(plain["actors"])
        self.readiness = plain["readiness"]


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


_KINDS: dict[str, type[Layer]] = {
    "relations": AttributionLayer,
    "devices": DeviceLayer,
    "targeted": TargetLayer,
    "single": LabelLayer,
    "multi": LabelLayer,
    "spans": SpanLayer,
}


def layers_of(task: Task) -> list[Layer]:
    """Return the layers of a task: those it is over, or (`holder`) attributions and devices."""
    inner = task.inner
    if not inner:
        book = codebook.default()
        inner = (tasks.attribution(book), replace(tasks.devices(book), labels=task.labels))
    return [_KINDS[one.kind](one) for one in inner]


def _attributions(gold: Layers) -> list[Attribution]:
    return list(gold.attributions or ())
