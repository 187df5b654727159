"""Which unlabelled particles to ask a person about: those whose labels would help most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.recognition.calibration import probabilities
from seston.recognition.classifiers import DEFAULT_CLASSIFIER, fit_rule
from seston.recognition.views import Views

__all__ = ["Asked", "Known", "ask"]

_VIEWS = ("IP", "I", "P")
"""What particles are compared by, richest first."""
_NEIGHBOURS = 10
_SHARPNESS = 2.0
_SURE = 0.05
_TWIN = 0.01
"""Particles nearer than this by cosine distance show the same thing."""
_AT_ONCE = 1024
_LEAST_DENSITY = 1e-3
_NOTHING = -1.0
"""Likeness of particles that have nothing in common to compare."""


@dataclass(frozen=True, slots=True)
class Known:
    """Particles that have labels."""

    views: Views
    numbers: NDArray[np.int64]
    """Place of each particle's label among `class_names`."""
    class_names: Sequence[str]
    classifier: str = DEFAULT_CLASSIFIER


@dataclass(frozen=True, slots=True)
class Asked:
    """One particle to ask about."""

    row: int
    like: float
    """Likeness (cosine) to the nearest labelled particle; −1 where nothing can be compared."""
    density: float
    """Mean likeness to its nearest neighbours."""
    stands_for: int
    """Particles, itself among them, to which no labelled or suggested particle is nearer."""
    names: tuple[int, ...] = ()
    """The likeliest label and the next, as class numbers; empty where there are too few labels."""
    score: float | None = None
    """Probability of the likeliest label."""
    margin: float | None = None
    """How far it is ahead of the next."""


def ask(views: Views, count: int, known: Known, n: int) -> list[Asked]:
    """Choose the unlabelled particles whose labels would help most, the most helpful first.

    One after the other, the particle with the greatest product of four: how *typical* it is (the squared mean cosine
    to its 10 nearest neighbours: what has no neighbours is rarely a species; TypiClust, Hacohen et al. 2022), how *far*
    it lies from all labelled particles and all chosen before (k-centre, Sener & Savarese 2018), how *uncertain* its
    name is (√(1 − margin)), and how *few* labels its likeliest class has (1/√labels). So without labels, modes of the
    cloud come first, rare ones as soon as common ones; later what lies between classes.

    Parameters
    ----------
    views
        The unlabelled particles, see `seston.recognition.views.views_of`. They are compared by the richest view that
        two have in common.
    count
        How many unlabelled particles there are.
    known
        The labelled ones in the same spaces; there may be none.
    n
        How many to choose; fewer are given where all others have nothing to be compared by, or show the same as one
        that is labelled or chosen.
    """
    cloud = _Cloud.of(views, count)
    like = cloud.nearest_of(known.views, len(known.numbers))
    names = _name(cloud, known)
    labels = np.bincount(known.numbers, minlength=max(len(known.class_names), 1)).astype(np.float64)
    weight = cloud.density**_SHARPNESS
    if names is not None:
        weight *= np.sqrt(1 + _SURE - names.margin)
    weight[cloud.group < 0] = 0
    nearest, owner = like.copy(), np.full(count, -1)
    chosen: list[int] = []
    while len(chosen) < min(n, count):
        worth = weight * (1 - nearest)
        if names is not None:
            worth /= np.sqrt(np.maximum(labels[names.best], 1))
        worth[1 - nearest < _TWIN] = 0
        row = int(worth.argmax())
        if worth[row] <= 0:
            break
        towards = cloud.likeness_to(row)
        towards[row] = 1
        owner[towards > nearest] = len(chosen)
        nearest = np.maximum(nearest, towards)
        chosen.append(row)
        if names is not None:
            labels += names.shares[row]
    sizes = np.bincount(owner[owner >= 0], minlength=len(chosen))
    return [_asked(cloud, names, row, float(like[row]), int(size)) for row, size in zip(chosen, sizes, strict=True)]


def _asked(cloud: _Cloud, names: _Names | None, row: int, like: float, stands_for: int) -> Asked:
    if names is None:
        return Asked(row, like, float(cloud.density[row]), stands_for)
    best, second = int(names.best[row]), int(names.second[row])
    score, margin = float(names.shares[row, best]), float(names.margin[row])
    return Asked(row, like, float(cloud.density[row]), stands_for, (best, second), score, margin)


