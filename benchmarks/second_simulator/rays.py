"""Rays through bodies: how thick each part is above each point of a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from second_simulator.bodies import Array, Part

__all__ = ["Columns", "extent", "trace"]


@dataclass(frozen=True, slots=True)
class Columns:
    """What rays along z meet; all tables have shape (rows, columns), y by x."""

    x: Array
    """µm, one a column."""
    y: Array
    """µm, one a row."""
    index: Array
    """Refractive index times length, µm."""
    absorption: Array
    grain: Array
    light: Array
    """Shape (4, rows, columns)."""


def extent(parts: Sequence[Part]) -> Array:
    """Give the least and the greatest x and y of a body, shape (2, 2): x then y, least then greatest."""
    reach = np.stack([np.sqrt(((part.axes * part.half[:, None]) ** 2).sum(axis=0)) for part in parts])
    boxes = np.stack([np.abs(part.axes * part.half[:, None]).sum(axis=0) for part in parts])
    round_ones = np.array([part.form == "ellipsoid" for part in parts])
    reach = np.where(round_ones[:, None], reach, boxes)
    centres = np.stack([part.centre for part in parts])
    return np.stack([(centres - reach).min(axis=0)[:2], (centres + reach).max(axis=0)[:2]], axis=1)


def trace(parts: Sequence[Part], x: Array, y: Array) -> Columns:
    """Send a ray through the middle of each cell of an even grid."""
    shape = len(y), len(x)
    index, absorption, grain = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    light = np.zeros((4, *shape))
    step = float(x[1] - x[0])
    for part in parts:
        (left, right), (low, high) = extent([part])
        columns = slice(max(0, int((left - x[0]) / step)), max(0, int((right - x[0]) / step) + 2))
        rows = slice(max(0, int((low - y[0]) / step)), max(0, int((high - y[0]) / step) + 2))
        if not len(x[columns]) or not len(y[rows]):
            continue
        thick = _thickness(part, x[columns], y[rows])
        index[rows, columns] += part.matter.index * thick
        absorption[rows, columns] += part.matter.absorption * thick
        grain[rows, columns] += part.matter.grain * thick
        for place, strength in enumerate(part.matter.light):
            if strength:
                light[place, rows, columns] += strength * thick
    return Columns(x, y, index, absorption, grain, light)


def _thickness(part: Part, x: Array, y: Array) -> Array:
    """Length of the ray inside a part: the overlap of what its surfaces leave."""
    scaled = part.axes / part.half[:, None]
    dx, dy = x[None, :] - part.centre[0], y[:, None] - part.centre[1]
    origin = [scaled[axis, 0] * dx + scaled[axis, 1] * dy for axis in range(3)]
    slope = [_away_from_zero(float(scaled[axis, 2])) for axis in range(3)]
    if part.form == "box":
        ranges = [_slab(origin[axis], slope[axis]) for axis in range(3)]
    elif part.form == "tube":
        ranges = [_slab(origin[0], slope[0]), _quadric(origin[1:], slope[1:])]
    else:
        ranges = [_quadric(origin, slope)]
    if part.cut is not None:
        ranges.append(_slab(origin[0], slope[0], *part.cut))
    return _between(ranges)


def _away_from_zero(value: float) -> float:
    return value if abs(value) > 1e-6 else 1e-6


def _slab(origin: Array, slope: float, least: float = -1.0, most: float = 1.0) -> tuple[Array, Array]:
    first, second = (least - origin) / slope, (most - origin) / slope
    return np.minimum(first, second), np.maximum(first, second)


def _quadric(origin: Sequence[Array], slope: Sequence[float]) -> tuple[Array, Array]:
    """Where |origin + z slope| is 1; a ray that misses gets an empty range."""
    square = sum(value * value for value in slope)
    middle = sum((one * value for one, value in zip(origin, slope, strict=True)), np.zeros(1)) / square
    rest = sum((one * one for one in origin), np.zeros(1)) - 1
    root = middle * middle - rest / square
    width = np.sqrt(np.maximum(root, 0))
    return -middle - width, -middle + width


def _between(ranges: Sequence[tuple[Array, Array]]) -> Array:
    low, high = ranges[0]
    for other_low, other_high in ranges[1:]:
        low, high = np.maximum(low, other_low), np.minimum(high, other_high)
    return np.asarray(np.maximum(high - low, 0))
