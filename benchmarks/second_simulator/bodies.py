"""Bodies of plankton in three dimensions: sets of ellipsoids, cylinders and boxes with their optical properties.

Lengths are µm. The long axis of a body is x, the axis of the flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NO_LIGHT",
    "Array",
    "Matter",
    "Part",
    "box",
    "ellipsoid",
    "moved",
    "needle",
    "rotation",
    "shell",
    "sphere",
    "tube",
]

Array = NDArray[np.float64]
Point = Sequence[float] | NDArray[np.float64]
NO_LIGHT = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Matter:
    """What a part is made of."""

    index: float = 0.035
    """Refractive index above that of the water."""
    absorption: float = 0.018
    """Of the infrared light of the camera, per µm; pigments do not absorb it, so pictures do not show them."""
    grain: float = 1.0
    """Strength of sideward scatter per µm³."""
    light: tuple[float, float, float, float] = NO_LIGHT
    """Fluorescence per µm³: green, orange, red (by the blue laser), red (by the red laser)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One convex piece of a body."""

    centre: Array
    axes: Array
    """Shape (3, 3): unit vectors of its axes, one a row."""
    half: Array
    """Half of its extent along each axis."""
    form: str
    """``ellipsoid``; ``tube``: a cylinder along its first axis; ``box``."""
    matter: Matter
    fine: bool = False
    """Too thin for the lasers to see (spines, cilia): only pictures show it."""
    cut: tuple[float, float] | None = None
    """The range along its first axis that is left of it, in halves of its length: (0, 1) is the front half."""


def ellipsoid(centre: Point, half: Point, matter: Matter, axes: Array | None = None) -> Part:
    return Part(np.asarray(centre, float), np.eye(3) if axes is None else axes, np.asarray(half, float), "ellipsoid",
                matter)  # fmt: skip


def sphere(centre: Point, radius: float, matter: Matter) -> Part:
    return ellipsoid(centre, (radius, radius, radius), matter)


def tube(centre: Point, half_length: float, half_width: float, matter: Matter, flat: float = 1.0) -> Part:
    """Make a cylinder along x; `flat` is how much thicker it is in z than in y."""
    part = ellipsoid(centre, (half_length, half_width, half_width * flat), matter)
    return replace(part, form="tube")


def box(centre: Point, half: Point, matter: Matter) -> Part:
    return replace(ellipsoid(centre, half, matter), form="box")


def shell(part: Part, thickness: float, wall: Matter) -> list[Part]:
    """Put a wall around a part: the grown part of the wall's matter, less what is inside."""
    less = Matter(-wall.index, -wall.absorption, -wall.grain)
    return [replace(part, half=part.half + thickness, matter=wall), replace(part, matter=less)]


def needle(start: Point, end: Point, radius: float, matter: Matter) -> Part:
    """Make a spine, bristle or cilium from one point to another."""
    first, last = np.asarray(start, float), np.asarray(end, float)
    along = last - first
    length = float(np.linalg.norm(along))
    first_axis = along / max(length, 1e-9)
    helper = np.array([0.0, 0.0, 1.0]) if abs(first_axis[2]) < 0.9 else np.array([0.0, 1.0, 0.0])
    second = np.cross(helper, first_axis)
    second /= np.linalg.norm(second)
    axes = np.stack([first_axis, second, np.cross(first_axis, second)])
    half = np.array([length / 2, radius, radius])
    return Part((first + last) / 2, axes, half, "ellipsoid", matter, fine=True)


def rotation(axis: int, angle: float) -> Array:
    """Turn about x, y or z (0, 1, 2)."""
    turn = np.eye(3)
    first, second = ((1, 2), (2, 0), (0, 1))[axis]
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
    return turn


def moved(parts: Sequence[Part], turn: Array, shift: Point = (0.0, 0.0, 0.0)) -> list[Part]:
    """Turn a body about the origin, then shift it."""
    by = np.asarray(shift, float)
    return [replace(part, centre=turn @ part.centre + by, axes=part.axes @ turn.T) for part in parts]
