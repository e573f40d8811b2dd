"""Devices as rows of numbers for the heads, and back: spans of words, frames, and actors' mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from stancekit.models import candidates
from stancekit.models.candidates import ActorFinder, Mention
from stancekit.models.denial import Denial
from stancekit.models.encoder import Seen
from stancekit.models.neural.encoders.states import Floats, Laid, in_row, tensor
from stancekit.models.neural.heads.device_heads import DeviceHeads
from stancekit.models.neural.texts.words import WordRow
from stancekit.schema import Device, Span
from stancekit.text import quotes
from stancekit.text.tags import token_ranges

FIELDS = {
    "devices": (0, -1),
    "spans": (2, -1),
    "frames": (0, -1),
    "wanted": (0, -2),
    "mentions": (2, -1),
    "actors": (0, -1),
}
"""Columns and filling of the ragged fields; `devices` are the tags of words.

`wanted` is the number of the actor framed, 0 for none, −1 for one that the sentence does not mention.
"""


class DeviceRows:
    """Knows train's frames, its actors and what denies a device; makes rows of devices and devices of scores."""

    def __init__(self, frames: Sequence[str]) -> None:
        self.frames = tuple(frames)
        self.finder = ActorFinder()
        self.denial = Denial()

    def learn(self, laid: Sequence[Laid], gold: Sequence[Sequence[Device]]) -> None:
        """Learn the names and aliases of the actors that train's devices frame, and the words that deny devices."""
        sentences, seen = [one.sentence for one in laid], [_seen(one) for one in laid]
        targets = [sorted({d.target for d in row if d.target}) for row in gold]
        self.finder = candidates.learn(sentences, seen, targets)
        self.denial.learn(
            (seen[at], place, device.negated)
            for at, row in enumerate(gold)
            for device in row
            if (place := _hull(laid[at], device)) is not None
        )

    def mentions(self, laid: Sequence[Laid]) -> list[list[Mention]]:
        """Return the mentions of actors in each sentence."""
        return self.finder.in_documents([one.sentence for one in laid], [_seen(one) for one in laid])

    def fields(self, one: Laid, row: WordRow, devices: Sequence[Device], mentions: Sequence[Mention]) -> dict[str, Any]:
        """Return the row's devices and mentions as numbers; those that are not whole in the row are left out."""
        names = {name: k for k, name in enumerate(dict.fromkeys(m.actor for m in mentions), start=1)}
        spans = [_hull(one, device) for device in devices]
        kept = in_row(row, [s for s in spans if s is not None])
        real = [d for d, s in zip(devices, spans, strict=True) if s is not None]
        own = in_row(row, [(m.start, m.end) for m in mentions])
        return {
            "spans": [place for _, place in kept],
            "frames": [self.frames.index(real[k].frame) for k, _ in kept],
            "wanted": [names.get(real[k].target or "", -1) if real[k].target else 0 for k, _ in kept],
            "mentions": [place for _, place in own],
            "actors": [names[mentions[k].actor] for k, _ in own],
        }

    def complete(
        self, heads: DeviceHeads, one: Laid, words: Floats, spans: Sequence[tuple[int, int]], named: Sequence[Mention]
    ) -> list[tuple[Device, float]]:
        """Return the devices at spans of words, cut at quotation marks, each with the probability of its frame."""
        if not spans:
            return []
        spans = quotes.one_side(one.sentence.text, one.toks, spans)
        places = [(m.start, m.end) for m in named] or [(-1, -1)]
        vectors = tensor(words)
        with torch.inference_mode():
            frame, target = heads(vectors, vectors.mean(dim=1), tensor(spans), tensor(places))
        shares = torch.softmax(frame[0].double(), dim=-1).numpy()
        chances = torch.softmax(target[0].double(), dim=-1).numpy()
        found, seen = [], _seen(one)
        for k, (start, end) in enumerate(spans):
            best = int(shares[k].argmax())
            device = Device(
                parts=(Span(one.toks[start].start, one.toks[end - 1].end),),
                frame=self.frames[best],
                target=_likeliest(chances[k], named),
                negated=self.denial.is_denied(seen, (start, end)),
            )
            found.append((device, float(shares[k, best])))
        return found

    def dump(self) -> dict[str, Any]:
        """Return what was learnt as JSON."""
        actors = {"gazetteer": sorted(self.finder.gazetteer), "aliases": self.finder.aliases}
        return {**actors, "denial": self.denial.dump()}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.finder = ActorFinder(plain["gazetteer"], plain["aliases"])
        self.denial.restore(plain["denial"])


def _hull(one: Laid, device: Device) -> tuple[int, int] | None:
    found = token_ranges(device.parts, one.toks)
    return (found[0][0], found[-1][1]) if found else None


def _likeliest(chances: np.ndarray, named: Sequence[Mention]) -> str | None:
    """Return the actor whose mentions are together the likeliest target; None where no target is likelier."""
    total: dict[str, float] = {}
    for share, mention in zip(chances[1:], named, strict=False):
        total[mention.actor] = total.get(mention.actor, 0.0) + float(share)
    best = max(sorted(total), key=lambda name: total[name], default=None)
    return best if best is not None and total[best] > chances[0] else None


def _seen(one: Laid) -> Seen:
    text = one.sentence.text
    return Seen(text, one.toks, {"word": [t.of(text).lower() for t in one.toks]})
