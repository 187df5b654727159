"""The log of an ISIIS tow: where, when and how deep the imaging system was towed. It holds no particles.

A text with tabs: a preamble of some ten lines with the date, a line of column names, then a reading about every 0.7 s
with the time of day alone (files of jessluo/sandiego, cruise of October 2010). The clock's zone does not stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TextIO

from seston.errors import InputError
from seston.instruments.ecotaxa_cells import parse_coordinate, parse_real
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Note, Sample, Skipped

__all__ = ["READER"]

_NAME = "isiis"
_LONGEST_LINE = 1 << 16
_LONGEST_PREAMBLE = 40
_NAMED_OF_A_KIND = 100
_DATE = re.compile(r"Date:\s*(\d{1,2})/(\d{1,2})/(\d{2,4})")
_DATE_IN_NAME = re.compile(r"(20\d{2})(\d{2})(\d{2})\d{4}")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d+))?")
_MISSING = 9999.0
_COLUMNS = {"time": "Time", "depth": "Depth (m)", "latitude": "Lat", "longitude": "Long"}


def _claim(listing: Listing) -> list[Source]:
    sources = []
    for path in listing.files:
        if path.suffix.lower() == ".txt":
            head = listing.head(path)
            if b"Pressure (dbar)\t" in head and b"\tDepth (m)" in head and b"Vol imaged" in head:
                sources.append(Source(_NAME, path, (path,), "the log of an ISIIS tow: a sample without particles"))
    return sources


@dataclass(slots=True)
class _Tow:
    """What the readings say together."""

    readings: int = 0
    start: datetime | None = None
    end: datetime | None = None
    place: tuple[float, float] | None = None
    depths: tuple[float, float] | None = None
    last_depth: float | None = None
    stuck: int = 0
    """Readings whose depth is that of the one before, to the last digit."""
    records: list[Record] = field(default_factory=list)
    faults: int = 0


def _read(source: Source) -> Iterator[Record]:
    path = source.path
    with path.open(encoding="cp1252", errors="replace", newline=None) as file:
        preamble, columns = _read_preamble(file, path)
        day, provenance = _day(preamble, path)
        tow = _Tow()
        for number, cells in _rows(file, len(preamble) + 2, path):
            _learn(tow, number, cells, columns, day, path)
    if not tow.readings:
        raise InputError(f"{path}: no reading behind the line of columns; copy the log again")
    yield _sample(path, tow, preamble, provenance)
    yield from tow.records
    if tow.faults > _NAMED_OF_A_KIND:
        yield Skipped(str(path), path.name, f"{tow.faults - _NAMED_OF_A_KIND:,} more lines cannot be read")
    yield Note(str(path), "the clock's zone is not said: times are taken as UTC; compare them with the ship's")
    if tow.stuck > tow.readings // 4:
        text = f"{tow.stuck:,} of {tow.readings:,} readings repeat the depth before: the sensor sticks and jumps"
        yield Note(str(path), text)


def _read_preamble(file: TextIO, path: Path) -> tuple[list[str], dict[str, int]]:
    """Read up to the line of columns; give the lines before it, and the places of the columns that are needed."""
    lines: list[str] = []
    while len(lines) <= _LONGEST_PREAMBLE and (line := file.readline(_LONGEST_LINE)):
        names = [name.strip() for name in line.split("\t")]
        if names[0] == "Time" and "Depth (m)" in names:
            places = {
                key: next(
                    (place for place, name in enumerate(names) if name == start or name.startswith(f"{start} (")), -1
                )
                for key, start in _COLUMNS.items()
            }
            return lines, places
        lines.append(line.strip())
    raise InputError(f"{path}: no line of columns (Time, Pressure, Depth …); not the log of an ISIIS")


def _day(preamble: list[str], path: Path) -> tuple[date, str]:
    """Give the day on which the log begins: from its name, whose order is certain, else month/day/year in the text."""
    if found := _DATE_IN_NAME.search(path.stem):
        try:
            return date(int(found[1]), int(found[2]), int(found[3])), "name of the file"
        except ValueError:
            pass
    for line in preamble:
        if said := _DATE.match(line):
            year = int(said[3]) + (2000 if len(said[3]) == 2 else 0)
            try:
                return date(year, int(said[1]), int(said[2])), "Date (month/day/year)"
            except ValueError:
                break
    raise InputError(f"{path}: no date in its name or its first lines, so no time of it can be placed")


def _rows(file: TextIO, first: int, path: Path) -> Iterator[tuple[int, list[str]]]:
    number = first - 1
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise InputError(f"{path}: line {number} is longer than {_LONGEST_LINE:,} letters: not the log of an ISIIS")
        if line.strip():
            yield number, line.rstrip("\n").split("\t")


def _learn(tow: _Tow, number: int, cells: list[str], columns: dict[str, int], day: date, path: Path) -> None:
    moment = _moment(_cell(cells, columns["time"]), day, tow.end)
    depth, why_depth = parse_real(_cell(cells, columns["depth"]))
    latitude, why_latitude = parse_coordinate(_cell(cells, columns["latitude"]), 90.0)
    longitude, why_longitude = parse_coordinate(_cell(cells, columns["longitude"]), 180.0)
    reason = why_depth or why_latitude or why_longitude or ("" if moment else "it has no time of day")
    if moment is None or reason:
        tow.faults += 1
        if tow.faults <= _NAMED_OF_A_KIND:
            tow.records.append(Skipped(str(path), f"line {number}", f"{reason}: left out"))
        return
    tow.readings += 1
    tow.start, tow.end = tow.start or moment, moment
    if tow.place is None and latitude is not None and longitude is not None:
        tow.place = (latitude, longitude)
    if depth is not None and depth < _MISSING:
        before = tow.depths or (depth, depth)
        tow.depths = (min(before[0], depth), max(before[1], depth))
        tow.stuck += depth == tow.last_depth
        tow.last_depth = depth


def _cell(cells: list[str], place: int) -> str:
    return cells[place] if 0 <= place < len(cells) else ""


def _moment(text: str, day: date, before: datetime | None) -> datetime | None:
    """Put a time of day on its day: the next one where the clock has gone past midnight."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    try:
        clock = time(int(found[1]), int(found[2]), int(found[3]), int((found[4] or "0")[:6].ljust(6, "0")))
    except ValueError:
        return None
    moment = datetime.combine(before.date() if before else day, clock, UTC)
    return moment + timedelta(days=1) if before and before - moment > timedelta(hours=12) else moment


