"""The data sets that methods are compared on: made once, then found again, each with a split grouped by run.

    python benchmarks/make_sets.py --to SETS [--collections FOLDER] [--sets NAME …]

``SETS/NAME`` is a data set of Seston, ``SETS/instrument-files/NAME`` holds the files that it was imported from, and
``SETS/NAME.json`` says how it was made.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seston.errors import UsageError
from seston.instruments import find_sources, read
from seston.particle import Particle
from seston.store import DataSet, open_data_set

__all__ = ["MAIN_SETS", "SETS", "SPLIT", "SetSource", "make_set", "own_set"]

SPLIT = "comparison"
_FOLDS = 3
_COLLECTION = "vliz_flowcam.tar"
_CLASSES, _PICTURES_A_CLASS, _ENOUGH = 30, 160, 150


@dataclass(frozen=True)
class SetSource:
    """What a set is made from, and how large it is."""

    seed: int
    runs: int
    particles: int
    """In each run."""
    collections: Path
    """Folder with the picture collections; only the semi-simulated set looks into it."""
    classes: int | None = None
    """At most so many classes, for a quick look; else each set's own number."""


def make_set(name: str, folder: Path, source: SetSource, say: Callable[[str], None]) -> DataSet:
    """Open a set, and make it first where it is not there yet.

    A set that was broken off half-way is made anew.

    Raises
    ------
    UsageError
        Where the set that is there was made with other numbers.
    """
    place, card, files = folder / name, folder / f"{name}.json", folder / "instrument-files" / name
    numbers = {"set": name, "seed": source.seed, "runs": source.runs, "particles_a_run": source.particles}
    numbers |= {} if source.classes is None else {"most_classes": source.classes}
    if card.is_file():
        there = json.loads(card.read_bytes())
        if {key: there.get(key) for key in numbers} != numbers:
            raise UsageError(f"{place}: was made with other numbers ({card}); name another folder for the sets")
        return open_data_set(place)
    for old in (place, files):
        shutil.rmtree(old, ignore_errors=True)
    files.parent.mkdir(parents=True, exist_ok=True)
    say(f"making the set {name}")
    SETS[name](files, source)
    data = open_data_set(place, create=True)
    report = data.import_([files], source=None)
    data.split(SPLIT, by="sample", folds=_FOLDS)
    info = data.info()
    facts = {
        "particles": info.particles,
        "pairs": info.pairs,
        "samples": info.samples,
        "classes": len(info.labels),
        "smallest_class": min(info.labels.values()),
        "left_out": [f"{one.item}: {one.reason}" for one in report.skipped],
        "split": data.load_split(SPLIT).sizes()[0],
        "made_up": "semi-simulated" if info.semi_simulated else "simulated",
    }
    half = card.with_suffix(".part")
    half.write_text(json.dumps(numbers | facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(card)
    return data


def own_set(name: str, data: Path, folder: Path, say: Callable[[str], None]) -> DataSet:
    """Open a data set of one's own, or import instrument files to ``folder/name``, and split it by sample.

    Where it has a split of the name `SPLIT` already, that one is taken.
    """
    place = data if (data / "seston.json").is_file() else _imported(name, data, folder, say)
    opened = open_data_set(place)
    if SPLIT not in opened.splits():
        try:
            opened.split(SPLIT, by="sample", folds=_FOLDS)
        except UsageError as error:
            raise UsageError(f"{error} (seston split {place} --name {SPLIT} …, then this call again)") from error
    return opened


def _imported(name: str, data: Path, folder: Path, say: Callable[[str], None]) -> Path:
    """Import instrument files once, and say where the data set lies."""
    place, card, origin = folder / name, folder / f"{name}.json", {"imported_from": str(data.resolve())}
    if place.exists() and card.is_file():
        if json.loads(card.read_bytes()) != origin:
            raise UsageError(f"{place}: was imported from another place ({card}); name another folder for the sets")
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    say(f"importing {data} to {place}")
    for skipped in open_data_set(place, create=True).import_([data], source=None).skipped:
        say(f"left out: {skipped.item}: {skipped.reason}")
    card.write_text(json.dumps(origin) + "\n", encoding="utf-8")
    return place


def _simulated(files: Path, source: SetSource) -> None:
    from seston.simulate import simulate, species_table

    species = [one.name for one in species_table()][: source.classes]
    simulate(files, particles=source.particles, runs=source.runs, seed=source.seed, species=species)


def _semi_simulated(files: Path, source: SetSource) -> None:
    """Give real pictures simulated profiles; classes with few pictures are left out."""
    archive = _archive(source)
    _with_profiles(archive, _evenly(_enough(archive), source.classes or _CLASSES), files, source, source.seed)


def _other_classes(files: Path, source: SetSource) -> None:
    """Do the same with as many of the classes that the semi-simulated set leaves out, and other profiles."""
    archive, count = _archive(source), source.classes or _CLASSES
    enough = _enough(archive)
    taken = _evenly(enough, count)
    others = _evenly([name for name in enough if name not in taken], count)
    _with_profiles(archive, others, files, source, source.seed + 1)


def _archive(source: SetSource) -> Path:
    archive = source.collections / _COLLECTION
    if not archive.is_file():
        raise UsageError(f"{archive}: there is no such collection; name its folder with --collections")
    return archive


def _enough(archive: Path) -> list[str]:
    """Name the classes with enough pictures, by the alphabet."""
    counts = Counter(particle.raw_label or "" for particle in _pictures(archive))
    return sorted(name for name, count in counts.items() if name and count >= _ENOUGH)


def _evenly(names: list[str], count: int) -> set[str]:
    """Take so many names evenly over the alphabet.

    So genera stay together with a part of their look-alikes, and copepods come as well as diatoms.
    """
    return {names[round(place * (len(names) - 1) / (count - 1))] for place in range(min(count, len(names)))}


def _with_profiles(archive: Path, classes: set[str], files: Path, source: SetSource, seed: int) -> None:
    from seston.simulate import simulate_from_images

    chosen = files.with_name(f"{files.name}-pictures")
    shutil.rmtree(chosen, ignore_errors=True)
    taken: Counter[str] = Counter()
    for particle in _pictures(archive):
        name = particle.raw_label or ""
        if name in classes and taken[name] < _PICTURES_A_CLASS:
            taken[name] += 1
            place = chosen / name / f"{Path(particle.id).name}.{particle.image_format or 'jpg'}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(particle.image or b"")
    simulate_from_images(chosen, files, particles=source.particles, runs=source.runs, seed=seed)
    shutil.rmtree(chosen)


def _pictures(archive: Path) -> list[Particle]:
    return [one for found in find_sources([archive])[0] for one in read(found) if isinstance(one, Particle)]


def _second_simulator(files: Path, source: SetSource) -> None:
    from second_simulator import simulate_measurements

    simulate_measurements(files, runs=source.runs, particles=source.particles, seed=source.seed, species=source.classes)


SETS: dict[str, Callable[[Path, SetSource], None]] = {
    "simulated": _simulated,
    "semi-simulated": _semi_simulated,
    "second-simulator": _second_simulator,
    "other-classes": _other_classes,
}
"""Name → what writes the set's instrument files."""
MAIN_SETS = ("simulated", "semi-simulated", "second-simulator")
"""Those that are compared on unless others are asked for; no choice was ever made on the other one."""
