"""A token classifier with what reads its words beside it: a chain over the tags, scores of spans, heads of devices."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from stancekit.models.neural.heads.chain_layer import ChainLayer
from stancekit.models.neural.heads.device_heads import DeviceHeads, wanted_mentions
from stancekit.models.neural.heads.device_heads import loss as device_loss
from stancekit.models.neural.heads.span_scorer import SpanScorer
from stancekit.models.neural.texts import ragged


class TagNet(nn.Module):
    """A standard token classifier, a chain over its tags, and where wanted a scorer of spans and heads of devices."""

    def __init__(self, model: Any, chain: ChainLayer, scorer: SpanScorer | None, devices: DeviceHeads | None) -> None:
        super().__init__()
        self.model, self.chain, self.scorer, self.devices = model, chain, scorer, devices

    def activation_checkpointing_enable(self, **settings: Any) -> None:
        """Recompute activations when they are needed again, to save memory."""
        self.model.activation_checkpointing_enable(**settings)

    def forward(self, firsts: torch.Tensor, tags: torch.Tensor | None = None, **batch: torch.Tensor) -> Any:
        """Return by word the `emissions` and, where something reads them, `words`; the `loss` where tags are given."""
        fields = ("input_ids", "attention_mask", "token_type_ids")
        out = self.model(**{n: batch[n] for n in fields if n in batch}, output_hidden_states=True)
        emissions = ragged.at_words(out.logits, firsts)
        words = ragged.at_words(out.hidden_states[-1], firsts)
        if tags is None:
            is_read = self.scorer is not None or self.devices is not None
            return {"emissions": emissions, "words": words} if is_read else {"emissions": emissions}
        found = self.chain.loss(emissions, tags)
        if self.scorer is not None:
            found = found + self.scorer.loss(words, firsts >= 0, batch["scored"])
        if self.devices is not None:
            scores = self.devices(words, ragged.mean(words, firsts >= 0), batch["spans"], batch["mentions"])
            found = found + device_loss(scores, batch["frames"], wanted_mentions(batch))
        return {"loss": found}

    def heads(self) -> dict[str, torch.Tensor]:
        """Return the weights beside the token classifier's."""
        return {n: v for n, v in self.state_dict().items() if not n.startswith("model.")}
