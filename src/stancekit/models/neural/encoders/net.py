"""Networks over an encoder: what is shared by models whose head is not a standard one of transformers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel

from stancekit.errors import fail
from stancekit.models import tensors
from stancekit.models.neural.encoders import pretrained

HEADS = "heads.safetensors"


class Net(nn.Module):
    """An encoder with heads beside it; saved as a plain Hugging Face folder and `heads.safetensors`."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(float(getattr(encoder.config, "hidden_dropout_prob", 0.1) or 0.1))

    @property
    def width(self) -> int:
        """The length of the encoder's vectors."""
        return int(self.encoder.config.hidden_size)

    def activation_checkpointing_enable(self, **settings: Any) -> None:
        """Recompute activations when they are needed again, to save memory."""
        self.encoder.activation_checkpointing_enable(**settings)

    def read(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the vectors of all pieces, (n, pieces, width)."""
        return encode(self.encoder, batch)

    def heads(self) -> dict[str, torch.Tensor]:
        """Return the weights beside the encoder's by name."""
        return {n: v for n, v in self.state_dict().items() if not n.startswith("encoder.")}

    def save(self, folder: Path) -> None:
        """Write the encoder as `save_pretrained` does, and the heads."""
        save_encoder(self.encoder, folder)
        tensors.write(folder / HEADS, {n: v.detach().cpu().numpy() for n, v in self.heads().items()})

    def restore(self, folder: Path) -> None:
        """Take back the heads that `save` wrote; the encoder is loaded when the network is made."""
        restore_heads(self, self.heads(), folder)


def restore_heads(net: nn.Module, own: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Give a network the weights beside its encoder's that lie in a folder; they must fit its own by name and shape."""
    found = {n: torch.from_numpy(v.copy()) for n, v in tensors.read(folder / HEADS).items()}
    if {n: v.shape for n, v in found.items()} != {n: v.shape for n, v in own.items()}:
        raise fail(folder / HEADS, "these heads belong to another network", "train the run again")
    net.load_state_dict(found, strict=False)


def encode(encoder: PreTrainedModel, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the last hidden states for the fields of a batch that are the encoder's, (n, pieces, width)."""
    fields = ("input_ids", "attention_mask", "token_type_ids")
    found: torch.Tensor = encoder(**{name: batch[name] for name in fields if name in batch}).last_hidden_state
    return found


def encoder_of(folder: Path) -> PreTrainedModel:
    """Load an encoder without the pooler that some architectures put on top (it would stay untrained)."""
    config = pretrained.configuration(folder)
    kind: Any = AutoModel._model_mapping[type(config)]
    bare = {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(kind).parameters else {}
    return pretrained.backbone(folder, **bare)


def save_encoder(encoder: PreTrainedModel, folder: Path) -> None:
    """Write an encoder as a plain Hugging Face folder, with nothing of where it came from."""
    encoder.config._name_or_path = ""
    with pretrained.quietly():
        encoder.save_pretrained(folder)


def uses_types(encoder: PreTrainedModel) -> bool:
    """Say whether the encoder tells the two texts of a pair apart by token types."""
    return int(getattr(encoder.config, "type_vocab_size", 0) or 0) > 1


def pooled(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return weighted means of vectors: (n, pieces, width) by (n, pieces, pools) to (n, pools × width)."""
    return torch.einsum("nlw,nlp->npw", hidden, weights.to(hidden.dtype)).flatten(1)


class Attention(nn.Module):
    """The mean of pieces weighed by how they answer a vector's learnt question (Luong et al. 2015, *general*)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ask = nn.Linear(width, width)
        nn.init.normal_(self.ask.weight, std=0.02)  # small, so that all pieces count alike at first
        nn.init.zeros_(self.ask.bias)

    def forward(self, asking: torch.Tensor, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return (n, width) from vectors that ask (n, width) and pieces (n, pieces, width); `mask` is (n, pieces)."""
        likeness = torch.einsum("nw,nlw->nl", self.ask(asking), hidden).float() / hidden.shape[-1] ** 0.5
        shares = likeness.masked_fill(mask == 0, float("-inf")).softmax(dim=-1)
        return torch.einsum("nl,nlw->nw", shares.to(hidden.dtype), hidden)


class Classifier(Net):
    """Labels from means of the encoder's vectors: the sentence's, the target's, what the last one attends to."""

    def __init__(self, encoder: PreTrainedModel, pools: int, labels: int, *, attend: bool = False) -> None:
        super().__init__(encoder)
        self.dense = nn.Linear(self.width * (pools + attend), self.width)
        self.out = nn.Linear(self.width, labels)
        self.attention = Attention(self.width) if attend else None

    def forward(self, pools: torch.Tensor, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return `logits`, (n, labels); `pools` are the weights of pieces in each mean, (n, pieces, pools)."""
        hidden = self.read(batch)
        vectors = pooled(hidden, pools)
        if self.attention is not None:
            found = self.attention(vectors[:, -self.width :], hidden, batch["attention_mask"])
            vectors = torch.cat([vectors, found], dim=1)
        return {"logits": self.out(self.dropout(torch.tanh(self.dense(self.dropout(vectors)))))}
