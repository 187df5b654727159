"""Rules that name a particle after the labelled particles of a gallery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.models.spaces import unit
from seston.recognition.neighbours import nearest, vote

__all__ = [
    "CLASSIFIERS",
    "DEFAULT_CLASSIFIER",
    "LinearRule",
    "NeighbourRule",
    "Rule",
    "centroid",
    "fit_rule",
    "knn",
    "shrinkage_lda",
    "soft_lda",
]

DEFAULT_CLASSIFIER = "soft-lda"
_PRIOR_PARTICLES = 100.0
_FIRST_TEMPERATURE = 0.1


class Rule(Protocol):
    """A rule fitted to a gallery."""

    def __call__(self, queries: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score each class for each query, shape (queries, classes): greater is likelier, on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class LinearRule:
    """Scores that are straight functions of the vector."""

    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]

    def __call__(self, queries: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score each class for each query."""
        return np.asarray(queries.astype(np.float64) @ self.weights + self.offsets)


@dataclass(frozen=True, slots=True)
class NeighbourRule:
    """Scores that are the logarithm of the share of votes of the nearest gallery particles."""

    gallery: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: int
    k: int

    def __call__(self, queries: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score each class for each query."""
        distances, rows = nearest(self.gallery, queries, self.k)
        votes = vote(distances, self.labels[rows], self.classes)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(votes / votes.sum(axis=1, keepdims=True)))


def fit_rule(name: str, vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int, *, k: int = 3) -> Rule:
    """Fit a rule of the registry to a gallery.

    Parameters
    ----------
    name
        ``soft-lda``, ``shrinkage-lda``, ``knn`` or ``centroid``.
    vectors, labels
        Unit vectors of the gallery particles and their class numbers (0 … classes − 1, each at least once).
    k
        Neighbours of ``knn``; the other rules have none.
    """
    if name not in CLASSIFIERS:
        raise UsageError(f"there is no classifier {name!r}{nearest_word(name, CLASSIFIERS)}")
    if name == "knn":
        return knn(vectors, labels, classes, k=k)
    return CLASSIFIERS[name](vectors, labels, classes)


def soft_lda(vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> LinearRule:
    """Discriminate linearly, with a scatter that leans on a round one as long as the gallery is small.

    The scatter within classes S is replaced by (1 − λ) S + λ (trace S / d) I, λ = 100 / (100 + N − C), for N particles
    of C classes in d dimensions; all classes are taken as equally common. With one particle a class this is the nearest
    mean, which for unit vectors is the nearest by cosine. (Shrinkage as in Friedman 1989, Regularized Discriminant
    Analysis, with a weight fixed beforehand.)
    """
    rows = vectors.astype(np.float64)
    means = _class_means(rows, labels, classes)
    freedom = len(rows) - classes
    if freedom <= 0:
        return _linear(means, means / _FIRST_TEMPERATURE)
    apart = rows - means[labels]
    lean = _PRIOR_PARTICLES / (_PRIOR_PARTICLES + freedom)
    level = float((apart**2).sum()) / freedom / rows.shape[1]
    if level <= 0:  # every particle equals its class mean
        return _linear(means, means / _FIRST_TEMPERATURE)
    return _linear(means, _solve_scatter(apart, (1 - lean) / freedom, lean * level, means))


def shrinkage_lda(vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> LinearRule:
    """Discriminate linearly, with the scatter within classes shrunk as much as it seems to need (Ledoit & Wolf 2004).

    With one particle a class there is no scatter, and this is the nearest mean.
    """
    from sklearn.covariance import ledoit_wolf

    rows = vectors.astype(np.float64)
    means = _class_means(rows, labels, classes)
    apart = rows - means[labels]
    if not apart.any():
        return _linear(means, means / _FIRST_TEMPERATURE)
    scatter = ledoit_wolf(apart, assume_centered=True)[0]
    scatter[np.diag_indices(len(scatter))] += 1e-6 * np.trace(scatter) / len(scatter)  # should it not be shrunk at all
    return _linear(means, np.linalg.solve(scatter, means.T).T)


def _solve_scatter(
    apart: NDArray[np.float64], weight: float, level: float, means: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve (weight · apartᵀ apart + level · I) x = mean for each mean, in whichever of both shapes is smaller."""
    particles, width = apart.shape
    if particles >= width:
        scatter = weight * (apart.T @ apart)
        scatter[np.diag_indices(width)] += level
        return np.asarray(np.linalg.solve(scatter, means.T).T)
    inner = weight * (apart @ apart.T)
    inner[np.diag_indices(particles)] += level
    return np.asarray((means - weight * np.linalg.solve(inner, apart @ means.T).T @ apart) / level)


def centroid(vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> LinearRule:
    """Take the class whose mean is nearest by cosine."""
    means = unit(_class_means(vectors.astype(np.float64), labels, classes)).astype(np.float64)
    return LinearRule((means / _FIRST_TEMPERATURE).T, np.zeros(classes))


def knn(vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int, *, k: int = 3) -> NeighbourRule:
    """Let the `k` nearest by cosine vote, weighted by 1/distance (see `seston.recognition.neighbours.vote`)."""
    return NeighbourRule(vectors, labels, classes, k)


def _class_means(rows: NDArray[np.float64], labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    if (counts == 0).any():
        raise UsageError(f"class {int(counts.argmin())} has no particle in the gallery")
    means = np.zeros((classes, rows.shape[1]))
    np.add.at(means, labels, rows)
    return np.asarray(means / counts[:, None])


def _linear(means: NDArray[np.float64], weights: NDArray[np.float64]) -> LinearRule:
    return LinearRule(weights.T, -0.5 * (weights * means).sum(axis=1))


CLASSIFIERS: dict[str, Callable[[NDArray[np.float32], NDArray[np.int64], int], Rule]] = {
    "soft-lda": soft_lda,
    "shrinkage-lda": shrinkage_lda,
    "knn": knn,
    "centroid": centroid,
}
"""Name → rule: fits unit vectors and class numbers of a gallery."""
