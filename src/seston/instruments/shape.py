"""Size and shape of a mask, in pixels: a particle's size comes from here, never from the size of its picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["MaskMeasures", "framed", "mask_measures"]


_NOWHERE = 1 << 30
"""Column at which a row without pixels begins."""


@dataclass(frozen=True, slots=True)
class MaskMeasures:
    """Measures of all pieces of a mask together; pixels are unit squares, lengths in pixels."""

    area: float
    equivalent_diameter: float
    """Diameter of the circle of the same area."""
    major_axis: float
    minor_axis: float
    """Full axes of the ellipse with the same second moments."""
    orientation: float
    """Angle of the major axis to the picture's rows, in radians from -π/2 to π/2, counted downwards."""
    feret_length: float
    """Largest distance between two parallel lines that hold the mask between them."""
    feret_width: float
    """Smallest such distance."""
    perimeter: float
    """By the Cauchy–Crofton formula in four directions: right for smooth outlines, not for staircases."""
    convex_area: float
    pieces: int
    moments: tuple[tuple[float, ...], ...]
    """Central moments, ``moments[q][p]`` the sum of down**q · across**p over the pixels, up to the third order."""
    center: tuple[float, float]
    """Column and row of the center of mass, counted from the middle of the first pixel."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom (the last two exclusive)."""

    @property
    def eccentricity(self) -> float:
        """Eccentricity of the ellipse: 0 for a circle, near 1 for a needle."""
        return float(np.sqrt(max(0.0, 1.0 - (self.minor_axis / self.major_axis) ** 2)))

    @property
    def solidity(self) -> float:
        """Share of the convex hull that the mask fills."""
        return self.area / self.convex_area

    @property
    def circularity(self) -> float:
        """``4π · area / perimeter²``: 1 for a circle, less for anything else."""
        return float(4 * np.pi * self.area / self.perimeter**2)

    @property
    def elongation(self) -> float:
        """Feret length divided by Feret width."""
        return self.feret_length / self.feret_width


def mask_measures(mask: NDArray[np.bool_], pieces: int | None = None) -> MaskMeasures | None:
    """Measure a mask.

    Parameters
    ----------
    mask
        Shape (height, width), True in the particle.
    pieces
        Of the mask, where that is known already.

    Returns
    -------
    MaskMeasures or None
        None where the mask is empty.

    References
    ----------
    Perimeter: S. Lehmann and D. Legland, "Efficient n-dimensional surface estimation using Crofton formula and
    run-length encoding", Insight Journal (2012). Feret diameters: rotating callipers on the convex hull.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    part = mask[top:bottom, left:right]
    center, moments = _moments(part)
    area = moments[0][0]
    major, minor, orientation = _ellipse(moments)
    length, width, convex_area = _hull(part)
    return MaskMeasures(
        area=area,
        equivalent_diameter=2 * math.sqrt(area / math.pi),
        major_axis=major,
        minor_axis=minor,
        orientation=orientation,
        feret_length=length,
        feret_width=width,
        perimeter=_perimeter(part),
        convex_area=convex_area,
        pieces=_count_pieces(part) if pieces is None else pieces,
        moments=moments,
        center=(left + center[0], top + center[1]),
        box=(left, top, right, bottom),
    )


def _count_pieces(mask: NDArray[np.bool_]) -> int:
    from scipy import ndimage

    return int(ndimage.label(mask, structure=np.ones((3, 3)))[1])


def framed(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Put a frame of False around a mask, some ten times faster than `numpy.pad`: it is asked for every picture."""
    height, columns = mask.shape
    wider = np.zeros((height + 2 * width, columns + 2 * width), dtype=np.bool_)
    wider[width:-width, width:-width] = mask
    return wider


def _moments(mask: NDArray[np.bool_]) -> tuple[tuple[float, float], tuple[tuple[float, ...], ...]]:
    """Give the center (column, row) and the central moments of a mask, as `MaskMeasures` has them.

    The sums are taken about the middle of the box, where they are exact, and then moved to the center.
    """
    height, width = mask.shape
    raw = (_powers(height).T @ (mask @ _powers(width))).tolist()
    n = raw[0][0]
    x, y = raw[0][1] / n, raw[1][0] / n
    moments = [[0.0] * 4 for _ in range(4)]
    moments[0][0] = n
    moments[0][2] = raw[0][2] - n * x * x
    moments[2][0] = raw[2][0] - n * y * y
    moments[1][1] = raw[1][1] - n * x * y
    moments[0][3] = raw[0][3] - 3 * x * raw[0][2] + 2 * n * x**3
    moments[3][0] = raw[3][0] - 3 * y * raw[2][0] + 2 * n * y**3
    moments[1][2] = raw[1][2] - 2 * x * raw[1][1] - y * raw[0][2] + 2 * n * x * x * y
    moments[2][1] = raw[2][1] - 2 * y * raw[1][1] - x * raw[2][0] + 2 * n * x * y * y
    return (x + (width - 1) / 2, y + (height - 1) / 2), tuple(map(tuple, moments))


