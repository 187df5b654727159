"""From the light of a body's slices to the record of a CytoSense with the older electronics."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from seston.simulate.conditions import CHANNELS, Conditions
from seston.simulate.optics import Emission

__all__ = [
    "BEAM_WIDTH_UM",
    "FILTER_MHZ",
    "SAMPLING_RATE_MHZ",
    "TRIGGER_MV",
    "curvature",
    "record",
    "smooth",
]

Array = NDArray[np.float64]

BEAM_WIDTH_UM = 5.0
"""1/e² width of the laser beam along the flow."""
SAMPLING_RATE_MHZ = 4.0
FILTER_MHZ = 1.0
"""Low-pass of one pole before the converter."""
TRIGGER_MV = 30.0
"""Level of sideward scatter that starts and ends a record."""

_TRIGGER_CHANNEL = CHANNELS.index("SWS")
_SAMPLES_BESIDE = 4
_MARGIN_UM = 12.0
_FORWARD, _SIDEWARD, _YELLOW, _ORANGE, _RED = 14.0, 5.0, 10.0, 10.0, 2.6
"""mV of the nominal instrument for one unit of light in the beam."""
_FORWARD_POWER = 0.8
_BYTES_PER_DECADE = 63.75
_FLOOR_MV = 0.5
_MV_OF_BYTE = _FLOOR_MV * 10.0 ** (np.arange(256) / _BYTES_PER_DECADE)


def record(
    emission: Emission, spacing_um: float, depth_tilt: float, conditions: Conditions, rng: np.random.Generator
) -> Array | None:
    """Record a body that passes the beam.

    The light of the slices is weighed with a Gaussian beam, passes the analogue filter, is sampled at 4 MHz, gains
    noise, and is stored as one logarithmic byte a sample (0.5 mV to 5000 mV). The record reaches from four samples
    before the first to four behind the last sample at or above the trigger level, made up to a multiple of four.

    Parameters
    ----------
    emission
        Light of each slice.
    spacing_um
        Distance of two slices.
    depth_tilt
        Tangent of the tilt in depth: it moves light from one half of the forward detector to the other.

    Returns
    -------
    array of shape (6, samples), or None
        mV of each of `CHANNELS`, not smoothed; None where the trigger level is never reached.
    """
    signals = (
        _light_at_samples(emission, spacing_um, depth_tilt, conditions.core_speed_m_s, rng)
        * np.array(conditions.gains)[:, None]
    )
    noise = conditions.dark_noise_mv + 0.12 * np.sqrt(signals)
    signals += conditions.offset_mv + noise * rng.standard_normal(signals.shape)
    bytes_ = np.rint(_BYTES_PER_DECADE * np.log10(np.maximum(signals, _FLOOR_MV) / _FLOOR_MV)).astype(np.int64)
    stored: Array = _MV_OF_BYTE[np.minimum(bytes_, 255)]
    over = np.flatnonzero(stored[_TRIGGER_CHANNEL] >= TRIGGER_MV)
    if over.size == 0:
        return None
    first = max(int(over[0]) - _SAMPLES_BESIDE, 0)
    count = int(over[-1]) + _SAMPLES_BESIDE + 1 - first
    return stored[:, first : first + count + (-count) % 4]


def _light_at_samples(
    emission: Emission, spacing_um: float, depth_tilt: float, core_speed_m_s: float, rng: np.random.Generator
) -> Array:
    """Give the light on each detector at each sample; shape (6, samples)."""
    margin = round(_MARGIN_UM / spacing_um)
    content = np.vstack((emission.matter, emission.granules, emission.fluorescence))
    seen = correlate1d(
        np.pad(content, ((0, 0), (margin, margin))), _beam(spacing_um, core_speed_m_s), axis=1, mode="constant"
    )
    step = core_speed_m_s / SAMPLING_RATE_MHZ / spacing_um
    position = (np.arange(int((seen.shape[1] - 2) / step)) + rng.uniform()) * step
    before = position.astype(np.int64)
    part = position - before
    sampled = seen[:, before] * (1.0 - part) + seen[:, before + 1] * part
    forward = _FORWARD * np.maximum(sampled[0], 0.0) ** _FORWARD_POWER
    middle = position - 0.5 * seen.shape[1]
    lean = np.tanh(0.12 * rng.standard_normal() + 0.1 * depth_tilt * middle * spacing_um)
    scale = np.array((_YELLOW, _ORANGE, _RED))[:, None]
    sideward = _SIDEWARD * np.maximum(sampled[1], 0.0)
    halves = np.stack((0.5 * forward * (1.0 - lean), 0.5 * forward * (1.0 + lean), sideward))
    return np.concatenate((halves, scale * np.maximum(sampled[2:], 0.0)))


@lru_cache(maxsize=8)
def _beam(spacing_um: float, core_speed_m_s: float) -> Array:
    """Give the weight of the slices around the beam's middle: Gaussian beam, then one-pole filter; sum 1."""
    reach = round(3.5 * BEAM_WIDTH_UM / 4.0 / spacing_um) + 4
    distance = np.arange(-reach, reach + 1) * spacing_um
    beam = np.exp(-0.5 * (distance / (BEAM_WIDTH_UM / 4.0)) ** 2)
    delay_um = core_speed_m_s / (2.0 * np.pi * FILTER_MHZ)
    tail = np.where(distance >= 0, np.exp(-np.maximum(distance, 0.0) / delay_um), 0.0)
    both = np.convolve(beam, tail, mode="same")
    weights: Array = (both / both.sum())[::-1].copy()
    return weights


def smooth(stored: Array) -> Array:
    """Smooth along the last axis with ¼, ½, ¼, as exports do; the ends are (2 · own + neighbour) / 3."""
    smoothed = np.empty_like(stored)
    smoothed[..., 1:-1] = 0.25 * stored[..., :-2] + 0.5 * stored[..., 1:-1] + 0.25 * stored[..., 2:]
    smoothed[..., 0] = (2.0 * stored[..., 0] + stored[..., 1]) / 3.0
    smoothed[..., -1] = (2.0 * stored[..., -1] + stored[..., -2]) / 3.0
    return smoothed


def curvature(left: Array, right: Array) -> Array:
    """Give (right - left) / (right + left + 1) less its own mean; never smoothed."""
    ratio = (right - left) / (right + left + 1.0)
    centred: Array = ratio - ratio.mean()
    return centred
