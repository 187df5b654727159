"""Where and when an object of an EcoTaxa table was seen, and what it was called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
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
        latitude, why_latitude = parse_coordinate(cells[self.latitude], 90.0)
        longitude, why_longitude = parse_coordinate(cells[self.longitude], 180.0)
        depth_min, why_min = parse_depth(cells[self.depth_min])
        depth_max, why_max = parse_depth(cells[self.depth_max])
        if why_latitude or why_longitude or why_min or why_max:
            reasons = (why_latitude, why_longitude, why_min, why_max)
            for name, reason in zip(("lat", "lon", "depth_min", "depth_max"), reasons, strict=True):
                if reason:
                    complain(f"object_{name}", f"{reason}; left out")
        if latitude is None or longitude is None:
            latitude = longitude = None
        moment = _moment(cells[self.date], cells[self.time], ("object_date", "object_time"), complain)
        end = None
        if self.date_end >= 0:
            names = ("object_date_end", "object_time_end")
            end = _moment(cells[self.date_end], cells[self.time_end], names, complain)
        return Spot(latitude, longitude, moment, end, depth_min, depth_max)

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
            time = _moment(cells[self.annotation_date], cells[self.annotation_time], names, complain)
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


def _moment(day: str, clock: str, names: tuple[str, str], complain: Complain) -> datetime | None:
    """Join a date and a time of day, UTC; midnight where there is no time of day."""
    date, why_date = parse_date(day)
    time_of_day, why_time = parse_time(clock)
    if why_date:
        complain(names[0], f"{why_date}; left out")
    if why_time:
        complain(names[1], f"{why_time}; left out")
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
