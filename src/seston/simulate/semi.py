"""Simulate the profile of each real picture of a collection: semi-simulated measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, UsageError
from seston.particle import Particle, Skipped
from seston.particle.progress import Progress, Silence
from seston.simulate.conditions import PIXEL_SIZE_UM, Conditions, draw_conditions
from seston.simulate.cytoclus import Measured, write_measurement
from seston.simulate.detector import record
from seston.simulate.particle import export_signals
from seston.simulate.picture_light import draw_class_optics, emission_of_picture
from seston.simulate.runs import RunPlan, SimulationReport, check_free, describe, number_triggers, plan_runs
from seston.simulate.stations import Station

__all__ = ["simulate_from_images"]

_SUFFIXES = {"jpeg": ".jpg", "png": ".png", "bmp": ".bmp", "tiff": ".tif", "gif": ".gif", "webp": ".webp"}


def simulate_from_images(
    images_path: Path | str,
    to: Path | str,
    *,
    particles: int | None = None,
    runs: int = 2,
    seed: int = 0,
    pixel_size_um: float = PIXEL_SIZE_UM,
    stations: Sequence[Station] = (),
    contrast: float = 1.0,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> SimulationReport:
    """Write measurements whose pictures are real and whose profiles are simulated from them (*semi-simulated*).

    The profile runs along the picture's horizontal axis. Matter comes from the particle's mask (its local width stands
    for its thickness), pigment from the optical density of the grey values, side scatter from their unevenness. Each
    class draws its pigment group, pigment content and granularity from the seed and its name. Pictures are kept byte
    for byte, with their labels.

    Parameters
    ----------
    images_path
        Class folders, or an archive of them, or anything else that a reader of Seston reads pictures from.
    to
        Folder to write into; made where it is not there.
    particles
        At most so many pictures in each run, drawn at random; all where it is None.
    runs
        Measurements over which the pictures are spread at random.
    pixel_size_um
        µm a pixel: an assumption where the collection does not state it, and written into the Info text as such.
    stations, contrast
        One for each run: when it was measured, and how likely it is that a picture of some label comes from there (see
        `Station.abundances`). Without any, all runs are alike.

    Raises
    ------
    UsageError
        For numbers that nothing can be made of, and where a run is there already and may not be overwritten.
    InputError
        Where not one picture could be used. A picture that cannot be is left out and listed in the report.
    """
    if particles is not None and particles < 1:
        raise UsageError(f"particles is {particles}: give 1 or more in each run")
    if not pixel_size_um > 0:
        raise UsageError(f"the pixel size is {pixel_size_um} µm: give more than 0")
    if stations and len(stations) != runs:
        raise UsageError(f"there are {len(stations)} stations and {runs} runs: give a station for each run")
    plans = plan_runs(Path(to), origin="semi-simulated", runs=runs, seed=seed)
    plans = [_at(plan, station) for plan, station in zip(plans, stations, strict=True)] if stations else plans
    check_free(plans, overwrite)
    pictures, skipped = _read_pictures(Path(images_path))
    say = progress or Silence()
    of_run = _deal([one.raw_label or "" for one in pictures], runs, seed, stations, contrast)
    shares = [np.sort(rows[:particles]).tolist() for rows in of_run]
    say.start("simulating profiles", sum(len(share) for share in shares))
    files: list[Path] = []
    measured: list[Measured] = []
    for plan, share in zip(plans, shares, strict=True):
        its_files, its_particles = _measure_run(plan, [pictures[place] for place in share], pixel_size_um, skipped, say)
        files += its_files
        measured += its_particles
    say.finish()
    if not measured:
        raise InputError(
            f"{images_path}: no picture with a particle in it was found; give a folder or archive of pictures"
        )
    return SimulationReport(
        files=tuple(files),
        species=tuple(sorted({one.label for one in measured})),
        runs=runs,
        particles=len(measured),
        samples=tuple(plan.name for plan in plans),
        origin="semi-simulated",
        skipped=tuple(skipped),
    )


def _at(plan: RunPlan, station: Station) -> RunPlan:
    """Date a run by its station, and name it after it."""
    name = f"Semi-simulated seed{plan.seed} {station.name} {station.start:%Y-%m-%d %Hh%M}"
    return replace(plan, name=name, folder=plan.folder.with_name(name), start=station.start)


def _deal(
    labels: Sequence[str], runs: int, seed: int, stations: Sequence[Station], contrast: float
) -> list[NDArray[np.int64]]:
    """Deal pictures to runs at random: evenly, or each as likely to a station as its label is common there."""
    chance = np.random.default_rng(seed)
    order = chance.permutation(len(labels))
    if not stations:
        return [order[first::runs] for first in range(runs)]
    there = [station.abundances(sorted(set(labels)), seed=seed, contrast=contrast) for station in stations]
    odds = {label: np.array([shares[label] for shares in there]) for label in set(labels)}
    run_of = np.array([chance.choice(runs, p=odds[labels[row]] / odds[labels[row]].sum()) for row in order.tolist()])
    return [order[run_of == run] for run in range(runs)]


def _read_pictures(path: Path) -> tuple[list[Particle], list[Skipped]]:
    """Read all pictures that Seston's readers find below a path."""
    from seston.instruments import find_sources, read

    pictures: list[Particle] = []
    skipped: list[Skipped] = []
    for source in find_sources([path])[0]:
        for item in read(source):
            if isinstance(item, Particle) and item.image is not None:
                pictures.append(item)
            elif isinstance(item, Skipped):
                skipped.append(item)
    return pictures, skipped


