"""A layer of a task with its head, as `joint` sees it: rows to learn from, answers, and what is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from stancekit.models import tuning
from stancekit.models.neural.encoders.states import Floats, Laid, tensor
from stancekit.models.neural.heads.chain_layer import ChainLayer
from stancekit.schema import Example, Layers
from stancekit.tasks import Task
from stancekit.text import tags
from stancekit.text.tags import Tagged

Rows = list[list[dict[str, Any]]]
"""The fields of each row (window) of each sentence; none where the sentence lacks the layer."""

Answers = list[list[tuple[Any, float]]]
"""The items of each sentence, each with its confidence."""


class Layer:
    """One layer: `name` is its task's, `key` its head's, `labels` what the task declares.

    `lost` counts what of train's gold the head cannot hold.
    """

    fields: Mapping[str, tuple[int, int]]
    head: nn.Module

    def __init__(self, task: Task) -> None:
        self.task, self.name, self.labels = task, task.name, task.labels
        self.lost: Counter[str] = Counter()
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
        """Choose on dev how readily something is answered."""

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


class TaggedLayer(Layer):
    """A layer that is found by tags of words; dev says how readily spans begin (`readiness`)."""

    head: Any
    readiness = 0.0

    @property
    def chain(self) -> ChainLayer:
        """The chain over the head's tags."""
        found: ChainLayer = self.head.chain
        return found

    def tagged(self, one: Laid, gold: Layers) -> Tagged | None:
        """Return a sentence's words with their tags, and what these cannot hold; None where gold lacks the layer."""
        raise NotImplementedError

    def numbers(self, one: Laid, gold: Layers) -> list[list[int]]:
        """Return the numbers of the tags of every row, none where gold lacks the layer; count what is lost."""
        found = self.tagged(one, gold)
        if found is None:
            return []
        self.lost += found.lost
        number = {name: k for k, name in enumerate(self.chain.labels)}
        return [[number[tag] for tag in row.tags(found.layers[0])] for row in one.rows]

    def found(self, words: Sequence[Floats]) -> list[list[tuple[int, int, str, float]]]:
        """Return the spans of each sentence: first word, last word + 1, label, confidence."""
        return self.chain.spans(self._emissions(words), self.readiness)

    def _emissions(self, words: Sequence[Floats]) -> list[Any]:
        with torch.inference_mode():
            return [self.head.find(tensor(w))[0].double().numpy() for w in words]

    def tune(self, laid: Sequence[Laid], words: Sequence[Floats], gold: Sequence[Layers]) -> None:
        """Choose on dev how readily spans begin."""
        known = [(k, found.layers[0]) for k, g in enumerate(gold) if (found := self.tagged(laid[k], g)) is not None]
        if known:
            emissions = self._emissions([words[k] for k, _ in known])
            self.readiness = tuning.best_readiness(self.chain, emissions, [tags.ranges(spelt) for _, spelt in known])