@lru_cache(maxsize=2048)
def _powers(length: int) -> NDArray[np.float64]:
    """Shape (length, 4): powers 0 to 3 of the places of pixels, counted from the middle."""
    return np.stack([(np.arange(length) - (length - 1) / 2) ** power for power in range(4)], axis=1)


def _ellipse(moments: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """Full axes and orientation of the ellipse with the mask's second moments."""
    n = moments[0][0]
    # A unit square has a variance of 1/12 itself.
    down, across, both = moments[2][0] / n + 1 / 12, moments[0][2] / n + 1 / 12, moments[1][1] / n
    middle, half = (down + across) / 2, math.hypot((across - down) / 2, both)
    orientation = 0.5 * math.atan2(2 * both, across - down)
    return 4 * math.sqrt(middle + half), 4 * math.sqrt(middle - half), orientation


def _hull(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Largest and smallest width over all directions, and area of the convex hull of the pixels' squares."""
    corners = np.array(_hull_corners(mask), np.float64)
    following = np.concatenate([corners[1:], corners[:1]])
    sides = following - corners
    sides /= np.sqrt(sides[:, :1] ** 2 + sides[:, 1:] ** 2)
    across = corners[:, :1] * -sides[:, 1] + corners[:, 1:] * sides[:, 0]
    width = float((across.max(axis=0) - across.min(axis=0)).min())
    x, y = corners.T
    length = math.sqrt(((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2).max())
    area = abs(float(x @ following[:, 1] - y @ following[:, 0])) / 2
    return length, width, area


def _hull_corners(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Corners of the convex hull of the pixels' squares, around it (A. M. Andrew, Inf. Process. Lett. 9, 1979)."""
    width = mask.shape[1]
    there = mask.any(axis=1)
    first = np.where(there, mask.argmax(axis=1), _NOWHERE)
    past_last = np.where(there, width - mask[:, ::-1].argmax(axis=1), -_NOWHERE)
    left, right = _chain(first), _chain(-past_last)
    return [*left, *((-x, y) for x, y in reversed(right))]


def _chain(first: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Corners (column, row) of the hull's left side, from the top down; `first` is where each row of pixels begins."""
    x = np.concatenate([first[:1], np.minimum(first[1:], first[:-1]), first[-1:]])  # along the edges between rows
    y = np.arange(len(x))
    if x.max() == _NOWHERE:
        y = np.flatnonzero(x < _NOWHERE)
        x = x[y]
    for _ in range(2):  # what does not stand out between its neighbours is no corner
        keep = np.ones(len(x), np.bool_)
        keep[1:-1] = (x[1:-1] - x[:-2]) * (y[2:] - y[:-2]) < (x[2:] - x[:-2]) * (y[1:-1] - y[:-2])
        y, x = y[keep], x[keep]
    corners: list[tuple[int, int]] = []
    for here in zip(x.tolist(), y.tolist(), strict=True):
        while len(corners) > 1 and not _stands_out(corners[-2], corners[-1], here):
            corners.pop()
        corners.append(here)
    return corners


def _stands_out(before: tuple[int, int], here: tuple[int, int], after: tuple[int, int]) -> bool:
    return (here[0] - before[0]) * (after[1] - before[1]) < (after[0] - before[0]) * (here[1] - before[1])


def _perimeter(mask: NDArray[np.bool_]) -> float:
    """All pixels stand in one row; the frame keeps the ends of its rows apart."""
    padded = framed(mask, 1)
    flat, width = padded.ravel(), padded.shape[1]
    straight, slanted = (
        sum(int(np.count_nonzero(flat[step:] ^ flat[:-step])) for step in steps)
        for steps in ((1, width), (width + 1, width - 1))
    )
    return float(np.pi / 8 * (straight + slanted / np.sqrt(2)))
