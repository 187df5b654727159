"""How the matter of each slice is arranged sideways: what a picture shows and a profile cannot know.

A body is a bundle of *tubes* along the flow. At each slice each tube is an ellipse, so that its thickness along the
camera's axis is known exactly, at any turn about the flow axis. Whatever the arrangement, the ellipses of a slice add
up to the slice's matter: that is why two species that differ only here have the same profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.simulate.along import Slices
from seston.simulate.species import Across

__all__ = ["ARRANGEMENTS", "Tubes", "arrange"]

Array = NDArray[np.float64]

_THINNEST = 1e-3
"""µm: keeps the ratio of an empty ellipse's axes finite."""


@dataclass(frozen=True, slots=True)
class Tubes:
    """A body as tubes: arrays of shape (tubes, slices), in µm; y lies in the picture, z along the camera's axis."""

    centre_y: Array
    centre_z: Array
    half_y: Array
    half_z: Array

    def area(self) -> Array:
        """Give the matter in each slice, µm²."""
        total: Array = np.pi * (self.half_y * self.half_z).sum(axis=0)
        return total


def arrange(across: Across, slices: Slices, rng: np.random.Generator) -> Tubes:
    """Arrange the matter of each slice, then turn the body about the flow axis and tilt it.

    An ellipse of half axes a and b turned by r has the half width √((a cos r)² + (b sin r)²) in the picture and, as
    its area stays, the half thickness a b / that at its middle.
    """
    tubes = ARRANGEMENTS[across.form](slices, across.parameters, rng)
    roll = np.radians(across.roll_deg) * (rng.uniform(-1.0, 1.0) if across.roll_deg >= 180 else rng.standard_normal())
    cosine, sine = np.cos(roll), np.sin(roll)
    half_y: Array = np.sqrt((tubes.half_y * cosine) ** 2 + (tubes.half_z * sine) ** 2)
    along = _distance(slices)
    return Tubes(
        centre_y=tubes.centre_y * cosine - tubes.centre_z * sine + slices.tilt[0] * along,
        centre_z=tubes.centre_y * sine + tubes.centre_z * cosine + slices.tilt[1] * along,
        half_y=half_y,
        half_z=tubes.half_y * tubes.half_z / np.maximum(half_y, _THINNEST),
    )


def _distance(slices: Slices) -> Array:
    """Give the distance along the flow from the body's middle, µm."""
    count = slices.area.size
    distance: Array = (np.arange(count) - 0.5 * (count - 1)) * slices.spacing_um
    return distance


def _tube(area: Array, y: Array | float = 0.0, z: Array | float = 0.0, flatness: float = 1.0) -> tuple[Array, ...]:
    """Give one tube of this slice area: centre y and z, half y and z."""
    radius = np.sqrt(area / np.pi)
    nothing = np.zeros_like(area)
    return nothing + y, nothing + z, radius * np.sqrt(flatness), radius / np.sqrt(flatness)


def _bundle(*tubes: tuple[Array, ...]) -> Tubes:
    return Tubes(*(np.stack(parts) for parts in zip(*tubes, strict=True)))


def _round(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    return _bundle(_tube(slices.area))


def _flat(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    return _bundle(_tube(slices.area, flatness=parameters["flatness"] * np.exp(0.15 * rng.standard_normal())))


def _helix(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    radius = parameters["radius_um"] * np.exp(0.2 * rng.standard_normal())
    pitch = parameters["pitch_um"] * np.exp(0.15 * rng.standard_normal())
    angle = 2.0 * np.pi * (_distance(slices) / pitch + rng.uniform())
    return _bundle(_tube(slices.area, radius * np.cos(angle), radius * np.sin(angle)))


def _bent(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    length = slices.area.size * slices.spacing_um
    sag = parameters["sag"] * length * np.exp(0.25 * rng.standard_normal()) * rng.choice((-1.0, 1.0))
    return _bundle(_tube(slices.area, sag * (0.5 - slices.place**2)))


def _lobes(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    lobes = int(parameters["lobes"])
    widest = float(np.sqrt(slices.area.max() / lobes / np.pi))
    apart = parameters["apart"] * widest / np.sin(np.pi / lobes) * np.exp(0.08 * rng.standard_normal())
    angles = 2.0 * np.pi * np.arange(lobes) / lobes
    return _bundle(*(_tube(slices.area / lobes, apart * np.cos(a), apart * np.sin(a)) for a in angles))


def _fork(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    length = slices.area.size * slices.spacing_um
    start = 2.0 * parameters["from"] - 1.0 + 0.2 * rng.standard_normal()
    angle = np.radians(parameters["angle_deg"]) * np.exp(0.2 * rng.standard_normal())
    beyond = np.maximum(slices.place - start, 0.0) * 0.5 * length * np.tan(angle)
    half = 0.5 * slices.area
    return _bundle(_tube(half, beyond), _tube(half, -beyond))


def _bristles(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    """Spread a share of the matter of some slices into long thin bristles, a pair in each of two directions."""
    distance = _distance(slices)
    every = parameters["every_um"] * np.exp(0.1 * rng.standard_normal())
    reach = parameters["reach_um"] * np.exp(0.2 * rng.standard_normal(2))
    at_bristle = _near_multiple(distance, every, every * rng.uniform(), 0.5 * parameters["width_um"])
    bristle = 0.5 * parameters["share"] * at_bristle * slices.area
    nothing = np.zeros_like(bristle)
    own = np.sqrt(slices.area / np.pi)
    long = [np.where(at_bristle > 0, own + one, 0.0) for one in reach]
    thin = [bristle / np.pi / np.maximum(one, _THINNEST) for one in long]
    return _bundle(
        _tube(slices.area - 2.0 * bristle),
        (nothing, nothing, long[0], thin[0]),
        (nothing, nothing, thin[1], long[1]),
    )


def _arms(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    """Spread a share of the matter just behind the middle into two horns that point sideways and back."""
    reach = parameters["reach_um"] * np.exp(0.2 * rng.standard_normal(2))
    inside = np.clip((slices.place + 0.75) / 0.6, 0.0, 1.0) * (slices.place > -0.75) * (slices.place < -0.15)
    share = 0.5 * parameters["share"] * (inside > 0)
    body = _tube(slices.area * (1.0 - 2.0 * share))
    own = np.sqrt(slices.area.max() / np.pi)
    arms = [
        _tube(slices.area * share, side * (own * 0.6 + length * (1.0 - inside)))
        for side, length in zip((-1.0, 1.0), reach, strict=True)
    ]
    return _bundle(body, *arms)


def _near_multiple(distance: Array, every: float, offset: float, half_width: float) -> Array:
    """Give 1 within so much of each multiple of a distance, else 0."""
    beside = (distance - offset + 0.5 * every) % every - 0.5 * every
    return (np.abs(beside) <= half_width).astype(np.float64)


ARRANGEMENTS: dict[str, Callable[[Slices, Mapping[str, float], np.random.Generator], Tubes]] = {
    "round": _round,
    "flat": _flat,
    "helix": _helix,
    "bent": _bent,
    "lobes": _lobes,
    "fork": _fork,
    "bristles": _bristles,
    "arms": _arms,
}
"""Name → tubes of a body, before it is turned about the flow axis."""
