"""Which pixels of a picture belong to the particle.

The background is what lies along the picture's border. A pixel belongs to the particle where it differs from the
background by more than noise and a share of the particle's own contrast, in the direction (darker or lighter) in which
the particle differs more; what is enclosed belongs to it too, whatever its grey. Particles of any instrument go through
the same few steps: dark on light from bright field, light on dark from dark field and in-situ cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from seston.instruments.scale_bar import ScaleBar
from seston.instruments.shape import framed

__all__ = ["Box", "FoundParticle", "background_of", "find_particle", "particle_mask"]

Box = tuple[int, int, int, int]
"""Left, top, right, bottom (the last two exclusive), in pixels."""

Number = TypeVar("Number", bound=np.generic)

_RANGE = 1024
_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=np.bool_)
_FOUR_NEIGHBOURS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.bool_)
_FRAME = 3
"""Rows and columns along the border that show the background."""
_AROUND_BAR = 3
"""Pixels around a scale bar that its compression spoils."""
_NOISE_FACTOR = 4.0
_FAINTEST = 8.0
"""Grey values by which a particle must differ from the background at least."""
_UNEVEN = 5.0
"""Spread along the border from which the light is looked at for being uneven."""
_PLAIN_PAPER = 0.1
"""Share of a picture that is exactly white (or black) from which that is its background."""
_CLIPPED = 6
"""So near to black or white the spread on that side says nothing."""
_EDGE_SHARE, _CORE_SHARE = 0.25, 0.5
"""Shares of the particle's contrast: from where pixels belong to it, and which its core must reach."""
_FRINGE = 1.25
"""A particle is lighter than its background only if its contrast is so many times that of its dark parts."""
_SMALLEST = 6
"""Pixels."""
_COMPANION = 0.15
"""Further pieces belong to the particle from this share of the largest one's area."""


@dataclass(frozen=True, slots=True)
class FoundParticle:
    """Where the particle in a picture is."""

    mask: NDArray[np.bool_]
    """A part of the picture, True in the particle."""
    left: int
    top: int
    """Place of that part's first pixel in the picture."""
    pieces: int
    level: float
    """Of the background."""


def particle_mask(grey: NDArray[np.uint8], scale_bar: Box | ScaleBar | None = None) -> NDArray[np.bool_]:
    """Find the pixels of the particle.

    Parameters
    ----------
    grey
        Shape (height, width), 8 bits.
    scale_bar
        Box (or the bar found) to be left out.

    Returns
    -------
    array of bool
        Shape (height, width); all False where nothing stands out from the background. Holes are filled; besides the
        largest piece, pieces of at least 15 % of its area are kept (the cells of a chain).

    Notes
    -----
    Thin spines are kept where they touch the body and reach a quarter of its contrast (hysteresis threshold after J.
    Canny, IEEE PAMI 8, 1986). A particle that covers more than half of the border is taken for the background.
    """
    mask = np.zeros(grey.shape, dtype=np.bool_)
    found = find_particle(grey, scale_bar)
    if found is not None:
        height, width = found.mask.shape
        mask[found.top : found.top + height, found.left : found.left + width] = found.mask
    return mask


def find_particle(grey: NDArray[np.uint8], scale_bar: Box | ScaleBar | None = None) -> FoundParticle | None:
    """Find the pixels of the particle as `particle_mask` does; None where nothing stands out from the background."""
    height, width = grey.shape
    box = scale_bar.box if isinstance(scale_bar, ScaleBar) else scale_bar
    if height < 3 or width < 3:
        return None
    level, spread = background_of(grey, box)
    difference = grey.astype(np.int16) - np.int16(level)
    if spread > _UNEVEN and 0 < level < 255:
        difference, spread = _levelled(difference, spread, box)
    if box is not None:
        left, top, right, bottom = _widened(box)
        difference[top:bottom, left:right] = 0
    least = max(_NOISE_FACTOR * spread, _FAINTEST)
    signed, contrast = _towards_particle(difference)
    if contrast <= least:
        return None
    edge = max(least, _EDGE_SHARE * contrast)
    inside = signed > edge
    window = _window(inside)  # all that follows looks only at the part of the picture where something is
    body = _with_core(inside[window], signed[window] >= max(edge, _CORE_SHARE * contrast))
    main, pieces = _main_pieces(_filled(body))
    return FoundParticle(main, window[1].start, window[0].start, pieces, level) if pieces else None


