"""Features of a particle's picture: size, shape, grey values and texture of what its mask covers.

==============================  ==============================================================================
name                            what
==============================  ==============================================================================
log area, log diameter          area, diameter of the circle of that area (px)
log major, log minor            axes of the ellipse with the same second moments (px)
log length, log width           largest and smallest Feret diameter (px)
log thickness                   largest distance of a point of the mask from its outline, doubled (px)
… µm                            the same in µm, where the pixel size is known
eccentricity, elongation        of the ellipse; log of Feret length by width
solidity, roundness, ruggedness share of the convex hull; 4π · area / perimeter²; log perimeter by the hull's
fill                            area by that of the ellipse
slimness                        log of length by thickness
log pieces                      pieces of the mask
Hu 1 … 7                        Hu's invariant moments, sign(x) · ln(1 + |x| · scale)
outline 1 … 6                   share of the mask at rising distances from the center
contrast                        mean difference from the background
deepest, lightest               5 % and 95 % of the grey values
grey sd, skew, tails            standard deviation, skewness and kurtosis of the grey values
opposite                        share of pixels on the other side of the background (light in a dark particle)
inside 1 … 5                    mean grey in rings from the center to the outline (of equal steps of the ellipse)
edges, edge sd                  mean and standard deviation of the gradient's size
along 1 … 4                     share of the gradients by their angle to the major axis
pattern 0 … 9                   local binary patterns (8 neighbours, rotation-invariant, uniform)
coarse 1, coarse 2              share of the grey variance that is left after smoothing once and twice
==============================  ==============================================================================

Grey values are differences from the background, divided by the background's level in bright field and by the particle's
own brightness in dark field, so that gain and lamp matter little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seston.instruments.mask import Box, find_particle
from seston.instruments.scale_bar import ScaleBar
from seston.instruments.shape import MaskMeasures, framed, mask_measures

__all__ = ["PICTURE_FEATURES", "picture_features"]

Floats = NDArray[np.float64]

_SIZES = ("log area", "log diameter", "log major", "log minor", "log length", "log width", "log thickness")
_SHAPES = (
    *("eccentricity", "elongation", "solidity", "roundness", "ruggedness", "fill", "slimness", "log pieces"),
    *(f"Hu {k}" for k in range(1, 8)),
    *(f"outline {k}" for k in range(1, 7)),
)
_GREYS = (
    *("contrast", "deepest", "lightest", "grey sd", "grey skew", "grey tails", "opposite"),
    *(f"inside {k}" for k in range(1, 6)),
)
_TEXTURES = (
    *("edges", "edge sd"),
    *(f"along {k}" for k in range(1, 5)),
    *(f"pattern {k}" for k in range(10)),
    *("coarse 1", "coarse 2"),
)
PICTURE_FEATURES: tuple[str, ...] = (*_SIZES, *_SHAPES, *_GREYS, *_TEXTURES)
"""Names of all features that need no pixel size."""
_WITH_MICROMETRES = (*PICTURE_FEATURES, *(f"{name} µm" for name in _SIZES))

_BRIGHT_FIELD = 64
"""Backgrounds from this level on are lit from behind."""
_SQUARED_RINGS = np.linspace(0, 1, 6)[1:-1] ** 2
_SQUARED_DISTANCES = np.array([0.3, 0.6, 0.9, 1.2, 1.8]) ** 2
_SLOPES = tuple(math.tan(math.radians(degrees)) for degrees in (22.5, 45, 67.5))


def picture_features(
    grey: NDArray[np.uint8], scale_bar: Box | ScaleBar | None = None, pixel_size_um: float | None = None
) -> dict[str, float]:
    """Measure a picture.

    Parameters
    ----------
    grey
        Shape (height, width), 8 bits.
    scale_bar
        Box of a scale bar, which is left out, or the bar itself.
    pixel_size_um
        µm a pixel, or None where it is not known: then there are no features in µm.

    Returns
    -------
    dict
        Name → value as the table above says. All NaN where no particle is found.
    """
    names = PICTURE_FEATURES if pixel_size_um is None else _WITH_MICROMETRES
    found = find_particle(grey, scale_bar)
    measures = None if found is None else mask_measures(found.mask, found.pieces)
    if found is None or measures is None:
        return dict.fromkeys(names, math.nan)
    left, top, right, bottom = measures.box
    part = _Part.of(
        np.ascontiguousarray(found.mask[top:bottom, left:right]),
        np.ascontiguousarray(grey[found.top + top : found.top + bottom, found.left + left : found.left + right]),
    )
    places = _places(part, measures)
    thickness = _thickness(part.mask)
    covered = part.pixels.take(part.covered)
    scale = _grey_scale(found.level, covered)
    with np.errstate(all="ignore"):
        sizes = _sizes(measures, thickness)
        measured = [
            *sizes,
            *_shape(measures, thickness),
            *_hu_moments(measures),
            *_outline(places, measures),
            *_greys(covered, scale, _ring(places, measures)),
            *_texture(part, scale, measures.orientation),
        ]
    if pixel_size_um is not None:
        step = math.log(pixel_size_um)
        measured += [value + step * (2 if name == "log area" else 1) for name, value in zip(_SIZES, sizes, strict=True)]
    return {name: value if math.isfinite(value) else math.nan for name, value in zip(names, measured, strict=True)}


@dataclass(frozen=True, slots=True)
class _Part:
    """The box around a particle; all its pixels also stand in one row, where neighbours are found much faster."""

    mask: NDArray[np.bool_]
    """Shape (height, width)."""
    pixels: NDArray[np.uint8]
    """Shape (height · width,)."""
    covered: NDArray[np.intp]
    """Places in that row of the pixels that the mask covers."""

    @classmethod
    def of(cls, mask: NDArray[np.bool_], pixels: NDArray[np.uint8]) -> _Part:
        return cls(mask, pixels.ravel(), np.flatnonzero(mask))


def _sizes(measures: MaskMeasures, thickness: float) -> list[float]:
    lengths = (
        measures.area,
        measures.equivalent_diameter,
        measures.major_axis,
        measures.minor_axis,
        measures.feret_length,
        measures.feret_width,
        thickness,
    )
    return [math.log(length) for length in lengths]


def _thickness(mask: NDArray[np.bool_]) -> float:
    """Diameter of the largest circle in a mask, in pixels: twice the largest distance to a pixel outside, less 1.

    A distance is at most that along the row or the column. Where this bound is greatest the true distance is computed
    first, and then wherever it could still be greater.
    """
    padded = framed(mask, 1)
    height, width = padded.shape
    of_columns = _steps_to_outside(padded.T)
    bound = np.minimum(_steps_to_outside(padded), of_columns.T).ravel()
    reach = int(bound.max())
    offsets = np.arange(-reach, reach + 1)
    gaps = np.square(of_columns).ravel()
    best = 0
    for _ in range(2):
        places = np.flatnonzero(bound >= reach if not best else bound > math.isqrt(best))[:, None]
        rows, columns = np.divmod(places, width)
        squared = gaps.take(np.clip(columns + offsets, 0, width - 1) * height + rows)
        squared += np.square(offsets)
        best = max(best, int(squared.min(axis=1).max(initial=0)))
    return 2 * math.sqrt(best) - 1


def _steps_to_outside(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give each pixel's distance along its row to the nearest one outside the mask, which has to have a frame."""
    flat = mask.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    places = np.flatnonzero(flat)
    steps = np.zeros(mask.shape, np.intp)
    before, after = np.repeat(starts - 1, ends - starts), np.repeat(ends, ends - starts)
    steps.ravel()[places] = np.minimum(places - before, after - places)
    return steps


