"""Forms along the flow: how wide a body is at each place on its axis.

A form gives the radius of the round slice that holds the matter at each place; how that matter is spread sideways is
the business of `seston.simulate.across`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.simulate.species import Along

__all__ = ["FORMS", "Slices", "draw_slices"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices of one body, from its first to its last along the flow."""

    spacing_um: float
    area: Array
    """µm² of matter in each slice."""
    place: Array
    """-1 at the body's tail, 1 at its head; either may come first."""
    cells: int
    tilt: tuple[float, float]
    """Tangents of the tilt of the body's axis against the flow: in the picture's plane, and in depth."""


def draw_slices(along: Along, rng: np.random.Generator, spacing_um: float, size_shift: float = 0.0) -> Slices:
    """Draw one body of a form: its size, its number of cells and its tilt.

    A tilted body slides its slices over each other, as a tilted ellipsoid does (where it is exact): the length seen by
    the beam is √((L cos t)² + (W sin t)²), and the slices keep the volume.

    Parameters
    ----------
    along
        The form and its spreads.
    spacing_um
        Distance of two slices.
    size_shift
        Shift of the logarithm of all sizes (a culture that grows larger in one measurement).
    """
    draws = rng.standard_normal(5)
    length = along.length_um * np.exp(along.length_spread * draws[0] + size_shift)
    width = along.width_um * np.exp(along.width_spread * draws[1] + 0.3 * along.length_spread * draws[0] + size_shift)
    tilt, turn = np.radians(along.tilt_deg) * np.clip(draws[2:4], -2.0, 2.0)
    whole_tilt = float(np.hypot(tilt, turn))
    seen = float(np.hypot(length * np.cos(whole_tilt), width * np.sin(whole_tilt)))
    count = max(8, round(seen / spacing_um))
    place: Array = (np.arange(count, dtype=np.float64) + 0.5) * (2.0 / count) - 1.0
    cells = _number_of_cells(along.parameters, length)
    radius = FORMS[along.form](place, cells, along.parameters)
    if draws[4] < 0:
        place, radius = place[::-1], radius[::-1]
    area: Array = np.pi * (0.5 * width * radius) ** 2 * (length / seen)
    return Slices(spacing_um, area, place, cells, (float(np.tan(tilt)), float(np.tan(turn))))


def _number_of_cells(parameters: Mapping[str, float], length: float) -> int:
    if "cells" in parameters:
        return int(parameters["cells"])
    return max(2, round(length / parameters["cell_um"])) if "cell_um" in parameters else 1


def _ellipsoid(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    return np.sqrt(1.0 - place**2)


def _egg(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    return np.sqrt(1.0 - place**2) * (0.9 + 0.22 * place)


def _spindle(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    radius: Array = (1.0 - place**2) ** parameters["sharpness"]
    return radius


def _rod(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    return np.sqrt(1.0 - place**12)


def _cone(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    return np.sqrt(1.0 - place**8) * (0.62 + 0.38 * place)


def _chain(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    within = ((place + 1.0) * (0.5 * cells)) % 1.0 * 2.0 - 1.0
    cell = np.sqrt(1.0 - within**6)
    neck = parameters["neck"] * (1.0 - place**20)
    return np.maximum(cell, neck)


def _girdled(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    groove = parameters["groove"] * np.exp(-((place / 0.12) ** 2))
    return np.sqrt(1.0 - place**2) * (1.0 - groove)


def _horned(place: Array, cells: int, parameters: Mapping[str, float]) -> Array:
    trunk = np.sqrt(np.maximum(1.0 - (place / parameters["trunk"]) ** 2, 0.0))
    horns = parameters["horn"] * (1.0 - np.abs(place)) ** 0.5
    return np.maximum(trunk, horns)


FORMS: dict[str, Callable[[Array, int, Mapping[str, float]], Array]] = {
    "ellipsoid": _ellipsoid,
    "egg": _egg,
    "spindle": _spindle,
    "rod": _rod,
    "cone": _cone,
    "chain": _chain,
    "girdled": _girdled,
    "horned": _horned,
}
"""Name → relative radius (1 = half the width) at each place from -1 to 1."""
