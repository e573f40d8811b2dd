"""Labelled spans found by tags of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from stancekit.models.neural.heads.chain_layer import ChainLayer, tag_names
from stancekit.models.neural.texts.ragged import fitted


class SpanTagger(nn.Module):
    """Scores the tags of words, with a chain over them; its field in a batch, (n, words), holds the numbers of tags."""

    def __init__(self, field: str, width: int, names: Sequence[str]) -> None:
        super().__init__()
        self.field, self.labels = field, tag_names(names)
        self.finder, self.chain = nn.Linear(width, len(self.labels)), ChainLayer(self.labels, learn=True)
        self.dropout = nn.Dropout(0.1)

    def find(self, words: torch.Tensor) -> torch.Tensor:
        """Return the scores of tags, (n, words, tags)."""
        found: torch.Tensor = self.finder(self.dropout(words)).float()
        return found

    def loss(self, words: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the chain's loss; rows without this layer count nothing."""
        if self.field not in batch:
            return torch.zeros((), device=words.device)
        return self.chain.loss(self.find(words), fitted(batch[self.field], words.shape[1]))
