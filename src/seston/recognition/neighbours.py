"""Nearest gallery particles by cosine, and the vote among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import unit

__all__ = ["name_by_vote", "nearest", "nearest_units", "vote"]

_LIKENESSES_AT_ONCE = 1 << 19
_FEWEST_AT_ONCE = 64


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
    return nearest_units(unit(gallery), unit(queries), k)


def nearest_units(
    gallery: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the `k` nearest gallery rows as `nearest` does, among vectors that have unit length already."""
    k = min(k, len(gallery))
    distances = np.empty((len(queries), k), np.result_type(gallery, queries))
    rows = np.empty((len(queries), k), np.int64)
    at_once = max(_FEWEST_AT_ONCE, _LIKENESSES_AT_ONCE // max(len(gallery), 1))
    towards = gallery.T
    for start in range(0, len(queries), at_once):
        part = slice(start, start + at_once)
        distances[part], rows[part] = _take_nearest(queries[part] @ towards, k)
    return distances, rows


def _take_nearest(likeness: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Take the k greatest of each row by k passes: quicker than a partition for few neighbours. Spoils `likeness`."""
    every = np.arange(len(likeness))
    greatest = np.empty((len(likeness), k), likeness.dtype)
    rows = np.empty((len(likeness), k), np.int64)
    for place in range(k):
        best = likeness.argmax(axis=1)
        rows[:, place] = best
        greatest[:, place] = likeness[every, best]
        likeness[every, best] = -np.inf
    distances = 1 - greatest
    # What rounding alone sets apart beyond 1 or -1 counts as equally near: the few such rows are searched once more.
    beyond = np.abs(greatest).max(axis=1, initial=0) > 1
    if beyond.any():
        again = likeness[beyond]
        np.put_along_axis(again, rows[beyond], greatest[beyond], axis=1)
        distances[beyond], rows[beyond] = _take_nearest(np.clip(again, -1, 1), k)
    return distances, rows


def name_by_vote(distances: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the winner of each `vote`, without counting the votes of all classes.

    Parameters
    ----------
    distances, labels
        Of shape (queries, neighbours), at least one neighbour.

    Returns
    -------
    array of shape (queries,)
        A class number each; of tied classes the first.
    """
    weights = _weights(distances)
    winner = labels[:, 0].copy()
    most = np.full(len(labels), -1.0)
    for place in range(labels.shape[1]):
        label = labels[:, place]
        votes = np.zeros(len(labels))
        for other in range(labels.shape[1]):
            votes += weights[:, other] * (labels[:, other] == label)
        wins = (votes > most) | ((votes == most) & (label < winner))
        winner[wins], most[wins] = label[wins], votes[wins]
    return winner


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
    weights = _weights(distances)
    votes = np.zeros((len(distances), classes))
    every = np.arange(len(distances))
    for place in range(distances.shape[1]):
        votes[every, labels[:, place]] += weights[:, place]
    return votes


def _weights(distances: NDArray[np.float32]) -> NDArray[np.float64]:
    zero = distances == 0
    with np.errstate(divide="ignore"):
        return np.where(zero.any(axis=1, keepdims=True), zero, 1 / distances.astype(np.float64))
