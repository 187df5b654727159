"""A picture of any shape as a square of S × S pixels, and how large the particle in it is.

The square shows the whole picture, or the particle with a margin: instruments cut their pictures generously, and a
particle that fills its square is seen at twice the resolution. Nothing of the particle is cropped: where it cannot be
told from its background, the whole picture is shown. One factor scales both sides; what lies outside the picture is its
own background, the median of its border. A scale bar is painted over with that background.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.Image import Image, Resampling

__all__ = ["PICTURE_SIZES", "Square", "picture_sizes", "to_square", "without_scale_bar"]

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

_AT_ONCE = 8
_COARSE = 64
_MARGIN = 0.12
_LEAST_DIFFERENCE = 10.0
_SHARE_OF_DARKEST = 0.25


@dataclass(frozen=True)
class Square:
    """A picture brought into a square."""

    pixels: NDArray[np.uint8]
    """(channels, size, size)."""
    background: NDArray[np.uint8]
    """(channels,)."""
    side: float
    """Pixels of the picture that a side of the square stands for."""


def to_square(
    pixels: NDArray[np.uint8],
    size: int,
    scale_bar: tuple[int, int, int, int] | None = None,
    *,
    whole_picture: bool = False,
) -> Square:
    """Fit a picture, or the particle in it, into a square.

    Parameters
    ----------
    pixels
        (h, w) grey or (h, w, 3) colour; dark stays dark and bright stays bright.
    size
        Pixels a side of the square.
    scale_bar
        Left, top, right, bottom (exclusive) of a box that is painted over with the background.
    whole_picture
        Show all of the picture, not only the particle with a margin.

    Returns
    -------
    Square
        Shrunk by area averages, enlarged bilinearly.
    """
    background = _background(pixels, scale_bar)
    if scale_bar is not None:
        pixels = _painted_over(pixels, scale_bar, background)
    picture = Pillow.fromarray(pixels)
    region = (0.0, 0.0, float(picture.width), float(picture.height))
    if not whole_picture:
        region = _particle_region(picture, background)
    side = max(region[2] - region[0], region[3] - region[1])
    square = np.empty((len(background), size, size), np.uint8)
    square[:] = background[:, None, None]
    _paste(square, picture, region, side)
    return Square(square, background, side)


def without_scale_bar(pixels: NDArray[np.uint8], scale_bar: tuple[int, int, int, int] | None) -> NDArray[np.uint8]:
    """Paint a scale bar over with the background; shape, and what there is without one, stay as they are.

    Parameters are those of `to_square`.
    """
    return pixels if scale_bar is None else _painted_over(pixels, scale_bar, _background(pixels, scale_bar))


def _painted_over(
    pixels: NDArray[np.uint8], scale_bar: tuple[int, int, int, int], background: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    left, top, right, bottom = scale_bar
    pixels = pixels.copy()
    pixels[max(top, 0) : bottom, max(left, 0) : right] = background
    return pixels


def _paste(square: NDArray[np.uint8], picture: Image, region: tuple[float, float, float, float], side: float) -> None:
    """Scale what of the region lies inside the picture, and put it where it belongs in the square."""
    size = square.shape[-1]
    ratio = size / side
    spans = []
    for low, high, end in ((region[0], region[2], picture.width), (region[1], region[3], picture.height)):
        inner_low, inner_high = max(low, 0.0), min(high, float(end))
        first = (side - (high - low)) / 2 + (inner_low - low)  # the shorter side lies in the middle of the square
        start = min(round(first * ratio), size - 1)
        count = max(1, min(round((inner_high - inner_low) * ratio), size - start))
        spans.append((inner_low, inner_high, start, count))
    (left, right, x, width), (top, bottom, y, height) = spans
    method = Resampling.BOX if ratio < 1 else Resampling.BILINEAR
    scaled = np.asarray(picture.resize((width, height), method, box=(left, top, right, bottom)))
    square[:, y : y + height, x : x + width] = scaled.reshape(height, width, -1).transpose(2, 0, 1)


def _particle_region(picture: Image, background: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Give left, top, right, bottom of the particle with a margin, found on a coarse copy of the picture."""
    step = max(1, max(picture.size) // _COARSE)
    coarse = np.asarray(picture.reduce(step)).astype(np.int16)
    difference = np.abs(coarse.reshape(*coarse.shape[:2], -1) - background.astype(np.int16)).max(axis=2)
    inside = difference >= max(_LEAST_DIFFERENCE, _SHARE_OF_DARKEST * float(difference.max()))
    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    if not len(columns):
        return 0.0, 0.0, float(picture.width), float(picture.height)
    left, right = float(columns[0] * step), float((columns[-1] + 1) * step)
    top, bottom = float(rows[0] * step), float((rows[-1] + 1) * step)
    margin = _MARGIN * max(right - left, bottom - top) + 2 * step
    region = (left - margin, top - margin, right + margin, bottom + margin)
    if max(region[2] - region[0], region[3] - region[1]) >= max(picture.size):
        return 0.0, 0.0, float(picture.width), float(picture.height)
    return region


def picture_sizes(
    squares: NDArray[np.uint8],
    background: NDArray[np.uint8],
    side: NDArray[np.float32],
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
    side
        (N,) pixels that a side of the square stands for.
    width, height
        (N,) of the pictures before scaling, in pixels.
    um_per_pixel
        (N,), NaN where unknown.

    Returns
    -------
    array of float32
        (N, 7): see `PICTURE_SIZES`.
    """
    parts = [
        _ellipses(squares[start : start + _AT_ONCE], background[start : start + _AT_ONCE])
        for start in range(0, len(squares), _AT_ONCE)
    ]
    area, length, breadth = np.concatenate([np.zeros((3, 0), np.float32), *parts], axis=1)
    factor = side / squares.shape[-1]
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
    border = np.concatenate([planes[0], planes[-1], planes[:, 0], planes[:, -1]])
    if scale_bar is not None:
        left, top, right, bottom = scale_bar
        within = [top <= 0 < bottom, top < height <= bottom, left <= 0 < right, left < width <= right]
        across, down = np.arange(width), np.arange(height)
        along = ((across >= left) & (across < right), (down >= top) & (down < bottom))
        beside = [~along[number // 2] if inside else np.ones((width, height)[number // 2], np.bool_)
                  for number, inside in enumerate(within)]  # fmt: skip
        border = border[np.concatenate(beside)]
        if not len(border):
            border = planes.reshape(-1, planes.shape[2])
    middle = len(border) // 2
    median: NDArray[np.uint8] = np.partition(border, middle, axis=0)[middle]
    return median


def _ellipses(squares: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give area, major and minor axis of the particle in each square, in its pixels, as (3, N); none counts as one.

    A few squares at a time stay in the cache of the processor through all steps.
    """
    difference = squares.astype(np.float32)
    difference -= background[:, :, None, None]
    np.abs(difference, out=difference)
    shown = difference.mean(axis=1) if difference.shape[1] > 1 else difference[:, 0]
    limit = np.maximum(_LEAST_DIFFERENCE, _SHARE_OF_DARKEST * shown.max(axis=(1, 2)))
    mask = (shown >= limit[:, None, None]).astype(np.float32)
    places = np.arange(mask.shape[1], dtype=np.float32) - (mask.shape[1] - 1) / 2
    powers = np.stack([np.ones_like(places), places, places**2], axis=1)
    # Sums of y**q · x**p over the mask, q along the second axis and p along the third, about the middle of the square.
    sums = powers.T @ (mask.reshape(-1, mask.shape[2]) @ powers).reshape(len(mask), -1, 3)
    area = np.maximum(sums[:, 0, 0], 1.0)
    y, x = sums[:, 1, 0] / area, sums[:, 0, 1] / area
    yy, xx, xy = sums[:, 2, 0] / area - y**2, sums[:, 0, 2] / area - x**2, sums[:, 1, 1] / area - x * y
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    pixel = 1.0 / 12.0  # variance of one pixel about its middle
    major = 4 * np.sqrt(np.maximum(middle + spread, 0) + pixel)
    minor = 4 * np.sqrt(np.maximum(middle - spread, 0) + pixel)
    return np.stack([area, major, minor]).astype(np.float32)
