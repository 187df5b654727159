"""Random numbers that depend on what they are for, not on when they are drawn.

Each number is a hash of (seed, epoch, view, particle, which number): a counter-based generator (Salmon et al. 2011,
"Parallel random numbers: as easy as 1, 2, 3"), with the 64-bit finaliser of SplitMix64 (Steele et al. 2014) as its
mixing. So an augmentation is the same whatever the order of the batches, the number of workers or processes, and
whether the training was interrupted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["in_single_precision", "normals", "particle_keys", "seed_of", "shuffled", "uniforms"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BELOW_ONE = 1.0 - 2.0**-24
"""The greatest number of float32 below 1."""


def particle_keys(ids: Sequence[str]) -> NDArray[np.uint64]:
    """Turn particle ids into 64-bit keys."""
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids)
    return np.frombuffer(digests, np.dtype("<u8")).astype(np.uint64)


def seed_of(*numbers: int) -> int:
    """Mix several whole numbers into one seed of 63 bits."""
    state = np.zeros(1, np.uint64)
    for number in numbers:
        state = _mix(state ^ np.uint64(number & 0xFFFFFFFFFFFFFFFF))
    return int(state[0] >> np.uint64(1))


def uniforms(keys: NDArray[np.uint64], count: int, *purpose: int) -> NDArray[np.float64]:
    """Draw `count` numbers from [0, 1) for each key.

    Parameters
    ----------
    keys
        (N,) keys of particles.
    count
        Numbers a key.
    purpose
        What they are for: seed, epoch, view, … Each combination gives its own numbers.

    Returns
    -------
    array of float64
        (N, count), with the top 53 bits of each hash.
    """
    base = _mix(keys ^ np.uint64(seed_of(*purpose)))
    counters = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    bits = _mix(base[:, None] + counters[None, :])
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def in_single_precision(uniform: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round numbers of [0, 1) to float32 so that they stay below 1: one in thirty million would become 1."""
    return np.minimum(uniform, _BELOW_ONE).astype(np.float32)


def normals(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn an even number of uniform columns into as many columns of the normal distribution (Box and Muller 1958)."""
    half = uniform.shape[1] // 2
    radius = np.sqrt(-2.0 * np.log1p(-uniform[:, :half]))
    angle = 2.0 * np.pi * uniform[:, half:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def shuffled(count: int, *purpose: int) -> NDArray[np.int64]:
    """Give the numbers below `count` in an order that depends on the purpose alone."""
    return np.random.Generator(np.random.Philox(seed_of(*purpose))).permutation(count)


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64."""
    with np.errstate(over="ignore"):
        state = state + _GOLDEN
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return mixed
