"""Adapting an encoder to texts without labels by masked language modelling (Gururangan et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForMaskedLM

from stancekit.errors import fail
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders import net, pretrained
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.learning import loop
from stancekit.models.neural.learning.averaging import State
from stancekit.models.neural.learning.loop import Job
from stancekit.models.neural.learning.recipe import Recipe
from stancekit.models.neural.texts.batches import Batch, Row
from stancekit.models.neural.texts.reading import Reading

_MASKED = 0.15


def adapted(kit: Kit, texts: Sequence[str], epochs: float, recipe: Recipe, space: Workspace | None, seed: int) -> State:
    """Return the weights of the encoder, by name without its prefix, after some epochs over the texts.

    Each piece is hidden with probability .15, anew each time; no label is looked at.
    """
    torch.manual_seed(seed)  # the weights of a head that the folder may lack
    model = pretrained.load(AutoModelForMaskedLM, kit.folder)
    rows = [
        {"ids": window.ids, "types": window.types, "own": window.offsets[:, 0] >= 0}
        for windows in kit.cutter.windows([Reading(text) for text in dict.fromkeys(texts) if text])
        for window in windows
    ]
    mask = kit.tokenizer.mask_token_id
    if mask is None:
        raise fail("adapt", "the encoder's tokenizer has no mask to hide words with", "set adapt: 0")

    def fill(chosen: Sequence[Row], longest: int) -> Batch:
        own = np.zeros((len(chosen), longest), dtype=np.bool_)
        for at, row in enumerate(chosen):
            own[at, : len(row["own"])] = row["own"]
        return {"own": torch.from_numpy(own)}

    def loss(net_: nn.Module, batch: Batch) -> torch.Tensor:
        own = batch.pop("own")
        hidden = own & (torch.rand(own.shape, device=own.device) < _MASKED)
        wanted = batch["input_ids"].masked_fill(~hidden, -100)
        batch["input_ids"] = batch["input_ids"].masked_fill(hidden, mask)
        logits = net_(**batch)["logits"]
        found: torch.Tensor = nn.functional.cross_entropy(logits[hidden].float(), wanted[hidden], reduction="sum")
        return found / hidden.sum().clamp(min=1)

    plan = replace(recipe, epochs=epochs, least_steps=0, layer_decay=1.0, average=0.0, patience=0)
    job = Job(rows, kit.collate(net.uses_types(model), fill), loss, pretrained=f"{model.base_model_prefix}.")
    inner = None if space is None else Workspace(space.folder and space.folder / "adapt", progress=space.progress)
    if rows:
        loop.train(model, job, plan, inner, seed)
    torch.manual_seed(seed)  # what is made next must not depend on whether the training was gone on with
    base = getattr(model, model.base_model_prefix)
    return {name: value.detach().clone() for name, value in base.state_dict().items()}
