"""Simulate whole measurements and write them as instrument files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path

import numpy as np

from seston.errors import UsageError
from seston.particle.progress import Progress, Silence
from seston.simulate.conditions import Conditions, draw_conditions
from seston.simulate.cytoclus import Measured, write_measurement
from seston.simulate.particle import draw_particle
from seston.simulate.picture import encode_picture, make_camera
from seston.simulate.runs import RunPlan, SimulationReport, check_free, describe, number_triggers, plan_runs
from seston.simulate.semi import simulate_from_images
from seston.simulate.settings import RunSettings, plan_settings
from seston.simulate.species import Species, choose_species, species_table

__all__ = ["simulate", "simulate_settings"]


def simulate(
    to: Path | str,
    *,
    particles: int = 400,
    runs: int = 2,
    seed: int = 0,
    species: Iterable[str] | None = None,
    from_images: Path | str | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> SimulationReport:
    """Write simulated measurements in the layout of a CytoClus export, one folder a run.

    Each particle is one body in one pose: its profile and its picture are made from the same slices. Runs differ in
    detector gain, focus, background and in the state of the cultures. Physics, sources and limits stand in
    ``docs/explanation/simulator.md``.

    Parameters
    ----------
    to
        Folder to write into; made where it is not there.
    particles
        Particles in each run, spread evenly over the species.
    runs
        Number of measurements.
    seed
        The same seed gives the same bytes, run by run: asking for more runs does not change the first ones.
    species
        Names from `species_table`; all where it is None.
    from_images
        Take real pictures from here and simulate only their profiles: see `simulate_from_images`, where `particles` is
        the most in each run.
    workers
        Processes that make runs at the same time; the bytes do not depend on it. A script that asks for more than one
        needs ``if __name__ == "__main__":`` around its call, as for any use of processes.
    overwrite
        Replace runs of the same name. Without it a run that is there already raises `UsageError`, before anything is
        written.

    Examples
    --------
    >>> report = simulate("simulated", particles=1000, runs=4)  # doctest: +SKIP
    """
    if from_images is not None:
        if species is not None:
            raise UsageError("species cannot be chosen for real pictures: they keep their own labels")
        return simulate_from_images(
            from_images, to, particles=particles, runs=runs, seed=seed, progress=progress, overwrite=overwrite
        )
    chosen = choose_species(species)
    if particles < 1:
        raise UsageError(f"particles is {particles}: give 1 or more in each run")
    plans = plan_runs(Path(to), origin="simulated", runs=runs, seed=seed)
    check_free(plans, overwrite)
    say = progress or Silence()
    say.start("simulating particles", particles * runs)
    if workers > 1 and runs > 1:
        files = _simulate_side_by_side(plans, chosen, particles, workers, say)
    else:
        files = [path for plan in plans for path in _simulate_run(plan, chosen, particles, say)]
    say.finish()
    return SimulationReport(
        files=tuple(files),
        species=tuple(one.name for one in chosen),
        runs=runs,
        particles=particles * runs,
        samples=tuple(plan.name for plan in plans),
        origin="simulated",
    )


def _simulate_side_by_side(
    plans: Sequence[RunPlan], species: Sequence[Species], particles: int, workers: int, say: Progress
) -> list[Path]:
    """Simulate several runs at a time, each in a process of its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    files: list[Path] = []
    with ProcessPoolExecutor(min(workers, len(plans)), mp_context=get_context("spawn")) as pool:
        for its_files in pool.map(_simulate_run, plans, repeat(species), repeat(particles)):
            files += its_files
            say.advance(particles)
    return files


def _simulate_run(
    plan: RunPlan, species: Sequence[Species], particles: int, progress: Progress | None = None
) -> list[Path]:
    """Simulate one ordinary run and write it; its folder appears when all of it is written."""
    rng = plan.generator()
    conditions = draw_conditions(species_table(), rng)
    return _measure(plan, species, particles, conditions, None, rng, progress or Silence())


def simulate_settings(
    to: Path | str,
    settings: Sequence[RunSettings],
    *,
    particles: int = 400,
    seed: int = 0,
    species: Iterable[str] | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> SimulationReport:
    """Write one simulated measurement for each of some stated settings, to see what a change of them does.

    Parameters
    ----------
    to, particles, seed, species, progress, overwrite
        As for `simulate`.
    settings
        What each run shares with an ordinary one of the same seed, and what differs; its name becomes part of the
        measurement's.

    Raises
    ------
    UsageError
        For two settings of one name, factors that are not above 0, or abundances of no species.

    Examples
    --------
    >>> strong = [RunSettings("plain"), RunSettings("twice the gain", gain=2.0)]
    >>> report = simulate_settings("runs", strong, particles=600)  # doctest: +SKIP
    """
    chosen = choose_species(species)
    plans = plan_settings(Path(to), settings, seed=seed)
    check_free(plans, overwrite)
    say = progress or Silence()
    say.start("simulating particles", particles * len(plans))
    files: list[Path] = []
    for plan, setting in zip(plans, settings, strict=True):
        conditions = setting.conditions(seed)
        files += _measure(plan, chosen, particles, conditions, setting.shares(chosen), setting.generator(seed), say)
    say.finish()
    return SimulationReport(
        files=tuple(files),
        species=tuple(one.name for one in chosen),
        runs=len(plans),
        particles=particles * len(plans),
        samples=tuple(plan.name for plan in plans),
        origin="simulated",
    )


def _measure(
    plan: RunPlan,
    species: Sequence[Species],
    particles: int,
    conditions: Conditions,
    shares: Sequence[float] | None,
    rng: np.random.Generator,
    say: Progress,
) -> list[Path]:
    """Measure particles under some conditions: as many of each species, or drawn by their shares."""
    camera = make_camera(conditions, rng)
    measurement = describe(plan, conditions, particles, "made-up species, no organism was measured")
    if shares is None:
        kinds = np.resize(rng.permutation(len(species)), particles)
        rng.shuffle(kinds)
    else:
        kinds = rng.choice(len(species), size=particles, p=shares)
    measured = []
    for kind, (number, arrival) in zip(kinds.tolist(), number_triggers(particles, measurement, rng), strict=True):
        drawn = draw_particle(species[kind], conditions, camera, rng)
        measured.append(
            Measured(
                number=number,
                arrival_s=arrival,
                label=drawn.label,
                picture=encode_picture(drawn.picture),
                suffix=".jpg",
                profile=drawn.profile,
            )
        )
        say.advance()
    return write_measurement(plan.folder, measurement, measured, plan.layout)
