"""Neighbours in galleries that grow from draw to draw: only what a gallery has gained is compared with the queries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seston.recognition.neighbours import nearest_units

__all__ = ["GrowingSearch"]

_Neighbours = tuple[NDArray[np.float32], NDArray[np.int64]]


class GrowingSearch:
    """Finds the k nearest gallery particles of queries, draw after draw.

    Where a gallery holds that of the draw before in the same order, and the queries are the same, the neighbours found
    then are kept, and compared with the nearest of the particles that are new. Otherwise the search begins afresh.

    Parameters
    ----------
    gallery, queries
        Unit vectors of all particles that draws number: as members of a gallery, and as queries.
    k
        How many neighbours.
    """

    def __init__(self, gallery: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> None:
        self._gallery, self._queries, self._k = gallery, queries, k
        self._members = self._asked = np.zeros(0, np.int64)
        self._of_queries = queries[:0]
        self._found: _Neighbours | None = None

    def __call__(self, members: NDArray[np.int64], asked: NDArray[np.int64]) -> _Neighbours:
        """Search.

        Returns
        -------
        (distances, particles)
            Each of shape (queries, k), nearest first; of equally near particles the one that comes first in `members`.
        """
        if self._found is None or not np.array_equal(asked, self._asked):
            self._asked, self._of_queries, self._found = asked, self._queries[asked], None
        place = np.full(len(self._gallery), -1)
        place[members] = np.arange(len(members))
        before = place[self._members]
        if self._found is None or not len(before) or before[0] < 0 or (np.diff(before) <= 0).any():
            self._found = self._among(members)
        else:
            new = np.ones(len(members), np.bool_)
            new[before] = False
            if new.any():
                self._found = _nearer(self._found, self._among(members[new]), place, min(self._k, len(members)))
        self._members = members
        return self._found

    def _among(self, members: NDArray[np.int64]) -> _Neighbours:
        distances, rows = nearest_units(self._gallery[members], self._of_queries, self._k)
        return distances, members[rows]


def _nearer(one: _Neighbours, other: _Neighbours, place: NDArray[np.int64], k: int) -> _Neighbours:
    """Take the k nearest of two lists of neighbours; of equally near ones that with the lower place."""
    distances, members = np.concatenate([one[0], other[0]], axis=1), np.concatenate([one[1], other[1]], axis=1)
    if one[0].shape[1] < k:
        mixed = np.ones(len(distances), np.bool_)
    else:
        mixed = other[0][:, 0] <= one[0][:, -1]  # for all others nothing changes
    some_distances, some_members = distances[mixed], members[mixed]
    order = np.lexsort((place[some_members], some_distances), axis=1)[:, :k]
    found = distances[:, :k].copy(), members[:, :k].copy()
    found[0][mixed] = np.take_along_axis(some_distances, order, axis=1)
    found[1][mixed] = np.take_along_axis(some_members, order, axis=1)
    return found
