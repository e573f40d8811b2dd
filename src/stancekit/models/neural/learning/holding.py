"""What of a pretrained encoder is held while it learns: its way to attend, its dropout, the vocabulary's vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from stancekit.models.neural.learning.recipe import Recipe

_RATES = ("attention_dropout", "dropout", "dropout_prob")
"""Attributes of attention modules that keep a rate of dropout as a number."""


@contextmanager
def held(net: nn.Module, pretrained: str, recipe: Recipe, where: torch.device) -> Iterator[None]:
    """Hold what the recipe says inside, and leave the encoder as it was; `pretrained` begins its parameters' names."""
    encoder: Any = net.get_submodule(pretrained.rstrip("."))
    with ExitStack() as stack:
        if where.type == "cpu":
            stack.enter_context(_plain_attention(encoder))
        if recipe.freeze_embeddings:
            stack.enter_context(_frozen(encoder.get_input_embeddings().weight))
        if not recipe.encoder_dropout:
            stack.enter_context(_undropped(encoder))
        yield


@contextmanager
def _plain_attention(encoder: Any) -> Iterator[None]:
    """Attend by plain products: of sentences, the gradient of torch's fused kernel takes a processor twice as long."""
    before = encoder.config._attn_implementation if isinstance(encoder, PreTrainedModel) else None
    if before in (None, "eager"):
        yield
        return
    encoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        encoder.set_attn_implementation(before)


@contextmanager
def _frozen(table: nn.Parameter) -> Iterator[None]:
    learns = table.requires_grad  # under LoRA it does not anyway
    table.requires_grad_(False)
    try:
        yield
    finally:
        table.requires_grad_(learns)


@contextmanager
def _undropped(encoder: nn.Module) -> Iterator[None]:
    rates = [(m, name) for m in encoder.modules() for name in _RATES if isinstance(getattr(m, name, None), float)]
    rates += [(m, "p") for m in encoder.modules() if isinstance(m, nn.Dropout)]
    before = [getattr(module, name) for module, name in rates]
    for module, name in rates:
        setattr(module, name, 0.0)
    try:
        yield
    finally:
        for (module, name), rate in zip(rates, before, strict=True):
            setattr(module, name, rate)
