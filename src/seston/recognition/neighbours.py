"""Nearest gallery particles by cosine, and the vote among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest", "unit", "vote"]

_QUERIES_AT_ONCE = 2048
_ROUNDING = 1e-12


def nearest(
    gallery: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the `k` nearest gallery rows of each query by cosine distance, by exact search.

    Parameters
    ----------
    gallery, queries
        Vectors, one a row, of any length: both are brought to unit length.
    k
        How many neighbours; all of the gallery where it is smaller.

    Returns
    -------
    (distances, rows)
        Both of shape (queries, k), nearest first; distances are 1 − cosine, between 0 and 2. Of equally near gallery
        rows the one with the lower number comes first.
    """
    k = min(k, len(gallery))
    towards = unit(gallery).T
    distances = np.empty((len(queries), k), np.result_type(gallery, queries))
    rows = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        part = slice(start, start + _QUERIES_AT_ONCE)
        likeness = unit(queries[part]) @ towards
        distances[part], rows[part] = _take_nearest(likeness, k)
    return distances, rows


def _take_nearest(likeness: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Take the k greatest of each row by k passes: quicker than a partition for few neighbours. Spoils `likeness`."""
    every = np.arange(len(likeness))
    distances = np.empty((len(likeness), k), likeness.dtype)
    rows = np.empty((len(likeness), k), np.int64)
    # Clipped before the search, so that what rounding alone sets apart counts as equally near.
    np.clip(likeness, -1, 1, out=likeness)
    for place in range(k):
        best = likeness.argmax(axis=1)
        rows[:, place] = best
        distances[:, place] = 1 - likeness[every, best]
        likeness[every, best] = -np.inf
    return distances, rows


def vote(distances: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Count the votes of neighbours, each weighted by 1/distance.

    The rule of Kareinen et al. (arXiv 2603.16427): where a neighbour of a query lies at distance 0, only the neighbours
    at distance 0 vote, with weight 1 each. The winner is ``argmax``: of tied classes the first in order.

    Parameters
    ----------
    distances, labels
        Of shape (queries, neighbours): distance and class number of each neighbour.
    classes
        How many classes there are.

    Returns
    -------
    array of shape (queries, classes)
        Sums of the weights.
    """
    zero = distances == 0
    with np.errstate(divide="ignore"):
        weights = np.where(zero.any(axis=1, keepdims=True), zero, 1 / distances.astype(np.float64))
    votes = np.zeros((len(distances), classes))
    every = np.arange(len(distances))
    for place in range(distances.shape[1]):
        votes[every, labels[:, place]] += weights[:, place]
    return votes


def unit(vectors: NDArray[Any]) -> NDArray[Any]:
    """Bring each row to length 1, in the number format it came in; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > _ROUNDING, lengths, 1))
