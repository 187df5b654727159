"""Where particles are compared: blocks of features, evened out, put beside each other, and turned by their neighbours.

All of it is learned from unlabelled particles. The last step is the one that names with few labels profit from most:
how a particle differs from its nearest neighbours of other measurements is mostly what does *not* tell species apart
(size, orientation, focus, gain), and directions in which neighbours differ much are made to count for less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError

__all__ = [
    "SHARE",
    "Block",
    "Space",
    "Turn",
    "fit_block",
    "fit_space",
    "join_blocks",
    "nearest_elsewhere",
    "spread_of",
    "spread_rows",
    "unit",
]

_PRIOR = 2.0
_LARGEST = 10.0
_SMALLEST_EIGENVALUE = 1e-6
_POOL_AT_MOST = 5000
_MAIN_DIRECTIONS = 256
_FEWEST_TO_TURN = 200
_NEIGHBOURS = 2
SHARE = 0.5
"""How much neighbours count where classmates tell the rest."""
_TINY = 1e-3
_ROWS_AT_ONCE = 1024
_FAR = 4.0
_KNOTS = 65
_LEAST_SHARE = 0.004
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Block:
    """How one block of features is evened out: standardised, turned to its main directions, softly whitened."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    directions: NDArray[np.float32]
    """Shape (features, directions), the soft whitening already in it."""
    knots: NDArray[np.float32] | None = None
    """Shape (features, knots): quantiles of the pool, where features count by their rank among its particles."""

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring features, one row a particle, into the block's space; what is missing (NaN) counts as average."""
        if self.knots is not None:
            features = _normal_scores(features, self.knots)
        even = np.nan_to_num((features - self.mean) / self.spread, nan=0.0, posinf=_LARGEST, neginf=-_LARGEST)
        return np.asarray(np.clip(even, -_LARGEST, _LARGEST) @ self.directions, np.float32)


def fit_block(pool: NDArray[np.float32], weight: float = 1.0, *, ranked: bool = False) -> Block:
    """Learn a block's space from unlabelled particles.

    Each feature is standardised; principal directions are divided by √(eigenvalue + 2 · mean eigenvalue), so that
    strong directions are tamed and weak ones not blown up, and by √(number of features), so that blocks of different
    width weigh the same. A feature that never varies, or is missing everywhere, counts for nothing.

    Parameters
    ----------
    pool
        Features, one row a particle; NaN where missing. At least one row.
    weight
        How much the block counts beside others.
    ranked
        Let each feature count by its rank among the pool, as a normal score: for hand-made features, whose tails are
        long and mean little.
    """
    knots = _quantiles(pool) if ranked else None
    mean, spread = spread_of(pool if knots is None else _normal_scores(pool, knots))
    even = Block(mean, spread, np.eye(pool.shape[1], dtype=np.float32), knots)(pool).astype(np.float64)
    eigenvalues, vectors = np.linalg.eigh(even.T @ even / len(even))
    keep = eigenvalues > _SMALLEST_EIGENVALUE * max(float(eigenvalues[-1]), 1e-12)
    softened = np.sqrt((eigenvalues[keep] + _PRIOR * eigenvalues.mean()) * pool.shape[1])
    return Block(mean, spread, (vectors[:, keep] * (weight / softened)).astype(np.float32), knots)


