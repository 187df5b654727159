"""A profile of any length as a table of channels × T samples, still as light, not yet as logarithms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["resample"]


def resample(signal: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Stretch a signal to `length` samples, or average it down to them.

    A sample stands for its interval of time. A shorter signal is interpolated linearly between the middles of its
    intervals; a longer one is averaged over the new intervals, so that nothing is lost between samples and the total
    stays what it was.

    Parameters
    ----------
    signal
        (channels, samples), at least one sample.
    length
        Samples wanted.
    """
    samples = signal.shape[1]
    if samples == length:
        return signal
    lower, share = _places(samples, length)
    if samples < length:
        upper = np.minimum(lower + 1, samples - 1)
        before = signal[:, lower]
        between: NDArray[np.float32] = before + share * (signal[:, upper] - before)
        return between
    running = np.zeros((signal.shape[0], samples + 2), np.float64)
    np.cumsum(signal, axis=1, out=running[:, 1:-1])
    running[:, -1] = running[:, -2]
    below = running[:, lower]
    edges = below + share * (running[:, lower + 1] - below)
    averages: NDArray[np.float32] = (np.diff(edges, axis=1) * (length / samples)).astype(np.float32)
    return averages


@lru_cache(maxsize=8192)
def _places(samples: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Say where the new samples (or, when averaging, the edges between them) lie among the old ones."""
    if samples < length:
        places = np.clip((np.arange(length) + 0.5) * (samples / length) - 0.5, 0, samples - 1)
    else:
        places = np.arange(length + 1) * (samples / length)
    lower = np.floor(places).astype(np.int64)
    return lower, (places - lower).astype(np.float32)