def background_of(grey: NDArray[np.uint8], scale_bar: Box | None = None) -> tuple[float, float]:
    """Give the level of the background and its spread (robust standard deviation) along the border of a picture.

    Parameters
    ----------
    grey
        Shape (height, width), 8 bits.
    scale_bar
        Box to be left out.

    Returns
    -------
    (level, spread)
        The spread is that of the quieter side: a particle that touches the border makes only one side noisier.
    """
    border = np.concatenate([strip.ravel() for strip in _border(grey, scale_bar)])
    counts = np.bincount(border if len(border) else grey.ravel(), minlength=256)
    level = _quantile(counts, 0.5)
    spread = _spread_around(level, counts)
    if spread > _UNEVEN and 0 < level < 255:
        for extreme in (255, 0):  # paper that the camera or a program has made quite white or black
            if np.count_nonzero(grey == extreme) >= _PLAIN_PAPER * grey.size:
                return float(extreme), 1.0
    return float(level), max(spread, 1.0)


def _spread_around(level: int, counts: NDArray[np.int_]) -> float:
    darker, lighter = counts[level::-1], counts[level:]
    if level in (0, 255):
        # Half of the noise is cut off there: its 60 % quantile is 0.253 standard deviations from the level.
        return _quantile(lighter if level == 0 else darker, 0.6) / 0.2533
    sides = [lighter] if level < _CLIPPED else [darker] if level > 255 - _CLIPPED else [darker, lighter]
    return 1.4826 * min(_quantile(side, 0.5) for side in sides)


def _border(pixels: NDArray[Number], scale_bar: Box | None) -> list[NDArray[Number]]:
    """Strips along the top, bottom, left and right edge, without what belongs to the scale bar."""
    frame = min(_FRAME, *pixels.shape)
    parts = (np.s_[:frame], np.s_[-frame:], np.s_[:, :frame], np.s_[:, -frame:])
    if scale_bar is None:
        return [pixels[part] for part in parts]
    left, top, right, bottom = _widened(scale_bar)
    keep = np.ones(pixels.shape, dtype=np.bool_)
    keep[top:bottom, left:right] = False
    return [pixels[part][keep[part]] for part in parts]


def _levelled(difference: NDArray[np.int16], spread: float, scale_bar: Box | None) -> tuple[NDArray[np.int16], float]:
    """Take uneven light, a plane through the medians of the four edges, off; if that makes the border quieter."""
    medians = [float(_median(strip)) if strip.size else 0.0 for strip in _border(difference, scale_bar)]
    down, across = np.float32(medians[1] - medians[0]), np.float32(medians[3] - medians[2])
    rows, columns = (down * _ramp(difference.shape[0])[:, None], across * _ramp(difference.shape[1])[None, :])
    planes = [np.broadcast_to(plane, difference.shape) for plane in (rows, columns)]
    strips = zip(*(_border(plane, scale_bar) for plane in (difference, *planes)), strict=True)
    border = np.concatenate([(strip - of_rows - of_columns).ravel() for strip, of_rows, of_columns in strips])
    middle = np.float32(_median(border)) if len(border) else np.float32(0)
    left_over = max(1.4826 * float(_median(np.abs(border - middle))) if len(border) else spread, 1.0)
    if left_over >= 0.7 * spread:
        return difference, spread
    level = difference - rows
    level -= columns
    level -= middle
    return np.rint(level, out=level).astype(np.int16), left_over


