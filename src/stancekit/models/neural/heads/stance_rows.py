"""Targets as rows of numbers for the target heads, and stances read from the heads' scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from stancekit.models.neural.encoders.states import Floats, Laid, tensor
from stancekit.models.neural.heads.target_heads import TargetHead
from stancekit.models.neural.texts import reading
from stancekit.models.neural.texts.words import WordRow
from stancekit.schema import Stance, Target
from stancekit.text.tags import token_ranges


def place_of(one: Laid, target: Target) -> tuple[int, int]:
    """Return the words of a target's mention; (−1, −1) where it has none."""
    span = reading.place_of(one.sentence.text, target)
    found = token_ranges((span,), one.toks) if span is not None else []
    return found[0] if found else (-1, -1)


def fields(name: str, labels: Sequence[str], one: Laid, row: WordRow, stances: Sequence[Stance]) -> dict[str, Any]:
    """Return where the targets stand in the row and their labels; a mention outside the row's window is left out."""
    places: list[tuple[int, int]] = []
    wanted: list[int] = []
    for stance in stances:
        place = place_of(one, stance.target)
        inside = row.within(*place) if place[0] >= 0 else (-1, -1)
        if inside is not None and stance.label in labels:
            places.append(inside)
            wanted.append(labels.index(stance.label))
    return {f"at.{name}": places, f"toward.{name}": wanted}


def answer(
    head: TargetHead, labels: Sequence[str], one: Laid, words: Floats, targets: Sequence[Target]
) -> list[tuple[Stance, float]]:
    """Return the stance toward each target, with its probability."""
    if not targets:
        return []
    vectors = tensor(words)
    whole = vectors.sum(dim=1) / max(1, len(words))  # a text without a word is judged too
    with torch.inference_mode():
        scores = head(vectors, whole, tensor([place_of(one, t) for t in targets]))[0]
    shares = torch.softmax(scores.double(), dim=-1).numpy()
    return [(Stance(t, labels[int(s.argmax())]), float(s.max())) for t, s in zip(targets, shares, strict=True)]
