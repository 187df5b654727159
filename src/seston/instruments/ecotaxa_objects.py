"""Where and when an object of an EcoTaxa table was seen, and what it was called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import NamedTuple

from seston.instruments.ecotaxa_cells import STATUSES, parse_coordinate, parse_date, parse_depth, parse_time
from seston.instruments.ecotaxa_table import Header

__all__ = ["Classification", "Complain", "ObjectColumns", "Spot"]

Complain = Callable[[str, str], None]
"""Takes the column and what is wrong with its cell."""


class Spot(NamedTuple):
    """Where and when: degrees, UTC, metres; None where it is not said."""

    latitude: float | None
    longitude: float | None
    time: datetime | None
    end: datetime | None
    depth_min_m: float | None
    depth_max_m: float | None


class Classification(NamedTuple):
    """What a row calls its object: category and status by the words of the table, and when that was said, UTC."""

    label: str | None = None
    status: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObjectColumns:
    """Places of the predefined columns of a table; -1 for those that it lacks."""

    object_id: int
    latitude: int
    longitude: int
    date: int
    time: int
    date_end: int
    time_end: int
    depth_min: int
    depth_max: int
    status: int
    category: int
    category_id: int
    hierarchy: int
    annotation_date: int
    annotation_time: int
    person: int
    picture: int
    rank: int
    sample: int
    acquisition: int
    instrument: int
    licence: int
    source: int
    flags: int
    attribution: int

    @classmethod
    def of(cls, header: Header) -> ObjectColumns:
        """Find the columns of a table."""
        return cls(*(header.columns.get(name, -1) for name in _NAMES))

    def spot(self, cells: list[str], complain: Complain) -> Spot:
        """Read position, time and depth of a row; what cannot be right is None and complained of."""
        spot, faults = _spot(
            cells[self.latitude],
            cells[self.longitude],
            cells[self.date],
            cells[self.time],
            cells[self.date_end],
            cells[self.time_end],
            cells[self.depth_min],
            cells[self.depth_max],
        )
        for column, reason in faults:
            complain(column, f"{reason}; left out")
        return spot

    def classification(self, cells: list[str], complain: Complain) -> Classification:
        """Read what a row calls its object.

        A name counts only with a status, and a status only with a name: the server refuses one without the other.
        """
        status, label, number = (cells[place].strip() for place in (self.status, self.category, self.category_id))
        if not status and not label and not number:
            return Classification()
        if number and not number.strip("9") and len(number) > 4:
            complain("object_annotation_category_id", f"{number[:20]} is no taxon's id; left out")
            number = ""
        if status and label and status.lower() in STATUSES:
            names = ("object_annotation_date", "object_annotation_time")
            faults: list[tuple[str, str]] = []
            time = _moment(cells[self.annotation_date], cells[self.annotation_time], names, faults)
            for column, reason in faults:
                complain(column, f"{reason}; left out")
            return Classification(label, status, time)
        if status.lower() == "noid":
            pass
        elif not status and (label or number):
            text = f"the category {(label or number)[:60]!r} has no status: it is left out"
            complain("object_annotation_status", text)
        elif not status:
            pass
        elif status.lower() not in STATUSES:
            complain("object_annotation_status", f"{status[:40]!r} is no status: the category is left out with it")
        elif number:
            complain("object_annotation_category_id", f"{number[:20]} names no taxon: only EcoTaxa's server knows it")
        else:
            complain("object_annotation_category", f"the status {status!r} has no category")
        return Classification()


@lru_cache(maxsize=4096)
def _spot(
    latitude: str, longitude: str, date: str, time: str, date_end: str, time_end: str, depth_min: str, depth_max: str
) -> tuple[Spot, tuple[tuple[str, str], ...]]:
    """Read the cells that say where and when, with the columns that cannot be right; most rows repeat another's."""
    faults: list[tuple[str, str]] = []

    def without_fault(column: str, read: tuple[float | None, str]) -> float | None:
        if read[1]:
            faults.append((column, read[1]))
        return read[0]

    north = without_fault("object_lat", parse_coordinate(latitude, 90.0))
    east = without_fault("object_lon", parse_coordinate(longitude, 180.0))
    if north is None or east is None:
        north = east = None
    moment = _moment(date, time, ("object_date", "object_time"), faults)
    end = _moment(date_end, time_end, ("object_date_end", "object_time_end"), faults)
    shallow = without_fault("object_depth_min", parse_depth(depth_min))
    deep = without_fault("object_depth_max", parse_depth(depth_max))
    return Spot(north, east, moment, end, shallow, deep), tuple(faults)


def _moment(day: str, clock: str, names: tuple[str, str], faults: list[tuple[str, str]]) -> datetime | None:
    """Join a date and a time of day, UTC; midnight where there is no time of day."""
    date, why_date = parse_date(day)
    time_of_day, why_time = parse_time(clock)
    faults += [(name, why) for name, why in zip(names, (why_date, why_time), strict=True) if why]
    return None if date is None else datetime.combine(date, time_of_day or time(), UTC)


_NAMES = (
    "object_id",
    "object_lat",
    "object_lon",
    "object_date",
    "object_time",
    "object_date_end",
    "object_time_end",
    "object_depth_min",
    "object_depth_max",
    "object_annotation_status",
    "object_annotation_category",
    "object_annotation_category_id",
    "object_annotation_hierarchy",
    "object_annotation_date",
    "object_annotation_time",
    "object_annotation_person_name",
    "img_file_name",
    "img_rank",
    "sample_id",
    "acq_id",
    "acq_instrument",
    "object_licence",
    "object_source",
    "object_flags",
    "object_attribution",
)
"""In the order of the fields of `ObjectColumns`."""
