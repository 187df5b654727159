"""The runs of a simulation: their names, times, volumes, and what a call reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from seston import __version__
from seston.errors import UsageError
from seston.particle import Skipped
from seston.simulate.conditions import Conditions
from seston.simulate.cytoclus import ENGLISH, FRENCH, Layout, Measurement

__all__ = ["RunPlan", "SimulationReport", "check_free", "describe", "number_triggers", "plan_runs"]

_FIRST_START = datetime(2026, 3, 1, 9, 0)
_FLOW_UL_S = 2.1
_PART_WITH_PICTURE = 0.4
"""Of all triggers: the numbers of particles count triggers, so they have gaps."""


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What a simulation wrote."""

    files: tuple[Path, ...]
    """Info, Listmode, Pulses, labels and pictures (a folder or a zip) of each run."""
    species: tuple[str, ...]
    """Labels that were written."""
    runs: int
    particles: int
    """In all runs together."""
    samples: tuple[str, ...]
    """Name of each measurement: its sample id once imported."""
    origin: str
    """``simulated``, or ``semi-simulated`` where the pictures are real."""
    skipped: tuple[Skipped, ...] = ()
    """Pictures that could not be used, where real ones were given."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Where and when a run is, and how it is written."""

    name: str
    folder: Path
    origin: str
    seed: int
    run: int
    start: datetime
    layout: Layout

    def generator(self) -> np.random.Generator:
        """Give the run's own stream of random numbers: it depends on nothing but seed and run."""
        return np.random.default_rng((self.seed, self.run))


def plan_runs(to: Path, *, origin: str, runs: int, seed: int) -> list[RunPlan]:
    """Name and date the runs: one a day, every fourth written by a French computer (the second, the sixth, …)."""
    for what, value, least in (("runs", runs, 1), ("seed", seed, 0)):
        if value < least:
            raise UsageError(f"{what} is {value}: give {least} or more")
    plans = []
    for run in range(1, runs + 1):
        start = _FIRST_START + timedelta(days=run - 1, minutes=37 * ((run - 1) % 9))
        name = f"{origin.capitalize()} seed{seed} run{run:02d} {start:%Y-%m-%d %Hh%M}"
        plans.append(RunPlan(name, to / name, origin, seed, run, start, FRENCH if run % 4 == 2 else ENGLISH))
    return plans


def check_free(plans: Sequence[RunPlan], overwrite: bool) -> None:
    """Refuse to touch a run that is there, unless it may be overwritten."""
    for plan in plans:
        if plan.folder.exists() and not overwrite:
            raise UsageError(f"{plan.folder} is there already: choose another folder or seed, or allow overwriting")
        if plan.folder.parent.exists() and not plan.folder.parent.is_dir():
            raise UsageError(f"{plan.folder.parent} is a file: choose a folder to write into")


def describe(plan: RunPlan, conditions: Conditions, particles: int, comment: str) -> Measurement:
    """Say of a run what its Info text says; the volume follows from the number of particles and their concentration."""
    return Measurement(
        name=plan.name,
        origin=plan.origin,
        comment=f"{plan.origin} by Seston {__version__}, seed {plan.seed}, run {plan.run}: {comment}",
        start=plan.start,
        levels=conditions.levels,
        flow_ul_s=_FLOW_UL_S,
        volume_ul=particles / conditions.concentration_per_ul,
        core_speed_m_s=conditions.core_speed_m_s,
    )


def number_triggers(count: int, measurement: Measurement, rng: np.random.Generator) -> list[tuple[int, float]]:
    """Give number and time of arrival (s) of each particle: both rise, and the numbers have gaps."""
    numbers = np.cumsum(rng.geometric(_PART_WITH_PICTURE, size=count))
    arrivals = np.sort(rng.uniform(0.0, measurement.volume_ul / measurement.flow_ul_s, size=count))
    return list(zip(numbers.tolist(), arrivals.tolist(), strict=True))
