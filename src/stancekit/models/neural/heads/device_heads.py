"""What a device is, read from the encoder's vectors: its frame, and the actor it frames."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from stancekit.models.neural.heads.span_tagger import SpanTagger
from stancekit.models.neural.learning import losses
from stancekit.models.neural.texts.ragged import mean, span_vectors

Scores = tuple[torch.Tensor, torch.Tensor]


class DeviceHeads(nn.Module):
    """Scores frames and targets of spans; a target is one of the sentence's mentions of actors, or none."""

    def __init__(self, width: int, frames: int) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * width, width)
        self.frame = nn.Linear(width, frames)
        self.asks = nn.Linear(width, width)
        self.none = nn.Linear(width, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, words: torch.Tensor, whole: torch.Tensor, spans: torch.Tensor, mentions: torch.Tensor) -> Scores:
        """Return frame (n, spans, frames) and target (n, spans, 1 + mentions) scores.

        `words` are vectors (n, words, width), `whole` the sentences' (n, width), `spans` and `mentions` word ranges
        (n, …, 2) filled up with −1.
        """
        own = span_vectors(words, spans)
        both = torch.cat([own, whole[:, None].expand(-1, own.shape[1], -1)], dim=-1)
        seen = self.dropout(torch.tanh(self.dense(self.dropout(both))))
        named = span_vectors(words, mentions)
        match = torch.einsum("nsh,nmh->nsm", self.asks(seen), named) / words.shape[-1] ** 0.5
        match = match.float().masked_fill((mentions[:, :, 0] < 0)[:, None], -1e4)
        target = torch.cat([self.none(seen).float(), match], dim=-1)
        return self.frame(seen).float(), target


def loss(scores: Scores, frames: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the summed mean losses over real spans, weighed beside those of finding them.

    `frames` is (n, spans), −1 where no span is; `targets` (n, spans, 1 + mentions) marks every mention of the device's
    target, or the first place for none (a row without a mark does not count).
    """
    frame, target = scores
    real = frames >= 0
    if not real.any():
        return frame.sum() * 0.0 + target.clamp(min=-1.0).sum() * 0.0
    found = F.cross_entropy(frame[real], frames[real])
    marked = real & (targets.sum(dim=-1) > 0)
    if marked.any():
        shares = F.log_softmax(target[marked], dim=-1)
        right = shares.masked_fill(targets[marked] <= 0, -torch.inf)
        found = found - torch.logsumexp(right, dim=-1).mean()
    return losses.BESIDE * found


class DeviceTagger(SpanTagger):
    """Finds devices by tags of words, and reads what each is; its fields are `devices` and those of `device_rows`."""

    def __init__(self, width: int, frames: int) -> None:
        super().__init__("devices", width, ["device"])
        self.heads = DeviceHeads(width, frames)

    def loss(self, words: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the summed losses of finder and heads; rows without this layer count nothing."""
        found = super().loss(words, batch)
        if "spans" not in batch:
            return found
        scores = self.heads(words, mean(words, batch["real"]), batch["spans"], batch["mentions"])
        return found + loss(scores, batch["frames"], wanted_mentions(batch))


def wanted_mentions(batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return which mention (or, first, none) each span's target is, (n, spans, 1 + mentions)."""
    wanted, actors = batch["wanted"], batch["actors"]
    named = (wanted[:, :, None] == actors[:, None]) & (wanted[:, :, None] > 0)
    return torch.cat([(wanted == 0)[:, :, None], named], dim=-1).float()
