"""An encoder that turns texts into vectors of length one, in the folder format of sentence-transformers.

Only the format is that library's, not the code: a folder written here loads with `SentenceTransformer(folder)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F
from transformers import PreTrainedModel

from stancekit.errors import fail
from stancekit.files import make_folder, read_json, write_json
from stancekit.models.neural.encoders import net
from stancekit.models.neural.encoders.net import Net

POOLING = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}
"""Ways of pooling, with the ends of their names in older folders."""
_MODULES = ("Transformer", "Pooling", "Normalize")
_STRIP = 16
"""So many rows of similar length are encoded together, so that little is padding however a batch is mixed."""


class Embedder(Net):
    """An encoder under a pooling and normalisation."""

    def __init__(self, encoder: PreTrainedModel, pooling: str = "mean") -> None:
        super().__init__(encoder)
        self.pooling = pooling

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        """Return vectors of length one, (n, width)."""
        lengths = batch["attention_mask"].sum(dim=1)
        order = lengths.argsort(descending=True, stable=True)
        found = [self._strip({name: value[own] for name, value in batch.items()}) for own in torch.split(order, _STRIP)]
        return torch.cat(found)[order.argsort()]

    def _strip(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        longest = int(batch["attention_mask"].sum(dim=1).max())
        longest += -longest % 8
        batch = {name: value[:, :longest] for name, value in batch.items()}
        return F.normalize(pooled(self.pooling, self.read(batch).float(), batch["attention_mask"]), dim=-1)

    def save(self, folder: Path) -> None:
        """Write a folder that sentence-transformers loads (its limit on length is `max_length` of the tokenizer)."""
        net.save_encoder(self.encoder, folder)
        chosen = {f"pooling_mode_{old}": name == self.pooling for name, old in POOLING.items()}
        write_json(
            make_folder(folder / "1_Pooling") / "config.json", {"word_embedding_dimension": self.width, **chosen}
        )
        places = dict(zip(_MODULES, ("", "1_Pooling", "2_Normalize"), strict=True))
        modules = [
            {"idx": number, "name": str(number), "path": place, "type": f"sentence_transformers.models.{name}"}
            for number, (name, place) in enumerate(places.items())
        ]
        write_json(folder / "modules.json", modules)


def pooled(how: str, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return one vector a row from those of its pieces, (n, pieces, width) to (n, width)."""
    if how == "cls":
        return hidden[:, 0]
    own = mask.unsqueeze(-1).bool()
    if how == "max":
        return hidden.masked_fill(~own, float("-inf")).amax(dim=1)
    return (hidden * own).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def pooling_of(folder: Path) -> str:
    """Return how the vectors of an encoder's folder are pooled: as it says itself, else their mean.

    A folder whose vectors pass through more than pooling and normalisation is an error.
    """
    if not (folder / "modules.json").is_file():
        return "mean"
    modules = {str(m["type"]).rpartition(".")[2]: m["path"] for m in read_json(folder / "modules.json")}
    more = sorted(set(modules) - set(_MODULES))
    if more:
        raise fail(folder, f"its vectors pass through {', '.join(more)}, which is not trained here", _OTHER)
    if "Pooling" not in modules:
        return "mean"
    place = folder / modules["Pooling"] / "config.json"
    found = _modes(read_json(place))
    if len(found) != 1 or found[0] not in POOLING:
        what = f"its vectors are pooled by {' and '.join(found) or 'nothing'}"
        raise fail(place, what, f"one of {', '.join(POOLING)} is supported; take another encoder")
    return found[0]


_OTHER = "take an encoder that ends in pooling or normalisation"


def _modes(config: Mapping[str, Any]) -> list[str]:
    if "pooling_mode" in config:
        found = config["pooling_mode"]
        return [found] if isinstance(found, str) else [*found]
    names = {f"pooling_mode_{old}": name for name, old in POOLING.items()}
    ends = [key for key, yes in config.items() if key.startswith("pooling_mode_") and yes is True]
    return [names.get(key, key.removeprefix("pooling_mode_")) for key in ends]
