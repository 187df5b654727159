"""The light that a real picture's particle would send to each detector, guessed from its mask and grey values."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, uniform_filter

from seston.simulate.conditions import PIXEL_SIZE_UM
from seston.simulate.optics import PIGMENTS, Emission
from seston.simulate.species import Optics

__all__ = ["draw_class_optics", "emission_of_picture"]

_GRAIN_PIXELS = 5


def draw_class_optics(label: str, seed: int) -> Optics:
    """Draw what no picture shows of a class: pigment group, pigment content, granularity.

    The draw depends on the seed and the label only, so that a class has the same optics in each run.
    """
    rng = np.random.default_rng((seed, zlib.crc32(label.encode("utf-8"))))
    return Optics(
        pigment=str(rng.choice(sorted(PIGMENTS))),
        content=float(np.exp(0.4 * rng.standard_normal())),
        granules=float(np.exp(0.5 * rng.standard_normal())),
        scatter=1.0,
    )


def emission_of_picture(
    grey: NDArray[np.uint8], mask: NDArray[np.bool_], pixel_size_um: float, optics: Optics, rng: np.random.Generator
) -> Emission:
    """Give the light of each slice of a pictured particle, left to right, in slices of `PIXEL_SIZE_UM`.

    A slice's matter is that of a round rod of the same local width (a sphere comes out a fifth too light); pigment goes
    with matter and optical density, granules with matter and the unevenness of the density.

    Parameters
    ----------
    grey
        Shape (height, width), 8 bits.
    mask
        The particle's pixels; at least one.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    background = float(np.median(grey[~mask])) if (~mask).any() else 255.0
    contrast = np.abs(np.log((grey[box].astype(np.float64) + 1.0) / (background + 1.0))) * mask[box]
    thickness = 2.0 * distance_transform_edt(np.pad(mask[box], 1))[1:-1, 1:-1]
    # across a round slice the mean of 2 x distance to the edge is half the width; the true mean chord is π/4 of it
    volume = 0.5 * np.pi * thickness * pixel_size_um**2
    uneven = np.abs(contrast - uniform_filter(contrast, _GRAIN_PIXELS)) * mask[box]
    draws = np.exp(rng.standard_normal(3) * (0.12, 0.28, 0.36))
    matter = volume.sum(axis=0)
    granules = (volume * (0.5 + 8.0 * uneven)).sum(axis=0) * optics.granules
    pigment = (volume * (0.3 + 2.0 * contrast)).sum(axis=0) * optics.content
    place = np.arange(0.0, columns[-1] - columns[0] + 1.0, PIXEL_SIZE_UM / pixel_size_um)
    matter, granules, pigment = (
        np.interp(place, np.arange(matter.size), one) * factor
        for one, factor in zip((matter, granules, pigment), draws, strict=True)
    )
    return Emission(matter, granules, np.array(PIGMENTS[optics.pigment])[:, None] * pigment)