def _shape(measures: MaskMeasures, thickness: float) -> list[float]:
    hull_diameter = 2 * math.sqrt(measures.convex_area / math.pi)
    return [
        measures.eccentricity,
        math.log(measures.elongation),
        measures.solidity,
        measures.circularity,
        math.log(measures.perimeter / (math.pi * hull_diameter)),
        measures.area / (math.pi / 4 * measures.major_axis * measures.minor_axis),
        math.log(measures.feret_length / thickness),
        math.log(measures.pieces),
    ]


def _places(part: _Part, measures: MaskMeasures) -> tuple[Floats, Floats, Floats]:
    """Squares of each covered pixel's distance from the center across and down, and the product of both distances."""
    left, top, right, bottom = measures.box
    across, down = np.arange(left, right) - measures.center[0], np.arange(top, bottom) - measures.center[1]
    rows, columns = np.divmod(part.covered, right - left)
    x, y = across.take(columns), down.take(rows)
    return x * x, y * y, x * y


def _hu_moments(measures: MaskMeasures) -> list[float]:
    """Give the seven invariants of M.-K. Hu (IRE Trans. Inform. Theory 8, 1962), compressed."""
    central, area = measures.moments, measures.area
    n20, n02, n11 = (moment / area**2 for moment in (central[0][2], central[2][0], central[1][1]))
    n30, n03, n21, n12 = (moment / area**2.5 for moment in (central[0][3], central[3][0], central[1][2], central[2][1]))
    a, b = n30 + n12, n21 + n03
    c, d = n30 - 3 * n12, 3 * n21 - n03
    invariants = (
        n20 + n02,
        (n20 - n02) ** 2 + 4 * n11**2,
        c**2 + d**2,
        a**2 + b**2,
        c * a * (a**2 - 3 * b**2) + d * b * (3 * a**2 - b**2),
        (n20 - n02) * (a**2 - b**2) + 4 * n11 * a * b,
        d * a * (a**2 - 3 * b**2) - c * b * (3 * a**2 - b**2),
    )
    scales = (10, 1e2, 1e3, 1e3, 1e6, 1e4, 1e6)
    compressed = [
        math.copysign(math.log1p(abs(one) * scale), one) for one, scale in zip(invariants, scales, strict=True)
    ]
    compressed[6] = abs(compressed[6])  # its sign only tells a particle from its mirror image
    return compressed


