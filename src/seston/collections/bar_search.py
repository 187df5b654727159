"""Scale bars of many pictures by one program: found and read once, then only recognised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seston.instruments import find_scale_bar
from seston.instruments.scale_bar import ScaleBar

__all__ = ["BarSearch"]

_MARGIN = 3
"""Pixels around a bar and its label that must be the same too."""
_MOST_KNOWN = 8
_MIDDLE = 128


class BarSearch:
    """Finds the scale bars of pictures, one after the other.

    A bar that stands where one was found before, with the same pixels dark and light in it, its label and around them,
    is that bar; everything else is searched by `find_scale_bar`.

    Parameters
    ----------
    rows
        Rows at the bottom of the pictures to look into.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._known: list[tuple[ScaleBar, NDArray[np.bool_]]] = []

    def find(self, grey: NDArray[np.uint8]) -> ScaleBar | None:
        """Find the bar of a grey picture, shape (height, width); None where there is none."""
        above = max(0, len(grey) - self._rows)
        strip = grey[above:]
        for bar, pattern in self._known:
            seen = _pattern(strip, bar)
            if seen is not None and np.array_equal(seen, pattern):
                return _moved_down(bar, above)
        found = find_scale_bar(strip)
        if found is None:
            return None
        seen = _pattern(strip, found)
        if seen is not None and len(self._known) < _MOST_KNOWN:
            self._known.append((found, seen))
        return _moved_down(found, above)


def _pattern(strip: NDArray[np.uint8], bar: ScaleBar) -> NDArray[np.bool_] | None:
    left, top, right, bottom = bar.box
    if left < _MARGIN or top < _MARGIN or right + _MARGIN > strip.shape[1] or bottom > strip.shape[0]:
        return None
    pattern: NDArray[np.bool_] = strip[top - _MARGIN : bottom + _MARGIN, left - _MARGIN : right + _MARGIN] > _MIDDLE
    return pattern


def _moved_down(bar: ScaleBar, rows: int) -> ScaleBar:
    left, top, right, bottom = bar.box
    first, last, middle = bar.bar
    return replace(bar, box=(left, top + rows, right, bottom + rows), bar=(first, last, middle + rows))
