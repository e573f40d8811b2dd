"""Word clusters from plain text: words of like neighbours share a cluster, at several grains.

Left and right neighbours are counted, weighted by positive pointwise mutual information, reduced by a
singular value decomposition and joined by Ward's method; a stand-in for parts of speech and Brown clusters
(Brown et al. 1992) that needs nothing but the training text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix, csr_matrix, hstack
from scipy.sparse.linalg import svds

_DIMENSIONS = 60
_NEIGHBOURS = 1500
_LARGEST = 6000


def clusters(sentences: Sequence[Sequence[str]], sizes: Sequence[int], min_count: int = 5) -> dict[str, list[int]]:
    """Return the cluster numbers of every word seen often enough, one a size; empty where words are too few."""
    counts = Counter(word for sentence in sentences for word in sentence)
    words = sorted((w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))[:_LARGEST]
    if not sizes or len(words) < 4 * max(*sizes, _DIMENSIONS):
        return {}
    place = {word: at for at, word in enumerate(words)}
    matrix = hstack([_neighbours(sentences, place, 1), _neighbours(sentences, place, -1)]).tocsr()
    vectors = _reduced(_mutual_information(matrix))
    tree = linkage(vectors, method="ward")
    cuts = [fcluster(tree, size, criterion="maxclust") for size in sizes]
    return {word: [int(cut[at]) for cut in cuts] for word, at in place.items()}


def _neighbours(sentences: Sequence[Sequence[str]], place: dict[str, int], offset: int) -> csr_matrix:
    """Count the neighbours of words at an offset, (words, neighbours); sentence edges and rare words are two more."""
    rows: list[int] = []
    columns: list[int] = []
    rare, edge = _NEIGHBOURS, _NEIGHBOURS + 1
    for sentence in sentences:
        ids = [min(place.get(word, rare), rare) for word in sentence]
        near = [edge, *ids[:-1]] if offset < 0 else [*ids[1:], edge]
        for word, neighbour in zip(sentence, near, strict=True):
            if word in place:
                rows.append(place[word])
                columns.append(neighbour)
    data = np.ones(len(rows))
    return coo_matrix((data, (rows, columns)), shape=(len(place), _NEIGHBOURS + 2)).tocsr()


def _mutual_information(counts: csr_matrix) -> csr_matrix:
    found = counts.tocoo()
    total = found.data.sum()
    by_row = np.asarray(counts.sum(axis=1)).ravel()
    by_column = np.asarray(counts.sum(axis=0)).ravel()
    value = np.log(found.data * total / (by_row[found.row] * by_column[found.col]))
    keep = value > 0
    return csr_matrix((value[keep], (found.row[keep], found.col[keep])), shape=counts.shape)


def _reduced(matrix: csr_matrix) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    start = np.ones(min(matrix.shape))
    left, weights, _ = svds(matrix, k=_DIMENSIONS, v0=start)
    vectors = left * weights
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float64)