def _outline(places: tuple[Floats, Floats, Floats], measures: MaskMeasures) -> list[float]:
    """Shares of the mask between circles around its center, in radii of the circle of the same area."""
    squared = places[0] + places[1]
    limits = _SQUARED_DISTANCES * (measures.equivalent_diameter / 2) ** 2
    beyond = [len(squared), *(int(np.count_nonzero(squared > limit)) for limit in limits.tolist()), 0]
    return [(nearer - farther) / len(squared) for nearer, farther in pairwise(beyond)]


def _ring(places: tuple[Floats, Floats, Floats], measures: MaskMeasures) -> NDArray[np.uint8]:
    """In which of five rings of the ellipse each pixel lies; what lies outside belongs to the last."""
    cosine, sine = math.cos(measures.orientation), math.sin(measures.orientation)
    major, minor = 4 / measures.major_axis**2, 4 / measures.minor_axis**2
    squared = places[0] * (major * cosine**2 + minor * sine**2)
    squared += places[1] * (major * sine**2 + minor * cosine**2)
    squared += places[2] * (2 * (major - minor) * cosine * sine)
    return _kinds(squared, _SQUARED_RINGS.tolist())


def _kinds(values: NDArray[np.floating], limits: Sequence[float]) -> NDArray[np.uint8]:
    """Give how many of the limits each value exceeds."""
    kinds = np.zeros(values.shape, np.uint8)
    for limit in limits:
        kinds += values > limit
    return kinds


