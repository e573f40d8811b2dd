"""What every neural model carries beside its network: the encoder's folder, tokenizer, windows and batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stancekit.errors import Problems, fail
from stancekit.models.neural.encoders import hardware, pretrained
from stancekit.models.neural.texts import batches
from stancekit.models.neural.texts.batches import Batch, Collate, Filler, Row
from stancekit.models.neural.texts.windows import Cutter

SHORTEST = 32
_PIECES = 4096
"""Padded pieces in a batch of prediction."""


class Kit:
    """An encoder's folder with its tokenizer, and windows of at most `max_length` pieces; `device` is the recipe's."""

    def __init__(self, folder: Path, max_length: int, device: str = "auto") -> None:
        self.folder, self.device = folder, device
        self.tokenizer = pretrained.tokenizer(folder)
        self.most = pretrained.longest(folder, self.tokenizer)
        if max_length > self.most:
            what = f"the encoder reads at most {self.most} pieces, not {max_length}"
            raise fail("max_length", what, "lower max_length")
        self.cutter = Cutter(self.tokenizer, max_length, stamp=pretrained.stamp(folder))

    def collate(self, with_types: bool, filler: Filler | None = None) -> Collate:
        """Return how rows become batches."""
        return Collate(int(self.tokenizer.pad_token_id or 0), with_types, filler, self.most, self.device)

    def save(self, folder: Path) -> None:
        """Write the tokenizer as it was loaded, without a trace of where it came from."""
        backend = self.tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        self.tokenizer.name_or_path = ""
        for trace in ("name_or_path", "local_files_only", "is_local"):
            self.tokenizer.init_kwargs.pop(trace, None)
        self.tokenizer.save_pretrained(folder)


def check_length(max_length: Any, problems: Problems) -> None:
    """Note a window too short to hold anything."""
    if type(max_length) is not int or max_length < SHORTEST:
        problems.add("max_length", f"{max_length!r} is no usable window", f"{SHORTEST} pieces or more are expected")


def check_context(context: Any, problems: Problems) -> None:
    """Note a number of neighbouring sentences that is none."""
    if type(context) is not int or context < 0:
        problems.add("context", f"{context!r} is no number of sentences", "0 or more is expected")


def outputs(net: nn.Module, rows: Sequence[Row], collate: Collate) -> Iterator[tuple[list[int], Any]]:
    """Yield (numbers of rows, the network's outputs) batch by batch, without gradients, in full precision.

    The order depends on the rows' content alone, so that shuffled examples are answered alike. A network that lies
    in main memory is lent to the device that is wanted and there, and lies in main memory again afterwards.
    """
    home = next(net.parameters()).device
    place = hardware.nearest(collate.device) if home.type == "cpu" else home
    order = sorted(range(len(rows)), key=lambda k: (-len(rows[k]["ids"]), rows[k]["ids"].tobytes()))
    was_training = net.training
    net.to(place).eval()
    try:
        with torch.inference_mode():
            for chosen in batches.by_length([len(rows[k]["ids"]) for k in order], _PIECES):
                numbers = [order[k] for k in chosen]
                batch: Batch = {n: v.to(place) for n, v in collate([rows[k] for k in numbers]).items()}
                yield numbers, net(**batch)
    finally:
        net.to(home).train(was_training)
