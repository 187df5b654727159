"""A picture of any shape as a square of S × S pixels, and how large the particle in it is.

Nothing is cropped: the picture is scaled by one factor until its longer side fits, and the rest of the square is
filled with the picture's own background, the median of its border. A scale bar is painted over with that background.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["PICTURE_SIZES", "picture_sizes", "to_square"]

PICTURE_SIZES = (
    "ln width (px)",
    "ln height (px)",
    "ln √area of the particle (px)",
    "ln length of the particle (px)",
    "ln breadth of the particle (px)",
    "ln µm a pixel",
    "µm a pixel known",
)
"""What `picture_sizes` gives, in order."""

_LEAST_DIFFERENCE = 10.0
_SHARE_OF_DARKEST = 0.25


def to_square(
    pixels: NDArray[np.uint8], size: int, scale_bar: tuple[int, int, int, int] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Fit a picture into a square.

    Parameters
    ----------
    pixels
        (h, w) grey or (h, w, 3) colour; dark stays dark and bright stays bright.
    size
        Pixels a side of the square.
    scale_bar
        Left, top, right, bottom (exclusive) of a box that is painted over with the background.

    Returns
    -------
    (square, background)
        (channels, size, size) and (channels,): shrunk by area averages, enlarged bilinearly.
    """
    from PIL import Image

    background = _background(pixels, scale_bar)
    if scale_bar is not None:
        left, top, right, bottom = scale_bar
        pixels = pixels.copy()
        pixels[max(top, 0) : bottom, max(left, 0) : right] = background
    height, width = pixels.shape[:2]
    ratio = size / max(height, width)
    inner = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    method = Image.Resampling.BOX if ratio < 1 else Image.Resampling.BILINEAR
    scaled = np.asarray(Image.fromarray(pixels).resize(inner, method)).reshape(inner[1], inner[0], -1)
    square = np.empty((len(background), size, size), np.uint8)
    square[:] = background[:, None, None]
    top, left = (size - inner[1]) // 2, (size - inner[0]) // 2
    square[:, top : top + inner[1], left : left + inner[0]] = scaled.transpose(2, 0, 1)
    return square, background


def picture_sizes(
    squares: NDArray[np.uint8],
    background: NDArray[np.uint8],
    width: NDArray[np.float32],
    height: NDArray[np.float32],
    um_per_pixel: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Measure pictures and the particles in them.

    A particle is where the square differs from its background by at least a quarter of the greatest difference; its
    length and breadth are those of the ellipse with the same second moments, so they do not depend on its pose.

    Parameters
    ----------
    squares, background
        (N, channels, S, S) and (N, channels), as `to_square` gives them.
    width, height
        (N,) of the pictures before scaling, in pixels.
    um_per_pixel
        (N,), NaN where unknown.

    Returns
    -------
    array of float32
        (N, 7): see `PICTURE_SIZES`.
    """
    difference = np.abs(squares.astype(np.float32) - background[:, :, None, None]).mean(axis=1)
    limit = np.maximum(_LEAST_DIFFERENCE, _SHARE_OF_DARKEST * difference.max(axis=(1, 2)))
    area, length, breadth = _ellipses((difference >= limit[:, None, None]).astype(np.float32))
    factor = np.maximum(width, height) / squares.shape[-1]
    known = np.isfinite(um_per_pixel)
    numbers = [
        np.log(width),
        np.log(height),
        np.log(np.sqrt(area) * factor),
        np.log(length * factor),
        np.log(breadth * factor),
        np.log(np.where(known, um_per_pixel, 1.0)),
        known,
    ]
    return np.stack(numbers, axis=1).astype(np.float32)


def _background(pixels: NDArray[np.uint8], scale_bar: tuple[int, int, int, int] | None) -> NDArray[np.uint8]:
    """Take the median of the border, leaving out a scale bar."""
    height, width = pixels.shape[:2]
    planes = pixels.reshape(height, width, -1)
    if scale_bar is None:
        border = np.concatenate([planes[0], planes[-1], planes[:, 0], planes[:, -1]])
    else:
        on_border = np.zeros((height, width), np.bool_)
        on_border[[0, -1], :] = on_border[:, [0, -1]] = True
        left, top, right, bottom = scale_bar
        on_border[max(top, 0) : bottom, max(left, 0) : right] = False
        border = planes[on_border]
        if not len(border):
            border = planes.reshape(-1, planes.shape[2])
    middle = len(border) // 2
    median: NDArray[np.uint8] = np.partition(border, middle, axis=0)[middle]
    return median


def _ellipses(
    mask: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Give area, major and minor axis of each mask (N, S, S), in its pixels; an empty mask counts as one pixel."""
    places = np.arange(mask.shape[1], dtype=np.float32)
    rows, columns = mask.sum(axis=2), mask.sum(axis=1)
    area = np.maximum(rows.sum(axis=1), 1.0)
    y, x = rows @ places / area, columns @ places / area
    yy = rows @ places**2 / area - y**2
    xx = columns @ places**2 / area - x**2
    xy = ((mask @ places) * places).sum(axis=1) / area - x * y
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    pixel = 1.0 / 12.0  # variance of one pixel about its middle
    major = 4 * np.sqrt(np.maximum(middle + spread, 0) + pixel)
    minor = 4 * np.sqrt(np.maximum(middle - spread, 0) + pixel)
    return area, major, minor
