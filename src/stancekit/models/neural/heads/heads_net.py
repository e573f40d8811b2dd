"""An encoder whose word vectors several heads read, each with a loss of its own for the rows that have its layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from stancekit.models.neural.encoders.net import Net
from stancekit.models.neural.texts import ragged


class HeadsNet(Net):
    """Words' vectors out of an encoder; `heads` are modules with `loss(words, batch)` by the name of their layer."""

    def __init__(self, encoder: PreTrainedModel, heads: Mapping[str, nn.Module], weights: Mapping[str, float]) -> None:
        super().__init__(encoder)
        self.layers, self.weights = nn.ModuleDict(heads), dict(weights)

    def forward(self, firsts: torch.Tensor, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the vectors of `words`, (n, words, width); the `loss` instead, while learning.

        `firsts` is (n, words): the first piece of each word, −1 where no word is.
        """
        learning = self.training and len(batch.keys() - {"input_ids", "attention_mask", "token_type_ids"}) > 0
        words = ragged.at_words(self.read(batch), firsts)
        words = words * (firsts >= 0)[:, :, None]
        if not learning:
            return {"words": words}
        batch["real"] = firsts >= 0
        losses = [self.weights[name] * self._loss(head, words, batch) for name, head in self.layers.items()]
        nothing = 0.0 * words.sum()  # a batch may hold nothing that any head learns from, and still is a step
        return {"loss": torch.stack(losses).sum() + nothing}

    def _loss(self, head: Any, words: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        found: torch.Tensor = head.loss(words, batch)
        return found
