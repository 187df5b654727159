"""How strong the signals of a run are, and how large and sharp its pictures, whatever species it holds.

The same species may shine twice as bright in another run because a detector was set anew or a laser aged. A run of
other species may, too. The two are told apart by laying the run over others (see `seston.recognition.registration`): a
gain moves the signals of all particles, but not their pictures. No label is needed, and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.features.picture import PICTURE_FEATURES, picture_features
from seston.instruments import decode_image
from seston.models.spaces import spread_of
from seston.particle import Particle, split_parameter
from seston.recognition.registration import FEWEST_PARTICLES, Landmarks, find_landmarks

__all__ = [
    "ENOUGH_PARTICLES",
    "LookTaker",
    "RunLook",
    "RunSignals",
    "SignalLevels",
    "learn_signals",
    "look_at_run",
    "without_gains",
]

Floats = NDArray[np.float64]

ENOUGH_PARTICLES = 400
"""Particles of a run that are measured: more do not change the outcome."""
_SIDES = ("profile", "picture")
_LEAST_MV = 0.5
_SIZES = tuple(PICTURE_FEATURES.index(name) for name in ("log length", "log width"))
_EDGES = PICTURE_FEATURES.index("edges")
_LINEAR = ("Total", "Maximum", "Average", "First", "Last", "Minimum")
"""Listmode parameters that a gain multiplies."""
_NOT_LIGHT = "Curvature"


@dataclass(frozen=True, slots=True)
class RunLook:
    """What was measured of some particles of a run."""

    channels: tuple[str, ...]
    profile: Floats
    """Of each particle: ln maximum of each channel, ln of total by maximum of each, ln samples; NaN without profile."""
    picture: Floats
    """Of each particle: `PICTURE_FEATURES`; NaN without a picture."""
    spacing_um: float | None
    """Typical distance of two samples of a profile, where the files tell it."""
    background: float | None
    """Typical grey level of the border of pictures, 0–255."""

    def in_channels(self, channels: Sequence[str]) -> RunLook:
        """Give the columns of these channels, in this order; NaN for those that the run lacks."""
        own, count = {name: place for place, name in enumerate(self.channels)}, len(self.channels)
        nothing = np.full(len(self.profile), np.nan)
        columns = [
            self.profile[:, first + own[name]] if name in own else nothing for first in (0, count) for name in channels
        ]
        return replace(self, channels=tuple(channels), profile=np.stack([*columns, self.profile[:, -1]], axis=1))


@dataclass(frozen=True, slots=True)
class RunSignals:
    """A run compared with others: factors, 1 where it is like them."""

    gains: Mapping[str, float]
    """By channel: how many times as strong its signals are."""
    size: float
    """How many times as large its pictures show a particle."""
    samples: float
    """How many times as many samples its profiles have."""
    sharpness: float
    """How much steeper the edges in its pictures are, in standard deviations of those of single particles."""
    spacing_um: float | None
    background: float | None


@dataclass(frozen=True, slots=True)
class SignalLevels:
    """The runs that others are compared with."""

    channels: tuple[str, ...]
    landmarks: Landmarks
    mean: Mapping[str, NDArray[np.float32]]
    spread: Mapping[str, NDArray[np.float32]]
    at_landmarks: Mapping[str, NDArray[np.float32]]
    runs: Mapping[str, RunSignals]
    """These runs themselves, each compared with all of them."""

    def compare(self, look: RunLook) -> RunSignals | None:
        """Compare a run; None for fewer than 50 particles with a picture and a profile, which cannot tell."""
        seen = look.in_channels(self.channels)
        blocks = self._blocks(seen)
        has = _shown(seen.profile, seen.picture)
        if (has[0] & has[1]).sum() < FEWEST_PARTICLES:
            return None
        registration = self.landmarks.register(blocks, has)
        if registration is None:
            return None
        moved = {
            side: registration.shift(block, self.at_landmarks[side].astype(np.float64))
            for side, block in zip(_SIDES, blocks, strict=True)
        }
        steps = {side: np.where(np.isfinite(self.spread[side]), self.spread[side], 0) * moved[side] for side in _SIDES}
        return RunSignals(
            gains={
                name: float(np.exp(steps["profile"][place]))
                for place, name in enumerate(self.channels)
                if np.isfinite(seen.profile[:, place]).any()
            },
            size=float(np.exp(steps["picture"][list(_SIZES)].mean())),
            samples=float(np.exp(steps["profile"][-1])),
            sharpness=float(moved["picture"][_EDGES]),
            spacing_um=look.spacing_um,
            background=look.background,
        )

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give all arrays by name; `document` gives the rest, and `of` brings both back."""
        arrays = {"shares": self.landmarks.shares}
        for side, turn, centres in zip(_SIDES, self.landmarks.turns, self.landmarks.centres, strict=True):
            arrays |= {f"turn.{side}": turn, f"centres.{side}": centres}
        for what in ("mean", "spread", "at_landmarks"):
            arrays |= {f"{what}.{side}": values for side, values in getattr(self, what).items()}
        return arrays

    def document(self) -> dict[str, Any]:
        """Give what is no array, fit for JSON."""
        return {"channels": self.channels, "runs": {name: asdict(one) for name, one in self.runs.items()}}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.float32]], document: Mapping[str, Any]) -> SignalLevels:
        """Bring back what `tensors` and `document` gave."""
        turns, centres = (tuple(arrays[f"{what}.{side}"] for side in _SIDES) for what in ("turn", "centres"))
        mean, spread, at_landmarks = (
            {side: arrays[f"{what}.{side}"] for side in _SIDES} for what in ("mean", "spread", "at_landmarks")
        )
        runs = {name: RunSignals(**one) for name, one in document["runs"].items()}
        landmarks = Landmarks(turns, centres, arrays["shares"])
        return cls(tuple(document["channels"]), landmarks, mean, spread, at_landmarks, runs)

    def _blocks(self, look: RunLook) -> list[Floats]:
        sides = zip(_SIDES, (look.profile, look.picture), strict=True)
        return [np.asarray((values - self.mean[side]) / self.spread[side]) for side, values in sides]


