"""The attributes of a framing device: its frame, the actor that it frames, and whether the sentence denies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from stancekit.models import candidates, scorer, tensors
from stancekit.models.candidates import ActorFinder, Mention, same_stem
from stancekit.models.denial import Denial, Range
from stancekit.models.device_features import frame_features, target_features
from stancekit.models.encoder import Seen
from stancekit.models.scorer import Scorer
from stancekit.schema import Device, Sentence, Span
from stancekit.text import quotes
from stancekit.text.tags import token_ranges

_YES, _NO = "yes", "no"
_NAMES = ("frame", "target")


class DeviceAttributes:
    """Names the frame of a span, chooses its target among the actors that the sentence names, or none, and negation.

    Candidates are the targets of train and capitalised names. Targets are learnt twice, with the names of train
    and without them, so that the choice carries over to actors never seen.
    """

    def __init__(self) -> None:
        self.finder = ActorFinder()
        self.scorers = {name: Scorer() for name in _NAMES}
        self.denial = Denial()

    def fit(self, sentences: Sequence[Sentence], seen: Sequence[Seen], gold: Sequence[Sequence[Device]]) -> None:
        """Learn from the devices of train, aligned with its sentences."""
        self.finder = candidates.learn(sentences, seen, [sorted({d.target for d in row if d.target}) for row in gold])
        devices = [
            (at, device, span)
            for at, row in enumerate(gold)
            for device in row
            if (span := token_hull(seen[at], device)) is not None
        ]
        frames = [(frame_features(seen[at], span), device.frame) for at, device, span in devices]
        targets = []
        for finder in (self.finder, ActorFinder()):
            named = finder.in_documents(sentences, seen)
            for at, device, span in devices:
                rows = target_features(seen[at], span, device.frame, named[at], finder.gazetteer)
                targets += [(row, _answer(_is_target(name, device))) for name, row in rows.items()]
        for name, pairs in zip(_NAMES, (frames, targets), strict=True):
            if pairs:
                self.scorers[name] = scorer.train([row for row, _ in pairs], [label for _, label in pairs])
        self.denial.learn((seen[at], span, device.negated) for at, device, span in devices)

    def complete(
        self, sentences: Sequence[Sentence], seen: Sequence[Seen], spans: Sequence[Sequence[Range]]
    ) -> list[list[tuple[Device, float]]]:
        """Return the devices at spans of tokens, cut at quotation marks, each with the probability of its frame."""
        spans = [quotes.one_side(s.text, s.toks, row) for s, row in zip(seen, spans, strict=True)]
        named, frames = self.finder.in_documents(sentences, seen), self.frames(seen, spans)
        return [
            [(self._device(s, span, frame, m), sure) for span, (frame, sure) in zip(row, own, strict=True)]
            for s, row, own, m in zip(seen, spans, frames, named, strict=True)
        ]

    def frames(self, seen: Sequence[Seen], spans: Sequence[Sequence[Range]]) -> list[list[tuple[str, float]]]:
        """Return the likeliest frame of each span of each sentence, and its probability."""
        return [
            [self.scorers["frame"].surest(frame_features(s, span)) for span in row]
            for s, row in zip(seen, spans, strict=True)
        ]

    def _device(self, seen: Seen, span: Range, frame: str, mentions: Sequence[Mention]) -> Device:
        rows = target_features(seen, span, frame, mentions, self.finder.gazetteer)
        chances = self.scorers["target"].probability(list(rows.values()), _YES)
        target = list(rows)[int(chances.argmax())] or None
        place = Span(seen.toks[span[0]].start, seen.toks[span[1] - 1].end)
        return Device(parts=(place,), frame=frame, target=target, negated=self.denial.is_denied(seen, span))

    def dump(self) -> dict[str, Any]:
        """Return the actors, the features and what tells denial as JSON."""
        actors = {"gazetteer": sorted(self.finder.gazetteer), "aliases": self.finder.aliases}
        return actors | {name: self.scorers[name].dump() for name in _NAMES} | {"denial": self.denial.dump()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights of frames and targets."""
        return {f"{name}.{key}": values for name in _NAMES for key, values in self.scorers[name].arrays().items()}

    def restore(self, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `dump` and `arrays` returned."""
        self.finder = ActorFinder(plain["gazetteer"], plain["aliases"])
        self.scorers = {name: Scorer.restore(plain[name], tensors.under(arrays, f"{name}.")) for name in _NAMES}
        self.denial.restore(plain["denial"])


def _answer(value: bool) -> str:
    return _YES if value else _NO


def _is_target(name: str, device: Device) -> bool:
    """Say whether a name, or an adjective that stands for it, is a device's target; `""` is no target."""
    target = device.target or ""
    return name == target or bool(name and target and same_stem(target.lower(), name.lower()))


def token_hull(seen: Seen, device: Device) -> Range | None:
    """Return the tokens from a device's first to its last, None where it touches none."""
    ranges = token_ranges(device.parts, seen.toks)
    return (ranges[0][0], ranges[-1][1]) if ranges else None
