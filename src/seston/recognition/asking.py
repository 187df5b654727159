"""Which unlabelled particles to ask a person about: those whose labels would help most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.recognition.calibration import probabilities
from seston.recognition.classifiers import DEFAULT_CLASSIFIER, fit_rule
from seston.recognition.cloud import VIEWS, Cloud, groups_of, likeness_to, make_cloud, move_to_centres
from seston.recognition.views import Views

__all__ = ["Asked", "Known", "ask"]

_SHARPNESS = 2.0
_SURE = 0.05
_TWIN = 0.01
"""Particles nearer than this by cosine distance show the same thing."""
_LEAST_DISTANCE = 1e-6


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
    to its 10 nearest neighbours: what has no neighbours is rarely a species; TypiClust, Hacohen et al. 2022); how *far*
    its neighbourhood lies from those of all labelled and chosen ones (k-centre, Sener & Savarese 2018); how *uncertain*
    its name is (√(1 − margin), in full from two labels a class on: from one a margin says little); and how *few* labels
    its likeliest class has (1/√labels). So without labels the modes of the cloud come first, rare ones as soon as
    common ones; later what lies between classes.

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
    known_group = groups_of(known.views, len(known.numbers))
    cloud = make_cloud(views, count, known_group)
    names = _name(cloud, known)
    weight = cloud.density**_SHARPNESS * (cloud.group >= 0)
    if names is not None:
        enough = np.clip(len(known.numbers) / len(known.class_names) - 1, 0, 1)
        weight *= (1 + _SURE - names.margin) ** (enough / 2)
    like = likeness_to(views, cloud.group, known.views, known_group)
    near = likeness_to(cloud.centres, cloud.group, move_to_centres(cloud, known.views), known_group)
    labels = np.bincount(known.numbers, minlength=max(len(known.class_names), 1)).astype(np.float64)
    chosen, stands_for = _choose(cloud, weight, like.copy(), near, names, labels, n)
    return [_asked(cloud, names, row, float(like[row]), size) for row, size in zip(chosen, stands_for, strict=True)]


def _choose(
    cloud: Cloud,
    weight: NDArray[np.float64],
    like: NDArray[np.float64],
    near: NDArray[np.float64],
    names: _Names | None,
    labels: NDArray[np.float64],
    n: int,
) -> tuple[list[int], list[int]]:
    """Choose greedily; also say for how many particles each stands. Changes `like` and `labels`."""
    owner = np.full(len(weight), -1)
    chosen: list[int] = []
    while len(chosen) < min(n, len(weight)):
        worth = weight * np.maximum(1 - near, _LEAST_DISTANCE)
        if names is not None:
            worth /= np.sqrt(np.maximum(labels[names.best], 1))
        worth[1 - like < _TWIN] = 0
        row = int(worth.argmax())
        if worth[row] <= 0:
            break
        one = cloud.group[row : row + 1]
        np.maximum(like, likeness_to(cloud.views, cloud.group, _row_of(cloud.views, row), one), out=like)
        like[row] = 1
        towards = likeness_to(cloud.centres, cloud.group, _row_of(cloud.centres, row), one)
        towards[row] = 1
        owner[towards > near] = len(chosen)
        near = np.maximum(near, towards)
        chosen.append(row)
        if names is not None:
            labels += names.shares[row]
    return chosen, np.bincount(owner[owner >= 0], minlength=len(chosen)).tolist()


def _row_of(views: Views, row: int) -> Views:
    return {view: (vectors[row : row + 1], has[row : row + 1]) for view, (vectors, has) in views.items()}


def _asked(cloud: Cloud, names: _Names | None, row: int, like: float, stands_for: int) -> Asked:
    density, size = float(cloud.density[row]), max(stands_for, 1)
    if names is None:
        return Asked(row, like, density, size)
    best, second = int(names.best[row]), int(names.second[row])
    return Asked(row, like, density, size, (best, second), float(names.shares[row, best]), float(names.margin[row]))


@dataclass(frozen=True, slots=True)
class _Names:
    """What the labelled particles say about the unlabelled ones."""

    shares: NDArray[np.float32]
    """Probability of each class."""
    best: NDArray[np.int64]
    second: NDArray[np.int64]
    margin: NDArray[np.float64]


def _name(cloud: Cloud, known: Known) -> _Names | None:
    """Name all particles by the labelled ones; None where those are of fewer than two labels."""
    classes = len(known.class_names)
    if len(np.unique(known.numbers)) < 2:
        return None
    shares = np.full((len(cloud.group), classes), 1 / classes, np.float32)
    for place in range(len(VIEWS)):
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
        for view in ((VIEWS[group],) if group else VIEWS)
        if view in known.views
    }
    best = max(able, key=lambda view: able[view], default=None)
    return best if best is not None and able[best] > 1 else None