def _grey_scale(level: float, covered: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give what each of the 256 grey values means: the difference from the background, freed of gain."""
    difference = np.arange(256, dtype=np.float32) - np.float32(level)
    if level >= _BRIGHT_FIELD:
        return np.asarray(difference / np.float32(level))
    counts = np.bincount(covered, minlength=256)
    bright = np.argsort(np.abs(difference))
    brightness = abs(difference[bright[np.searchsorted(np.cumsum(counts[bright]), 0.95 * counts.sum())]])
    return np.asarray(difference / max(brightness, np.float32(1)))


def _greys(covered: NDArray[np.uint8], scale: NDArray[np.float32], ring: NDArray[np.uint8]) -> list[float]:
    counts = np.bincount(covered, minlength=256)
    share, total = counts / counts.sum(), np.cumsum(counts)
    mean = float(share @ scale)
    away = scale - mean
    variance = float(share @ away**2)
    side = 1.0 if mean >= 0 else -1.0
    return [
        mean,
        float(scale[np.searchsorted(total, 0.05 * total[-1])]),
        float(scale[np.searchsorted(total, 0.95 * total[-1])]),
        math.sqrt(variance),
        float(share @ away**3) / variance**1.5 if variance > 0 else 0.0,
        float(share @ away**4) / variance**2 if variance > 0 else 0.0,
        float(share[scale * side < 0].sum()),
        *_ring_means(scale.take(covered), ring, 5),
    ]


def _ring_means(values: NDArray[np.float32], ring: NDArray[np.uint8], rings: int) -> list[float]:
    sums, counts = np.bincount(ring, values, rings), np.bincount(ring, minlength=rings)
    return [float(total / count) if count else math.nan for total, count in zip(sums, counts, strict=True)]


def _texture(part: _Part, scale: NDArray[np.float32], orientation: float) -> list[float]:
    values = scale.take(part.pixels)
    down, across = _gradients(values, part)
    size = np.sqrt(down * down + across * across)
    cosine, sine = np.float32(math.cos(orientation)), np.float32(math.sin(orientation))
    # Without signs: a turned or mirrored particle has the same texture.
    along, athwart = np.abs(across * cosine + down * sine), np.abs(down * cosine - across * sine)
    quarter = np.zeros(len(size), np.uint8)
    for slope in _SLOPES:
        quarter += athwart > along * np.float32(slope)
    return [
        float(size.mean()),
        float(size.std()),
        *_shares(quarter, 4, size),
        *_patterns(part),
        *_coarseness(values, part),
    ]


def _gradients(values: NDArray[np.float32], part: _Part) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the slopes of covered pixels down and across; 0 at the edge of the box, where a neighbour is missing."""
    height, width = part.mask.shape
    down, across = np.zeros((2, height * width), np.float32)
    np.subtract(values[2 * width :], values[: -2 * width], out=down[width:-width])
    np.subtract(values[2:], values[:-2], out=across[1:-1])
    across[::width] = across[width - 1 :: width] = 0
    half = np.float32(0.5)
    return down.take(part.covered) * half, across.take(part.covered) * half


def _patterns(part: _Part) -> list[float]:
    """Shares of the uniform, rotation-invariant local binary patterns (Ojala et al., IEEE PAMI 24, 2002)."""
    height, width = part.mask.shape
    inner = part.mask[1:-1, 1:-1]
    if not inner.any():
        return [math.nan] * 10
    first, end = width + 1, (height - 1) * width - 1
    middle = part.pixels[first:end]
    around = (-width - 1, -width, -width + 1, 1, width + 1, width, width - 1, -1)
    code = np.zeros(len(middle), np.uint8)
    for step in around:
        code <<= 1
        code |= part.pixels[first + step : end + step] >= middle
    whole = np.zeros(height * width, np.uint8)
    whole[first:end] = code
    return _shares(_pattern_of_code().take(whole.reshape(height, width)[1:-1, 1:-1][inner]), 10)


@lru_cache(maxsize=1)
def _pattern_of_code() -> NDArray[np.uint8]:
    """Number of brighter neighbours where they stand side by side, else 9, for each of 256 surroundings."""
    brighter = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = np.count_nonzero(brighter != np.roll(brighter, 1, axis=1), axis=1)
    return np.where(changes <= 2, brighter.sum(axis=1), 9).astype(np.uint8)


def _coarseness(values: NDArray[np.float32], part: _Part) -> list[float]:
    """Share of the variance of the grey values that smoothing over 3 × 3 pixels leaves, once and twice."""
    once = _smoothed(values, part.mask.shape)
    variance = float(values.take(part.covered).var())
    if variance == 0:
        return [math.nan, math.nan]
    twice = _smoothed(once, part.mask.shape)
    return [float(smooth.take(part.covered).var()) / variance for smooth in (once, twice)]


def _smoothed(values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Mean over 3 × 3 pixels; the outermost pixels stay as they are."""
    width = shape[1]
    smooth = values.copy()
    rows = values[: -2 * width] + values[width:-width]
    rows += values[2 * width :]
    inner = smooth[width + 1 : -width - 1]
    np.add(rows[:-2], rows[1:-1], out=inner)
    inner += rows[2:]
    inner /= np.float32(9)
    for edge in (0, width - 1):
        smooth[edge::width] = values[edge::width]
    return smooth


def _shares(kinds: NDArray[np.integer], number: int, weights: NDArray[np.floating] | None = None) -> list[float]:
    counts = np.bincount(kinds, weights, number).tolist()
    total = sum(counts)
    return [count / total if total else math.nan for count in counts]