def _median(values: NDArray[Any]) -> Any:
    """Give the median, several times faster than `numpy.median` for some hundred values."""
    middle = values.size // 2
    ordered = np.partition(values, (max(middle - 1, 0), middle), axis=None)
    return ordered[middle] if values.size % 2 else (ordered[middle - 1] + ordered[middle]) / ordered.dtype.type(2)


@lru_cache(maxsize=1024)
def _ramp(length: int) -> NDArray[np.float32]:
    return np.linspace(-0.5, 0.5, length, dtype=np.float32)


def _quantile(counts: NDArray[np.int_], share: float) -> int:
    """Quantile of whole numbers, from how often each of 0, 1, 2, … occurs."""
    totals = np.cumsum(counts)
    return int(np.searchsorted(totals, share * totals[-1]))


def _widened(box: Box) -> Box:
    left, top, right, bottom = box
    return max(0, left - _AROUND_BAR), max(0, top - _AROUND_BAR), right + _AROUND_BAR, bottom + _AROUND_BAR


def _towards_particle(difference: NDArray[np.int16]) -> tuple[NDArray[np.int16], float]:
    """Turn the difference from the background so that the particle's is positive, and give its contrast."""
    # How often each difference occurs; twice the range of a pixel, as uneven light may have been taken off.
    totals = np.cumsum(np.bincount(difference.ravel() + np.int16(_RANGE), minlength=2 * _RANGE + 1))
    odd_ones = max(4, difference.size // 500)  # so many pixels may be more extreme than the particle
    darker = _RANGE - int(np.searchsorted(totals, odd_ones))
    lighter = int(np.searchsorted(totals, difference.size - odd_ones + 1)) - _RANGE
    # The light fringe around a dark particle in bright field must not be taken for the particle.
    if lighter > _FRINGE * darker:
        return difference, lighter
    return -difference, darker


def _window(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _with_core(mask: NDArray[np.bool_], core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the pieces of a mask that have at least one pixel of the core."""
    from scipy import ndimage

    labels, number = ndimage.label(mask, structure=_EIGHT_NEIGHBOURS)
    if number == 1:
        return mask if (core & mask).any() else np.zeros_like(mask)
    strong = np.zeros(number + 1, dtype=np.bool_)
    strong[labels[core]] = True
    strong[0] = False
    return strong.take(labels)


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill what is enclosed, also by an outline with gaps of one or two pixels; outer edges stay as they are."""
    padded = framed(mask, 3)
    bridged = ~_widened_mask(~_widened_mask(padded))
    filled = padded | _holes(bridged)
    return (filled | _holes(filled))[3:-3, 3:-3]


def _widened_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Widen a mask by one pixel in all eight directions.

    All pixels stand in one row for that, which is several times faster; so its outermost columns have to be equal.
    """
    width = mask.shape[1]
    flat = mask.ravel()
    taller = flat.copy()
    taller[width:] |= flat[:-width]
    taller[:-width] |= flat[width:]
    wider = taller.copy()
    wider[1:] |= taller[:-1]
    wider[:-1] |= taller[1:]
    return wider.reshape(mask.shape)


def _holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Background that is not connected to the picture's corner (by edges, not by corners)."""
    from scipy import ndimage

    labels, number = ndimage.label(~mask, structure=_FOUR_NEIGHBOURS)
    if number == 1:
        return np.zeros_like(mask)
    outside = labels[0, 0]
    holes: NDArray[np.bool_] = (labels != outside) & ~mask
    return holes


def _main_pieces(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int]:
    """Keep the largest piece and those near it in size; give their number too."""
    from scipy import ndimage

    labels, number = ndimage.label(mask, structure=_EIGHT_NEIGHBOURS)
    if number == 1:
        return mask, int(np.count_nonzero(mask) >= _SMALLEST)
    areas = np.bincount(labels.ravel(), minlength=number + 1)
    areas[0] = 0
    kept = (areas >= _SMALLEST) & (areas >= _COMPANION * areas.max())
    return kept.take(labels), int(np.count_nonzero(kept))
