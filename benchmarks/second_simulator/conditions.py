"""What differs from run to run: lasers, detectors, focus, light, flow, temperature, and the state of the cultures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from second_simulator.bodies import Array

__all__ = ["ADJUSTABLE", "CHANNELS", "NOMINAL_LEVEL", "Conditions", "draw_conditions"]

CHANNELS = ("FWS", "SWS", "FL Green", "FL Yellow", "FL Orange", "FL Red", "2 FL Red")
ADJUSTABLE = CHANNELS[1:]
NOMINAL_LEVEL = 70
_STEPS_A_DECADE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Settings and state of one run."""

    levels: Mapping[str, int]
    """Sensitivity level of each adjustable detector, as the file tells it."""
    gains: Array
    """Of each channel, relative to the nominal instrument: levels, laser power, and drift that no file tells."""
    flow_m_s: float
    sheath_offset_um: float
    """How far the middle of the stream lies beside the middle of the lasers."""
    warming: float
    """Change of fluorescence from the start to the end of the run, as a part of it."""
    baseline_mv: float
    ringing: float
    """Damping of the detectors' second-order response: the less, the more they ring."""
    afterglow: float
    focus_um: float
    source_rad: float
    """Half angle of the light source: how much it blurs what lies out of focus."""
    brightness: float
    slope: tuple[float, float]
    """Change of the background from edge to edge of the camera's field, right and down."""
    fringes: tuple[float, float, float]
    """Interference in the windows: strength, and waves a pixel right and down."""
    camera_noise: float
    dust: float
    """Mean number of specks in a picture."""
    companions: float
    """Part of the particles that pass together with another thing."""
    growth: Mapping[str, float]
    """Shift of the logarithm of all sizes, by species."""
    acclimation: Mapping[str, Array]
    """Shift of the logarithm of the four kinds of fluorescence, by species."""


def draw_conditions(names: Sequence[str], rng: np.random.Generator) -> Conditions:
    """Draw the conditions of one run; twins share the state of their culture, which would betray them."""
    levels = {name: NOMINAL_LEVEL + int(rng.integers(-3, 4)) for name in ADJUSTABLE}
    steps = np.array([levels.get(name, NOMINAL_LEVEL) - NOMINAL_LEVEL for name in CHANNELS])
    lasers = np.exp(0.15 * rng.standard_normal(2))
    power = np.array([lasers[1] if name.startswith("2 ") else lasers[0] for name in CHANNELS])
    drift = np.exp(0.1 * rng.standard_normal(len(CHANNELS)))
    cultures = sorted({name.split()[0] for name in names})
    growth = dict(zip(cultures, 0.06 * rng.standard_normal(len(cultures)), strict=True))
    light = dict(zip(cultures, 0.15 * rng.standard_normal((len(cultures), 4)), strict=True))
    return Conditions(
        levels=levels,
        gains=power * drift * 10.0 ** (steps / _STEPS_A_DECADE),
        flow_m_s=float(rng.uniform(1.6, 2.5)),
        sheath_offset_um=float(rng.normal(0, 6)),
        warming=float(rng.normal(0, 0.06)),
        baseline_mv=float(rng.uniform(0.5, 3.0)),
        ringing=float(rng.uniform(0.45, 0.8)),
        afterglow=float(rng.uniform(0.02, 0.08)),
        focus_um=float(rng.normal(0, 10)),
        source_rad=float(rng.uniform(0.02, 0.07)),
        brightness=float(rng.uniform(95, 165)),
        slope=(float(rng.normal(0, 0.15)), float(rng.normal(0, 0.15))),
        fringes=(float(rng.uniform(0, 0.05)), float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03))),
        camera_noise=float(rng.uniform(1.0, 3.0)),
        dust=float(rng.uniform(0.05, 0.5)),
        companions=float(rng.uniform(0.04, 0.14)),
        growth={name: growth[name.split()[0]] for name in names},
        acclimation={name: light[name.split()[0]] for name in names},
    )