def _quantiles(pool: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give evenly spaced quantiles of each feature; 0 throughout for one that is missing everywhere."""
    knots = np.zeros((pool.shape[1], _KNOTS), np.float32)
    for column, values in enumerate(pool.T):
        known = values[np.isfinite(values)]
        if len(known):
            knots[column] = np.quantile(known, np.linspace(0, 1, _KNOTS))
    return knots


def _normal_scores(features: NDArray[np.float32], knots: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn features into normal scores of their place between the pool's quantiles; what is missing stays missing."""
    from scipy.special import ndtri

    scores = np.full(features.shape, np.nan, np.float32)
    shares = np.linspace(0, 1, _KNOTS)
    for column, (values, of_feature) in enumerate(zip(features.T, knots, strict=True)):
        known = np.isfinite(values)
        # A value that many particles have stands in the middle of its ranks.
        low = np.interp(values[known], of_feature, shares)
        high = 1 - np.interp(-values[known], -of_feature[::-1], shares)
        scores[known, column] = ndtri(np.clip((low + high) / 2, _LEAST_SHARE, 1 - _LEAST_SHARE))
    return scores


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
class Turn:
    """A linear map of unit vectors to unit vectors of a space in which neighbours lie closer."""

    directions: NDArray[np.float32]
    """Shape (in, out)."""
    centre: NDArray[np.float32]

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn vectors, one a row."""
        return np.asarray(unit(vectors @ self.directions - self.centre), np.float32)


@dataclass(frozen=True, slots=True)
class Space:
    """Several blocks beside each other, centred, each particle a vector of length 1, then turned."""

    blocks: tuple[Block, ...]
    centre: NDArray[np.float32]
    turns: tuple[Turn, ...] = ()

    def __call__(self, features: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Bring particles, given by their features block by block, into the space: unit vectors, one a row."""
        return self.join([block(part) for block, part in zip(self.blocks, features, strict=True)])

    def join(self, evened: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Bring particles whose features the blocks have evened out into the space."""
        vectors = np.asarray(unit(np.concatenate(evened, axis=1) - self.centre), np.float32)
        for turn in self.turns:
            vectors = turn(vectors)
        return vectors

    @property
    def width(self) -> int:
        """Length of the vectors."""
        return len(self.turns[-1].centre if self.turns else self.centre)


def fit_space(
    pool: Sequence[NDArray[np.float32]],
    samples: NDArray[np.int64] | None = None,
    weights: Sequence[float] | None = None,
    ranked: Sequence[bool] | None = None,
    *,
    share: float = SHARE,
) -> Space:
    """Learn a space from unlabelled particles that have every one of its blocks, given block by block.

    Parameters
    ----------
    pool
        Features, block by block, one row a particle. Of many, those of `spread_rows` are used.
    samples
        A number for the sample of each particle, see `join_blocks`.
    weights
        How much each block counts; all the same where None.
    ranked
        Of each block: see `fit_block`; none where None.
    share
        How much the differences of neighbours count, from 0 to below 1.
    """
    rows = spread_rows(len(pool[0]))
    parts = [part[rows] for part in pool]
    given = zip(parts, weights or [1.0] * len(parts), ranked or [False] * len(parts), strict=True)
    blocks = [fit_block(part, weight, ranked=by_rank) for part, weight, by_rank in given]
    evened = [block(part) for block, part in zip(blocks, parts, strict=True)]
    return join_blocks(blocks, evened, None if samples is None else samples[rows], share=share)


def spread_rows(count: int) -> NDArray[np.int64]:
    """Say which of so many particles a space is learned from: all, or of more than 5,000 as many, spread evenly."""
    return np.arange(0, count, max(1, -(-count // _POOL_AT_MOST)))


def join_blocks(
    blocks: Sequence[Block],
    evened: Sequence[NDArray[np.float32]],
    samples: NDArray[np.int64] | None = None,
    *,
    share: float = SHARE,
) -> Space:
    """Learn a space of blocks that were learned before.

    After the blocks stand beside each other, the main 256 directions are kept, and the differences of each particle
    from its two nearest neighbours in other samples give a scatter W (each difference of length 1, W of mean
    eigenvalue 1); the space is divided by the root of (1 - μ) I + μ W. This is the within-class scatter of a
    linear discriminant with neighbours in place of classmates, after relevant component analysis (Shental et
    al. 2002, doi:10.1007/3-540-47979-1_52); μ is `share` for many particles and less for few.

    Parameters
    ----------
    blocks, evened
        The blocks, and what each makes of the unlabelled particles, one row a particle. With fewer than 200 of them
        the space is not turned.
    samples
        A number for the sample of each particle: with several, neighbours are looked for in other samples, so that
        what differs from one measurement to the next counts for less as well.
    share
        How much the differences of neighbours count, from 0 to below 1.
    """
    beside = np.concatenate(evened, axis=1)
    plain = Space(tuple(blocks), beside.mean(axis=0))
    if len(beside) < _FEWEST_TO_TURN:
        return plain
    vectors = np.asarray(unit(beside - plain.centre), np.float32)
    return Space(plain.blocks, plain.centre, _fit_turns(vectors, samples, share))


def _fit_turns(vectors: NDArray[np.float32], samples: NDArray[np.int64] | None, share: float) -> tuple[Turn, ...]:
    first = _main_directions(vectors)
    return first, _by_neighbours(first(vectors), samples, share)


def _main_directions(vectors: NDArray[np.float32]) -> Turn:
    middle = vectors.mean(axis=0)
    apart = vectors - middle
    directions = np.linalg.eigh(apart.T @ apart)[1][:, ::-1][:, :_MAIN_DIRECTIONS].astype(np.float32)
    return Turn(directions, middle @ directions)


def _by_neighbours(vectors: NDArray[np.float32], samples: NDArray[np.int64] | None, share: float) -> Turn:
    near = nearest_elsewhere(vectors, samples, _NEIGHBOURS)
    apart = np.repeat(vectors, near.shape[1], axis=0) - vectors[near.ravel()]
    apart /= np.linalg.norm(apart, axis=1, keepdims=True) + _TINY
    scatter = (apart.T @ apart).astype(np.float64)
    width = len(scatter)
    share *= len(vectors) / (len(vectors) + width)
    scatter *= share * width / np.trace(scatter)
    scatter[np.diag_indices(width)] += 1 - share
    eigenvalues, axes = np.linalg.eigh(scatter)
    directions = (axes / np.sqrt(eigenvalues)).astype(np.float32)
    return Turn(directions, vectors.mean(axis=0) @ directions)


def nearest_elsewhere(vectors: NDArray[np.float32], samples: NDArray[np.int64] | None, k: int) -> NDArray[np.int64]:
    """Find the `k` nearest others of each unit vector by cosine, in other samples where there are several.

    Returns
    -------
    array of shape (particles, k)
        Rows, the nearest first. Where a particle has fewer than `k` others elsewhere, its own sample stands in.
    """
    found = np.empty((len(vectors), k), np.int64)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(vectors)))
        likeness = vectors[rows] @ vectors.T
        if samples is not None:
            likeness[samples[rows][:, None] == samples] -= _FAR
        likeness[np.arange(len(rows)), rows] = -np.inf
        for place in range(k):
            best = likeness.argmax(axis=1)
            found[rows, place] = best
            likeness[np.arange(len(rows)), best] = -np.inf
    return found


def unit(vectors: NDArray[Any]) -> NDArray[Any]:
    """Bring each row to length 1, in the number format it came in; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > _ROUNDING, lengths, 1))
