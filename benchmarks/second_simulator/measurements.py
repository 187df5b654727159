"""Whole runs: bodies in their poses, recorded, photographed and written as instrument files."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from second_simulator.bodies import Array, Matter, Part, moved, rotation, sphere
from second_simulator.conditions import Conditions, draw_conditions
from second_simulator.files import Measured, Measurement, write_measurement
from second_simulator.picture import photograph
from second_simulator.rays import extent
from second_simulator.signals import record
from second_simulator.species import SPECIES, Cell, Species, build

__all__ = ["draw_particle", "simulate_measurements"]

_FIRST_START = datetime(2026, 5, 4, 8, 0)
_UL_S = 3.0
_ATTEMPTS = 50


def simulate_measurements(folder: Path, *, runs: int, particles: int, seed: int, species: int | None = None) -> None:
    """Write runs in the layout of a CytoClus export; each run depends on nothing but the seed and its number.

    Parameters
    ----------
    particles
        In each run, evenly over the species.
    species
        Take only the first so many; all where it is None.
    """
    kept = SPECIES[:species]
    names = [one.name for one in SPECIES]
    for run in range(1, runs + 1):
        rng = np.random.default_rng((seed, run, 2))
        conditions = draw_conditions(names, rng)
        kinds = np.resize(rng.permutation(len(kept)), particles)
        rng.shuffle(kinds)
        numbers = np.cumsum(rng.geometric(0.5, particles))
        seconds = np.sort(rng.uniform(0, 40, particles))
        measured = []
        for kind, number, second in zip(kinds.tolist(), numbers.tolist(), seconds.tolist(), strict=True):
            profile, picture = draw_particle(kept[kind], second / 40, conditions, rng)
            measured.append(Measured(number, second, kept[kind].name, picture, profile))
        start = _FIRST_START + timedelta(days=run - 1)
        name = f"Second simulator seed{seed} run{run:02d} {start:%Y-%m-%d %Hh%M}"
        comment = "made-up species of Seston's second simulator, no organism was measured"
        measurement = Measurement(name, comment, start, 40, _UL_S, conditions)
        write_measurement(folder / name, measurement, measured)


def draw_particle(
    species: Species, moment: float, conditions: Conditions, rng: np.random.Generator
) -> tuple[Array, bytes]:
    """Draw one particle of a species: its profile (channels, samples) in mV, and its picture."""
    for _ in range(_ATTEMPTS):
        body = build(species, _draw_cell(species, conditions, rng))
        if rng.random() < conditions.companions:
            body = [*body, *_companion(body, rng)]
        at_lasers = moved(body, _pose(species, rng))
        profile = record(at_lasers, rng.normal(0, 0.1), moment, conditions, rng)
        if profile is not None:
            turn = rotation(2, rng.normal(0, 0.12)) @ rotation(1, rng.normal(0, 0.12)) @ rotation(0, rng.normal(0, 0.6))
            return profile, photograph(moved(at_lasers, turn), conditions, rng)
    raise RuntimeError(f"{species.name}: {_ATTEMPTS} bodies stayed below the trigger level")


def _draw_cell(species: Species, conditions: Conditions, rng: np.random.Generator) -> Cell:
    name = species.name
    return Cell(
        size=float(np.exp(conditions.growth[name] + 0.16 * rng.standard_normal())),
        aspect=float(np.exp(0.12 * rng.standard_normal())),
        light=np.exp(conditions.acclimation[name] + 0.25 * rng.standard_normal() + 0.22 * rng.standard_normal(4)),
        grain=float(np.exp(0.3 * rng.standard_normal())),
        rng=rng,
    )


def _pose(species: Species, rng: np.random.Generator) -> Array:
    """Roll freely about the flow; long bodies lie nearly along it, either end first."""
    if not species.elongated:
        turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        return np.asarray(turn * np.sign(np.linalg.det(turn)))
    ahead = rotation(2, np.pi * rng.integers(2))
    tilt = rotation(2, rng.normal(0, 0.14)) @ rotation(1, rng.normal(0, 0.14))
    return np.asarray(tilt @ rotation(0, rng.uniform(0, 2 * np.pi)) @ ahead)


def _companion(body: list[Part], rng: np.random.Generator) -> list[Part]:
    """Let a small cell or a lump pass right beside the body."""
    (left, right), (low, high) = extent(body)
    place = rng.uniform(left - 10, right + 10), rng.choice((low, high)) + rng.normal(0, 3), 0.0
    light = tuple((rng.uniform(0, 0.5, 4) * rng.integers(0, 2)).tolist())
    return [sphere(place, rng.uniform(1.5, 3.5), Matter(grain=2.0, light=(light[0], light[1], light[2], light[3])))]