def _measure_run(
    plan: RunPlan, pictures: Sequence[Particle], pixel_size_um: float, skipped: list[Skipped], say: Progress
) -> tuple[list[Path], list[Measured]]:
    """Simulate the profiles of one run's pictures and write them; what cannot be used joins `skipped`."""
    rng = plan.generator()
    conditions = draw_conditions((), rng)
    profiles: list[tuple[Particle, NDArray[np.float64]]] = []
    for picture in pictures:
        try:
            profiles.append((picture, _profile(picture, pixel_size_um, conditions, plan.seed, rng)))
        except InputError as error:
            skipped.append(Skipped(picture.sample_id, picture.id, str(error)))
        say.advance()
    if not profiles:
        return [], []
    comment = f"real pictures, simulated profiles; {pixel_size_um:g} µm a pixel is an assumption"
    measurement = describe(plan, conditions, len(profiles), comment)
    triggers = number_triggers(len(profiles), measurement, rng)
    measured = [
        Measured(
            number=number,
            arrival_s=arrival,
            label=picture.raw_label or "",
            picture=picture.image or b"",
            suffix=_suffix(picture),
            profile=profile,
        )
        for (picture, profile), (number, arrival) in zip(profiles, triggers, strict=True)
    ]
    return write_measurement(plan.folder, measurement, measured, plan.layout), measured


def _profile(
    picture: Particle, pixel_size_um: float, conditions: Conditions, seed: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Simulate one picture's profile; `InputError` where it shows no particle or one too small for the trigger."""
    from seston.instruments import decode_image, find_scale_bar, particle_mask

    grey = decode_image(picture.image or b"", grey=True)
    mask = particle_mask(grey, find_scale_bar(grey))
    if not mask.any():
        raise InputError("no particle stands out from the picture's background")
    optics = draw_class_optics(picture.raw_label or "", seed)
    emission = emission_of_picture(grey, mask, pixel_size_um, optics, rng)
    tilt = float(np.tan(np.radians(8.0) * rng.standard_normal()))
    stored = record(emission, PIXEL_SIZE_UM, tilt, conditions, rng)
    if stored is None:
        raise InputError("its simulated signal never reaches the trigger level: the particle is too small")
    return export_signals(stored)


def _suffix(picture: Particle) -> str:
    from seston.instruments import image_format

    return _SUFFIXES.get(picture.image_format or image_format(picture.image or b"") or "", ".jpg")
