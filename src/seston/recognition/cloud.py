"""Particles as a cloud of points: what each is compared by, how dense it lies, and what is near it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import unit
from seston.recognition.neighbours import nearest_units
from seston.recognition.views import Views

__all__ = ["VIEWS", "Cloud", "groups_of", "likeness_to", "make_cloud", "move_to_centres"]

VIEWS = ("IP", "I", "P")
"""What particles are compared by, richest first: picture and profile, one of them alone."""
_NEIGHBOURS = 10
_LEAST_DENSITY = 1e-3
_AT_ONCE = 1024
_NOTHING_IN_COMMON = -1.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """Particles, each with its richest view and how dense the others lie around it there."""

    views: Views
    centres: Views
    """The same particles, each moved to the mean of itself and its 10 nearest neighbours: what belongs to one cluster
    moves together, so that distances tell between clusters rather than within."""
    group: NDArray[np.int64]
    """Place of the richest view in `VIEWS`; −1 for a particle that has none."""
    density: NDArray[np.float64]
    """Mean cosine to the 10 nearest neighbours."""


def make_cloud(views: Views, count: int, others: NDArray[np.int64]) -> Cloud:
    """Look at particles, given by their views (see `seston.recognition.views.views_of`).

    Parameters
    ----------
    others
        Groups (see `groups_of`) of the particles that they will be compared with beside each other.
    """
    group = groups_of(views, count)
    needed = {VIEWS[place] for place in np.union1d(group, others).tolist() if place >= 0}
    density = np.full(count, 1.0)
    centres = {}
    for place, view in enumerate(VIEWS):
        if view not in views or view not in needed:
            continue
        vectors, has = views[view]
        rows = np.flatnonzero(has)
        moved = np.zeros_like(vectors)
        distances, near = nearest_units(vectors[rows], vectors[rows], _NEIGHBOURS + 1)
        moved[rows] = _means(vectors[rows], near)
        centres[view] = moved, has
        if len(rows) > 1:
            mine = group[rows] == place
            density[rows[mine]] = np.maximum(1 - distances[mine, 1:].mean(axis=1), _LEAST_DENSITY)
    return Cloud(views, centres, group, density)


def move_to_centres(cloud: Cloud, others: Views) -> Views:
    """Move other particles as those of the cloud were: to the mean of themselves and the 10 nearest of the cloud."""
    moved = {}
    for view, (vectors, has) in others.items():
        if view not in cloud.centres or not cloud.views[view][1].any():
            continue
        pool = cloud.views[view][0][cloud.views[view][1]]
        rows = np.flatnonzero(has)
        near = nearest_units(pool, vectors[rows], _NEIGHBOURS)[1]
        together = np.concatenate([pool, vectors[rows]])
        itself = len(pool) + np.arange(len(rows))
        centres = np.zeros_like(vectors)
        centres[rows] = _means(together, np.concatenate([near, itself[:, None]], axis=1))
        moved[view] = centres, has
    return moved


def _means(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Give the direction of the mean of some rows, for each line of `rows`."""
    means = np.empty((len(rows), vectors.shape[1]), np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        means[start : start + _AT_ONCE] = unit(vectors[rows[start : start + _AT_ONCE]].mean(axis=1))
    return means


def groups_of(views: Views, count: int) -> NDArray[np.int64]:
    """Give the place in `VIEWS` of the richest view of each particle; −1 where it has none."""
    group = np.full(count, -1)
    for place in reversed(range(len(VIEWS))):
        if VIEWS[place] in views:
            group[views[VIEWS[place]][1]] = place
    return group


def likeness_to(
    mine: Views, group: NDArray[np.int64], others: Views, other_group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give the cosine of each particle to the most alike of others, by the richest view that both have.

    It is −1 where there are no others, or nothing in common that could be compared.
    """
    best = np.full(len(group), _NOTHING_IN_COMMON)
    for place in range(len(VIEWS)):
        rows = np.flatnonzero(group == place)
        for other_place in range(len(VIEWS)):
            columns = np.flatnonzero(other_group == other_place)
            view = _common(place, other_place)
            if view is None or view not in others or not len(rows) or not len(columns):
                continue
            towards = others[view][0][columns].T
            for start in range(0, len(rows), _AT_ONCE):
                part = rows[start : start + _AT_ONCE]
                best[part] = np.maximum(best[part], (mine[view][0][part] @ towards).max(axis=1))
    return best


def _common(mine: int, theirs: int) -> str | None:
    """Name the richest view that two particles have in common, given the richest of each."""
    if mine == theirs or not mine * theirs:
        return VIEWS[max(mine, theirs)]
    return None
