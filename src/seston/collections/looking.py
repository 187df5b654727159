"""Look at pictures once: prove that they can be decoded, and take their size, hash and fingerprint.

A JPEG is decoded with all its coefficients read, so that damage shows, but no larger than the fingerprint needs: the
transform back to pixels is most of what decoding costs. Everything else, and what looks odd, is decoded in full.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import unpack_from

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from seston.collections.bar_search import BarSearch
from seston.collections.fingerprint import GRID, fingerprints_of, made_small, small_shape
from seston.errors import InputError
from seston.instruments import decode_image, image_format, image_size
from seston.instruments.pictures import MAX_PIXELS

__all__ = ["Looked", "look_at"]

_JPEG = b"\xff\xd8\xff"
_BASELINE_FRAME = b"\xff\xc0"
_LARGE_PIXELS = 8_000_000
_NOTHING: NDArray[np.uint8] = np.zeros((GRID, GRID), np.uint8)
_Found = tuple[int, int, NDArray[np.uint8]]
"""Width, height, and the picture in grey, made small."""
_one_large_picture_at_a_time = threading.Lock()


@dataclass(slots=True)
class Looked:
    """What was found about pictures, one entry each; of those that cannot be decoded only the reason counts."""

    hashes: list[str]
    formats: list[str | None]
    widths: NDArray[np.int32]
    heights: NDArray[np.int32]
    fingerprints: NDArray[np.int64]
    faults: dict[int, str] = field(default_factory=dict)
    """Place → why that picture cannot be used, in a user's words."""
    scale_bars: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    pixel_sizes: dict[int, float] = field(default_factory=dict)


def look_at(pictures: Sequence[bytes], *, scale_bar_rows: int = 0) -> Looked:
    """Look at encoded pictures.

    Parameters
    ----------
    pictures
        The files.
    scale_bar_rows
        Look for scale bars burned into so many rows at the bottom.
    """
    n = len(pictures)
    sizes = np.zeros((2, n), np.int32)
    small: list[NDArray[np.uint8]] = [_NOTHING] * n
    formats: list[str | None] = ["jpeg"] * n
    bars = BarSearch(scale_bar_rows) if scale_bar_rows else None
    looked = Looked(_hashes(pictures), formats, sizes[0], sizes[1], np.empty(0, np.int64))
    for place, data in enumerate(pictures):
        try:
            found = _look_quickly(data) if data[:3] == _JPEG else None
            if found is None:
                found = _look_closely(data)
                formats[place] = image_format(data)
            if bars is not None:
                _find_bar(bars, data, place, looked)
        except InputError as error:
            looked.faults[place] = str(error)
        else:
            sizes[0, place], sizes[1, place], small[place] = found
    looked.fingerprints = fingerprints_of(small)
    return looked


def _hashes(pictures: Sequence[bytes]) -> list[str]:
    digest = hashlib.sha256
    return [digest(data).hexdigest() for data in pictures]


def _look_quickly(data: bytes) -> _Found | None:
    """Look at a plain JPEG that is whole; None where it needs a closer look."""
    frame = data.find(_BASELINE_FRAME)
    if frame < 0 or frame + 9 > len(data):
        return None
    height, width = unpack_from(">HH", data, frame + 5)
    if not 0 < height * width <= MAX_PIXELS:
        return None
    small = small_shape(height, width)
    try:
        grey = simplejpeg.decode_jpeg(data, "GRAY", False, False, *small, 1.0)
    except ValueError:
        return None
    if grey.shape[:2] != small:  # these bytes were no frame header after all
        return None
    return width, height, grey[:, :, 0]


def _look_closely(data: bytes) -> _Found:
    width, height = image_size(data)
    if width * height > _LARGE_PIXELS:
        with _one_large_picture_at_a_time:
            grey = decode_image(data, grey=True)
    else:
        grey = decode_image(data, grey=True)
    return grey.shape[1], grey.shape[0], made_small(grey)


def _find_bar(bars: BarSearch, data: bytes, place: int, looked: Looked) -> None:
    bar = bars.find(decode_image(data, grey=True))
    if bar is not None:
        looked.scale_bars[place] = bar.box
        if bar.um_per_px is not None:
            looked.pixel_sizes[place] = bar.um_per_px
