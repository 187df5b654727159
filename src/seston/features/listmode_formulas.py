"""The listmode parameters of CytoClus, computed from the profiles of particles.

Source: ``ChannelData.vb`` of CytoBuoy's public reading library (CyzFile-API), as facts; held against the parameters
that CytoClus itself wrote for two real exports (five and six channels, 824 particles).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seston.features.pulses import Array, Pulses

__all__ = ["SIDEWARD", "channel_parameters", "cytoclus_parameters", "widths_at"]

SIDEWARD = frozenset({"SWS", "SWS HS", "SWS LS"})
"""Channels whose SWS covariance can be computed."""
_FEWEST_SAMPLES = 3
_SHORTEST_UM = 0.2


def cytoclus_parameters(
    profile: NDArray[np.floating],
    channels: Sequence[str],
    spacing_um: float | None = None,
    beam_width_um: float | None = None,
) -> dict[str, float]:
    """Compute what CytoClus would write into its Listmode file for one particle.

    Parameters
    ----------
    profile
        Shape (channels, samples), in mV, smoothed as CytoClus exports it.
    channels
        Canonical channel names, one a row.
    spacing_um
        µm a sample. Without it, or without `beam_width_um`, there is no Length.
    beam_width_um
        Width of the laser beam along the flow.

    Returns
    -------
    dict
        ``"<channel> <parameter>"`` → value, for Length (µm), Total, Maximum, Average, Inertia, Center of gravity
        (samples), Fill factor, Asymmetry, Number of cells, First, Last and Minimum; and SWS covariance for the channels
        of sideward scatter alone (for others it is not known how CytoClus computes it). With fewer than three samples
        every parameter is 1, what would be infinite is 0, as in CytoClus. Empty for a profile without samples.
    """
    if not len(channels) or profile.shape[1] == 0:
        return {}
    known = spacing_um is not None and beam_width_um is not None
    spacing, beam = (np.array([value if known else np.nan], dtype=np.float64) for value in (spacing_um, beam_width_um))
    columns = channel_parameters(Pulses.of([profile]), spacing, beam)
    if not known:
        del columns["Length"]
    return {
        f"{channel} {name}": float(values[row, 0])
        for row, channel in enumerate(channels)
        for name, values in columns.items()
        if name != "SWS covariance" or channel in SIDEWARD
    }


def channel_parameters(pulses: Pulses, spacing_um: Array, beam_width_um: Array) -> dict[str, Array]:
    """Compute the parameters of each channel of many particles.

    Parameters
    ----------
    pulses
        Profiles in mV.
    spacing_um, beam_width_um
        Shape (particles,), NaN where not known: Length is NaN there.

    Returns
    -------
    dict
        Parameter → array of shape (channels, particles). SWS covariance holds for channels of sideward scatter alone.
    """
    signals, count = pulses.signals, pulses.counts.astype(np.float64)
    index = np.where(pulses.index == pulses.along(count) - 1, 0.0, pulses.index)  # the last sample does not count
    last = signals[:, pulses.ends]
    total, squares = pulses.sums(signals), pulses.sums(signals**2)
    head = total - last
    steps = np.where(pulses.index > 0, signals - pulses.before(signals, 0.0), 0.0)
    with np.errstate(all="ignore"):
        center = pulses.sums(signals * index) / head
        inertia = (pulses.sums(signals * index**2) - center**2 * total) / (total * ((count - 1) ** 2 / 12.0))
        wiggle = pulses.sums(steps**2) / (squares - total**2 / count)
        columns = {
            "Length": _without_beam(widths_at(pulses, 0.5) * spacing_um, beam_width_um),
            "Total": total,
            "Maximum": pulses.highest(signals),
            "Average": head / (count - 1),
            "Inertia": np.abs(inertia),
            "Center of gravity": center,
            "Fill factor": total**2 / (count * squares),
            "Asymmetry": np.abs(2.0 * center / (count - 1) - 1.0),
            "Number of cells": count / (2.0 * np.pi) * np.sqrt(wiggle),
            "First": signals[:, pulses.starts],
            "Last": last,
            "Minimum": pulses.lowest(signals),
            "SWS covariance": _first_cosine(pulses, count),
        }
    few = count < _FEWEST_SAMPLES
    for name, values in columns.items():
        if name != "Length":
            values = np.where(np.isfinite(values), values, 0.0)
        columns[name] = np.where(few, 1.0, values)
    return columns


def widths_at(pulses: Pulses, share: float) -> Array:
    """Give the width of each pulse at a share of its maximum, in samples, both ends interpolated.

    Parameters
    ----------
    pulses
        Profiles.
    share
        0.5 for the full width at half maximum.

    Returns
    -------
    array of shape (channels, particles)
        From the first crossing to the last; an end that never falls below is taken where the profile ends, and a pulse
        without a positive maximum has no width.
    """
    signals = pulses.signals
    level = share * pulses.highest(signals)
    over = signals > pulses.along(level)  # a sample of exactly that share is outside, as in CytoClus
    place = np.arange(signals.shape[1])
    first = np.minimum.reduceat(np.where(over, place, signals.shape[1]), pulses.starts, axis=1)
    last = np.maximum.reduceat(np.where(over, place, -1), pulses.starts, axis=1)
    some = last >= 0
    first, last = np.where(some, first, pulses.starts), np.where(some, last, pulses.starts)
    at_first, at_last = np.take_along_axis(signals, first, axis=1), np.take_along_axis(signals, last, axis=1)
    rise = at_first - np.take_along_axis(signals, np.maximum(first - 1, pulses.starts), axis=1)
    fall = at_last - np.take_along_axis(signals, np.minimum(last + 1, pulses.ends), axis=1)
    with np.errstate(all="ignore"):
        before = np.where(rise > 0, (at_first - level) / rise, 0.0)
        after = np.where(fall > 0, (at_last - level) / fall, 0.0)
    return np.where(some, last - first + before + after, 0.0)


def _without_beam(width: Array, beam_width_um: Array) -> Array:
    """Take from a measured width what the beam's own width adds to it; NaN where either is not known."""
    ratio = (beam_width_um / width) ** 2
    length = width * 70.0 / (70.0 + ratio + ratio**2 / 2.0 + 1.5 * ratio**4)
    length = np.where((width == 0) & ~np.isnan(beam_width_um), 0.0, length)
    return np.maximum(length, _SHORTEST_UM)


def _first_cosine(pulses: Pulses, count: Array) -> Array:
    sums = pulses.sums(pulses.signals * np.cos(2.0 * np.pi * pulses.index / pulses.along(count)))
    return np.where(sums < 0, -2.0 / count * sums, 0.0)
