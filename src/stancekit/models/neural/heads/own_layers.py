"""Layers of a user's own label sets: labels of the sentence, and labelled spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from stancekit.models.calibrate import Floats as Shares
from stancekit.models.neural.encoders.states import Floats, Laid
from stancekit.models.neural.heads.answers import Answers as Chosen
from stancekit.models.neural.heads.label_head import LabelHead
from stancekit.models.neural.heads.layer import Answers, Layer, Rows, TaggedLayer
from stancekit.models.neural.heads.span_tagger import SpanTagger
from stancekit.schema import Answer, Example, Layers, Span
from stancekit.tasks import Task
from stancekit.text import tags
from stancekit.text.tags import Tagged


class LabelLayer(Layer):
    """One label of the sentence, or several, by the mean of its words' vectors."""

    head: LabelHead

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.multi = task.kind == "multi"
        self.chosen = Chosen(task.labels, self.multi, "tuned")

    def build(self, width: int) -> LabelHead:
        """Return the head, new."""
        self.head = LabelHead(self.key, width, len(self.labels), self.multi)
        return self.head

    @property
    def fields(self) -> Mapping[str, tuple[int, int]]:  # type: ignore[override]
        """Columns and filling of the fields."""
        return {self.head.field: (0, -1)}

    def _truth(self, gold: Layers) -> list[int] | None:
        answer = self.task.view(gold)
        if answer is None:
            return None
        own = answer if isinstance(answer, frozenset) else {answer}
        return [int(label in own) for label in self.labels]

    def rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> Rows:
        """Return which labels a sentence has: the same for all its windows."""
        found: Rows = []
        for one, g in zip(laid, gold, strict=True):
            truth = self._truth(g)
            found.append([{} if truth is None else {self.head.field: truth} for _ in one.rows])
        return found

    def _shares(self, words: Sequence[Floats]) -> Shares:
        """Return the probability of each label, (n, labels); a text without a word is judged too."""
        means = np.stack([w.sum(axis=0) / max(1, len(w)) for w in words])
        with torch.inference_mode():
            scores = self.head(torch.from_numpy(means)).double()
        return (torch.sigmoid(scores) if self.multi else torch.softmax(scores, dim=-1)).numpy()

    def tune(self, laid: Sequence[Laid], words: Sequence[Floats], gold: Sequence[Layers]) -> None:
        """Choose on dev from which probability on a label is given, where there may be several."""
        known = [(k, truth) for k, g in enumerate(gold) if (truth := self._truth(g)) is not None]
        if known:
            self.chosen.tune(self._shares([words[k] for k, _ in known]), np.array([t for _, t in known], np.bool_))

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the labels of every sentence, sorted, each with its probability."""
        found: Answers = []
        for said in self.chosen.predictions(examples, self._shares(words)):
            own = said.answer if isinstance(said.answer, frozenset) else {said.answer}
            shares = said.probabilities if isinstance(said.probabilities, Mapping) else {}
            found.append([(label, shares[label]) for label in sorted(map(str, own))])
        return found

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with these labels."""
        answer: Answer = frozenset(items) if self.multi else items[0]
        return replace(whole, labels={**whole.labels, self.name: answer})

    def dump(self) -> dict[str, Any]:
        """Return labels and thresholds."""
        return {**super().dump(), **self.chosen.dump()}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.chosen.restore(plain)


class SpanLayer(TaggedLayer):
    """Labelled spans, found by tags: of spans that overlap the first is learnt, and the others are counted as lost."""

    head: SpanTagger

    def build(self, width: int) -> SpanTagger:
        """Return the head, new."""
        self.head = SpanTagger(f"tags.{self.key}", width, self.labels)
        return self.head

    @property
    def fields(self) -> Mapping[str, tuple[int, int]]:  # type: ignore[override]
        """Columns and filling of the fields."""
        return {self.head.field: (0, -1)}

    def tagged(self, one: Laid, gold: Layers) -> Tagged | None:
        """Return the tags of the spans."""
        answer = self.task.view(gold)
        if not isinstance(answer, tuple):
            return None
        return tags.tag([(s.label, (s,)) for s in answer if isinstance(s, Span)], one.toks)

    def rows(self, laid: Sequence[Laid], gold: Sequence[Layers]) -> Rows:
        """Return the tags of words."""
        found: Rows = [[{} for _ in one.rows] for one in laid]
        for at, (one, g) in enumerate(zip(laid, gold, strict=True)):
            for k, numbers in enumerate(self.numbers(one, g)):
                found[at][k] = {self.head.field: numbers}
        return found

    def answers(self, examples: Sequence[Example], laid: Sequence[Laid], words: Sequence[Floats]) -> Answers:
        """Return the spans of every sentence, in text order."""
        return [
            [(Span(one.toks[a].start, one.toks[b - 1].end, label), share) for a, b, label, share in row]
            for one, row in zip(laid, self.found(words), strict=True)
        ]

    def put(self, whole: Layers, items: Sequence[Any]) -> Layers:
        """Return the layers with these spans."""
        return replace(whole, labels={**whole.labels, self.name: tuple(items)})

    def dump(self) -> dict[str, Any]:
        """Return labels and the finder's readiness."""
        return {**super().dump(), "readiness": self.readiness}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.readiness = plain["readiness"]
