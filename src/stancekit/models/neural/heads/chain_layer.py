"""A linear chain over tags in torch: its loss, and which tags may follow each other; decoding is numpy's Viterbi."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stancekit.models import viterbi
from stancekit.text.tags import OUTSIDE, ranges

NEVER = -1e4
_STEP = 30.0
"""Transitions are few and seen everywhere: they may move so much faster than weights of the encoder."""


class ChainLayer(nn.Module):
    """Scores of tags that follow each other, learnt (`learn`) or only allowed and forbidden.

    Emissions are (n, words, tags), `tags` (n, words) with −1 where no word is (at the end of a row).
    """

    forbidden: torch.Tensor
    first: torch.Tensor

    def __init__(self, labels: Sequence[str], learn: bool) -> None:
        super().__init__()
        self.labels = tuple(labels)
        self.learn = learn
        self.transitions = nn.Parameter(torch.zeros(len(labels), len(labels)), requires_grad=learn)
        self.register_buffer("forbidden", torch.from_numpy(_forbidden(labels)), persistent=False)
        self.register_buffer("first", torch.from_numpy(_not_first(labels)), persistent=False)

    def scores(self) -> torch.Tensor:
        """Return the scores of a tag (row) before another (column)."""
        return _STEP * self.transitions.float() + self.forbidden

    def loss(self, emissions: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
        """Return the mean negative log-likelihood a word; of each tag by itself where nothing is learnt."""
        emissions = emissions.float()
        known = tags >= 0
        count = known.sum().clamp(min=1)
        if not self.learn:
            return nn.functional.cross_entropy(emissions[known], tags[known], reduction="sum") / count
        emissions = emissions.clone()
        emissions[:, 0] = emissions[:, 0] + self.first
        return (self._total(emissions, known) - self._path(emissions, tags, known)).sum() / count

    def _total(self, emissions: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the logarithm of the sum over all paths, (n,)."""
        scores, best = self.scores(), emissions[:, 0]
        for at in range(1, emissions.shape[1]):
            step = torch.logsumexp(best[:, :, None] + scores, dim=1) + emissions[:, at]
            best = torch.where(known[:, at, None], step, best)
        return torch.where(known[:, 0], torch.logsumexp(best, dim=1), 0.0)

    def _path(self, emissions: torch.Tensor, tags: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the score of the given tags, (n,)."""
        own = tags.clamp(min=0)
        found = emissions.gather(2, own[:, :, None]).squeeze(2) * known
        follow = self.scores()[own[:, :-1], own[:, 1:]] * known[:, 1:]
        return found.sum(dim=1) + follow.sum(dim=1)

    def table(self) -> NDArray[np.float64]:
        """Return the scores as numpy's Viterbi takes them."""
        return self.scores().detach().cpu().double().numpy()

    def tag(self, emissions: Sequence[NDArray[np.float64]], readiness: float = 0.0) -> list[list[str]]:
        """Return the best valid tags of each sentence, by its emissions (words, tags), spans begun so readily."""
        return self._named(viterbi.best_paths(*self._ready(emissions, readiness)))

    def _named(self, paths: Iterable[viterbi.Ints]) -> list[list[str]]:
        return [[self.labels[at] for at in path] for path in paths]

    def _ready(
        self, emissions: Sequence[NDArray[np.float64]], readiness: float
    ) -> tuple[Sequence[NDArray[np.float64]], NDArray[np.float64]]:
        return viterbi.ready([self._begun(each) for each in emissions], self.table(), self.labels, readiness)

    def spans(
        self, emissions: Sequence[NDArray[np.float64]], readiness: float = 0.0
    ) -> list[list[tuple[int, int, str, float]]]:
        """Return the spans of the best valid tags: first word, last word + 1, label, confidence.

        The confidence is the least probability, over the span's words, that the word bears the span's label.
        """
        ready, table = self._ready(emissions, readiness)
        tagged, probable = self._named(viterbi.best_paths(ready, table)), viterbi.marginals(ready, table)
        return [
            [(a, b, label, self._confidence(shares[a:b], label)) for a, b, label in ranges(row)]
            for row, shares in zip(tagged, probable, strict=True)
        ]

    def _begun(self, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return emissions in which no sentence begins inside a span."""
        found = emissions.astype(np.float64)
        if len(found):
            found[0] += self.first.cpu().numpy()
        return found

    def _confidence(self, shares: NDArray[np.float64], label: str) -> float:
        own = [k for k, tag in enumerate(self.labels) if tag != OUTSIDE and tag.partition("-")[2] == label]
        return round(float(shares[:, own].sum(axis=1).min()), 6)


def tag_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of some labels: outside, then begin and inside of each."""
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


def _forbidden(labels: Sequence[str]) -> NDArray[np.float32]:
    """Return `NEVER` where an inside tag would follow another label or the outside."""
    found = np.zeros((len(labels), len(labels)), dtype=np.float32)
    for after, tag in enumerate(labels):
        prefix, _, label = tag.partition("-")
        if prefix == "I":
            for before, other in enumerate(labels):
                if other.partition("-")[2] != label:
                    found[before, after] = NEVER
    return found


def _not_first(labels: Sequence[str]) -> NDArray[np.float32]:
    return np.array([NEVER if tag.startswith("I-") else 0.0 for tag in labels], dtype=np.float32)
