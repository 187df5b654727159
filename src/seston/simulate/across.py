"""How the matter of each slice is arranged sideways: what a picture shows and a profile cannot know.

A body is a bundle of *tubes* along the flow. At each slice each tube is an ellipse, so that its thickness along the
camera's axis is known exactly, at any turn about the flow axis. Whatever the arrangement, the ellipses of a slice add
up to the slice's matter: that is why two species that differ only here have the same profile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.simulate.along import Slices
from seston.simulate.species import Across

__all__ = ["ARRANGEMENTS", "Tubes", "arrange"]

Array = NDArray[np.float64]

_THINNEST = 1e-9
"""µm: keeps the ratio of an empty ellipse's axes finite."""


@dataclass(frozen=True, slots=True)
class Tubes:
    """A body as tubes: arrays of shape (tubes, slices), in µm; y lies in the picture, z along the camera's axis."""

    centre_y: Array
    centre_z: Array
    half_y: Array
    half_z: Array
    density: Array
    """Matter in a µm³ of the tube, as a multiple of the body's; below 0 where a tube stands for a hollow."""

    def area(self) -> Array:
        """Give the matter in each slice, µm²."""
        total: Array = np.pi * (self.half_y * self.half_z * self.density).sum(axis=0)
        return total


def arrange(across: Across, slices: Slices, rng: np.random.Generator) -> Tubes:
    """Arrange the matter of each slice, then turn the body about the flow axis and tilt it.

    An ellipse of half axes a and b turned by r has the half width √((a cos r)² + (b sin r)²) in the picture and, as
    its area stays, the half thickness a b / that at its middle.
    """
    tubes = ARRANGEMENTS[across.form](slices, across.parameters, rng)
    turn = rng.uniform(-1.0, 1.0) if across.roll_deg >= 180 else rng.standard_normal()
    roll = math.radians(across.roll_deg) * turn
    cosine, sine = math.cos(roll), math.sin(roll)
    half_y = np.hypot(tubes.half_y * cosine, tubes.half_z * sine)
    along = _distance(slices)
    return Tubes(
        centre_y=tubes.centre_y * cosine - tubes.centre_z * sine + slices.tilt[0] * along,
        centre_z=tubes.centre_y * sine + tubes.centre_z * cosine + slices.tilt[1] * along,
        half_y=half_y,
        half_z=tubes.half_y * tubes.half_z / np.maximum(half_y, _THINNEST),
        density=tubes.density,
    )


def _distance(slices: Slices) -> Array:
    """Give the distance along the flow from the body's middle, µm."""
    count = slices.area.size
    distance: Array = (np.arange(count, dtype=np.float64) - 0.5 * (count - 1)) * slices.spacing_um
    return distance


def _tube(area: Array, y: Array | float = 0.0, z: Array | float = 0.0, flatness: float = 1.0) -> tuple[Array, ...]:
    """Give one tube of this slice area: centre y and z, half y and z, density."""
    radius = np.sqrt(area / np.pi)
    nothing = np.zeros_like(area)
    return nothing + y, nothing + z, radius * np.sqrt(flatness), radius / np.sqrt(flatness), nothing + 1.0


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


def _drops(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    """Gather part of the matter of a round body into dense drops; one drop or several hold the same volume."""
    count = int(parameters["drops"])
    own = np.sqrt(slices.area / np.pi)
    along = _distance(slices)
    radius = parameters["radius"] * own.max() * np.exp(0.1 * rng.standard_normal()) / count ** (1.0 / 3.0)
    reach = 0.5 * slices.area.size * slices.spacing_um
    turn, first = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(-0.35, 0.35)
    body = _tube(slices.area)
    drops, gathered = [], np.zeros_like(own)
    for drop in range(count):
        place = first if count == 1 else (0.5 - drop) * rng.uniform(0.8, 1.1)
        half = np.minimum(np.sqrt(np.maximum(radius**2 - (along - place * reach) ** 2, 0.0)), 0.6 * own)
        angle = turn + drop * np.pi + 0.4 * rng.standard_normal()
        aside = 0.5 * own.max() * rng.uniform(0.4, 1.0)
        gathered += parameters["density"] * np.pi * half**2
        level = np.zeros_like(own)
        drops.append((level + aside * np.cos(angle), level + aside * np.sin(angle), half, half))
    # no slice gives more than half of its matter to its drops
    part = np.minimum(1.0, 0.5 * slices.area / np.maximum(gathered, _THINNEST))
    thinner = (*body[:4], 1.0 - part * gathered / np.maximum(slices.area, _THINNEST))
    return _bundle(thinner, *((*drop, part * parameters["density"]) for drop in drops))


def _sheath(slices: Slices, parameters: Mapping[str, float], rng: np.random.Generator) -> Tubes:
    """Spread a share of the matter into a thin wall around the body, at a distance from it."""
    share = parameters["share"] * slices.area
    wide = np.sqrt(slices.area / np.pi) + parameters["gap_um"] * np.exp(0.2 * rng.standard_normal())
    inside = np.sqrt(wide**2 - share / np.pi)
    nothing = np.zeros_like(wide)
    wall = (nothing, nothing, wide, wide, nothing + 1.0)
    hollow = (nothing, nothing, inside, inside, nothing - 1.0)
    return _bundle(_tube(slices.area - share), wall, hollow)


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
        (nothing, nothing, long[0], thin[0], nothing + 1.0),
        (nothing, nothing, thin[1], long[1], nothing + 1.0),
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
    "drops": _drops,
    "sheath": _sheath,
    "fork": _fork,
    "bristles": _bristles,
    "arms": _arms,
}
"""Name → tubes of a body, before it is turned about the flow axis."""
