"""Decoding of linear-chain models in numpy: the best tags (Viterbi) and the marginals (forward-backward).

Sentences are decoded in padded batches of similar length, so that the loop runs over positions only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from stancekit.text.tags import OUTSIDE, begins

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BATCH = 256
_LEAST = -300.0
"""Weights further below the best are taken for this: their exponentials would vanish, and divisions with them."""


def ready(
    scores: Sequence[Floats], transitions: Floats, labels: Sequence[str], readiness: float
) -> tuple[Sequence[Floats], Floats]:
    """Return scores and transitions with `readiness` added where a span begins after no span: once a span.

    Taken off the outside tag it would count for every token, and draw out the edges of spans; added to the tags that
    begin spans it would cut long ones up.
    """
    if not readiness:
        return scores, transitions
    outside = np.array([label == OUTSIDE for label in labels], dtype=np.float64)
    more = readiness * np.array([begins(label) for label in labels])
    found = [np.concatenate([score[:1] + more, score[1:]]) for score in scores]
    return found, transitions + outside[:, None] * more


def best_paths(scores: Sequence[Floats], transitions: Floats) -> list[Ints]:
    """Return the highest-scoring tags of each sentence; scores (tokens, tags), transitions (from, to)."""
    found: list[Ints] = [np.zeros(0, dtype=np.int64)] * len(scores)
    for chosen, padded, lengths in _batches(scores):
        back = np.zeros(padded.shape, dtype=np.int64)
        best = padded[:, 0].copy()
        for at in range(1, padded.shape[1]):
            through = best[:, :, None] + transitions
            back[:, at] = through.argmax(axis=1)
            best = np.where((at < lengths)[:, None], through.max(axis=1) + padded[:, at], best)
        last = best.argmax(axis=1)
        for row, index in enumerate(chosen):
            found[index] = _trace(back[row], int(last[row]), int(lengths[row]))
    return found


def _trace(back: Ints, last: int, length: int) -> Ints:
    path = np.empty(length, dtype=np.int64)
    path[-1] = last
    for at in range(length - 1, 0, -1):
        path[at - 1] = back[at, path[at]]
    return path


def marginals(scores: Sequence[Floats], transitions: Floats) -> list[Floats]:
    """Return the probability of every tag at every token, each (tokens, tags), by forward-backward."""
    found: list[Floats] = [np.zeros(score.shape) for score in scores]
    shift = transitions.max(initial=0.0)
    exp_transitions = np.exp(np.maximum(transitions - shift, _LEAST))
    for chosen, padded, lengths in _batches(scores):
        emissions = np.exp(np.maximum(padded - padded.max(axis=2, keepdims=True), _LEAST))
        forward = _forward(emissions, exp_transitions)
        backward = _backward(emissions, exp_transitions, lengths)
        product = forward * backward
        product /= product.sum(axis=2, keepdims=True)
        for row, index in enumerate(chosen):
            found[index] = product[row, : lengths[row]]
    return found


def _forward(emissions: Floats, transitions: Floats) -> Floats:
    forward = np.empty_like(emissions)
    forward[:, 0] = emissions[:, 0] / emissions[:, 0].sum(axis=1, keepdims=True)
    for at in range(1, emissions.shape[1]):
        step = (forward[:, at - 1] @ transitions) * emissions[:, at]
        forward[:, at] = step / step.sum(axis=1, keepdims=True)
    return forward


def _backward(emissions: Floats, transitions: Floats, lengths: Ints) -> Floats:
    backward = np.ones_like(emissions)
    for at in range(emissions.shape[1] - 2, -1, -1):
        step = (emissions[:, at + 1] * backward[:, at + 1]) @ transitions.T
        step /= step.sum(axis=1, keepdims=True)
        backward[:, at] = np.where((at + 1 < lengths)[:, None], step, 1.0)
    return backward


def _batches(scores: Sequence[Floats]) -> Iterator[tuple[list[int], Floats, Ints]]:
    """Yield (indices, padded scores, lengths) of sentences that have tokens, shortest first."""
    order = sorted((i for i, s in enumerate(scores) if len(s)), key=lambda i: len(scores[i]))
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        lengths = np.array([len(scores[i]) for i in chosen], dtype=np.int64)
        padded = np.zeros((len(chosen), int(lengths.max()), scores[chosen[0]].shape[1]))
        for row, index in enumerate(chosen):
            padded[row, : lengths[row]] = scores[index]
        yield chosen, padded, lengths
