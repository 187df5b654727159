"""Lay one run's cloud of particles over that of other runs, though its species may be others in number.

The runs that are known are summed up by landmarks: groups of like particles, found without labels, each with its middle
and its share. A new run is fitted to them by one shift that all its particles have in common, while the shares of the
landmarks are free: a run that holds half of the species, or a bloom of one, is not pulled towards the others' mean.
This is a mixture whose weights and common shift are found by expectation and maximisation (Dempster, Laird & Rubin
1977), the shift with a prior at zero and with particles far from every landmark counting for less (as by Student's t).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_PARTICLES", "Landmarks", "Registration", "find_landmarks"]

Floats = NDArray[np.float64]

FEWEST_PARTICLES = 50
"""A run of fewer cannot be told from an ordinary one."""
_DIRECTIONS = 32
_LANDMARKS = 96
_PARTICLES_A_LANDMARK = 40
_TEMPERATURE = 4.0
"""Squared distances are divided by it: features that go together count each for less than one."""
_PRIOR_PARTICLES = 8.0
_HALF_A_VOICE = 10.0
_PRIOR_VOICES = 0.2
_TINY = 1e-9
_PRIOR_STRETCH = 100.0
_LARGEST_STRETCH = 2.5
_SHARE_PRIOR = 0.1
_STARTS = (0.0, 0.5, 1.0)
"""Parts of the difference of medians from which the shift is sought; the likeliest end is kept."""
_STEPS = 30
_ROUNDS = 2
_LARGEST = 8.0


@dataclass(frozen=True, slots=True)
class Registration:
    """How a run lies to the landmarks."""

    near: Floats
    """Shape (particles, landmarks): how much each particle belongs to each; rows sum to 1."""
    weight: Floats
    """Shape (particles,): less where a particle is far from every landmark; 0 where it has no features."""
    shares: Floats
    """Shape (landmarks,): of this run."""

    def shift(self, values: Floats, means: Floats, *, caution: float = 0.0) -> Floats:
        """Give the common shift of any features of the run, from their means at each landmark.

        Each landmark says by how much its particles moved, and has a voice that grows with their number n as n / (n +
        10), so that a bloom does not speak for all. Where the landmarks contradict each other a cautious shift leans
        towards none (as by James & Stein 1961, `caution` times the squared error of their mean): what moves one group
        alone is other species, not another setting. A value that is missing (NaN) is left out.
        """
        apart = values - self.near @ means
        known = np.isfinite(apart)
        belongs = self.near * self.weight[:, None]
        numbers = belongs.T @ known.astype(np.float64)
        moved = (belongs.T @ np.where(known, apart, 0)) / np.maximum(numbers, _TINY)
        voice = numbers / (numbers + _HALF_A_VOICE)
        voices = voice.sum(axis=0)
        shift = (voice * moved).sum(axis=0) / (voices + _PRIOR_VOICES)
        error = (voice**2 * (moved - shift) ** 2).sum(axis=0) / np.maximum(voices, _TINY) ** 2
        return np.asarray(shift * np.clip(1 - caution * error / np.maximum(shift**2, _TINY), 0, 1))

    def stretch(self, values: Floats, means: Floats) -> tuple[Floats, Floats]:
        """Give where any features of the run lie at the middle, and how many times as far apart the landmarks are here.

        A feature that noise floods, or a blurred one, tells landmarks apart by less than elsewhere. The factor leans
        towards 1 and stays between 0.4 and 2.5; a feature that does not tell landmarks apart has about 1.
        """
        expected = self.near @ means
        known = np.isfinite(values) & np.isfinite(expected)
        weight = self.weight[:, None] * known
        count = np.maximum(weight.sum(axis=0), _TINY)
        middle = (weight * np.where(known, values, 0)).sum(axis=0) / count
        there = (weight * np.where(known, expected, 0)).sum(axis=0) / count
        apart = np.where(known, expected - there, 0)
        spread = (weight * apart**2).sum(axis=0) + _PRIOR_STRETCH
        factor = ((weight * apart * np.where(known, values - middle, 0)).sum(axis=0) + _PRIOR_STRETCH) / spread
        return middle, np.clip(factor, 1 / _LARGEST_STRETCH, _LARGEST_STRETCH)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Groups of like particles, block of features by block, and how common each is."""

    turns: tuple[NDArray[np.float32], ...]
    """Of each block, shape (features, directions): to where the groups are round and of size 1."""
    centres: tuple[NDArray[np.float32], ...]
    """Of each block, shape (landmarks, directions)."""
    shares: NDArray[np.float32]

    def register(self, blocks: Sequence[Floats], has: Sequence[NDArray[np.bool_]]) -> Registration | None:
        """Fit a run to the landmarks; None for fewer than 50 particles.

        Parameters
        ----------
        blocks
            Standardised features of the run's particles, block by block.
        has
            Of each block, which particles have it.
        """
        there = np.any(has, axis=0)
        if there.sum() < FEWEST_PARTICLES:
            return None
        rows = [
            np.where(known[:, None], _tame(block) @ turn, 0)
            for block, turn, known in zip(blocks, self.turns, has, strict=True)
        ]
        ends = [self._fit(rows, has, part) for part in _STARTS]
        _, near, weight, shares = max(ends, key=lambda end: end[0])
        return Registration(near, weight * there, shares)

    def _fit(
        self, rows: Sequence[Floats], has: Sequence[NDArray[np.bool_]], part: float
    ) -> tuple[float, Floats, Floats, Floats]:
        """Find the likeliest shift and shares from one start; give likelihood, nearness, weights and shares."""
        shares = self.shares.astype(np.float64)
        typical = [shares @ centres for centres in self.centres]
        shifts = [
            part * (np.median(block[known], axis=0) - middle) if known.any() else np.zeros(block.shape[1])
            for block, known, middle in zip(rows, has, typical, strict=True)
        ]
        for _ in range(_STEPS):
            near, _ = self._near(rows, has, shifts, shares)
            shares = (near.sum(axis=0) + _SHARE_PRIOR * len(near) * self.shares) / (len(near) * (1 + _SHARE_PRIOR))
            apart = [block - near @ centres for block, centres in zip(rows, self.centres, strict=True)]
            weight = _weights(apart, shifts, has)
            new = [
                ((weight * known)[:, None] * block).sum(axis=0) / ((weight * known).sum() + _PRIOR_PARTICLES)
                for block, known in zip(apart, has, strict=True)
            ]
            moved = max(float(np.abs(one - old).max(initial=0)) for one, old in zip(new, shifts, strict=True))
            shifts = new
            if moved < 1e-3:
                break
        near, likelihood = self._near(rows, has, shifts, shares)
        size = sum(float((shift**2).sum()) for shift in shifts)
        return likelihood - 0.5 * _PRIOR_PARTICLES * size / _TEMPERATURE, near, weight, shares

    def _near(
        self, rows: Sequence[Floats], has: Sequence[NDArray[np.bool_]], shifts: Sequence[Floats], shares: Floats
    ) -> tuple[Floats, float]:
        scores = np.tile(np.log(shares), (len(rows[0]), 1))
        for block, known, shift, centres in zip(rows, has, shifts, self.centres, strict=True):
            scores -= known[:, None] * _distances(block - shift, centres) / (2 * _TEMPERATURE)
        top = scores.max(axis=1, keepdims=True)
        likely = np.exp(scores - top)
        total = likely.sum(axis=1, keepdims=True)
        return likely / total, float((top + np.log(total)).sum())


