"""Ranks of numbers, equal ones sharing theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["average_ranks"]


def average_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Give the rank of each number, from 1 on; equal numbers get the mean of the places that they take.

    The same as ``scipy.stats.rankdata``, whose import takes longer than most of what asks for ranks.

    Parameters
    ----------
    values
        (N,), without NaN.
    """
    _, place, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], np.float64)
