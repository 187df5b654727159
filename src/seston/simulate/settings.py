"""Runs whose settings are stated instead of drawn: what differs from an ordinary run, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from seston.errors import UsageError, nearest_word
from seston.simulate.conditions import CHANNELS, Conditions, draw_conditions
from seston.simulate.cytoclus import ENGLISH
from seston.simulate.runs import RunPlan, plan_runs
from seston.simulate.species import Species, species_table

__all__ = ["RunSettings", "plan_settings"]

_FIRST_DRAW = 1000


@dataclass(frozen=True, slots=True)
class RunSettings:
    """One run: like an ordinary run of the same seed, save for these factors. 1 is no change.

    Runs that are like the same one share its detectors, optics, light and cultures, so that what is named worse in
    one of them is named worse for what was changed. No file tells a changed gain: levels stay as they were.
    """

    name: str
    like: int = 1
    """Number of the ordinary run that `simulate` would make of the same seed."""
    draw: int = 0
    """Another number draws other particles under the same conditions."""
    gain: float = 1.0
    """Factor on all detectors."""
    channel_gains: Mapping[str, float] = field(default_factory=dict)
    """Factors on single detectors besides, by their names in `seston.simulate.conditions.CHANNELS`."""
    blur: float = 1.0
    background: float = 1.0
    """Grey level of the empty picture."""
    scale: float = 1.0
    """Pixels that a length takes."""
    flow_speed: float = 1.0
    """Of the core: a faster one makes fewer samples. The Info text tells it."""
    abundances: Mapping[str, float] | None = None
    """Share of each species, up to a common factor; one that is not named is absent. None: all the same."""
    start: datetime | None = None
    """When it was measured, in UTC; None: one run a day."""

    def __post_init__(self) -> None:
        factors = {"gain": self.gain, "blur": self.blur, "background": self.background, "scale": self.scale}
        for what, value in (factors | {"flow_speed": self.flow_speed} | dict(self.channel_gains)).items():
            if not value > 0:
                raise UsageError(f"settings {self.name!r}: {what} is {value}: give a factor above 0")
        for channel in self.channel_gains:
            if channel not in CHANNELS:
                raise UsageError(f"settings {self.name!r}: no detector {channel!r}{nearest_word(channel, CHANNELS)}")

    def conditions(self, seed: int) -> Conditions:
        """Give the conditions of the run."""
        ordinary = draw_conditions(species_table(), np.random.default_rng((seed, self.like)))
        factors = [self.gain * self.channel_gains.get(channel, 1.0) for channel in CHANNELS]
        return replace(
            ordinary,
            gains=tuple(gain * factor for gain, factor in zip(ordinary.gains, factors, strict=True)),
            blur_um=ordinary.blur_um * self.blur,
            background=min(ordinary.background * self.background, 250.0),
            pixel_size_um=ordinary.pixel_size_um / self.scale,
            core_speed_m_s=ordinary.core_speed_m_s * self.flow_speed,
        )

    def generator(self, seed: int) -> np.random.Generator:
        """Give the run's own stream of random numbers."""
        return np.random.default_rng((seed, self.like, _FIRST_DRAW + self.draw))

    def shares(self, species: Sequence[Species]) -> list[float] | None:
        """Give the share of each species, or None where all are the same."""
        if self.abundances is None:
            return None
        shares = np.array([max(self.abundances.get(one.name, 0.0), 0.0) for one in species])
        if not shares.sum() > 0:
            raise UsageError(f"settings {self.name!r}: no species has an abundance above 0")
        return [float(share) for share in shares / shares.sum()]


def plan_settings(to: Path, settings: Sequence[RunSettings], *, seed: int) -> list[RunPlan]:
    """Name and date the runs, one a day in the order of their settings."""
    names = [one.name for one in settings]
    if not names or len(set(names)) < len(names):
        raise UsageError("settings of runs: give at least one, and each a name of its own")
    if unfit := next((name for name in names if not name or set(name) & set('/\\:*?"<>|')), None):
        raise UsageError(f"settings of runs: {unfit!r} cannot be part of a file's name; use letters and digits")
    first = plan_runs(to, origin="simulated", runs=1, seed=seed)[0]
    plans = []
    for number, one in enumerate(settings):
        start = one.start or first.start + timedelta(days=number)
        name = f"Simulated seed{seed} {one.name} {start:%Y-%m-%d %Hh%M}"
        plans.append(RunPlan(name, to / name, first.origin, seed, one.like, start, ENGLISH))
    return plans
