"""Agreement between annotators, corrected for chance, from additive counts per unit.

Counts of units add up, so that totals, groups and bootstrap samples go through the same `score`. Codes are whole
numbers, shape (units, annotators), `MISSING` where an annotator gave no answer; a coefficient that is not defined
(one category only, no unit in common) is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
MISSING = -1


def tally(codes: Codes, categories: int) -> Array:
    """Return how often each category was given to each unit, shape (units, categories)."""
    found = np.zeros((len(codes), categories))
    units, raters = np.nonzero(codes != MISSING)
    np.add.at(found, (units, codes[units, raters]), 1.0)
    return found


def _ratio(above: Array, below: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _pairable(codes: Codes, categories: int) -> tuple[Array, Array]:
    """Return the tally of units with two values or more (others are zero), and their number of values (else 1)."""
    given = tally(codes, categories)
    size = given.sum(axis=1)
    given[size < 2] = 0.0
    return given, np.where(size < 2, 1.0, size)


class NominalAlpha:
    """Krippendorff's alpha for nominal data (Krippendorff 2019, ch. 12), units with missing values included.

    Beside it the observed agreement (the share of agreeing pairs, each unit's pairs weighted by 1 / (m − 1)) and the
    share of unanimous units; all three look at units with two values or more.
    """

    rows = ("alpha_nominal", "agreement", "unanimous")

    def __init__(self, categories: int) -> None:
        self.categories, self.size = categories, 3 + categories

    def count(self, codes: Codes) -> Array:
        """Return agreeing pairs, unanimous units, units, and the tally, shape (units, size)."""
        given, size = _pairable(codes, self.categories)
        agreeing = (given * (given - 1)).sum(axis=1) / np.maximum(size - 1, 1)
        used = given.any(axis=1)
        return np.column_stack([agreeing, used & (given.max(axis=1) == size), used, given])

    def score(self, counts: Array) -> Array:
        """Return alpha, observed agreement and unanimity, shape (…, size) → (…, 3)."""
        agreeing, unanimous, units, given = counts[..., 0], counts[..., 1], counts[..., 2], counts[..., 3:]
        n = given.sum(axis=-1)
        by_chance = (given * (given - 1)).sum(axis=-1)
        alpha = 1 - _ratio((n - agreeing) * (n - 1), n * (n - 1) - by_chance)
        return np.stack([alpha, _ratio(agreeing, n), _ratio(unanimous, units)], axis=-1)


class OrdinalAlpha:
    """Krippendorff's alpha for ordered categories, whose distance is the number of values between them.

    δ(c, k) = Σ n_g over g from c to k − (n_c + n_k) / 2 (Krippendorff 2019, ch. 12); codes are the ranks.
    """

    rows = ("alpha_ordinal",)

    def __init__(self, categories: int) -> None:
        self.categories, self.size = categories, categories**2

    def count(self, codes: Codes) -> Array:
        """Return each unit's coincidence matrix, flat, shape (units, categories²)."""
        given, size = _pairable(codes, self.categories)
        pairs = given[:, :, None] * given[:, None, :]
        diagonal = np.arange(self.categories)
        pairs[:, diagonal, diagonal] -= given
        flat: Array = (pairs / np.maximum(size - 1, 1)[:, None, None]).reshape(len(codes), self.size)
        return flat

    def score(self, counts: Array) -> Array:
        """Return alpha, shape (…, size) → (…, 1)."""
        pairs = counts.reshape(*counts.shape[:-1], self.categories, self.categories)
        given = pairs.sum(axis=-1)
        middle = given.cumsum(axis=-1) - given / 2
        distance = (middle[..., :, None] - middle[..., None, :]) ** 2
        observed = (pairs * distance).sum(axis=(-2, -1))
        expected = (given[..., :, None] * given[..., None, :] * distance).sum(axis=(-2, -1))
        n = given.sum(axis=-1)
        return np.asarray(1 - _ratio(observed * (n - 1), expected))[..., None]


class Fleiss:
    """Fleiss' kappa (Fleiss 1971) over the units that every annotator answered."""

    rows = ("fleiss_kappa",)

    def __init__(self, categories: int, raters: int) -> None:
        self.raters, self.size = raters, 2 + categories
        self.categories = categories

    def count(self, codes: Codes) -> Array:
        """Return the share of agreeing pairs, 1, and the tally of each unit, shape (units, size)."""
        complete = (codes != MISSING).all(axis=1)
        given = tally(codes, self.categories) * complete[:, None]
        agreeing = (given * (given - 1)).sum(axis=1) / (self.raters * (self.raters - 1))
        return np.column_stack([agreeing, complete, given])

    def score(self, counts: Array) -> Array:
        """Return kappa, shape (…, size) → (…, 1)."""
        units = counts[..., 1]
        observed = _ratio(counts[..., 0], units)
        expected = (_ratio(counts[..., 2:], units[..., None] * self.raters) ** 2).sum(axis=-1)
        return _ratio(observed - expected, 1 - expected)[..., None]


class Cohen:
    """Cohen's kappa (Cohen 1960) of each pair of annotators, over the units that both answered."""

    def __init__(self, categories: int, pairs: Sequence[tuple[int, int]]) -> None:
        self.categories, self.pairs = categories, tuple(pairs)
        self.size = (1 + 2 * categories) * len(self.pairs)

    def count(self, codes: Codes) -> Array:
        """Return, pair by pair, agreement and both annotators' categories, shape (units, size)."""
        return np.concatenate([self._count(codes[:, a], codes[:, b]) for a, b in self.pairs], axis=1)

    def _count(self, first: Codes, second: Codes) -> Array:
        both = (first != MISSING) & (second != MISSING)
        each = [tally(side[:, None], self.categories) * both[:, None] for side in (first, second)]
        return np.column_stack([both & (first == second), *each])

    def _blocks(self, counts: Array) -> Array:
        return counts.reshape(*counts.shape[:-1], len(self.pairs), 1 + 2 * self.categories)

    def shared(self, counts: Array) -> Array:
        """Return the number of units that each pair answered, shape (…, size) → (…, pairs)."""
        return np.asarray(self._blocks(counts)[..., 1 : 1 + self.categories].sum(axis=-1))

    def score(self, counts: Array) -> Array:
        """Return the kappa of each pair, shape (…, size) → (…, pairs)."""
        blocks = self._blocks(counts)
        one, other = np.split(blocks[..., 1:], 2, axis=-1)
        n = one.sum(axis=-1)
        observed = _ratio(blocks[..., 0], n)
        expected = _ratio((one * other).sum(axis=-1), n * n)
        return _ratio(observed - expected, 1 - expected)


Units = Sequence[tuple[int, int]]


class UnitizedAlpha:
    """Krippendorff's alpha on units of a continuum, here the characters of one sentence after another.

    It is ₍|u₎α of Krippendorff, Mathet, Bouvry & Widlöcher (2016) and Krippendorff (2019, section 12.6.4), for one
    label by itself: every annotator cuts the continuum into units of the label and gaps. Observed disagreement is the
    length on which a unit of one annotator meets a gap of another; expected is that of all units and gaps joined at
    random, where no unit is joined with itself (a unit counts as a whole, a gap character by character).
    Units of one annotator that overlap are one; those that touch stay two. Sentences with one annotator do not count.
    """

    size = 4

    def count(self, length: int, units: Sequence[Units | None]) -> Array:
        """Return the counts of a sentence of `length` characters, shape (4,); None where an annotator is missing.

        They are the disagreeing length, the lengths of units and of gaps, and what self-pairing takes away.
        """
        given = [_merged(side) for side in units if side is not None]
        raters = len(given)
        if raters < 2:
            return np.zeros(self.size)
        covering = np.zeros(length)
        for side in given:
            for start, end in side:
                covering[start:end] += 1.0
        inside = covering.sum()
        gaps = raters * length - inside
        disagreeing = 2 * (covering * (raters - covering)).sum() / (raters - 1)
        squares = sum((end - start) ** 2 for side in given for start, end in side)
        return np.array([disagreeing, inside, gaps, squares + gaps], dtype=np.float64)

    def score(self, counts: Array) -> Array:
        """Return alpha of each label and then of all together, shape (…, labels, 4) → (…, labels + 1).

        Of all together it is one minus the ratio of summed disagreements.
        """
        observed, inside, gaps, own = (counts[..., i] for i in range(self.size))
        n = inside + gaps
        expected = np.nan_to_num(_ratio(2 * n * inside * gaps, n * n - own))
        both = [np.concatenate([x, x.sum(axis=-1, keepdims=True)], axis=-1) for x in (observed, expected)]
        return np.asarray(1 - _ratio(both[0], both[1]))


def _merged(units: Units) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(units):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
