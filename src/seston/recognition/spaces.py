"""Where particles are compared: blocks of features, evened out, softly whitened and put beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.recognition.neighbours import unit

__all__ = ["Block", "Space", "fit_block", "fit_space", "spread_of"]

_PRIOR = 2.0
_LARGEST = 10.0
_SMALLEST_EIGENVALUE = 1e-6


@dataclass(frozen=True, slots=True)
class Block:
    """How one block of features is evened out: standardised, turned to its main directions, softly whitened."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    directions: NDArray[np.float32]
    """Shape (features, directions), the soft whitening already in it."""

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring features, one row a particle, into the block's space; what is missing (NaN) counts as average."""
        even = np.nan_to_num((features - self.mean) / self.spread, nan=0.0, posinf=_LARGEST, neginf=-_LARGEST)
        return np.asarray(np.clip(even, -_LARGEST, _LARGEST) @ self.directions, np.float32)


def fit_block(pool: NDArray[np.float32]) -> Block:
    """Learn a block's space from unlabelled particles.

    Each feature is standardised; principal directions are divided by √(eigenvalue + 2 · mean eigenvalue), so that
    strong directions are tamed and weak ones not blown up, and by √(number of features), so that blocks of different
    width weigh the same. A feature that never varies, or is missing everywhere, counts for nothing.

    Parameters
    ----------
    pool
        Features, one row a particle; NaN where missing. At least one row.
    """
    mean, spread = spread_of(pool)
    even = Block(mean, spread, np.eye(pool.shape[1], dtype=np.float32))(pool).astype(np.float64)
    eigenvalues, vectors = np.linalg.eigh(even.T @ even / len(even))
    keep = eigenvalues > _SMALLEST_EIGENVALUE * max(float(eigenvalues[-1]), 1e-12)
    softened = np.sqrt((eigenvalues[keep] + _PRIOR * eigenvalues.mean()) * pool.shape[1])
    return Block(mean, spread, (vectors[:, keep] / softened).astype(np.float32))


def spread_of(pool: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give mean and standard deviation of each feature, whatever is missing left out; ∞ for one that never varies."""
    if not len(pool):
        raise UsageError("there is no particle with this modality to learn its spread from")
    values = pool.astype(np.float64)
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / count)
    spread = np.where(spread > 1e-9 * np.maximum(1, np.abs(mean)), spread, np.inf)
    return mean.astype(np.float32), spread.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Space:
    """Several blocks beside each other, centred, each particle a vector of length 1."""

    blocks: tuple[Block, ...]
    centre: NDArray[np.float32]

    def __call__(self, features: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Bring particles, given by their features block by block, into the space: unit vectors, one a row."""
        beside = np.concatenate([block(part) for block, part in zip(self.blocks, features, strict=True)], axis=1)
        return np.asarray(unit(beside - self.centre), np.float32)


def fit_space(pool: Sequence[NDArray[np.float32]]) -> Space:
    """Learn a space from unlabelled particles that have every one of its blocks, given block by block."""
    blocks = tuple(fit_block(part) for part in pool)
    beside = np.concatenate([block(part) for block, part in zip(blocks, pool, strict=True)], axis=1)
    return Space(blocks, beside.mean(axis=0))
