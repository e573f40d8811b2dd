"""Whose frame it is: holder accuracy on gold devices, holder F1 end to end, and the rules to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from stancekit.errors import fail
from stancekit.metrics.base import Counts
from stancekit.metrics.labels import f1, ratio
from stancekit.metrics.matching import match
from stancekit.metrics.spans import items
from stancekit.schema import Answer, Attribution, Device, Holder, Layers, characters, hull
from stancekit.tasks import Task
from stancekit.text import derive

Rule = Callable[[Layers], tuple[Holder, ...]]


def derived(layers: Layers) -> tuple[Holder, ...]:
    """Return the holders by the codebook's rule."""
    return derive.holders(layers) or ()


def always_author(layers: Layers) -> tuple[Holder, ...]:
    """Return the author for every device."""
    return tuple(Holder(kind="author") for _ in layers.devices or ())


def nearest_content(layers: Layers) -> tuple[Holder, ...]:
    """Return the source of the relation whose content is nearest in characters, wherever one is in the sentence."""
    return tuple(_nearest(d, layers.attributions or ()) for d in layers.devices or ())


def _nearest(device: Device, relations: Sequence[Attribution]) -> Holder:
    start, end = hull(device.parts)
    best: tuple[int, int] | None = None
    for index, relation in enumerate(relations):
        for part in relation.content:
            distance = max(part.start - end, start - part.end, 0)
            if best is None or distance < best[0]:
                best = distance, index
    if best is None:
        return Holder(kind="author")
    return Holder(kind="source", relation=best[1], source=relations[best[1]].source)


RULES: tuple[tuple[str, Rule], ...] = (
    ("", derived),
    ("always the author", always_author),
    ("nearest content", nearest_content),
)


def _whole(answer: Answer, text: str) -> Layers:
    """Return both layers of an answer; one that a prediction leaves out is empty."""
    if not isinstance(answer, Layers):
        what = f"holders need attributions and devices, not {type(answer).__name__}"
        raise fail("predictions", what, "predict whole layers, or score another task")
    return Layers(text=text, attributions=answer.attributions or (), devices=answer.devices or ())


def has_holders(gold: Answer) -> bool:
    """Say whether holders can be told: gold that lacks attributions or devices is not counted."""
    return not isinstance(gold, Layers) or (gold.attributions is not None and gold.devices is not None)


def same_holder(gold: Holder, given: Holder) -> bool:
    """Say whether kind agrees, and the sources overlap or are both missing."""
    if gold.kind != given.kind or bool(gold.source) != bool(given.source):
        return False
    return not gold.source or not characters(gold.source).isdisjoint(characters(given.source))


class HolderAccuracy:
    """The share of gold devices whose holder is right when the relations are predicted; labels name other rules.

    The row `holder_accuracy_not_author` is over the devices whose gold holder is not the author.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"layers"})
    size = 2 + 2 * len(RULES)

    def __init__(self, task: Task) -> None:
        names = [name for name, _ in RULES]
        self.rows = tuple(("holder_accuracy", name) for name in names)
        self.rows += tuple(("holder_accuracy_not_author", name) for name in names)

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return devices, those not the author's, and right answers of each rule on both."""
        if not has_holders(gold):
            return np.zeros(self.size)
        gold, predicted = _whole(gold, text), _whole(predicted, text)
        own = derived(gold)
        mixed = Layers(text=text, attributions=predicted.attributions, devices=gold.devices)
        counts = np.zeros(self.size)
        counts[:2] = len(own), sum(h.kind != "author" for h in own)
        for number, (_, rule) in enumerate(RULES):
            for holder, given in zip(own, rule(mixed), strict=True):
                right = same_holder(holder, given)
                counts[2 + number] += right
                counts[2 + len(RULES) + number] += right and holder.kind != "author"
        return counts

    def score(self, counts: Counts) -> Counts:
        """Return the accuracy of each rule, over all devices and over those not the author's."""
        n = len(RULES)
        whole = ratio(counts[..., 2 : 2 + n], counts[..., :1])
        return np.concatenate([whole, ratio(counts[..., 2 + n :], counts[..., 1:2])], axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the number of gold devices behind each row."""
        return np.repeat(counts[:2], len(RULES))


class HolderF1:
    """End to end: a device is right when it overlaps gold's with the same frame and its holder is right.

    `holder_f1_not_author` counts only devices that gold, or the prediction, gives to another than the author.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"layers"})
    size = 6 * len(RULES)

    def __init__(self, task: Task) -> None:
        names = [name for name, _ in RULES]
        self.rows = tuple(("holder_f1", name) for name in names)
        self.rows += tuple(("holder_f1_not_author", name) for name in names)

    def count(self, gold: Answer, predicted: Answer, text: str) -> Counts:
        """Return true positives, false positives and false negatives of each rule, then those not the author's."""
        if not has_holders(gold):
            return np.zeros(self.size)
        gold, predicted = _whole(gold, text), _whole(predicted, text)
        own = list(zip(items(gold.devices or ()), derived(gold), strict=True))
        given_items = items(predicted.devices or ())
        counts: list[float] = []
        for wanted in (lambda h: True, lambda h: h.kind != "author"):
            for _, rule in RULES:
                given = list(zip(given_items, rule(predicted), strict=True))
                left = [pair for pair in own if wanted(pair[1])]
                right = [pair for pair in given if wanted(pair[1])]
                hits = len(match(left, right, lambda a, b: a[0].overlaps(b[0]) and same_holder(a[1], b[1])))
                counts += [hits, len(right) - hits, len(left) - hits]
        return np.array(counts, dtype=np.float64)

    def score(self, counts: Counts) -> Counts:
        """Return the F1 of each rule."""
        return np.stack([f1(*(counts[..., i + k] for k in range(3))) for i in range(0, self.size, 3)], axis=-1)

    def support(self, counts: Counts) -> Counts:
        """Return the number of gold devices behind each row."""
        return counts[0::3] + counts[2::3]
