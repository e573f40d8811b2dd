"""Exact and near duplicates among texts: MinHash finds candidates, exact Jaccard decides.

A text is its set of shingles (runs of words, case and punctuation apart). MinHash: Broder (1997); the bands
are chosen so that a pair at the threshold is a candidate with a probability of at least `RECALL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from stancekit.errors import fail
from stancekit.text.normal import same

RECALL = 0.99
_PERMUTATIONS = 256
_CROWD = 50
_WORD = re.compile(r"\w+")

_MIXER = np.uint64(0x9E3779B97F4A7C15)

Pair = tuple[int, int, float]
Shingles = NDArray[np.uint64]


def exact_duplicates(texts: Sequence[str]) -> list[list[int]]:
    """Return the groups of texts that are equal but for case, white space and the shape of quotation marks.

    A group is the positions of two or more texts, ascending; groups are in the order of their first.
    """
    groups: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        groups.setdefault(same(text), []).append(position)
    return [group for group in groups.values() if len(group) > 1]


def near_duplicates(texts: Sequence[str], *, threshold: float = 0.8, shingle: int = 1) -> list[Pair]:
    """Return pairs (i, j, Jaccard) of positions i < j whose shingle sets have a Jaccard of `threshold` or more, sorted.

    `shingle` is the number of words in a shingle: 1 suits sentences (one word exchanged among n different ones
    leaves (n − 1) / (n + 1), so 0.7 finds that from 6 words on), 3 suits articles.
    Of texts with equal sets, the later ones are paired with the first alone, at 1.0, and only the first with
    others; in a crowd of more than 50 texts that share a band, each is compared with the crowd's first 50.
    So a line that stands a thousand times gives no million pairs; `connected` still finds its whole group.
    """
    if not 0 < threshold <= 1 or shingle < 1:
        raise fail("near duplicates", f"threshold {threshold}, shingle {shingle}", "0 < threshold ≤ 1, shingle ≥ 1")
    sets = _shingle_sets(texts, shingle)
    first: dict[bytes, int] = {}
    found: list[Pair] = []
    for position, one in enumerate(sets):
        if len(one) and first.setdefault(one.tobytes(), position) != position:
            found.append((first[one.tobytes()], position, 1.0))
    kept = np.fromiter(first.values(), np.int64, len(first))
    found.extend(_verified(sets, _candidates(sets, kept, threshold), threshold))
    return sorted(found)


def connected(pairs: Iterable[tuple[int, int, float]]) -> list[list[int]]:
    """Return the connected groups of some pairs, each ascending, in the order of their first."""
    parent: dict[int, int] = {}

    def root(one: int) -> int:
        while parent.setdefault(one, one) != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one, other, _ in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    groups: dict[int, list[int]] = {}
    for one in sorted(parent):
        groups.setdefault(root(one), []).append(one)
    return list(groups.values())


def _shingle_sets(texts: Sequence[str], size: int) -> list[Shingles]:
    """Return the shingles of every text as sorted numbers; a text shorter than a shingle has one.

    Words are numbered in order of appearance, and a run of words is a 64-bit hash of their numbers: 8 bytes a
    shingle, where sets of words would fill the memory with a large crawl.
    """
    numbers: dict[str, int] = {}
    sets = []
    for text in texts:
        words = [numbers.setdefault(word, len(numbers) + 1) for word in _WORD.findall(text.casefold())]
        ids, length = np.array(words, np.uint64), min(size, len(words))
        runs = ids[: len(ids) - length + 1].copy() if words else ids
        for k in range(1, length):
            runs = runs * _MIXER + ids[k : len(ids) - length + 1 + k]
        sets.append(np.unique(runs))
    return sets


def _folded(shingle: int) -> int:
    """Return 32 bits of a shingle's number, what MinHash takes."""
    return (shingle ^ (shingle >> 32)) & 0xFFFFFFFF


def _bands(threshold: float) -> tuple[int, int]:
    """Return (rows a band, bands): as many rows as `RECALL` at the threshold allows, for fewest candidates."""
    fitting = [
        rows for rows in range(1, _PERMUTATIONS + 1) if 1 - (1 - threshold**rows) ** (_PERMUTATIONS // rows) >= RECALL
    ]
    rows = max(fitting, default=1)
    return rows, _PERMUTATIONS // rows


def _candidates(sets: Sequence[Shingles], kept: NDArray[np.int64], threshold: float) -> NDArray[np.int64]:
    """Return the pairs of positions that agree in some band and are near enough in size, shape (pairs, 2)."""
    if len(kept) < 2:
        return np.zeros((0, 2), np.int64)
    sketches = MinHash.generator((sets[k].tolist() for k in kept), num_perm=_PERMUTATIONS, hashfunc=_folded, seed=1)
    signatures = np.stack([sketch.hashvalues for sketch in sketches]).astype(np.uint64)
    sizes = np.array([len(sets[k]) for k in kept])
    rows, bands = _bands(threshold)
    mixers = np.random.RandomState(2).randint(1, 2**62, rows).astype(np.uint64) | np.uint64(1)
    codes = [np.zeros(0, np.int64)]
    for band in range(bands):
        keys = signatures[:, band * rows : (band + 1) * rows] @ mixers
        pairs = _same_key(keys)
        low, high = np.sort(sizes[pairs], axis=1).T
        pairs = pairs[low >= threshold * high]
        codes.append(np.unique(pairs[:, 0] * len(kept) + pairs[:, 1]))
    unique = np.unique(np.concatenate(codes))
    return np.stack([kept[unique // len(kept)], kept[unique % len(kept)]], axis=1)


def _same_key(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the pairs of positions (ascending) with one key, shape (pairs, 2)."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(keys[order]) != 0, [True]]))
    pairs = [
        pair for start, end in pairwise(starts) if end - start > 1 for pair in _in_crowd(order[start:end].tolist())
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _in_crowd(members: list[int]) -> Iterator[tuple[int, int]]:
    yield from combinations(members[:_CROWD], 2)
    for late in members[_CROWD:]:
        yield from ((early, late) for early in members[:_CROWD])


def _verified(sets: Sequence[Shingles], pairs: NDArray[np.int64], threshold: float) -> Iterator[Pair]:
    hashed = {k: frozenset(sets[k].tolist()) for k in np.unique(pairs).tolist()}
    for one, other in pairs.tolist():
        shared = len(hashed[one] & hashed[other])
        jaccard = shared / (len(hashed[one]) + len(hashed[other]) - shared)
        if jaccard >= threshold:
            yield one, other, jaccard
