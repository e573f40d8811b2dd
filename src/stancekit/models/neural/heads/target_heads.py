"""Labels toward targets read from the encoder's vectors: the mention's beside the sentence's."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from stancekit.models.neural.texts import ragged
from stancekit.models.neural.texts.ragged import span_vectors


class TargetHead(nn.Module):
    """Scores a label set toward each target; a target without a mention is judged by the sentence alone.

    Its fields in a batch are `at.NAME` (n, targets, 2), word ranges of mentions with (−1, −1) for none, and
    `toward.NAME` (n, targets), label numbers with −1 where no target is.
    """

    def __init__(self, name: str, width: int, labels: int) -> None:
        super().__init__()
        self.name = name
        self.dense, self.out = nn.Linear(2 * width, width), nn.Linear(width, labels)
        self.dropout = nn.Dropout(0.1)

    @property
    def fields(self) -> dict[str, tuple[int, int]]:
        """Columns and filling of the fields."""
        return {f"at.{self.name}": (2, -1), f"toward.{self.name}": (0, -1)}

    def forward(self, words: torch.Tensor, whole: torch.Tensor, mentions: torch.Tensor) -> torch.Tensor:
        """Return scores (n, targets, labels) from vectors of words (n, words, width) and sentences (n, width)."""
        general = whole[:, None].expand(-1, mentions.shape[1], -1)
        own = torch.where((mentions[:, :, :1] >= 0), span_vectors(words, mentions), general)
        seen = torch.tanh(self.dense(self.dropout(torch.cat([own, general], dim=-1))))
        found: torch.Tensor = self.out(self.dropout(seen)).float()
        return found

    def loss(self, words: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the mean loss over the targets of the rows that have this layer."""
        if f"toward.{self.name}" not in batch:
            return torch.zeros((), device=words.device)
        wanted = batch[f"toward.{self.name}"]
        scores = self(words, ragged.mean(words, batch["real"]), batch[f"at.{self.name}"])
        known = wanted >= 0
        if not known.any():
            return torch.zeros((), device=words.device)
        found: torch.Tensor = F.cross_entropy(scores[known], wanted[known])
        return found
