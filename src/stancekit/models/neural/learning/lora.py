"""Low-rank adapters (LoRA, Hu et al. 2022) on an encoder while it learns; merged into it afterwards."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from torch import nn

from stancekit.errors import Problems, did_you_mean, fail

_KNOWN = {"rank": 8, "alpha": 16, "dropout": 0.05}


def check(values: Mapping[str, Any] | None, problems: Problems) -> None:
    """Note settings of the adapters that do not exist."""
    for name, value in (values or {}).items():
        if name not in _KNOWN:
            problems.add("lora", f"there is no setting {name!r}", did_you_mean(name, _KNOWN))
        elif type(value) not in (int, float) or value < 0 or (name == "rank" and value < 1):
            problems.add("lora", f"{name} is {value!r}", "a number is expected, of rank 1 or more")


def add(net: nn.Module, encoder: str, values: Mapping[str, Any] | None) -> None:
    """Put adapters on every linear layer of the part named `encoder`, whose own weights then stay as they are."""
    if values is None:
        return
    try:
        from peft import LoraConfig, get_peft_model
    except ModuleNotFoundError as error:
        raise fail("lora", "the package peft is not installed", "pip install 'stancekit[lora]'") from error
    chosen = {**_KNOWN, **values}
    plan = LoraConfig(
        r=int(chosen["rank"]),
        lora_alpha=chosen["alpha"],
        lora_dropout=chosen["dropout"],
        target_modules="all-linear",
    )
    with warnings.catch_warnings():  # peft asks transformers for what has another name now
        warnings.simplefilter("ignore", FutureWarning)
        setattr(net, encoder, get_peft_model(getattr(net, encoder), plan))


def merge(net: nn.Module, encoder: str, values: Mapping[str, Any] | None) -> None:
    """Add the adapters to the weights and take them off, so that a plain encoder is left."""
    if values is not None:
        setattr(net, encoder, getattr(net, encoder).merge_and_unload())
