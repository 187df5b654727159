"""The gallery's own particles, each left out of it in turn and asked about as if it came from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENOUGH_LEFT", "Fold", "as_from_outside", "leave_out"]

_FOLDS = 8
_FEWEST = 10
_FEWEST_CLASSES = 2
ENOUGH_LEFT = 8.0
"""Particles of a class, on average, among which names are much like those of the whole gallery."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Particles that are asked about, and those that are left to name them; both are rows of the gallery."""

    asked: NDArray[np.int64]
    """Only such as have others of their class among the rest."""
    rest: NDArray[np.int64]


def leave_out(
    labels: NDArray[np.int64], samples: Sequence[str], enough_left: float = ENOUGH_LEFT
) -> tuple[list[Fold], bool]:
    """Leave each particle out of the gallery once, in up to eight folds.

    Whole samples are left out where classes keep enough particles on average (eight, if not said otherwise), so that
    what is asked about comes from another measurement. In smaller galleries that would leave classes so thin that the
    names of the rest say little about those of the whole: there particles are left out singly, spread evenly over each
    class.

    Returns
    -------
    (folds, by_sample)
        No folds where too few particles could be left out.
    """
    by_sample = _folds(_places_by_sample(samples), labels)
    if _enough(by_sample, labels) and _own_left(by_sample, labels) >= enough_left:
        return by_sample, True
    by_class = _folds(_places_by_class(labels), labels)
    return (by_class, False) if _enough(by_class, labels) else ([], False)


def as_from_outside(vectors: NDArray[np.float32], labels: NDArray[np.int64], fold: Fold) -> NDArray[np.float32]:
    """Give the particles asked about, drawn towards their class by what leaving them out put them too far from it.

    The mean of the n − k particles that are left of a class lies farther from one of its own than the mean of all n
    would from a new one. Where particles spread evenly, squared distances grow by (1 + 1/(n − k)) / (1 + 1/n); the
    square root of that is taken back. Without it, scores of galleries with few particles a class come out too low.
    """
    classes = int(labels.max()) + 1
    means = np.zeros((classes, vectors.shape[1]))
    np.add.at(means, labels[fold.rest], vectors[fold.rest].astype(np.float64))
    left = np.bincount(labels[fold.rest], minlength=classes)
    own = labels[fold.asked]
    centre = means[own] / left[own, None]
    whole = np.bincount(labels, minlength=classes)[own]
    nearer = np.sqrt((1 + 1 / whole) / (1 + 1 / left[own]))
    return np.asarray(centre + nearer[:, None] * (vectors[fold.asked] - centre), np.float32)


def _places_by_sample(samples: Sequence[str]) -> NDArray[np.int64]:
    _, of_particle = np.unique(np.asarray(samples), return_inverse=True)
    return np.asarray(of_particle % _FOLDS, np.int64)


def _places_by_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Deal the particles of each class out to the folds; each class begins at another fold."""
    place = np.zeros(len(labels), np.int64)
    folds = min(_FOLDS, max(2, int(np.bincount(labels).max())))
    for name in np.unique(labels):
        rows = np.random.default_rng(int(name)).permutation(np.flatnonzero(labels == name))
        place[rows] = (np.arange(len(rows)) + name) % folds
    return place


def _folds(place: NDArray[np.int64], labels: NDArray[np.int64]) -> list[Fold]:
    folds = []
    for number in np.unique(place):
        rest = np.flatnonzero(place != number)
        there = np.unique(labels[rest])
        asked = np.flatnonzero((place == number) & np.isin(labels, there))
        if len(there) >= _FEWEST_CLASSES and len(asked):
            folds.append(Fold(asked, rest))
    return folds


def _enough(folds: Sequence[Fold], labels: NDArray[np.int64]) -> bool:
    return sum(len(fold.asked) for fold in folds) >= max(_FEWEST, len(labels) // 2)


def _own_left(folds: Sequence[Fold], labels: NDArray[np.int64]) -> float:
    """Count how many of its own class a particle finds among the rest, on average."""
    left = [np.bincount(labels[fold.rest], minlength=int(labels.max()) + 1)[labels[fold.asked]] for fold in folds]
    return float(np.concatenate(left).mean())
