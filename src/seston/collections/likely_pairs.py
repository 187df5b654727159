"""Which of many fingerprints differ in few bits, without comparing each with each.

Two that differ in no more than three bits share one of their four quarters (the pigeonhole principle: multi-index
hashing, Norouzi, Punjani, Fleet, CVPR 2012). So rows are sorted by a quarter, and only those that share it are
compared; of those that differ in more bits, up to a limit, most are found too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seston.collections.fingerprint import distance

__all__ = ["likely_pairs"]

_QUARTERS = 4
_MOST_BITS = 8
_MOST_PIXELS = 1
"""Sizes that differ by more are those of different pictures: round bubbles of all sizes have the same bits."""


def likely_pairs(
    fingerprints: NDArray[np.int64],
    widths: NDArray[np.int32],
    heights: NDArray[np.int32],
    *,
    most_bits: int = _MOST_BITS,
) -> Iterator[NDArray[np.int64]]:
    """Give pairs of rows of one size whose fingerprints differ in few bits, each pair once.

    Parameters
    ----------
    fingerprints
        One a row. Those without any bit, of pictures without contrast, are like nothing.
    widths, heights
        In pixels.
    most_bits
        Bits that may differ.

    Returns
    -------
    iterator of arrays
        Shape (pairs, 2), the lower row first; arrays come as they are found, so that few are held at once.
    """
    rows = np.flatnonzero(fingerprints)
    for quarter in range(_QUARTERS):
        keys = _quarter(fingerprints[rows], quarter)
        order = rows[np.lexsort((widths[rows], keys))]
        yield from _within_runs(order, (fingerprints, widths, heights), quarter, most_bits)


def _within_runs(
    order: NDArray[np.int64],
    columns: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]],
    quarter: int,
    most_bits: int,
) -> Iterator[NDArray[np.int64]]:
    """Compare each row with the next, the one after, and so on, as long as quarter and width are the same."""
    prints, widths, heights = columns[0][order], columns[1][order], columns[2][order]
    keys = _quarter(prints, quarter)
    left = np.arange(len(order))
    step = 0
    while len(left):
        step += 1
        left = left[left + step < len(order)]
        right = left + step
        same = (keys[left] == keys[right]) & (widths[right] <= widths[left] + _MOST_PIXELS)
        left, right = left[same], right[same]
        ones, others = prints[left], prints[right]
        near = (distance(ones, others) <= most_bits) & (np.abs(heights[left] - heights[right]) <= _MOST_PIXELS)
        for earlier in range(quarter):  # these pairs were found by an earlier quarter
            near &= _quarter(ones, earlier) != _quarter(others, earlier)
        if near.any():
            yield np.sort(np.stack([order[left[near]], order[right[near]]], axis=1), axis=1)


def _quarter(fingerprints: NDArray[np.int64], quarter: int) -> NDArray[np.uint16]:
    quarters: NDArray[np.uint16] = np.ascontiguousarray(fingerprints).view(np.uint16).reshape(-1, _QUARTERS)[:, quarter]
    return quarters