class LookTaker:
    """Measures a run while its particles pass by: the first few hundred that have a profile or a picture."""

    def __init__(self, most: int = ENOUGH_PARTICLES) -> None:
        self._most = most
        self._profiles: list[dict[str, tuple[float, float]]] = []
        self._samples: list[float] = []
        self._pictures: list[list[float]] = []
        self._spacings: list[float] = []
        self._backgrounds: list[float] = []

    def add(self, particle: Particle) -> None:
        """Measure one particle; a picture that cannot be decoded, or shows no particle, counts as absent."""
        if len(self._pictures) >= self._most or (particle.profile is None and particle.image is None):
            return
        self._profiles.append(_light(particle))
        there = particle.profile is not None and bool(particle.profile.size)
        self._samples.append(np.log(particle.profile.shape[1]) if there and particle.profile is not None else np.nan)
        features, background = _picture(particle)
        self._pictures.append(features)
        if background is not None:
            self._backgrounds.append(background)
        if particle.profile_spacing_um is not None:
            self._spacings.append(particle.profile_spacing_um)

    def look(self) -> RunLook:
        """Give what was measured."""
        channels = tuple(dict.fromkeys(name for row in self._profiles for name in row))
        nothing = (np.nan, np.nan)
        light = np.array([[row.get(name, nothing) for name in channels] for row in self._profiles])
        light = light.reshape(len(self._profiles), len(channels), 2).transpose(0, 2, 1)
        samples = np.array(self._samples)[:, None]
        return RunLook(
            channels=channels,
            profile=np.concatenate([light.reshape(len(samples), 2 * len(channels)), samples], axis=1),
            picture=np.array(self._pictures).reshape(len(samples), len(PICTURE_FEATURES)),
            spacing_um=float(np.median(self._spacings)) if self._spacings else None,
            background=float(np.median(self._backgrounds)) if self._backgrounds else None,
        )


