"""Ids and contents as 64-bit keys, so that tens of millions of them fit into memory.

That two of 17 million share a key has a chance of one in a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keys", "content_keys", "id_keys"]


class Keys:
    """A growing set of 64-bit keys: sorted ones, and recent ones that are sorted in when they are many.

    Parameters
    ----------
    keys
        What it holds to begin with.
    """

    _FEWEST = 65_536
    _SHARE = 32
    """Recent keys take some ten times the room of sorted ones, so they may be this part of them at most."""

    def __init__(self, keys: NDArray[np.int64] | None = None) -> None:
        self._sorted = np.empty(0, np.int64) if keys is None else np.unique(keys)
        self._recent: set[int] = set()

    def hold(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of these it holds."""
        recent = self._recent
        found = np.fromiter((key in recent for key in keys.tolist()), np.bool_, len(keys))
        if len(self._sorted):
            places = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
            found |= self._sorted[places] == keys
        return found

    def add(self, keys: NDArray[np.int64]) -> None:
        """Take these in."""
        self._recent.update(keys.tolist())
        if len(self._recent) > max(self._FEWEST, len(self._sorted) // self._SHARE):
            recent = np.sort(np.fromiter(self._recent, np.int64, len(self._recent)))
            self._sorted = np.sort(np.concatenate([self._sorted, recent]), kind="stable")  # quick for two sorted runs
            self._recent.clear()


def content_keys(hashes: Sequence[str | None]) -> NDArray[np.int64]:
    """Give the first 64 bits of each hash in hexadecimal digits; 0 where there is none."""
    digits = "".join(text[:16] if text else "0000000000000000" for text in hashes)
    return np.frombuffer(bytes.fromhex(digits), ">i8").astype(np.int64)


def id_keys(ids: Sequence[str]) -> NDArray[np.int64]:
    """Give a key of each text, keyed anew in each process."""
    return np.fromiter(map(hash, ids), np.int64, len(ids))
