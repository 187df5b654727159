"""How much a particle is like the labels of a gallery, compared with all else that there is in the water."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import unit
from seston.recognition.held_out import Fold, as_from_outside

__all__ = ["FEWEST_OF_POOL", "Familiarity", "Surroundings", "fit_familiarity", "held_out_familiarity"]

FEWEST_OF_POOL = 50
"""With fewer unlabelled particles than this, what surrounds a particle cannot be told."""

_PRIOR_PARTICLES = 100.0
_WEIGHTS = (1.0, 1.5)
_FOR, _AGAINST = 0.25, 0.5
_AROUND, _LIKE = 10, 10
_FARTHEST = 0.9
_QUERIES_AT_ONCE = 1024
_FOLDS = 4
_FEWEST_CLASSES = 3

Vectors = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Unlabelled particles of the same data set."""

    vectors: NDArray[np.float32]
    samples: tuple[str, ...]

    def without(self, samples: set[str]) -> NDArray[np.float32]:
        """Give the vectors of those that are of other samples; all where too few would be left."""
        kept = np.array([sample not in samples for sample in self.samples], np.bool_)
        return self.vectors[kept] if kept.sum() >= FEWEST_OF_POOL else self.vectors


@dataclass(frozen=True, slots=True)
class Familiarity:
    """A rule fitted to a gallery and to unlabelled particles: greater numbers mean more like the gallery's labels."""

    whitening: Vectors
    means: Vectors
    pool: Vectors
    centre: Vectors
    pool_scores: Vectors
    """Of the unlabelled particles, by what `_own` says of each."""
    farthest: float
    """Distances to unlabelled particles are cut here (logarithm)."""
    spread: tuple[tuple[float, float], ...]
    """Mean and spread of each part of the score among the unlabelled particles."""

    def __call__(self, queries: NDArray[np.float32]) -> Vectors:
        """Score particles, given by their vectors, one a row."""
        parts = [
            self._score(queries[start : start + _QUERIES_AT_ONCE]) for start in range(0, len(queries), _QUERIES_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _score(self, queries: NDArray[np.float32]) -> Vectors:
        white = queries.astype(np.float64) @ self.whitening
        if not len(self.pool):
            return _combine(_own(white, self.means, None, 0.0), self.spread)
        own = _combine(_own(white, self.means, _squared(white, self.pool), self.farthest), self.spread)
        likeness = unit(white - self.centre) @ unit(self.pool - self.centre).T
        near = np.argpartition(-likeness, _LIKE - 1, axis=1)[:, :_LIKE]
        apart = self.pool_scores[near].mean(axis=1) - own
        return np.asarray(own + np.where(apart < 0, _AGAINST, _FOR) * apart)

    @classmethod
    def of(cls, whitening: Vectors, means: Vectors, pool: Vectors, gallery: Vectors) -> Self:
        """Learn how the parts of the score are spread, among unlabelled particles or else in the gallery itself."""
        if len(pool) < FEWEST_OF_POOL:
            own = _own(gallery, means, None, 0.0)
            return cls(whitening, means, pool[:0], gallery.mean(axis=0), np.zeros(0), 0.0, _spread(own))
        apart = _squared(pool, pool)
        np.fill_diagonal(apart, np.inf)
        farthest = float(np.quantile(_around(apart), _FARTHEST))
        own = _own(pool, means, apart, farthest)
        spread = _spread(own)
        return cls(whitening, means, pool, pool.mean(axis=0), _combine(own, spread), farthest, spread)


def fit_familiarity(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], pool: NDArray[np.float32] | None = None
) -> Familiarity:
    """Learn to tell particles of a gallery's labels from strangers.

    Vectors are whitened by the scatter within classes, shrunk as `seston.recognition.classifiers.soft_lda` shrinks it.
    The score adds two parts, each standardised: the cosine to the nearest class mean, and, weighing half as much again,
    how near that mean is compared with the nearest unlabelled particles (a stranger's kind is often among those, close
    to it, while no label is; distances to unlabelled particles beyond the farthest tenth among themselves count as
    that, so that whatever is far from everything is a stranger too). It is then moved towards the mean score of the
    ten unlabelled particles most like it: half the way where they are stranger, a quarter where they are less strange,
    as a stranger whose kind is not among them has only known ones beside it. Without unlabelled particles the second
    part is the nearness of the mean alone. (Weights were chosen on three made-up data sets; see the log.)

    Parameters
    ----------
    vectors, labels
        Unit vectors of the gallery particles and their class numbers, without gaps.
    pool
        Vectors of unlabelled particles of the same waters. Strangers among them help; they need not be there.
    """
    rows = vectors.astype(np.float64)
    counts = np.bincount(labels)
    means = np.zeros((len(counts), rows.shape[1]))
    np.add.at(means, labels, rows)
    means /= counts[:, None]
    whitening = _whitening(rows - means[labels], len(counts))
    others = np.zeros((0, rows.shape[1])) if pool is None else pool.astype(np.float64)
    return Familiarity.of(whitening, means @ whitening, others @ whitening, rows @ whitening)


def held_out_familiarity(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    samples: Sequence[str],
    around: Surroundings | None,
    folds: Sequence[Fold],
    *,
    by_sample: bool,
    with_strangers: bool = False,
) -> tuple[Vectors, Vectors]:
    """Score gallery particles that were left out, and particles of classes that were left out altogether.

    Up to four folds are used. With `with_strangers` a share of the classes is taken out of the gallery in each, and
    plays the strangers; scores of known particles then are a little higher than those of the whole gallery, as more of
    the unlabelled particles around them are strangers too.
    With `by_sample` unlabelled particles of the samples asked about are left out too: a new measurement has none there.

    Returns
    -------
    (known, strangers)
        Scores; no strangers where fewer than three classes would be left, or none were asked for.
    """
    classes = int(labels.max()) + 1
    used = folds[:_FOLDS]
    group = np.random.default_rng(classes).permutation(classes) % len(used) if with_strangers else np.full(classes, -1)
    known, strangers = [np.zeros(0)], [np.zeros(0)]
    for number, fold in enumerate(used):
        gone = np.flatnonzero(group == number)
        if len(np.setdiff1d(np.unique(labels[fold.rest]), gone)) < _FEWEST_CLASSES:
            gone = gone[:0]
        rest = fold.rest[~np.isin(labels[fold.rest], gone)]
        stays = ~np.isin(labels[fold.asked], gone)
        numbers = np.unique(labels[rest], return_inverse=True)[1].astype(np.int64)
        asked = {samples[row] for row in fold.asked.tolist()} if by_sample else set()
        rule = fit_familiarity(vectors[rest], numbers, None if around is None else around.without(asked))
        known.append(rule(as_from_outside(vectors, labels, fold)[stays]))
        strangers.append(rule(vectors[np.isin(labels, gone)]))
    return np.concatenate(known), np.concatenate(strangers)


def _whitening(apart: Vectors, classes: int) -> Vectors:
    particles, width = apart.shape
    freedom = particles - classes
    level = float((apart**2).sum()) / max(freedom, 1) / width
    if freedom <= 0 or level <= 0:
        return np.eye(width)
    lean = _PRIOR_PARTICLES / (_PRIOR_PARTICLES + freedom)
    scatter = (1 - lean) / freedom * (apart.T @ apart)
    scatter[np.diag_indices(width)] += lean * level
    root = np.linalg.cholesky(scatter)
    return np.asarray(np.linalg.solve(root, np.eye(width)).T)


def _own(white: Vectors, means: Vectors, to_pool: Vectors | None, farthest: float) -> tuple[Vectors, Vectors]:
    """Give both parts of the score of particles by themselves."""
    cosine = (unit(white) @ unit(means).T).max(axis=1)
    nearness = -0.5 * np.log(np.maximum(_squared(white, means).min(axis=1), 1e-12))
    if to_pool is not None:
        nearness += np.minimum(_around(to_pool), farthest)
    return cosine, nearness


def _around(to_pool: Vectors) -> Vectors:
    """Give the logarithm of the mean distance to the nearest unlabelled particles."""
    near = np.partition(to_pool, _AROUND - 1, axis=1)[:, :_AROUND]
    return np.asarray(np.log(np.maximum(np.sqrt(near).mean(axis=1), 1e-12)))


def _squared(first: Vectors, second: Vectors) -> Vectors:
    apart = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.asarray(np.maximum(apart, 0))


def _spread(parts: tuple[Vectors, Vectors]) -> tuple[tuple[float, float], ...]:
    return tuple((float(part.mean()), float(max(part.std(), 1e-9))) for part in parts)


def _combine(parts: tuple[Vectors, Vectors], spread: tuple[tuple[float, float], ...]) -> Vectors:
    even = [(part - mean) / deviation for part, (mean, deviation) in zip(parts, spread, strict=True)]
    return np.asarray(sum(weight * part for weight, part in zip(_WEIGHTS, even, strict=True)))
