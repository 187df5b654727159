"""What differs from one measurement to the next: detectors, focus, light, and the state of the cultures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seston.simulate.species import Species

__all__ = ["CHANNELS", "CORE_SPEED_M_S", "PIXEL_SIZE_UM", "Conditions", "draw_conditions"]

CHANNELS = ("FWS L", "FWS R", "SWS", "FL Yellow", "FL Orange", "FL Red")
"""The hardware's channels, in the order of the simulated detector boards."""

CORE_SPEED_M_S = 2.2
PIXEL_SIZE_UM = 0.3057
"""Camera pitch 4.8 µm ÷ magnification 15.7."""

_NOMINAL_LEVELS = {"SWS": 60, "FL Yellow": 95, "FL Orange": 85, "FL Red": 85}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """One measurement's settings and state."""

    levels: Mapping[str, int]
    """Sensitivity level of each adjustable detector; 20 steps are a factor of 10."""
    gains: tuple[float, ...]
    """mV per unit of light, relative to the nominal instrument, one for each of `CHANNELS`."""
    dark_noise_mv: float
    offset_mv: float
    blur_um: float
    """Standard deviation of the blur of a particle in the plane of best focus of this measurement."""
    halo: float
    """Strength and sign of the bright fringe that a camera beside the plane of focus sees."""
    background: float
    """Grey level of the empty picture, 0-255."""
    contrast: float
    gradient: tuple[float, float]
    """Change of the background over 100 pixels, right and down, as a part of it."""
    camera_noise: float
    specks: float
    """Mean number of dust specks and blurred passers-by in a picture."""
    companions: float
    """Part of the particles that pass the beam together with a small one."""
    size_shift: Mapping[str, float]
    """Shift of the logarithm of all sizes of a culture, by `Species.along_name`: look-alikes share it."""
    pigment_shift: Mapping[tuple[str, str], float]
    """Shift of the logarithm of the pigment content, by `Species.along_name` and `Species.optics_name`."""
    concentration_per_ul: float
    core_speed_m_s: float = CORE_SPEED_M_S
    pixel_size_um: float = PIXEL_SIZE_UM


def draw_conditions(species: Sequence[Species], rng: np.random.Generator) -> Conditions:
    """Draw the settings and state of one measurement.

    Detector levels move by up to three steps (a factor of 1.4), and each detector drifts by 12 % besides, which no file
    tells.
    """
    levels = {name: level + int(rng.integers(-3, 4)) for name, level in _NOMINAL_LEVELS.items()}
    drift = np.exp(0.12 * rng.standard_normal(len(CHANNELS)))
    steps = [levels[name] - _NOMINAL_LEVELS[name] if name in levels else 0 for name in CHANNELS]
    shapes = sorted({one.along_name for one in species})
    cells = sorted({(one.along_name, one.optics_name) for one in species})
    return Conditions(
        levels=levels,
        gains=tuple(float(d * 10.0 ** (s / 20.0)) for d, s in zip(drift, steps, strict=True)),
        dark_noise_mv=float(rng.uniform(0.3, 0.9)),
        offset_mv=float(rng.uniform(0.2, 1.2)),
        blur_um=float(rng.uniform(0.3, 0.8)),
        halo=float(rng.uniform(-0.4, 1.0)),
        background=float(rng.uniform(155, 190)),
        contrast=float(rng.uniform(0.6, 1.4)),
        gradient=(float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.04, 0.04))),
        camera_noise=float(rng.uniform(0.8, 2.2)),
        specks=float(rng.uniform(0.1, 1.2)),
        companions=float(rng.uniform(0.02, 0.12)),
        size_shift=dict(zip(shapes, 0.06 * rng.standard_normal(len(shapes)), strict=True)),
        pigment_shift=dict(zip(cells, 0.12 * rng.standard_normal(len(cells)), strict=True)),
        concentration_per_ul=float(rng.uniform(8, 40)),
    )
