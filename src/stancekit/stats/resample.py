"""Bootstrap over groups on additive counts: intervals and paired tests without touching the examples again.

The cluster bootstrap draws groups with replacement (Field & Welsh 2007); on counts it is a product of multinomial
weights with the groups' sums, so its cost does not grow with the number of examples.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Score = Callable[[Array], Array]
_CELLS = 1_000_000  # weights drawn at a time: a block that stays in the cache is twice as fast
LEAST_GROUPS = 5
"""With fewer groups a percentile interval is far too narrow to be shown."""


@dataclass(frozen=True)
class Interval:
    """Values with their percentile interval, each of shape (rows,).

    `undefined` counts the resamples in which a row had no value; they are left out of its interval. With
    fewer than `LEAST_GROUPS` groups there is no interval: low and high are NaN.
    """

    values: Array
    low: Array
    high: Array
    undefined: NDArray[np.int64]


@dataclass(frozen=True)
class Difference(Interval):
    """Differences b − a with their interval and two-sided p-values."""

    p: Array


def group_sums(counts: Array, groups: Sequence[Hashable]) -> Array:
    """Return the sums of counts per group, shape (groups, k), groups in order of their first example."""
    order = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    index = np.fromiter((order[g] for g in groups), dtype=np.intp, count=len(groups))
    sums = np.zeros((len(order), counts.shape[1]))
    np.add.at(sums, index, counts)
    return sums


def resampled(sums: Array, resamples: int, seed: int) -> Iterator[Array]:
    """Yield the summed counts of bootstrap samples in blocks, shape (block, k); the same for the same seed."""
    generator = np.random.default_rng(seed)
    size = len(sums)
    block = max(1, min(resamples, _CELLS // size))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        yield _weights(generator, rows, size) @ sums


def _weights(generator: np.random.Generator, rows: int, size: int) -> Array:
    """Return how often each group is drawn, shape (rows, size): `size` draws with replacement a row."""
    drawn = generator.integers(0, size, (rows, size), dtype=np.int32)
    drawn += np.arange(rows, dtype=np.int32)[:, None] * size
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)


def bootstrap(
    counts: Array,
    groups: Sequence[Hashable],
    score: Score,
    *,
    resamples: int = 10_000,
    seed: int = 13,
    level: float = 0.95,
) -> Interval:
    """Return scores of all counts (n, k) with percentile intervals over groups."""
    sums = group_sums(counts, groups)
    values = score(sums.sum(axis=0))
    if len(sums) < LEAST_GROUPS:
        nothing = np.full(values.shape, np.nan)
        return Interval(values, nothing, nothing.copy(), np.zeros(values.shape, dtype=np.int64))
    samples = np.concatenate([score(block) for block in resampled(sums, resamples, seed)])
    low, high, undefined = percentiles(samples, level)
    return Interval(values, low, high, undefined)


def percentiles(samples: Array, level: float) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return the central interval of each column, NaN left out, and how many values were NaN."""
    undefined = np.isnan(samples).sum(axis=0)
    low, high = np.full(samples.shape[1], np.nan), np.full(samples.shape[1], np.nan)
    tails = [(1 - level) / 2, (1 + level) / 2]
    whole = undefined == 0
    if whole.any():
        low[whole], high[whole] = np.quantile(samples[:, whole], tails, axis=0)
    for column in np.flatnonzero(~whole & (undefined < len(samples))):
        low[column], high[column] = np.nanquantile(samples[:, column], tails)
    return low, high, undefined.astype(np.int64)


def paired(
    first: Array,
    second: Array,
    groups: Sequence[Hashable],
    score: Score,
    *,
    resamples: int = 10_000,
    seed: int = 13,
    level: float = 0.95,
) -> Difference:
    """Return the scores of `second` minus those of `first`, both counted on the same examples.

    Each resample draws the same groups for both. The two-sided p-value is the share of centred resampled
    differences at least as large as the observed one, (1 + hits) / (1 + resamples) (Efron & Tibshirani 1993, ch. 16).
    """
    k = first.shape[1]
    sums = group_sums(np.concatenate([first, second], axis=1), groups)
    whole = sums.sum(axis=0)
    values = score(whole[k:]) - score(whole[:k])
    if len(sums) < LEAST_GROUPS:
        nothing = np.full(values.shape, np.nan)
        return Difference(values, nothing, nothing.copy(), np.zeros(values.shape, dtype=np.int64), nothing.copy())
    blocks = [score(block[:, k:]) - score(block[:, :k]) for block in resampled(sums, resamples, seed)]
    samples = np.concatenate(blocks)
    low, high, undefined = percentiles(samples, level)
    with np.errstate(invalid="ignore"):
        hits = (np.abs(samples - values) >= np.abs(values) - 1e-12).sum(axis=0)
    p = np.where(np.isnan(values), np.nan, (1 + hits) / (1 + len(samples) - undefined))
    return Difference(values, low, high, undefined, p)
