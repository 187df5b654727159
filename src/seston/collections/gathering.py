"""From the archives of a collection to pictures with their place, label, sample and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath

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
    """Pictures of which the tables have not been asked yet."""

    places: list[Place] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class _Columns:
    """What is known of each picture; paths say it first, then each table."""

    labels: list[str | None]
    samples: list[str | None]
    starts: list[datetime | None]
    """Of the samples."""
    times: list[datetime | None]
    """At least the days."""
    own_times: list[datetime | None]
    """Of the pictures themselves."""
    positions: list[tuple[float | None, ...]]

    def fill(self, table: SideTable, rows: list[Said | None]) -> None:
        """Take in what a table says of each picture; it stands before what was known."""
        if table.label:
            said = [row.label if row else None for row in rows]
            self.labels = [new or old for new, old in zip(said, self.labels, strict=True)]
        if table.sample:
            said = [row.sample if row else None for row in rows]
            together = zip(said, self.samples, self.starts, strict=True)
            self.starts = [None if new and new != old else start for new, old, start in together]
            self.samples = [new or old for new, old in zip(said, self.samples, strict=True)]
        if table.time:
            times = [row.time if row else None for row in rows]
            self.times = [new or old for new, old in zip(times, self.times, strict=True)]
            if "%H" in table.time_format:
                self.own_times = [new or old for new, old in zip(times, self.own_times, strict=True)]
        if any(getattr(table, name) for name in _POSITION):
            self.positions = [row[3:] if row else old for row, old in zip(rows, self.positions, strict=True)]

    def name_samples_by_day(self) -> None:
        """Give pictures without a sample that of their day, where it is known."""
        days: dict[date, str] = {}
        for place, (sample, time) in enumerate(zip(self.samples, self.times, strict=True)):
            if sample is None and time is not None:
                day = time.date()
                self.samples[place] = days.get(day) or days.setdefault(day, f"{day:%Y%m%d}")


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
        self._sample_ids: dict[str | None, str] = {}
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
                    self._take(member, found, archive)
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

    def _take(self, member: Member, found: _Found, archive: Path) -> None:
        name, data, trouble, is_folder = member
        if data is None:
            if trouble:
                self.set_aside.add(str(archive), name, f"{trouble}: left out")
            elif not is_folder:
                self.others[PurePosixPath(name).suffix.lower() or "no ending"] += 1
            return
        name = name.removeprefix("./")
        if self._rules.is_ignored(name):
            self.ignored += 1
        elif (place := self._rules.place(name)) is not None:
            found.places.append(place)
            found.names.append(name)
            found.pictures.append(data)
            found.size += len(data)
        else:
            self.set_aside.add(str(archive), name, f"{_NOWHERE}: left out")

    def _completed(self, found: _Found, archive: str) -> Gathered:
        """Add what the tables say, and name particles and samples."""
        tails, labels, samples, objects, times, starts = map(list, zip(*found.places, strict=True))
        columns = _Columns(labels, samples, starts, times, list(times), [()] * len(tails))
        for table, rows in self._tables:
            columns.fill(table, rows.find(_keys(table.matches, found.names, objects)))
        if self._card.layout.sample_by == "day":
            columns.name_samples_by_day()
        ids = self._sample_ids
        gathered = Gathered(
            labels=columns.labels,
            times=columns.own_times,
            positions=columns.positions,
            pictures=found.pictures,
            archive=archive,
            size=found.size,
        )
        for place, sample in enumerate(columns.samples):
            sample_id = ids.get(sample)
            if sample_id is None:
                sample_id = ids[sample] = f"{self._card.name}:{sample}" if sample else self._card.name
                start, time = columns.starts[place], columns.times[place]
                gathered.samples.append(self._sample(sample_id, archive, start, time, named=bool(sample)))
            gathered.sample_ids.append(sample_id)
        gathered.ids = [f"{sample_id}/{tail}" for sample_id, tail in zip(gathered.sample_ids, tails, strict=True)]
        return gathered

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


def _keys(matches: str, names: list[str], objects: list[str | None]) -> list[str]:
    """Give what a table calls pictures of these paths."""
    if matches == "object":
        return [text or "" for text in objects]
    if matches == "path":
        return ["/".join(name.rsplit("/", 2)[-2:]) for name in names]
    files = [name.rpartition("/")[2] for name in names]
    return files if matches == "file" else [file.rpartition(".")[0] for file in files]