@dataclass(frozen=True, slots=True)
class _Cloud:
    """The unlabelled particles, each with the richest view of it and how dense the others lie around it there."""

    views: Views
    group: NDArray[np.int64]
    """Place of the richest view in `_VIEWS`; −1 for a particle that has none."""
    density: NDArray[np.float64]

    @classmethod
    def of(cls, views: Views, count: int) -> _Cloud:
        group = _groups(views, count)
        density = np.ones(count)
        for place, view in enumerate(_VIEWS):
            rows = np.flatnonzero(group == place)
            if len(rows):
                density[rows] = _density(views[view][0][rows])
        return cls(views, group, density)

    def nearest_of(self, others: Views, count: int) -> NDArray[np.float64]:
        """Give the likeness of each particle to the most alike of others, by the richest view that both have."""
        best = np.full(len(self.group), _NOTHING)
        groups = _groups(others, count)
        for mine in range(len(_VIEWS)):
            rows = np.flatnonzero(self.group == mine)
            for theirs in range(len(_VIEWS)):
                columns = np.flatnonzero(groups == theirs)
                view = _common(mine, theirs)
                if view is None or not len(rows) or not len(columns):
                    continue
                towards = others[view][0][columns].T
                for start in range(0, len(rows), _AT_ONCE):
                    part = rows[start : start + _AT_ONCE]
                    likeness = (self.views[view][0][part] @ towards).max(axis=1)
                    best[part] = np.maximum(best[part], likeness)
        return best

    def likeness_to(self, row: int) -> NDArray[np.float64]:
        """Give the likeness of each particle to one of them."""
        one = {view: (vectors[row : row + 1], has[row : row + 1]) for view, (vectors, has) in self.views.items()}
        return self.nearest_of(one, 1)


def _groups(views: Views, count: int) -> NDArray[np.int64]:
    group = np.full(count, -1)
    for place in reversed(range(len(_VIEWS))):
        if _VIEWS[place] in views:
            group[views[_VIEWS[place]][1]] = place
    return group


def _common(mine: int, theirs: int) -> str | None:
    """Name the richest view that two particles have in common, given the richest of each."""
    if mine == theirs or not mine * theirs:
        return _VIEWS[max(mine, theirs)]
    return None


def _density(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give the mean cosine of each vector to its nearest neighbours."""
    neighbours = min(_NEIGHBOURS, len(vectors) - 1)
    if neighbours < 1:
        return np.ones(len(vectors))
    found = np.empty(len(vectors))
    for start in range(0, len(vectors), _AT_ONCE):
        likeness = vectors[start : start + _AT_ONCE] @ vectors.T
        likeness[np.arange(len(likeness)), start + np.arange(len(likeness))] = -np.inf
        found[start : start + _AT_ONCE] = np.partition(likeness, -neighbours, axis=1)[:, -neighbours:].mean(axis=1)
    return np.maximum(found, _LEAST_DENSITY)


@dataclass(frozen=True, slots=True)
class _Names:
    """What the labelled particles say about the unlabelled ones."""

    shares: NDArray[np.float32]
    """Probability of each class."""
    best: NDArray[np.int64]
    second: NDArray[np.int64]
    margin: NDArray[np.float64]


def _name(cloud: _Cloud, known: Known) -> _Names | None:
    """Name all particles by the labelled ones; None where those are of fewer than two labels."""
    classes = len(known.class_names)
    if len(np.unique(known.numbers)) < 2:
        return None
    shares = np.full((len(cloud.group), classes), 1 / classes, np.float32)
    for place in range(len(_VIEWS)):
        rows = np.flatnonzero(cloud.group == place)
        view = _most_classes(known, place)
        if view is None or not len(rows):
            continue
        vectors, has = known.views[view]
        there, numbers = np.unique(known.numbers[has], return_inverse=True)
        rule = fit_rule(known.classifier, vectors[has], numbers.astype(np.int64), len(there))
        of_rows = np.zeros((len(rows), classes), np.float32)
        of_rows[:, there] = probabilities(rule(cloud.views[view][0][rows]), 1.0)
        shares[rows] = of_rows
    two = np.argpartition(shares, -2, axis=1)[:, -2:]
    every = np.arange(len(shares))[:, None]
    order = np.argsort(shares[every, two], axis=1, kind="stable")
    second, best = np.take_along_axis(two, order, axis=1).T
    return _Names(shares, best, second, (shares[every[:, 0], best] - shares[every[:, 0], second]).astype(np.float64))


def _most_classes(known: Known, group: int) -> str | None:
    """Choose by which view to name particles whose richest is given: the one with the most labels, richest first."""
    able = {
        view: len(np.unique(known.numbers[known.views[view][1]]))
        for view in ((_VIEWS[group],) if group else _VIEWS)
        if view in known.views
    }
    best = max(able, key=lambda view: able[view], default=None)
    return best if best is not None and able[best] > 1 else None
