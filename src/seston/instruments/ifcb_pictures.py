"""The pictures of an IFCB bin: raw 8-bit pixels in the ``.roi``, at the places that the ``.adc`` names.

The first instruments cut one particle into two overlapping pictures of one trigger at times; those are put together as
in joefutrelle/pyifcb (``ifcb/data/stitching.py``), so that numbers and sizes are those of published products.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.ifcb_adc import Roi
from seston.instruments.pictures import MAX_PIXELS

__all__ = ["RoiFile", "bytes_needed", "stitched_pairs"]

_LEAST_OVERLAP = 2


class RoiFile:
    """The pixels of a bin; pictures are read one at a time.

    Parameters
    ----------
    file
        An open ``.roi``, or its bytes.
    size
        Its bytes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size

    def picture(self, roi: Roi, second: Roi | None = None) -> NDArray[np.uint8]:
        """Give the picture of a line, put together with that of the line after it where there is one.

        Returns
        -------
        array of uint8
            Shape (height, width).

        Raises
        ------
        InputError
            Where the file ends before the picture does, or the picture is impossibly large.
        """
        if second is None:
            return self._pixels(roi)
        _check_pixels(*_union(roi, second)[2:])
        return _stitch([(roi, self._pixels(roi)), (second, self._pixels(second))])

    def _pixels(self, roi: Roi) -> NDArray[np.uint8]:
        _check_pixels(roi.width, roi.height)
        needed = roi.width * roi.height
        if roi.start + needed > self.size:
            raise InputError(
                f"its pixels should end at byte {roi.start + needed:,} of the .roi, which has {self.size:,}: "
                "cut off; copy the bin again"
            )
        try:
            self._file.seek(roi.start)
            data = self._file.read(needed)
        except OSError as error:
            raise InputError(f"the .roi cannot be read ({error.strerror or error})") from None
        if len(data) != needed:
            raise InputError("the .roi became shorter while it was read; copy the bin again")
        return np.frombuffer(data, np.uint8).reshape(roi.height, roi.width)


def bytes_needed(rois: Sequence[Roi]) -> int:
    """Give the bytes that a ``.roi`` must have for these lines."""
    return max((roi.start + roi.width * roi.height for roi in rois if roi.has_picture), default=0)


def stitched_pairs(rois: Sequence[Roi]) -> dict[int, Roi]:
    """Find the pictures that are two halves of one: number of the first → the second line.

    Lines that follow each other, of one trigger, whose boxes overlap by more than 2 pixels both ways. A third one that
    overlaps with the second stays for itself.
    """
    pairs: dict[int, Roi] = {}
    taken = 0
    for first, second in pairwise(rois):
        if first.number != taken and second.number == first.number + 1 and _belong_together(first, second):
            pairs[first.number] = second
            taken = second.number
    return pairs


def _belong_together(one: Roi, other: Roi) -> bool:
    if not (one.has_picture and other.has_picture) or one.trigger != other.trigger:
        return False
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return min(across, down) > _LEAST_OVERLAP


def _stitch(parts: Sequence[tuple[Roi, NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Lay pictures into the union of their boxes, later ones on top; what none covers becomes background."""
    left, top, width, height = _union(*(roi for roi, _ in parts))
    whole = np.zeros((height, width), np.uint8)
    covered = np.zeros((height, width), np.bool_)
    for roi, pixels in parts:
        place = (slice(roi.y - top, roi.y - top + roi.height), slice(roi.x - left, roi.x - left + roi.width))
        whole[place] = pixels
        covered[place] = True
    border = covered & _beside(~covered)
    if border.any():
        whole[~covered] = round(float(whole[border].mean()))
    return whole


def _union(*rois: Roi) -> tuple[int, int, int, int]:
    """Give left, top, width and height of the box around some boxes."""
    left, top = min(roi.x for roi in rois), min(roi.y for roi in rois)
    width = max(roi.x + roi.width for roi in rois) - left
    return left, top, width, max(roi.y + roi.height for roi in rois) - top


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(f"picture of {width} × {height} pixels is over the limit of {MAX_PIXELS:,} pixels; left out")


def _beside(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the pixels with a neighbour above, below, left or right in the area."""
    near = np.zeros_like(area)
    near[1:] |= area[:-1]
    near[:-1] |= area[1:]
    near[:, 1:] |= area[:, :-1]
    near[:, :-1] |= area[:, 1:]
    return near