def _sample(path: Path, tow: _Tow, preamble: list[str], day_from: str) -> Sample:
    file = path.name
    said = (re.split(r"\s*[:=#]\s*", line, maxsplit=1) for line in preamble)
    settings = {parts[0].strip(): parts[1].strip() for parts in said if len(parts) == 2 and parts[1].strip()}
    provenance = {
        "start": f"{file}: {day_from}, first Time (no time zone said: taken as UTC)",
        "end": f"{file}: last Time",
    }
    if tow.place is not None:
        provenance |= {"latitude": f"{file}: first Lat", "longitude": f"{file}: first Long"}
    if tow.depths is not None:
        provenance |= {"depth_min_m": f"{file}: least Depth (m)", "depth_max_m": f"{file}: greatest Depth (m)"}
    return Sample(
        id=path.stem,
        path=str(path),
        reader=_NAME,
        instrument="ISIIS",
        start=tow.start,
        end=tow.end,
        latitude=tow.place[0] if tow.place else None,
        longitude=tow.place[1] if tow.place else None,
        depth_min_m=tow.depths[0] if tow.depths else None,
        depth_max_m=tow.depths[1] if tow.depths else None,
        settings=settings | {"readings": str(tow.readings)},
        provenance=provenance,
    )


READER = Reader(
    name=_NAME,
    description="The log of an ISIIS tow: place, time and depth of a sample, without particles",
    claim=_claim,
    read=_read,
)
