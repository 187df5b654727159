"""Pigments and scatter: how much light a slice of a body sends to each detector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.simulate.along import Slices
from seston.simulate.species import Optics

__all__ = ["LAYOUTS", "PIGMENTS", "Emission", "emit"]

Array = NDArray[np.float64]

PIGMENTS: dict[str, tuple[float, float, float]] = {
    # yellow (near 550-600 nm), orange (600-670), red (670-730) for light of 488 nm, red of "chlorophyll b" being 1
    "chlorophyll b": (0.003, 0.02, 1.0),
    "fucoxanthin": (0.003, 0.025, 1.35),
    "peridinin": (0.008, 0.03, 1.25),
    "phycoerythrin": (0.10, 0.45, 0.9),
    "phycocyanin": (0.003, 0.07, 0.35),
    "none": (0.06, 0.02, 0.02),
}
"""Pigment group → yellow, orange and red fluorescence of one unit.

Chlorophyll a shines near 685 nm, phycocyanin near 650, phycoerythrin near 575 with a tail into the orange. Light of
488 nm reaches chlorophyll a through fucoxanthin and peridinin better than through chlorophyll b, and hardly through
phycocyanin. "none" is the green autofluorescence of a cell without chloroplasts.
"""


@dataclass(frozen=True, slots=True)
class Emission:
    """What each slice holds for each detector: arrays over slices."""

    matter: Array
    """µm², weighed by refractive index: for forward scatter."""
    granules: Array
    """For sideward scatter."""
    fluorescence: Array
    """Shape (3, slices): yellow, orange, red."""


def emit(optics: Optics, slices: Slices, rng: np.random.Generator, pigment_shift: float = 0.0) -> Emission:
    """Give the light of each slice for each detector.

    Pigment content, granules and refractive index vary from particle to particle; `pigment_shift` moves the logarithm
    of the pigment content of a whole measurement (cells used to more or less light).
    """
    draws = rng.standard_normal(5)
    content = optics.content * np.exp(0.36 * draws[0] + pigment_shift)
    layout = LAYOUTS[optics.layout](slices.place, slices.cells) * np.exp(0.5 * draws[4] * slices.place)
    layout = layout * (slices.area.sum() / np.maximum((layout * slices.area).sum(), 1e-9))
    accessory = np.exp(0.15 * draws[1])
    spectrum = np.array(PIGMENTS[optics.pigment]) * (accessory, accessory, 1.0)
    return Emission(
        matter=slices.area * optics.scatter * np.exp(0.12 * draws[2]),
        granules=slices.area * optics.granules * np.exp(0.28 * draws[3]),
        fluorescence=spectrum[:, None] * (content * layout * slices.area),
    )


def _even(place: Array, cells: int) -> Array:
    return np.ones_like(place)


def _poles(place: Array, cells: int) -> Array:
    return 0.9 + np.exp(-(((np.abs(place) - 0.5) / 0.22) ** 2))


def _centre(place: Array, cells: int) -> Array:
    return 0.9 + np.exp(-((place / 0.35) ** 2))


def _every_second(place: Array, cells: int) -> Array:
    cell = np.floor((place + 1.0) * (0.5 * cells))
    return np.where(cell % 2 == 0, 1.0, 0.2)


def _cup(place: Array, cells: int) -> Array:
    return 0.4 + 1.0 / (1.0 + np.exp(-5.0 * (place - 0.2)))


def _rim(place: Array, cells: int) -> Array:
    return 0.5 + place**2


LAYOUTS: dict[str, Callable[[Array, int], Array]] = {
    "even": _even,
    "poles": _poles,
    "centre": _centre,
    "every second": _every_second,
    "cup": _cup,
    "rim": _rim,
}
"""Name → how dense the pigment is at each place from -1 to 1; the whole content is the same for all."""
