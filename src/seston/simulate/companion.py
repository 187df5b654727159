"""A small particle that passes the beam together with a body: it stands in the record and in the picture alike.

Coincidences are common where an instrument counts fast; they spoil lengths and boxes measured without a look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.simulate.across import Tubes
from seston.simulate.optics import Emission

__all__ = ["Companion", "add_to_emission", "add_to_tubes", "draw_companion"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Companion:
    """A sphere before or behind a body along the flow."""

    before: bool
    gap: int
    """Empty slices between the two."""
    area: Array
    """µm² in each of its slices."""
    aside_um: float
    red: float
    """Red fluorescence of one µm³; 0 where it is dead matter."""


def draw_companion(rate: float, spacing_um: float, rng: np.random.Generator) -> Companion | None:
    """Draw whether a particle comes with a small one, and which."""
    draws = rng.random(5)
    if draws[0] >= rate:
        return None
    radius = 0.9 + 1.4 * draws[1]
    count = max(3, round(2.0 * radius / spacing_um))
    place = (np.arange(count) + 0.5) * (2.0 / count) - 1.0
    return Companion(
        before=bool(draws[2] < 0.5),
        gap=int(draws[3] * 5.0 / spacing_um),
        area=np.pi * radius**2 * (1.0 - place**2),
        aside_um=float(rng.normal(0.0, 5.0)),
        red=float(0.8 * (draws[4] < 0.5)),
    )


def add_to_emission(emission: Emission, companion: Companion) -> Emission:
    """Add the companion's light before or behind the body's."""
    light = np.zeros((5, companion.area.size + companion.gap))
    own = light[:, : companion.area.size] if companion.before else light[:, companion.gap :]
    own[0] = own[1] = companion.area
    own[4] = companion.red * companion.area
    body = np.vstack((emission.matter, emission.granules, emission.fluorescence))
    both = np.hstack((light, body) if companion.before else (body, light))
    return Emission(both[0], both[1], both[2:])


def add_to_tubes(tubes: Tubes, companion: Companion) -> Tubes:
    """Add the companion as one more tube, in the same slices as its light."""
    more = companion.area.size + companion.gap
    margins = ((0, 1), (more, 0) if companion.before else (0, more))
    half_y, half_z = np.pad(tubes.half_y, margins), np.pad(tubes.half_z, margins)
    span = slice(0, companion.area.size) if companion.before else slice(half_y.shape[1] - companion.area.size, None)
    half_y[-1, span] = half_z[-1, span] = np.sqrt(companion.area / np.pi)
    centre_y, centre_z = (np.pad(centre, margins, mode="edge") for centre in (tubes.centre_y, tubes.centre_z))
    edge = tubes.centre_y[0, 0 if companion.before else -1]
    centre_y[-1] = edge + companion.aside_um
    density = np.pad(tubes.density, margins, constant_values=1.0)
    return Tubes(centre_y, centre_z, half_y, half_z, density)
