"""One simulated particle: a body, its picture and its record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.simulate.across import arrange
from seston.simulate.along import draw_slices
from seston.simulate.companion import add_to_emission, add_to_tubes, draw_companion
from seston.simulate.conditions import CHANNELS, PIXEL_SIZE_UM, Conditions
from seston.simulate.detector import curvature, record, smooth
from seston.simulate.optics import emit
from seston.simulate.picture import Camera, take_picture
from seston.simulate.species import Species

__all__ = ["EXPORTED_CHANNELS", "Exported", "draw_particle", "export_signals"]

EXPORTED_CHANNELS = ("FWS", *CHANNELS[2:], "Curvature")
"""What an export holds: both halves of forward scatter added, and the curvature made from them."""

_TRIES = 50


@dataclass(frozen=True, slots=True)
class Exported:
    """One particle as an export holds it."""

    label: str
    picture: NDArray[np.uint8]
    profile: NDArray[np.float64]
    """Shape (6, samples): `EXPORTED_CHANNELS`, mV and smoothed (curvature: a ratio, not smoothed)."""


def draw_particle(species: Species, conditions: Conditions, camera: Camera, rng: np.random.Generator) -> Exported:
    """Draw one particle of a species: one body in one pose, seen by the beam and by the camera.

    A body that never reaches the trigger level is not seen by an instrument: another one is drawn.
    """
    size_shift = conditions.size_shift[species.along_name]
    pigment_shift = conditions.pigment_shift[species.along_name, species.optics_name]
    for _ in range(_TRIES):
        slices = draw_slices(species.along, rng, PIXEL_SIZE_UM, size_shift)
        emission = emit(species.optics, slices, rng, pigment_shift)
        companion = draw_companion(conditions.companions, PIXEL_SIZE_UM, rng)
        if companion is not None:
            emission = add_to_emission(emission, companion)
        stored = record(emission, PIXEL_SIZE_UM, slices.tilt[1], conditions, rng)
        if stored is not None:
            tubes = arrange(species.across, slices, rng)
            if companion is not None:
                tubes = add_to_tubes(tubes, companion)
            return Exported(species.name, take_picture(tubes, camera, rng), export_signals(stored))
    raise RuntimeError(f"species {species.name} never reaches the trigger level: its table is wrong")


def export_signals(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make the exported channels from the stored ones, as CytoClus does."""
    summed = np.concatenate((stored[:1] + stored[1:2], stored[2:]))
    return np.concatenate((smooth(summed), curvature(stored[0], stored[1])[None]))