def find_landmarks(
    blocks: Sequence[Floats],
    has: Sequence[NDArray[np.bool_]],
    runs: NDArray[np.int64],
    also: Mapping[str, Floats],
) -> tuple[Landmarks, dict[str, Floats]]:
    """Sum up particles of some runs by landmarks, the runs laid over each other.

    Parameters
    ----------
    blocks, has
        As for `Landmarks.register`, of the particles of all runs.
    runs
        Number of each particle's run, 0, 1, 2, …
    also
        Further features of the same particles, NaN where missing.

    Returns
    -------
    (Landmarks, dict)
        Also the mean of the further features at each landmark, without the shifts of the runs.
    """
    directions = [_main_directions(block[known]) for block, known in zip(blocks, has, strict=True)]
    rows = [
        np.where(known[:, None], _tame(block) @ to, 0) for block, to, known in zip(blocks, directions, has, strict=True)
    ]
    of_run = [runs == run for run in range(int(runs.max()) + 1)]
    landmarks, group = _group(rows, has, directions)
    for _ in range(_ROUNDS):
        found = [
            landmarks.register([block[mask] for block in blocks], [known[mask] for known in has]) for mask in of_run
        ]
        laid = [_laid(block, of_run, found, group, len(landmarks.shares)) for block in rows]
        landmarks, group = _group(laid, has, directions)
    found = [landmarks.register([block[mask] for block in blocks], [known[mask] for known in has]) for mask in of_run]
    return landmarks, {
        name: _means(_laid(values, of_run, found, group, len(landmarks.shares)), group, len(landmarks.shares))
        for name, values in also.items()
    }


