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
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seston.instruments.mask import Box, background_of, particle_mask
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
    found = dict.fromkeys(PICTURE_FEATURES, math.nan)
    if pixel_size_um is not None:
        found |= dict.fromkeys((f"{name} µm" for name in _SIZES), math.nan)
    mask = particle_mask(grey, scale_bar)
    measures = mask_measures(mask)
    if measures is None:
        return found
    left, top, right, bottom = measures.box
    part = mask[top:bottom, left:right]
    rows, columns = np.nonzero(part)
    places = _places(rows + top, columns + left, measures)
    thickness = _thickness(part)
    pixels = grey[top:bottom, left:right]
    scale = _grey_scale(grey, pixels[part], scale_bar)
    with np.errstate(all="ignore"):
        sizes = _sizes(measures, thickness)
        measured = [
            *sizes,
            *_shape(measures, thickness),
            *_hu_moments(places, measures.area),
            *_outline(places, measures),
            *_greys(pixels[part], scale, _ring(places, measures)),
            *_texture(pixels, part, scale, measures.orientation),
        ]
    found.update(zip(PICTURE_FEATURES, measured, strict=True))
    if pixel_size_um is not None:
        step = math.log(pixel_size_um)
        found.update(
            (f"{name} µm", value + step * (2 if name == "log area" else 1))
            for name, value in zip(_SIZES, sizes, strict=True)
        )
    return {name: value if math.isfinite(value) else math.nan for name, value in found.items()}


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
    """Diameter of the largest circle in a mask, in pixels."""
    from scipy import ndimage

    return float(2 * ndimage.distance_transform_edt(framed(mask, 1)).max() - 1)


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


def _places(rows: NDArray[np.intp], columns: NDArray[np.intp], measures: MaskMeasures) -> tuple[Floats, Floats]:
    """Places of the mask's pixels along and across its major axis, from its center."""
    across, down = columns - measures.center[0], rows - measures.center[1]
    cosine, sine = math.cos(measures.orientation), math.sin(measures.orientation)
    return across * cosine + down * sine, down * cosine - across * sine


def _hu_moments(places: tuple[Floats, Floats], area: float) -> list[float]:
    """Give the seven invariants of M.-K. Hu (IRE Trans. Inform. Theory 8, 1962), compressed."""
    x, y = places
    x2, y2 = x * x, y * y
    n20, n02, n11 = (float(total) / area**2 for total in (x2.sum(), y2.sum(), x @ y))
    n30, n03, n21, n12 = (float(total) / area**2.5 for total in (x2 @ x, y2 @ y, x2 @ y, x @ y2))
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


def _outline(places: tuple[Floats, Floats], measures: MaskMeasures) -> list[float]:
    """Shares of the mask between circles around its center, in radii of the circle of the same area."""
    x, y = places
    squared = (x * x + y * y) / (measures.equivalent_diameter / 2) ** 2
    return _shares(np.searchsorted(_SQUARED_DISTANCES, squared), 6)


def _ring(places: tuple[Floats, Floats], measures: MaskMeasures) -> NDArray[np.intp]:
    """In which of five rings of the ellipse each pixel lies; what lies outside belongs to the last."""
    x, y = places[0] * (2 / measures.major_axis), places[1] * (2 / measures.minor_axis)
    return np.searchsorted(_SQUARED_RINGS, x * x + y * y)


def _grey_scale(
    grey: NDArray[np.uint8], covered: NDArray[np.uint8], scale_bar: Box | ScaleBar | None
) -> NDArray[np.float32]:
    """Give what each of the 256 grey values means: the difference from the background, freed of gain."""
    level, _ = background_of(grey, scale_bar.box if isinstance(scale_bar, ScaleBar) else scale_bar)
    difference = np.arange(256, dtype=np.float32) - np.float32(level)
    if level >= _BRIGHT_FIELD:
        return np.asarray(difference / np.float32(level))
    counts = np.bincount(covered, minlength=256)
    bright = np.argsort(np.abs(difference))
    brightness = abs(difference[bright[np.searchsorted(np.cumsum(counts[bright]), 0.95 * counts.sum())]])
    return np.asarray(difference / max(brightness, np.float32(1)))


def _greys(covered: NDArray[np.uint8], scale: NDArray[np.float32], ring: NDArray[np.intp]) -> list[float]:
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
        *_ring_means(scale[covered], ring, 5),
    ]


def _ring_means(values: NDArray[np.float32], ring: NDArray[np.intp], rings: int) -> list[float]:
    sums, counts = np.bincount(ring, values, rings), np.bincount(ring, minlength=rings)
    return [float(total / count) if count else math.nan for total, count in zip(sums, counts, strict=True)]


def _texture(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], scale: NDArray[np.float32], orientation: float
) -> list[float]:
    values = scale[pixels]
    down, across = np.zeros_like(values), np.zeros_like(values)
    down[1:-1] = (values[2:] - values[:-2]) / 2
    across[:, 1:-1] = (values[:, 2:] - values[:, :-2]) / 2
    down, across = down[mask], across[mask]
    size = np.sqrt(down * down + across * across)
    cosine, sine = np.float32(math.cos(orientation)), np.float32(math.sin(orientation))
    # Without signs: a turned or mirrored particle has the same texture.
    along, athwart = np.abs(across * cosine + down * sine), np.abs(down * cosine - across * sine)
    quarter = sum((athwart > along * np.float32(slope)).astype(np.intp) for slope in _SLOPES)
    return [
        float(size.mean()),
        float(size.std()),
        *_shares(np.asarray(quarter), 4, size),
        *_patterns(pixels, mask),
        *_coarseness(values, mask),
    ]


def _patterns(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> list[float]:
    """Shares of the uniform, rotation-invariant local binary patterns (Ojala et al., IEEE PAMI 24, 2002)."""
    inside = mask[1:-1, 1:-1]
    if not inside.any():
        return [math.nan] * 10
    middle = pixels[1:-1, 1:-1]
    height, width = middle.shape
    around = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    code = np.zeros(middle.shape, dtype=np.uint8)
    for bit, (row, column) in enumerate(around):
        code |= (pixels[row : row + height, column : column + width] >= middle).view(np.uint8) << np.uint8(bit)
    return _shares(_pattern_of_code()[code[inside]], 10)


@lru_cache(maxsize=1)
def _pattern_of_code() -> NDArray[np.intp]:
    """Number of brighter neighbours where they stand side by side, else 9, for each of 256 surroundings."""
    brighter = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = np.count_nonzero(brighter != np.roll(brighter, 1, axis=1), axis=1)
    return np.where(changes <= 2, brighter.sum(axis=1), 9)


def _coarseness(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> list[float]:
    """Share of the variance of the grey values that smoothing over 3 × 3 pixels leaves, once and twice."""
    once = _smoothed(values)
    variance = float(values[mask].var())
    if variance == 0:
        return [math.nan, math.nan]
    return [float(smooth[mask].var()) / variance for smooth in (once, _smoothed(once))]


def _smoothed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over 3 × 3 pixels; the outermost pixels stay as they are."""
    smooth = values.copy()
    rows = values[:-2] + values[1:-1] + values[2:]
    smooth[1:-1, 1:-1] = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
    return smooth


def _shares(kinds: NDArray[np.intp], number: int, weights: NDArray[np.floating] | None = None) -> list[float]:
    counts = np.bincount(kinds, weights, number).tolist()
    total = sum(counts)
    return [count / total if total else math.nan for count in counts]