def look_at_run(particles: Iterable[Particle]) -> RunLook:
    """Measure the first few hundred particles of a run that have a profile or a picture."""
    taker = LookTaker()
    for particle in particles:
        taker.add(particle)
    return taker.look()


def learn_signals(looks: Mapping[str, RunLook]) -> SignalLevels | None:
    """Sum up some runs, given by name, to compare others with.

    Returns
    -------
    SignalLevels or None
        None where fewer than 50 particles have both a picture and a profile.
    """
    channels = tuple(dict.fromkeys(name for look in looks.values() for name in look.channels))
    seen = {name: look.in_channels(channels) for name, look in looks.items() if len(look.profile)}
    both = sum(int(np.logical_and(*_shown(look.profile, look.picture)).sum()) for look in seen.values())
    if both < FEWEST_PARTICLES:
        return None
    tables = {
        "profile": np.concatenate([look.profile for look in seen.values()]),
        "picture": np.concatenate([look.picture for look in seen.values()]),
    }
    moments = {side: spread_of(table.astype(np.float32)) for side, table in tables.items()}
    levels = SignalLevels(
        channels,
        Landmarks((), (), np.zeros(0, np.float32)),
        {side: mean for side, (mean, _) in moments.items()},
        {side: spread for side, (_, spread) in moments.items()},
        {},
        {},
    )
    even = {side: np.asarray((table - moments[side][0]) / moments[side][1]) for side, table in tables.items()}
    has = _shown(tables["profile"], tables["picture"])
    runs = np.repeat(np.arange(len(seen)), [len(look.profile) for look in seen.values()])
    landmarks, at = find_landmarks([even[side] for side in _SIDES], has, runs, even)
    levels = replace(
        levels, landmarks=landmarks, at_landmarks={side: means.astype(np.float32) for side, means in at.items()}
    )
    compared = {name: levels.compare(look) for name, look in seen.items()}
    return replace(levels, runs={name: one for name, one in compared.items() if one is not None})


def _shown(profile: Floats, picture: Floats) -> list[NDArray[np.bool_]]:
    return [np.asarray(np.isfinite(profile[:, -1])), np.asarray(np.isfinite(picture).any(axis=1))]


def without_gains(particle: Particle, gains: Mapping[str, float]) -> Particle:
    """Give a particle as detectors of gain 1 would have seen it: profile and listmode parameters of light divided."""
    if not gains:
        return particle
    profile = particle.profile
    if profile is not None:
        factors = [gains.get(name, 1.0) for name in particle.profile_channels]
        profile = (profile / np.array(factors)[:, None]).astype(np.float32)
    listmode = {key: value / _of_parameter(key, gains) for key, value in particle.listmode.items()}
    return replace(particle, profile=profile, listmode=listmode)


def _of_parameter(key: str, gains: Mapping[str, float]) -> float:
    channel, parameter = split_parameter(key)
    return gains.get(channel or "", 1.0) if parameter in _LINEAR else 1.0


def _light(particle: Particle) -> dict[str, tuple[float, float]]:
    """Give ln maximum and ln of total by maximum of each channel of light."""
    if particle.profile is None or not particle.profile.size:
        return {}
    light = {}
    for name, row in zip(particle.profile_channels, particle.profile.astype(np.float64), strict=True):
        if name != _NOT_LIGHT:
            top = max(float(row.max()), _LEAST_MV)
            light[name] = float(np.log(top)), float(np.log(max(float(row.sum()), _LEAST_MV) / top))
    return light


def _picture(particle: Particle) -> tuple[list[float], float | None]:
    nothing = [np.nan] * len(PICTURE_FEATURES)
    if particle.image is None:
        return nothing, None
    try:
        grey = decode_image(particle.image, grey=True)
    except InputError:
        return nothing, None
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return list(picture_features(grey, particle.scale_bar).values()), float(np.median(border))
