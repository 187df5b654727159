"""Two sets of runs at made-up stations: simulated species, and real pictures with simulated profiles.

Where and when a run was measured decides which species are common in it. No export of the simulator holds a position,
so positions are filled in. The labels of simulated species mean the genus that each imitates, so that there are texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path

from comparison.sets import SETS, SetSource, make_set

from seston.simulate import (
    RunSettings,
    Station,
    draw_stations,
    simulate_from_images,
    simulate_settings,
    species_table,
)
from seston.store import DataSet
from seston.store.filling import Found

__all__ = ["STATION_SETS", "make_station_set", "stations_of"]

_CONTRAST = 1.0
_MEANT = {
    "Fictocatena recta": "Leptocylindrus",
    "Fictocatena spiralis": "Chaetoceros debilis",
    "Fictoceros nudum": "Eucampia",
    "Fictoceros setosum": "Chaetoceros",
    "Fictococcus uniguttatus": "Oocystis",
    "Fictococcus biguttatus": "Scenedesmus",
    "Fictoselenium rectum": "Ankistrodesmus",
    "Fictoselenium lunatum": "Selenastrum",
    "Fictobryon nudum": "Ochromonas",
    "Fictobryon vaginatum": "Dinobryon",
    "Fictomonas rubra": "Teleaulax",
    "Fictomonas pallida": "Chlamydomonas",
    "Fictonema vacuolatum": "Planktothrix",
    "Fictonema clarum": "Phormidium",
    "Fictonavis bipolaris": "Nitzschia",
    "Fictonavis centralis": "Navicula",
    "Fictodinium virens": "Heterocapsa",
    "Fictodinium vorax": "Gyrodinium",
    "Fictobaena plena": "Dolichospermum",
    "Fictobaena alternans": "Aphanizomenon",
    "Fictodiscus latus": "Coscinodiscus",
    "Fictoceras tricorne": "Ceratium",
    "Fictarium geminum": "Cosmarium",
    "Fictonella furcata": "Asterionella",
}


def make_station_set(name: str, folder: Path, source: SetSource, say: Callable[[str], None]) -> DataSet:
    """Open a set of stations, and make it first where it is not there yet.

    Errors as for `comparison.sets.make_set`.
    """
    SETS.update(STATION_SETS)
    data = make_set(name, folder, source, say)
    rows = [f"{species} (simulated)\t{taxon}\tliving\n" for species, taxon in _MEANT.items()]
    (data.path / "taxonomy.tsv").write_text("raw_label\tname\tkind\n" + "".join(rows), encoding="utf-8")
    stations = stations_of(data, source)

    def look_up(ids: Sequence[str]) -> list[Found | None]:
        return [_found(stations.get(one)) for one in ids]

    data.fill_in(lambda ids: [None] * len(ids), look_up)  # what is there already stays
    return data


def stations_of(data: DataSet, source: SetSource) -> dict[str, Station]:
    """Give the station of each sample."""
    stations = draw_stations(source.runs, seed=source.seed)
    return {sample.id: station for sample in data.samples() for station in stations if f" {station.name} " in sample.id}


def _found(station: Station | None) -> Found | None:
    if station is None:
        return None
    return Found(
        source="simulated station",
        latitude=station.latitude,
        longitude=station.longitude,
        time=station.start.replace(tzinfo=UTC),
    )


def _simulated(files: Path, source: SetSource) -> None:
    species = [one.name for one in species_table()][: source.classes]
    settings = [
        RunSettings(
            station.name,
            like=number,
            start=station.start,
            abundances=station.abundances(species, seed=source.seed, contrast=_CONTRAST),
        )
        for number, station in enumerate(draw_stations(source.runs, seed=source.seed), start=1)
    ]
    simulate_settings(files, settings, particles=source.particles, seed=source.seed, species=species)


def _semi_simulated(files: Path, source: SetSource) -> None:
    """Give real pictures simulated profiles; `SetSource.collections` is where labelled pictures are."""
    simulate_from_images(
        source.collections,
        files,
        particles=source.particles if source.classes else None,
        runs=source.runs,
        seed=source.seed,
        stations=draw_stations(source.runs, seed=source.seed),
        contrast=_CONTRAST,
    )


STATION_SETS: dict[str, Callable[[Path, SetSource], None]] = {
    "simulated-stations": _simulated,
    "semi-simulated-stations": _semi_simulated,
}
"""Name → what writes the set's instrument files."""
