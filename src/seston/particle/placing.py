"""Where, when and how deep a particle was taken: what it says itself, or else what its sample says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from seston.particle.records import Particle, Sample

__all__ = ["PLACE_COLUMNS", "placed"]

PLACE_COLUMNS = ("time", "latitude", "longitude", "depth_min_m", "depth_max_m", "flags")
"""Fields of a particle, and columns of a data set, that say where and when it was taken, and what is wrong with it."""


def placed(particle: Particle, sample: Sample | None) -> Particle:
    """Give a particle with the position, the depth and the time of its sample, where it says nothing of them itself.

    A value of the sample that cannot be true (flags ``position``, ``depth``, ``future``, ``clock``) is not taken over.
    """
    if sample is None:
        return particle
    taken: dict[str, Any] = {}
    if particle.latitude is None and particle.longitude is None and "position" not in sample.flags:
        taken |= {"latitude": sample.latitude, "longitude": sample.longitude}
    if particle.depth_min_m is None and particle.depth_max_m is None and "depth" not in sample.flags:
        taken |= {"depth_min_m": sample.depth_min_m, "depth_max_m": sample.depth_max_m}
    if particle.time is None:
        taken["time"] = _time_of(sample)
    taken = {name: value for name, value in taken.items() if value is not None}
    return replace(particle, **taken) if taken else particle


def _time_of(sample: Sample) -> datetime | None:
    wrong = "future" in sample.flags or "clock" in sample.flags
    return None if wrong else sample.start or sample.end
