"""A conditional random field over tokens: labelled spans, and framing devices with target and negation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import dump_json, read_json, write_text
from stancekit.models import chain, encoder, tensors, tuning
from stancekit.models.chain import Chain, ChainSettings, Vectors
from stancekit.models.device_attributes import DeviceAttributes
from stancekit.models.encoder import Encoder, Seen
from stancekit.schema import Answer, Device, Example, Prediction, Sentence, Span
from stancekit.tasks import Part, Task
from stancekit.text import tags
from stancekit.text.tags import Item, Tagged
from stancekit.text.tokens import tokens

_DEVICE = "device"

Found = list[tuple[int, int, str, float]]
"""Spans of one sentence: first token, last token + 1, label, confidence."""


class Crf:
    """Tags tokens with BIO or BIOES, one chain a layer; `lost` counts what the tags of train could not hold.

    Devices are found first and their frames named after: a frame has too few examples to be found by itself.

    `algorithm`, `c1`, `c2`, `max_iterations` and `min_frequency` are CRFsuite's. `window` is in tokens to both
    sides, `clusters` are the numbers of word clusters learnt from train ([] for none), `likely` marks words that
    often stand in spans, `context` tells whether a quotation is open from the sentences before, `lexicon` is a
    lexicon whose entries are features (a file, `bundled`, or null). `layers` beyond the first hold spans that
    overlap. `tune` chooses on dev how readily a span begins.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"spans", "devices"})

    def __init__(
        self,
        *,
        algorithm: str = "lbfgs",
        c1: float = 0.05,
        c2: float = 0.1,
        max_iterations: int = 60,
        min_frequency: int = 1,
        window: int = 2,
        clusters: Sequence[int] = (64, 320),
        likely: bool = True,
        context: bool = True,
        lexicon: str | None = "bundled",
        scheme: str = "BIO",
        layers: int = 1,
        tune: bool = True,
        seed: int = 13,
    ) -> None:
        self.settings = ChainSettings(algorithm, c1, c2, max_iterations, min_frequency, seed)
        self.encoder = Encoder(window, tuple(clusters), context)
        self.lexicon = lexicon
        self.likely, self.scheme, self.layers, self.tune = likely, scheme, layers, tune
        problems = Problems()
        self.settings.check(problems)
        self.encoder.check(problems)
        if scheme not in tags.SCHEMES:
            problems.add("scheme", f"there is no tagging scheme {scheme!r}", did_you_mean(scheme, tags.SCHEMES))
        if layers < 1:
            problems.add("layers", f"{layers} layers hold nothing", "give 1 or more")
        problems.raise_any()
        self.chains: list[Chain] = []
        self.readiness = 0.0
        self.lost: Counter[str] = Counter()
        self.attributes: DeviceAttributes | None = None

    def fit(self, train: Part, dev: Part) -> None:
        """Learn words, chains and (for devices) attributes from train; tune on dev how readily a span begins."""
        sentences = [example.sentence for example in train.examples]
        tagged = [self._tagged(s, a) for s, a in zip(sentences, train.gold, strict=True)]
        filled = [k for k in range(self.layers) if any(set(t.layers[k]) - {tags.OUTSIDE} for t in tagged)]
        if not filled:
            raise fail("train", "there is no span to learn from", "give more data, or another split")
        self.lost = sum((t.lost for t in tagged), Counter())
        anchors = [[tag != tags.OUTSIDE for tag in t.layers[0]] for t in tagged]
        self.encoder.rules = encoder.lexicon(self.lexicon)
        self.encoder.learn(sentences, anchors if self.likely else None)
        seen = self.encoder.see(sentences)
        vectors = self.vectors(seen, learn=True)
        self.chains = [
            chain.train(self.encoder.features(seen), [t.layers[k] for t in tagged], self.settings, vectors)
            for k in filled
        ]
        self.attributes = self.new_attributes() if train.task.kind == "devices" else None
        if self.attributes is not None:
            self.attributes.fit(sentences, seen, [_devices(answer) for answer in train.gold])
        self.readiness = self._tuned(dev) if self.tune and len(dev) else 0.0

    def vectors(self, seen: Sequence[Seen], *, learn: bool = False) -> Vectors | None:
        """Return numbers that stand beside the feature strings, learning from train what they need; None for none."""
        return None

    def new_attributes(self) -> DeviceAttributes:
        """Return what tells the attributes of devices, not fitted."""
        return DeviceAttributes()

    def _tagged(self, sentence: Sentence, answer: Answer) -> Tagged:
        return tags.tag(_items(answer), tokens(sentence.text), scheme=self.scheme, layers=self.layers)

    def _tuned(self, dev: Part) -> float:
        sentences = [example.sentence for example in dev.examples]
        gold = [tags.ranges(self._tagged(s, a).layers[0]) for s, a in zip(sentences, dev.gold, strict=True)]
        seen = self.encoder.see(sentences)
        scores = self.chains[0].scores(self.encoder.features(seen), self.vectors(seen))
        return tuning.best_readiness(self.chains[0], scores, gold)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with spans in text order and one confidence each.

        A confidence is the least probability, over the span's tokens, that the token bears the span's label; that
        of a device, times the probability of its frame.
        """
        sentences = [example.sentence for example in examples]
        seen = self.encoder.see(sentences)
        found = self._find(seen)
        if self.attributes is None:
            spans = [[(_span(s, f), f[3]) for f in row] for s, row in zip(seen, found, strict=True)]
            return [_prediction(example, row) for example, row in zip(examples, spans, strict=True)]
        devices = self.attributes.complete(sentences, seen, [[f[:2] for f in row] for row in found])
        return [
            _prediction(example, [(device, f[3] * sure) for (device, sure), f in zip(row, spelt, strict=True)])
            for example, row, spelt in zip(examples, devices, found, strict=True)
        ]

    def _find(self, seen: Sequence[Seen]) -> list[Found]:
        found: list[Found] = [[] for _ in seen]
        vectors = self.vectors(seen)
        for number, layer in enumerate(self.chains):
            scores = layer.scores(self.encoder.features(seen), vectors)
            spans = layer.spans(scores, 0.0 if number else self.readiness)
            for row, spelt in zip(found, spans, strict=True):
                row.extend(spelt)
        return [sorted(set(row)) for row in found]

    def save(self, folder: Path) -> None:
        """Write `crf.json` (words, features, readiness, losses) and `crf.safetensors` (weights)."""
        arrays = {f"{k}.{name}": values for k, c in enumerate(self.chains) for name, values in c.arrays().items()}
        plain = {
            "encoder": self.encoder.dump(),
            "chains": [c.dump() for c in self.chains],
            "readiness": self.readiness,
            "lost": self.lost,
        }
        if self.attributes is not None:
            plain["attributes"] = self.attributes.dump()
            arrays |= self.attributes.arrays()
        write_text(folder / "crf.json", dump_json(plain) + "\n")
        tensors.write(folder / "crf.safetensors", arrays)

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote."""
        plain, arrays = read_json(folder / "crf.json"), tensors.read(folder / "crf.safetensors")
        self.encoder.restore(plain["encoder"])
        self.chains = [Chain.restore(c, tensors.under(arrays, f"{k}.")) for k, c in enumerate(plain["chains"])]
        self.readiness, self.lost = plain["readiness"], Counter(plain["lost"])
        self.attributes = self.new_attributes() if "attributes" in plain else None
        if self.attributes is not None:
            self.attributes.restore(plain["attributes"], arrays)


def _devices(answer: Answer) -> list[Device]:
    return [item for item in answer if isinstance(item, Device)] if isinstance(answer, tuple) else []


def _items(answer: Answer) -> list[Item]:
    """Return what is tagged: labelled spans, and devices without their frame."""
    if not isinstance(answer, tuple):
        return []
    spans = [(item.label, (item,)) for item in answer if isinstance(item, Span)]
    return spans + [(_DEVICE, device.parts) for device in _devices(answer)]


def _span(seen: Seen, found: tuple[int, int, str, float]) -> Span:
    start, end, label, _ = found
    return Span(seen.toks[start].start, seen.toks[end - 1].end, label)


def _prediction(example: Example, found: Sequence[tuple[Any, float]]) -> Prediction:
    answer = tuple(item for item, _ in found)
    return Prediction(id=example.id, answer=answer, probabilities=tuple(round(sure, 6) for _, sure in found))
