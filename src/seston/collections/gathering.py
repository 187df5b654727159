"""From the archives of a collection to pictures with their place, label, sample and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import cast

from seston.collections.cards import Card, SideTable
from seston.collections.paths import PathRules, Place
from seston.collections.placing import Placed
from seston.collections.reports import SetAside
from seston.collections.side_tables import Said, SideRows, find_table, read_side_table
from seston.collections.walking import walk
from seston.errors import InputError
from seston.instruments.archive_member import Member
from seston.particle import Note, Sample, Skipped

__all__ = ["Gathered", "Gatherer"]

_BATCH_PICTURES = 512
_BATCH_BYTES = 2 * 1024 * 1024
_NOWHERE = "stands where the collection has no pictures"


@dataclass(slots=True)
class Gathered:
    """Some pictures in the order of their archive; one entry each."""

    ids: list[str] = field(default_factory=list)
    sample_ids: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    times: list[datetime | None] = field(default_factory=list)
    positions: list[tuple[float | None, ...]] = field(default_factory=list)
    """Latitude, longitude, least and greatest depth, where a table has them of each picture."""
    pictures: list[bytes] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    """Samples that these pictures are the first of."""
    archive: str = ""
    size: int = 0


@dataclass(slots=True)
class _Found:
    """Pictures whose rows in the tables have not been looked up yet."""

    places: list[Place] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    size: int = 0


_POSITION = ("latitude", "longitude", "depth_min_m", "depth_max_m")


class Gatherer:
    """Walks through the archives of one collection.

    Parameters
    ----------
    card, placed
        The collection and its files.

    Raises
    ------
    InputError
        A table that cannot be read, or is missing and not optional.
    """

    def __init__(self, card: Card, placed: Placed) -> None:
        self._card = card
        self._placed = placed
        self._rules = PathRules(card.layout)
        self.set_aside = SetAside()
        self.notes: list[Note] = []
        self.broken: list[Skipped] = []
        """Archives that are cut off or damaged."""
        self.ignored = 0
        """Pictures that the card says are none of the collection's."""
        self.others: Counter[str] = Counter()
        """Members that are no pictures, by their ending."""
        self._tables: list[tuple[SideTable, SideRows]] = []
        self._sample_ids: set[str] = set()
        self._read_tables()

    @property
    def where(self) -> str:
        """The folder of the files."""
        return str(self._placed.folder)

    def gather(self) -> Iterator[Gathered]:
        """Give the pictures, some at a time; what cannot be used stands in `set_aside` with its reason."""
        for archive in self._placed.archives:
            found = _Found()
            try:
                for member in walk(archive, self._rules.is_archive):
                    self._take(member, found, str(archive))
                    if len(found.pictures) >= _BATCH_PICTURES or found.size >= _BATCH_BYTES:
                        yield self._completed(found, str(archive))
                        found = _Found()
            except InputError as error:
                self.broken.append(Skipped(str(archive), "", f"{error}; what stands before was read"))
            if found.pictures:
                yield self._completed(found, str(archive))

    def _read_tables(self) -> None:
        for table in self._card.tables:
            path = find_table(table.file, self._placed.folder)
            if path is not None:
                self._tables.append((table, read_side_table(path, table)))
            elif not table.optional:
                raise InputError(
                    f"{self._placed.folder}: the table {table.file} of {self._card.name} is not there; "
                    "lay it beside the pictures"
                )
            else:
                lost = ", ".join(name for name in ("label", "sample", "time") if getattr(table, name))
                self.notes.append(
                    Note(str(self._placed.folder), f"without the table {table.file} there is no {lost} of each picture")
                )

    def _take(self, member: Member, found: _Found, archive: str) -> None:
        if member.data is None:
            if member.trouble:
                self.set_aside.add(archive, member.name, f"{member.trouble}: left out")
            elif not member.folder:
                self.others[PurePosixPath(member.name).suffix.lower() or "no ending"] += 1
            return
        name = member.name.removeprefix("./")
        place = self._rules.place(name)
        if place is not None and not self._rules.is_ignored(name):
            found.places.append(place)
            found.names.append(name)
            found.pictures.append(member.data)
            found.size += len(member.data)
        elif self._rules.is_ignored(name):
            self.ignored += 1
        else:
            self.set_aside.add(archive, name, f"{_NOWHERE}: left out")

    def _completed(self, found: _Found, archive: str) -> Gathered:
        """Add what the tables say, and name particles and samples."""
        gathered = Gathered(pictures=found.pictures, archive=archive, size=found.size)
        said = [
            rows.find([_key(table.matches, name, place) for name, place in zip(found.names, found.places, strict=True)])
            for table, rows in self._tables
        ]
        for row, place in enumerate(found.places):
            self._add(gathered, place, [of_table[row] for of_table in said])
        return gathered

    def _add(self, gathered: Gathered, place: Place, rows: list[Said | None]) -> None:
        label, sample, start, time = place.label, place.sample, place.start, place.time
        own_time, position = time, cast("tuple[float | None, ...]", ())
        for (table, _), row in zip(self._tables, rows, strict=True):
            if row is not None:
                label = row.label or label
                if row.sample and row.sample != sample:
                    sample, start = row.sample, None
                time = row.time or time
                own_time = row.time if row.time and "%H" in table.time_format else own_time
                position = row[3:]
        if sample is None and self._card.layout.sample_by == "day" and time is not None:
            sample = f"{time:%Y%m%d}"
        sample_id = f"{self._card.name}:{sample}" if sample else self._card.name
        if sample_id not in self._sample_ids:
            self._sample_ids.add(sample_id)
            gathered.samples.append(self._sample(sample_id, gathered.archive, start, time, named=bool(sample)))
        gathered.ids.append(f"{sample_id}/{place.tail}")
        gathered.sample_ids.append(sample_id)
        gathered.labels.append(label)
        gathered.times.append(own_time)
        gathered.positions.append(position)

    def _sample(
        self, sample_id: str, archive: str, start: datetime | None, time: datetime | None, *, named: bool
    ) -> Sample:
        card = self._card
        provenance = {"licence": card.licence_source}
        sample = Sample(
            id=sample_id,
            source=card.name,
            path=archive,
            reader="collections",
            instrument=card.instrument or None,
            instrument_code=card.instrument_code or None,
            licence=card.licence,
            attribution=card.attribution,
        )
        if start is not None:
            sample = replace(sample, start=start)
            provenance["start"] = "name of the bin"
        elif named and card.layout.sample_by == "day" and time is not None:
            day = time.replace(hour=0, minute=0, second=0, microsecond=0)
            sample = replace(sample, start=day, end=day + timedelta(days=1))
            provenance["start"] = provenance["end"] = "the day (UTC) of its pictures"
        if (position := card.position) is not None:
            sample = replace(
                sample,
                latitude=position.latitude,
                longitude=position.longitude,
                depth_min_m=position.depth_m,
                depth_max_m=position.depth_m,
            )
            said = ("latitude", "longitude") if position.depth_m is None else _POSITION
            provenance |= dict.fromkeys(said, f"card {position.how}")
        return replace(sample, provenance=provenance)


def _key(matches: str, name: str, place: Place) -> str:
    if matches == "object":
        return place.object or ""
    if matches == "path":
        return "/".join(name.rsplit("/", 2)[-2:])
    file = name.rpartition("/")[2]
    return file if matches == "file" else file.rpartition(".")[0]
