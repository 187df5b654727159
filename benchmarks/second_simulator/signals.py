"""The lasers and detectors: from a body that passes to millivolts over time.

Forward scatter is anomalous diffraction (van de Hulst 1957, chapter 11): what the body takes out of the wave,
|1 - exp(i k W - A / 2)|², summed over the beam. Sideward scatter follows the grain, fluorescence the pigments, with red
light partly absorbed again on its way out. Each detector adds shot noise, an afterglow, the ringing of a second-order
response, AC coupling, a drifting baseline and saturation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from second_simulator.bodies import Array, Part, moved, rotation
from second_simulator.conditions import CHANNELS, Conditions
from second_simulator.rays import Columns, extent, trace

__all__ = ["BEAM_WIDTH_UM", "TRIGGER_MV", "record", "spacing_um"]

TRIGGER_MV = 25.0
BEAM_WIDTH_UM = 5.0
_MHZ = 4.0
_STEP_UM = 1.0
_BLUE_UM = 0.488
_BEAM_UM = (1.5, 2.3)
"""Standard deviation along the flow of the blue and of the red laser."""
_BEAM_HEIGHT_UM = 42.0
_NOMINAL = np.array([14.0, 2.2, 7.0, 7.0, 7.0, 4.5, 5.0])
"""mV for one unit of light, by channel."""
_DARK_MV = np.array([0.8, 0.6, 1.2, 1.2, 1.0, 1.0, 1.4])
_SHOT_MV = np.array([0.15, 0.1, 0.9, 0.9, 0.7, 0.5, 0.9])
_MOST_MV = 4000.0
_KNEE_MV = 2500.0
_BEFORE = 7
_PAD = 48


def spacing_um(conditions: Conditions) -> float:
    """Give how far the flow goes from one sample to the next."""
    return conditions.flow_m_s / _MHZ


def record(
    parts: Sequence[Part], turning: float, moment: float, conditions: Conditions, rng: np.random.Generator
) -> Array | None:
    """Record a body that passes; None where it never reaches the trigger level.

    Parameters
    ----------
    turning
        Angle (rad) by which the body turns while it passes.
    moment
        When in the run it comes, from 0 to 1.

    Returns
    -------
    array of shape (channels, samples)
        mV, from a few samples before the forward scatter crosses the trigger level to a few after.
    """
    seen = [part for part in parts if not part.fine]
    beside = conditions.sheath_offset_um + rng.normal(0, 8)
    first, second = (moved(seen, rotation(2, side * turning / 2)) for side in (-1, 1))
    (left, right), (low, high) = np.stack([extent(first), extent(second)]).mean(axis=0)
    x = np.arange(left - 4, right + 5, _STEP_UM)
    y = np.arange(low - 3, high + 4, _STEP_UM)
    turned = np.linspace(0, 1, len(x))
    light = _light(trace(first, x, y), beside) * (1 - turned) + _light(trace(second, x, y), beside) * turned
    step = spacing_um(conditions)
    places = np.arange(x[0] - _PAD * step, x[-1] + _PAD * step, step)
    clean = np.stack([np.interp(places, x, one, left=0, right=0) for one in light])
    for channel, name in enumerate(CHANNELS):
        clean[channel] = gaussian_filter1d(clean[channel], _BEAM_UM[name.startswith("2 ")] / step, mode="constant")
    warmth = np.where([name in ("FWS", "SWS") for name in CHANNELS], 1.0, 1 + conditions.warming * (moment - 0.5))
    volts = _detect(clean * (_NOMINAL * conditions.gains * warmth)[:, None], conditions, rng)
    over = np.flatnonzero(volts[0] > TRIGGER_MV)
    if not len(over):
        return None
    return volts[:, max(0, over[0] - _BEFORE) : over[-1] + _BEFORE]


def _light(columns: Columns, beside: float) -> Array:
    """Sum what each slice across the flow sends to each channel, shape (channels, slices)."""
    beam = np.exp(-2 * ((columns.y + beside) / _BEAM_HEIGHT_UM) ** 2)
    wave = 1 - np.exp(2j * np.pi / _BLUE_UM * columns.index - columns.absorption / 2)
    green, orange, red, far = columns.light
    red = (1 - np.exp(-0.04 * red)) / 0.04
    yellow = 0.45 * orange + 0.25 * green
    parts = (np.abs(wave) ** 2, 0.05 * columns.grain, green, yellow, orange + 0.03 * red, red + 0.05 * orange, far)
    return np.stack([beam @ part for part in parts])


def _detect(signal: Array, conditions: Conditions, rng: np.random.Generator) -> Array:
    shape = signal.shape
    noisy = signal + _SHOT_MV[:, None] * np.sqrt(np.maximum(signal, 0)) * rng.standard_normal(shape)
    noisy += _DARK_MV[:, None] * rng.standard_normal(shape)
    tail = lfilter([conditions.afterglow], [1, -0.88], noisy, axis=1)
    rung = _second_order(noisy + tail, conditions.ringing)
    slow = lfilter([0.004], [1, -0.996], rung, axis=1)
    wander = rng.normal(0, 0.5) + 0.6 * np.sin(np.arange(shape[1]) / 60 + rng.uniform(0, 2 * np.pi))
    volts = rung - slow + conditions.baseline_mv + wander
    above = np.maximum(volts - _KNEE_MV, 0)
    room = _MOST_MV - _KNEE_MV
    volts = np.minimum(volts, _KNEE_MV) + room * np.tanh(above / room)
    return np.maximum(np.round(volts * 4) / 4, 0)


def _second_order(signal: Array, damping: float) -> Array:
    """Let a resonant filter of the given damping answer (poles of a discrete second-order system)."""
    speed = 0.9
    radius = np.exp(-damping * speed)
    angle = speed * np.sqrt(1 - damping**2)
    poles = [1, -2 * radius * np.cos(angle), radius**2]
    return np.asarray(lfilter([sum(poles)], poles, signal, axis=1))
