"""Scores of whole spans, so that spans of different labels may nest and overlap (after Yu et al. 2020, ACL)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stancekit.models.neural.encoders.states import Floats, Range, tensor
from stancekit.models.neural.heads.chain_layer import NEVER
from stancekit.models.relation_links import Found

_SIZE = 64
_RARE = -4.0
"""Scores begin here: few of a sentence's stretches of words are spans."""


class SpanScorer(nn.Module):
    """Scores every stretch of up to `longest` words for every label, from its edges, its words and its length.

    The score of words s to e for a label is first(s) · W · last(e) + start(s) + end(e) + the mean of inside(s … e) + a
    number for the length; a span is there where the score is above 0.
    """

    def __init__(self, width: int, labels: Sequence[str], longest: int) -> None:
        super().__init__()
        self.labels, self.longest = tuple(labels), longest
        self.first, self.last = nn.Linear(width, _SIZE), nn.Linear(width, _SIZE)
        self.edges = nn.Linear(width, 3 * len(labels))
        self.pairs = nn.Parameter(torch.zeros(len(labels), _SIZE, _SIZE))
        self.lengths = nn.Parameter(torch.full((longest, len(labels)), _RARE))
        self.dropout = nn.Dropout(0.1)

    def forward(self, words: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return scores (n, words, longest, labels): first word, length − 1, label.

        `words` are vectors (n, words, width), `real` (n, words) says which are no padding; a stretch that runs past the
        row's last word has `NEVER`.
        """
        words = self.dropout(words)
        start, end, inside = self.edges(words).float().chunk(3, dim=-1)
        ends = self._ahead(torch.cat([torch.tanh(self.last(words)).float(), end], dim=-1))
        own = torch.einsum("nwh,lhk->nwlk", torch.tanh(self.first(words)).float(), self.pairs.float())
        found = torch.einsum("nwlk,nwjk->nwjl", own, ends[..., :_SIZE]) / _SIZE**0.5
        scores: torch.Tensor = (
            found + start[:, :, None] + ends[..., _SIZE:] + self._means(inside) + self.lengths.float()
        )
        return scores.masked_fill(~self._ahead(real[..., None]), NEVER)

    def _ahead(self, values: torch.Tensor) -> torch.Tensor:
        """Return every word's values and those of the words after it, (n, words, longest, …); zeros past the end."""
        more = nn.functional.pad(values, (0, 0, 0, self.longest - 1))
        return more.unfold(1, self.longest, 1).movedim(-1, 2)

    def _means(self, inside: torch.Tensor) -> torch.Tensor:
        sums = self._ahead(inside).cumsum(dim=2)
        return sums / torch.arange(1, self.longest + 1, device=sums.device)[:, None]

    def loss(self, words: torch.Tensor, real: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        """Return the summed binary cross-entropy of all stretches, a word.

        `gold` is (n, spans, 3): first word, last + 1, number of the label; −1 where no span is. Spans that are longer
        than `longest` count as none.
        """
        scores = self(words, real)
        wanted = torch.zeros_like(scores)
        length = gold[..., 1] - gold[..., 0]
        row, k = torch.nonzero((gold[..., 0] >= 0) & (length <= self.longest), as_tuple=True)
        wanted[row, gold[row, k, 0], length[row, k] - 1, gold[row, k, 2]] = 1.0
        return nn.functional.binary_cross_entropy_with_logits(scores, wanted, reduction="sum") / real.sum().clamp(min=1)

    def scores(self, words: Sequence[Floats]) -> list[NDArray[np.float32]]:
        """Return the scores of each sentence, (words, longest, labels), from its word vectors."""
        self.eval()
        with torch.inference_mode():
            return [
                self(tensor(each), torch.ones(1, len(each), dtype=torch.bool))[0].numpy()
                if len(each)
                else np.zeros((0, self.longest, len(self.labels)), np.float32)
                for each in words
            ]

    def spans(self, scores: Sequence[NDArray[np.float32]], readiness: float = 0.0) -> list[list[Found]]:
        """Return the spans whose scores with `readiness` are above 0, in text order, with their probabilities.

        Of spans of one label that share a word the likeliest stays; spans of different labels do not know each other.
        """
        return [self._of(each, readiness) for each in scores]

    def _of(self, scores: NDArray[np.float32], readiness: float) -> list[Found]:
        places = np.argwhere(scores > -readiness)
        likely = scores[tuple(places.T)]
        found: list[Found] = []
        taken: dict[int, list[Range]] = {}
        for k in np.argsort(-likely, kind="stable"):
            start, more, label = map(int, places[k])
            own = taken.setdefault(label, [])
            if all(end <= start or first > start + more for first, end in own):
                own.append((start, start + more + 1))
                sure = 1 / (1 + np.exp(-float(likely[k])))
                found.append((start, start + more + 1, self.labels[label], round(sure, 6)))
        return sorted(found)
