"""A frozen encoder: rows of pieces to pooled vectors, computed once and kept in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import nn
from transformers import PreTrainedModel

from stancekit.errors import StancekitError, fail
from stancekit.models.neural.encoders import hardware, net, pretrained
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.texts import cache
from stancekit.models.neural.texts.batches import Batch, Row, padded

Vectors = NDArray[Any]
"""Those of one row, (pools, width)."""
Told = Callable[[int, int], None]
"""Hears how many rows are done, of how many."""

_EVERY, _MOST = 32, 64
"""A chunk ends at a row whose hash is divisible by the first, and holds at most the second."""


class Frozen:
    """An encoder that learns nothing, with windows of at most `max_length` pieces.

    Its weights are loaded when a vector is asked for that the cache does not hold; `files` are the hashes of its
    files where they are known. The rows that are asked for together may move a vector by some 1e-7.
    """

    def __init__(self, folder: Path, max_length: int, files: Mapping[str, str] | None = None) -> None:
        self.kit, self.files = Kit(folder, max_length), files or pretrained.fingerprint(folder)
        self.device = hardware.device("auto")
        self.told: Told | None = None

    @cached_property
    def _net(self) -> _Means:
        return _Means(net.encoder_of(self.kit.folder)).to(self.device)

    @property
    def facts(self) -> dict[str, Any]:
        """What the vectors may hang on beside encoder and text."""
        return hardware.facts(self.device, "fp32")

    def vectors(self, rows: Sequence[Row], kind: str = "<f4") -> list[Vectors]:
        """Return the vectors of each row, (its pools, width), as numbers of `kind`.

        A row has `ids`, `types` and `pools`, the weights of its pieces in each pooled vector, (pieces, pools).
        """
        places: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            places.setdefault(cache.key([row["ids"], row["types"], row["pools"]]), []).append(number)
        found: list[Vectors] = [np.zeros((0, 0), kind)] * len(rows)
        done = 0
        for names in _chunks({name: len(rows[own[0]]["ids"]) for name, own in places.items()}):
            chunk = [rows[places[name][0]] for name in names]
            for name, own in zip(names, self._chunk(names, chunk, kind), strict=True):
                for number in places[name]:
                    found[number] = own
                done += len(places[name])
            if self.told:
                self.told(done, len(rows))
        return found

    def _chunk(self, names: Sequence[str], rows: Sequence[Row], kind: str) -> list[Vectors]:
        """Return the vectors of some rows, which are always computed together."""
        parts: list[cache.Part] = ["vectors", self.files, self._machine(), kind, names]
        whole = cache.cached(parts, lambda: {"vectors": self._computed(rows).astype(kind)})["vectors"]
        return np.split(whole, np.cumsum([row["pools"].shape[1] for row in rows])[:-1])

    def _machine(self) -> dict[str, Any]:
        """Return what moves the last bits of a vector, so that the cache gives what would be computed here."""
        own = {name: self.facts[name] for name in ("device", "precision", "threads")}
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        return own | versions | {"cpu": torch.backends.cpu.get_cpu_capability()}

    def _computed(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        encoder = self._net
        found: list[Vectors] = [np.zeros(0)] * len(rows)
        collate = self.kit.collate(net.uses_types(encoder.encoder), _fill)
        for numbers, vectors in kits.outputs(encoder, rows, collate):
            for number, own in zip(numbers, vectors.float().cpu().numpy(), strict=True):
                found[number] = own[: rows[number]["pools"].shape[1]]
        return np.concatenate(found)


class _Means(nn.Module):
    """An encoder under weighted means of its last vectors."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pools: torch.Tensor, **batch: torch.Tensor) -> torch.Tensor:
        hidden = net.encode(self.encoder, batch)
        return net.pooled(hidden, pools).reshape(len(hidden), pools.shape[2], hidden.shape[2])


def _chunks(lengths: Mapping[str, int]) -> Iterator[list[str]]:
    """Yield hashes of rows of similar length, longest first, cut where the hashes say.

    So a row that is added or gone moves only its own chunk, and the cache still holds the others.
    """
    chunk: list[str] = []
    for name in sorted(lengths, key=lambda name: (-lengths[name], name)):
        chunk.append(name)
        if int(name[:8], 16) % _EVERY == 0 or len(chunk) == _MOST:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _fill(rows: Sequence[Row], longest: int) -> Batch:
    most = max(row["pools"].shape[1] for row in rows)
    wide = [np.pad(row["pools"], ((0, 0), (0, most - row["pools"].shape[1]))) for row in rows]
    return {"pools": padded(wide, longest, 0.0)}


def find_again(name: str, known: Mapping[str, str]) -> Path:
    """Return the folder of the encoder that a run was trained on; one that is gone or has changed is an error."""
    weights = ", ".join(f"{file} {digest}" for file, digest in sorted(known.items()) if file.endswith(".safetensors"))
    try:
        folder = pretrained.locate(name)
    except StancekitError as error:
        what = f"this run needs the encoder {name!r} (sha256: {weights}), which cannot be found: {error}"
        raise fail("encoder", what, "put it back; a run does not hold an encoder that it left as it was") from error
    changed = sorted({file for file, _ in pretrained.fingerprint(folder).items() ^ known.items()})
    if changed:
        what = f"the encoder {name!r} has changed since this run was trained: {', '.join(changed)}"
        raise fail(folder, what, f"put the one back that has sha256 {weights}, or train the run again")
    return folder
