"""What particles show about whether their listmode, profiles and pictures belong together, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.particle import Particle, split_parameter

__all__ = ["Evidence", "gather"]

_PARTICLES_LOOKED_AT = 3000
_PICTURES_MEASURED = 400
_COMPARED = ("Total", "Maximum", "First", "Last")


@dataclass(slots=True)
class Evidence:
    """Numbers of one sample, one entry a particle (or a particle and channel) that has them."""

    particles: int = 0
    with_image: int = 0
    with_profile: int = 0
    with_listmode: int = 0
    with_image_and_profile: int = 0
    with_listmode_and_profile: int = 0
    listed: list[float] = field(default_factory=list)
    """Values of listmode that the profile also gives …"""
    recomputed: list[float] = field(default_factory=list)
    """… and what the profile gives …"""
    compared: list[str] = field(default_factory=list)
    """… and which channel and parameter each is."""
    compared_particles: int = 0
    sample_lengths: list[float] = field(default_factory=list)
    sample_counts: list[int] = field(default_factory=list)
    spacings: list[float] = field(default_factory=list)
    picture_lengths: list[float] = field(default_factory=list)
    pulse_lengths: list[float] = field(default_factory=list)
    sides: list[tuple[int, int]] = field(default_factory=list)
    curvature_means: list[float] = field(default_factory=list)
    least_values: list[float] = field(default_factory=list)


def gather(particles: Iterable[Particle]) -> dict[str, Evidence]:
    """Look at particles; of a large sample only the first few thousand are measured, all are counted."""
    found: dict[str, Evidence] = {}
    for particle in particles:
        evidence = found.setdefault(particle.sample_id, Evidence())
        _count(evidence, particle)
        if evidence.particles <= _PARTICLES_LOOKED_AT:
            _compare_listmode(evidence, particle)
            _look_at_profile(evidence, particle)
            _look_at_picture(evidence, particle)
    return found


def _count(evidence: Evidence, particle: Particle) -> None:
    image, profile, listmode = particle.image is not None, particle.profile is not None, bool(particle.listmode)
    evidence.particles += 1
    evidence.with_image += image
    evidence.with_profile += profile
    evidence.with_listmode += listmode
    evidence.with_image_and_profile += image and profile
    evidence.with_listmode_and_profile += listmode and profile


def _compare_listmode(evidence: Evidence, particle: Particle) -> None:
    if particle.profile is None or not particle.listmode:
        return
    rows = dict(zip(particle.profile_channels, particle.profile, strict=True))
    before = len(evidence.listed)
    for key, value in particle.listmode.items():
        channel, parameter = split_parameter(key)
        if channel is None and parameter == "Sample Length":
            evidence.sample_lengths.append(value)
            evidence.sample_counts.append(particle.profile.shape[1])
            evidence.spacings.append(particle.profile_spacing_um or math.nan)
        if channel in rows and channel != "Curvature" and parameter in _COMPARED and value > 0:
            evidence.listed.append(value)
            evidence.recomputed.append(_from_profile(rows[channel], parameter))
            evidence.compared.append(key)
    evidence.compared_particles += len(evidence.listed) > before


def _from_profile(row: NDArray[np.float32], parameter: str) -> float:
    if parameter == "Total":
        return float(row.sum(dtype=np.float64))
    if parameter == "Maximum":
        return float(row.max())
    return float(row[0] if parameter == "First" else row[-1])


def _look_at_profile(evidence: Evidence, particle: Particle) -> None:
    if particle.profile is None or not particle.profile.size:
        return
    for name, row in zip(particle.profile_channels, particle.profile, strict=True):
        if name == "Curvature":
            evidence.curvature_means.append(float(row.mean()))
    light = [row for row, name in enumerate(particle.profile_channels) if name != "Curvature"]
    if light:
        evidence.least_values.append(float(particle.profile[light].min()))


def _look_at_picture(evidence: Evidence, particle: Particle) -> None:
    if particle.image is None or len(evidence.sides) >= _PICTURES_MEASURED:
        return
    from seston.instruments import decode_image, particle_mask

    try:
        grey = decode_image(particle.image, grey=True)
    except InputError:
        return
    evidence.sides.append((grey.shape[1], grey.shape[0]))
    if particle.profile is not None and particle.profile.size:
        mask = particle_mask(grey, particle.scale_bar)
        length = _longest_extent(mask)
        if length:
            evidence.picture_lengths.append(length)
            evidence.pulse_lengths.append(_width_at_half(particle))


def _longest_extent(mask: NDArray[np.bool_]) -> float:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0
    return float(max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1)


def _width_at_half(particle: Particle) -> float:
    """Count the samples from first to last at which the strongest channel reaches half of its maximum."""
    assert particle.profile is not None
    light = [row for row, name in enumerate(particle.profile_channels) if name != "Curvature"]
    profile = particle.profile[light] if light else particle.profile
    strongest = profile[int(profile.max(axis=1).argmax())]
    above = np.flatnonzero(strongest >= strongest.max() / 2)
    return float(above[-1] - above[0] + 1)