def _laid(
    values: Floats,
    of_run: Sequence[NDArray[np.bool_]],
    found: Sequence[Registration | None],
    group: NDArray[np.int64],
    count: int,
) -> Floats:
    """Take from features the shift of each run, found from their means at the landmarks, which shifts blur at first."""
    laid = values
    for _ in range(_ROUNDS):
        means = _means(laid, group, count)
        laid = values.copy()
        for registration, mask in zip(found, of_run, strict=True):
            if registration is not None:
                laid[mask] -= registration.shift(values[mask], means)
    return laid


def _group(
    rows: Sequence[Floats], has: Sequence[NDArray[np.bool_]], directions: Sequence[Floats]
) -> tuple[Landmarks, NDArray[np.int64]]:
    """Group particles; twice, the second time where the groups of the first are round."""
    count = max(1, min(_LANDMARKS, len(rows[0]) // _PARTICLES_A_LANDMARK))
    turns = [np.eye(block.shape[1]) for block in rows]
    for _ in range(2):
        group = _k_means(np.concatenate([block @ turn for block, turn in zip(rows, turns, strict=True)], axis=1), count)
        turns = [_rounding(block[known], group[known], count) for block, known in zip(rows, has, strict=True)]
    sizes = np.maximum(np.bincount(group, minlength=count), 1)
    return (
        Landmarks(
            turns=tuple((to @ turn).astype(np.float32) for to, turn in zip(directions, turns, strict=True)),
            centres=tuple(
                _means(np.where(known[:, None], block @ turn, np.nan), group, count).astype(np.float32)
                for block, turn, known in zip(rows, turns, has, strict=True)
            ),
            shares=(sizes / sizes.sum()).astype(np.float32),
        ),
        group,
    )


def _k_means(rows: Floats, count: int) -> NDArray[np.int64]:
    """Group rows around `count` middles (Lloyd's algorithm, begun at particles that a fixed seed picks)."""
    middles = rows[np.random.default_rng(0).choice(len(rows), count, replace=False)]
    group = np.zeros(len(rows), np.int64)
    for _ in range(25):
        new = _distances(rows, middles).argmin(axis=1)
        if (new == group).all():
            break
        group = new
        middles = np.where(np.isin(np.arange(count), group)[:, None], _means(rows, group, count), middles)
    return group


def _means(values: Floats, group: NDArray[np.int64], count: int) -> Floats:
    """Give the mean of each group, missing values left out; the mean of all where a group has none."""
    known = np.isfinite(values)
    sums, numbers = np.zeros((count, values.shape[1])), np.zeros((count, values.shape[1]))
    np.add.at(sums, group, np.where(known, values, 0))
    np.add.at(numbers, group, known)
    overall = sums.sum(axis=0) / np.maximum(numbers.sum(axis=0), 1)
    return np.where(numbers > 0, sums / np.maximum(numbers, 1), overall)


def _rounding(rows: Floats, group: NDArray[np.int64], count: int) -> Floats:
    """Give the turn to where the scatter within groups is round."""
    if not rows.size:
        return np.eye(rows.shape[1])
    apart = rows - _means(rows, group, count)[group]
    eigenvalues, vectors = np.linalg.eigh(apart.T @ apart / max(len(rows), 1))
    eigenvalues = np.maximum(eigenvalues, 0)
    return np.asarray(vectors / np.sqrt(eigenvalues + 0.05 * eigenvalues.mean() + 1e-9))


def _main_directions(values: Floats) -> Floats:
    """Give the main directions of standardised features, so scaled that particles vary by 1 along each."""
    if not len(values) or not values.shape[1]:
        return np.zeros((values.shape[1], min(values.shape[1], _DIRECTIONS)))
    tame = _tame(values)
    eigenvalues, vectors = np.linalg.eigh(tame.T @ tame / len(tame))
    keep = np.flatnonzero(eigenvalues > 1e-5 * max(float(eigenvalues[-1]), 1e-12))[::-1][:_DIRECTIONS]
    return np.asarray(vectors[:, keep] / np.sqrt(eigenvalues[keep]))


def _tame(values: Floats) -> Floats:
    return np.clip(np.nan_to_num(values, nan=0.0), -_LARGEST, _LARGEST)


def _distances(rows: Floats, centres: NDArray[np.floating]) -> Floats:
    return np.asarray((rows**2).sum(axis=1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(axis=1))


def _weights(apart: Sequence[Floats], shifts: Sequence[Floats], has: Sequence[NDArray[np.bool_]]) -> Floats:
    """Let particles count for less the farther they are from their landmarks."""
    square, width = np.zeros(len(apart[0])), np.zeros(len(apart[0]))
    for block, shift, known in zip(apart, shifts, has, strict=True):
        square += known * ((block - shift) ** 2).sum(axis=1)
        width += known * block.shape[1]
    return np.asarray(np.where(width > 0, 1 / (1 + square / np.maximum(width, 1)), 0))
