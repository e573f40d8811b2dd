"""Attributions read from the encoder's vectors: a finder of cues, a reader of each cue's parts, and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional as F

from stancekit.models.neural.heads.chain_layer import ChainLayer, tag_names
from stancekit.models.neural.learning import losses
from stancekit.models.neural.texts.ragged import TABLE, fitted, span_vectors
from stancekit.tasks import ROLES

FIELDS = {
    "roles": (0, -1),
    "cues": (2, -1),
    "parts": (TABLE, -1),
    "sources": (2, -1),
    "source_type": (0, -1),
    "cue_stance": (0, -1),
}
"""`roles` are the finder's tags of words; of each cue, `parts` are the reader's tags of all words."""

_FAR = 40


class AttributionHeads(nn.Module):
    """The *finder* tags cues (and, as hints, sources and contents); the *reader* tags the parts of one cue's relation.

    The reader sees each word's vector beside the cue's and how far the two stand apart.
    """

    def __init__(self, width: int, attributes: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        labels = tag_names(ROLES)
        self.finder, self.finder_chain = nn.Linear(width, len(labels)), ChainLayer(labels, learn=True)
        self.reader_chain = ChainLayer(labels, learn=True)
        self.word, self.cue = nn.Linear(width, width), nn.Linear(width, width)
        self.distance = nn.Embedding(2 * _FAR + 1, width)
        self.reader = nn.Linear(width, len(labels))
        self.kinds = nn.ModuleDict({name: nn.Linear(width, max(1, len(own))) for name, own in attributes.items()})
        self.dropout = nn.Dropout(0.1)

    def find(self, words: torch.Tensor) -> torch.Tensor:
        """Return the finder's scores, (n, words, tags)."""
        found: torch.Tensor = self.finder(self.dropout(words)).float()
        return found

    def read(self, words: torch.Tensor, cues: torch.Tensor) -> torch.Tensor:
        """Return the reader's scores for each cue, (n, cues, words, tags); cues (n, cues, 2) as first, last + 1."""
        places = torch.arange(words.shape[1], device=words.device)
        before = (places - cues[:, :, :1]).clamp(max=0)  # −k: k words before the cue; k: after; 0: in it
        after = (places - cues[:, :, 1:] + 1).clamp(min=0)
        away = self.distance((before + after).clamp(-_FAR, _FAR) + _FAR)
        own = self.cue(span_vectors(words, cues))
        seen = torch.tanh(self.word(words)[:, None] + own[:, :, None] + away)
        found: torch.Tensor = self.reader(self.dropout(seen)).float()
        return found

    def attributes(self, words: torch.Tensor, cues: torch.Tensor, sources: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the scores of source types (by the source) and cue stances (by the cue), (n, cues, labels)."""
        vectors = {"source_type": span_vectors(words, sources), "cue_stance": span_vectors(words, cues)}
        return {name: head(self.dropout(vectors[name])).float() for name, head in self.kinds.items()}

    def loss(self, words: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the summed losses of finder, reader and attributes; rows without this layer count nothing."""
        found = torch.zeros((), device=words.device)
        if "roles" in batch:
            found = found + self.finder_chain.loss(self.find(words), fitted(batch["roles"], words.shape[1]))
        if "cues" not in batch:
            return found
        cues = batch["cues"]
        parts = fitted(batch["parts"], words.shape[1])[:, : cues.shape[1]]
        scores = self.read(words, cues).flatten(0, 1)
        found = found + self.reader_chain.loss(scores, parts.flatten(0, 1))
        for name, scored in self.attributes(words, cues, batch["sources"]).items():
            wanted = batch[name]
            if (wanted >= 0).any():
                found = found + losses.BESIDE * F.cross_entropy(scored[wanted >= 0], wanted[wanted >= 0])
        return found
