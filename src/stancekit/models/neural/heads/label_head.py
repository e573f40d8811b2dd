"""Labels of a sentence read from the mean of its words' vectors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from stancekit.models.neural.learning import losses
from stancekit.models.neural.texts import ragged


class LabelHead(nn.Module):
    """Scores a label set, of which a sentence has one or (`multi`) several.

    Its field in a batch, `of.NAME` (n, labels), is 1 for each label that a sentence has, and −1 where it lacks the set.
    """

    def __init__(self, name: str, width: int, labels: int, multi: bool) -> None:
        super().__init__()
        self.field, self.multi = f"of.{name}", multi
        self.dense, self.out = nn.Linear(width, width), nn.Linear(width, labels)
        self.dropout = nn.Dropout(0.1)

    def forward(self, whole: torch.Tensor) -> torch.Tensor:
        """Return scores (n, labels) from the vectors of sentences (n, width)."""
        seen = torch.tanh(self.dense(self.dropout(whole)))
        found: torch.Tensor = self.out(self.dropout(seen)).float()
        return found

    def loss(self, words: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the mean loss over the rows that have this layer."""
        if self.field not in batch:
            return torch.zeros((), device=words.device)
        wanted = batch[self.field]
        known = wanted[:, 0] >= 0
        scores = self(ragged.mean(words, batch["real"]))[known]
        measure = losses.several if self.multi else losses.exclusive
        return measure("cross_entropy", scores, wanted[known].float(), None)
