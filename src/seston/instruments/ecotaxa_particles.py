"""One EcoTaxa table as samples and particles, and a line for whatever is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from math import isinf, nan
from operator import itemgetter
from types import MappingProxyType

from seston.errors import InputError
from seston.instruments.archive_member import unsafe_name
from seston.instruments.ecotaxa_bundles import Bundle
from seston.instruments.ecotaxa_cells import STATUSES, parse_real
from seston.instruments.ecotaxa_objects import Classification, ObjectColumns
from seston.instruments.ecotaxa_sample import family_of, sample_facts, sample_id
from seston.instruments.ecotaxa_survey import FURTHER, OWN, REPEATED, Acquisition, Survey, picture_name, survey
from seston.instruments.ecotaxa_table import Header, Row, read_header, read_rows
from seston.instruments.pictures import image_format
from seston.instruments.source import Record
from seston.particle import Annotation, Particle, Sample

__all__ = ["is_of_one_scan", "read_bundle"]

_NAMED_OF_A_KIND = 100
"""Rows with the same fault that are named one by one; the others are counted."""
_NO_PARAMETERS: Mapping[str, float] = MappingProxyType({})


def read_bundle(bundle: Bundle, *, reader: str, alone: bool) -> Iterator[Record]:
    """Stream the records of a table.

    Parameters
    ----------
    reader
        Name of the reader, for the samples.
    alone
        Whether nothing else is read with it: then a table without rows is an error.

    Raises
    ------
    InputError
        Where nothing of it can be read; without the path in front.
    """
    header = read_header(bundle.open)
    found = survey(header, lambda: read_rows(bundle.open, header), bundle.pictures)
    if not len(found.kinds):
        text = "the table has a header but no rows: there is nothing to import"
        if alone:
            raise InputError(text)
        yield bundle.note(text)
        return
    for column, reason in header.faults:
        yield bundle.skipped(f"column {column}", reason)
    for oddity in header.oddities:
        yield bundle.note(oddity)
    reading = _Reading(bundle, header, found, reader)
    yield from reading.check_hierarchy()
    for place, row in enumerate(read_rows(bundle.open, header)):
        yield from reading.records(row, int(found.kinds[place]))
    yield from reading.remarks()


def is_of_one_scan(bundle: Bundle) -> bool:
    """Tell whether a table lies where ZooProcess writes that of one scan: ``Zooscan_scan/_work/SCAN``."""
    return "_work" in bundle.layout


@dataclass(slots=True)
class _Reading:
    """The second reading of a table."""

    bundle: Bundle
    header: Header
    found: Survey
    reader: str
    samples: dict[str, Sample] = field(default_factory=dict)
    """Those that were given already, by their id."""
    counts: Counter[str] = field(default_factory=Counter)
    pending: list[Record] = field(default_factory=list)
    columns: ObjectColumns = field(init=False)
    pick: Callable[[list[str]], tuple[str, ...]] = field(init=False)
    names: tuple[str, ...] = field(init=False)
    ids: dict[tuple[str, str], str] = field(init=False)
    """Id of the sample of each acquisition."""
    joined: dict[str, Acquisition] = field(default_factory=dict)
    """Acquisitions by the id of the sample; several of one sample are put together."""

    def __post_init__(self) -> None:
        self.columns = ObjectColumns.of(self.header)
        places = [place for _, place in self.found.measured]
        self.names = tuple(name for name, _ in self.found.measured)
        self.pick = itemgetter(*places) if len(places) > 1 else lambda cells: tuple(cells[place] for place in places)
        inner, default = self.found.inner_names, self.bundle.name
        self.ids = {key: sample_id(one, inner, default) for key, one in self.found.acquisitions.items()}
        for key, acquisition in self.found.acquisitions.items():
            if (known := self.joined.get(self.ids[key])) is None:
                self.joined[self.ids[key]] = deepcopy(acquisition)
            else:
                known.join(acquisition, inner)

    def records(self, row: Row, kind: int) -> Iterator[Record]:
        """Give what one row makes: its sample where it is the first of it, its particle, its faults."""
        object_id = row.cells[self.columns.object_id].strip()

        def complain(column: str, reason: str) -> None:
            self._skip(column, row.line, object_id, f"{column}: {reason}")

        if row.trouble:
            self._skip("width", row.line, object_id, f"{row.trouble}: the row is left out")
        elif not object_id:
            self._skip("object_id", row.line, "", "object_id is empty: the row is left out")
            self._picture(row, complain)
        elif kind == REPEATED:
            self._skip("repeated", row.line, object_id, "the same object and picture as in a row before: left out")
        elif kind == FURTHER:
            self.counts["further"] += 1
        elif kind == OWN:
            yield from self._own(row, object_id, complain)
        if self.pending:
            yield from self.pending
            self.pending.clear()

    def check_hierarchy(self) -> Iterator[Record]:
        """Name acquisitions that stand under two samples, which EcoTaxa refuses."""
        sample_of: dict[str, str] = {}
        for acquisition in self.found.acquisitions.values():
            own = acquisition.acquisition_id
            if own and sample_of.setdefault(own, acquisition.sample_id) != acquisition.sample_id:
                text = f"acquisition {own!r} stands under two samples, {sample_of[own]!r} and {acquisition.sample_id!r}"
                yield self.bundle.skipped(f"line {acquisition.line}", f"{text}; they are read as two")
        if len(sample_of) > 1 and is_of_one_scan(self.bundle) and self._of_zooscan():
            text = f"a scan has one acquisition, this table has {len(sample_of)}: {', '.join(list(sample_of)[:3])}"
            yield self.bundle.skipped("", f"{text}; they are read as that many")

    def remarks(self) -> Iterator[Record]:
        """Say at the end what was counted."""
        bundle, counts = self.bundle, self.counts
        for kind, number in counts.items():
            if kind.startswith("skipped ") and number > _NAMED_OF_A_KIND:
                more = number - _NAMED_OF_A_KIND
                yield bundle.skipped("", f"{more:,} more rows of this kind: {kind.removeprefix('skipped ')}")
        if counts["empty"]:
            text = f"{counts['empty']:,} rows have no picture here and no measurements: left out"
            yield bundle.skipped("", text)
        if counts["further"]:
            text = "1 further picture of an object is not kept"
            several = f"{counts['further']:,} further pictures of objects are not kept"
            yield bundle.note(several if counts["further"] > 1 else text)
        if self.found.named and not self.found.found and counts["given"]:
            named = (
                "none of the pictures that its rows name is here" if self.found.named > 1 else "its picture is not here"
            )
            yield bundle.note(f"{named}: measurements alone are read")
        if self.found.words and counts["given"]:
            shown = ", ".join(self.found.words[:5]) + (", …" if len(self.found.words) > 5 else "")
            yield bundle.note(f"columns of objects that hold words are not kept: {shown}")

    def _of_zooscan(self) -> bool:
        return any(
            family_of(dict(zip(self.found.inner_names, one.cells, strict=True))) == "ZooScan"
            for one in self.found.acquisitions.values()
        )

    def _own(self, row: Row, object_id: str, complain: Callable[[str, str], None]) -> Iterator[Record]:
        cells = row.cells
        key = cells[self.columns.sample].strip(), cells[self.columns.acquisition].strip()
        spot = self.columns.spot(cells, complain)
        called = self.columns.classification(cells, complain)
        listmode = self._parameters(cells, complain)
        image = self._picture(row, complain)
        if image is None and not listmode:
            self.counts["empty"] += 1
            return
        self.counts["given"] += 1
        if self.ids[key] not in self.samples:
            yield from self._begin(self.ids[key])
        sample = self.samples[self.ids[key]]
        particle = Particle(
            id=object_id if object_id.startswith(f"{sample.id}/") else f"{sample.id}/{object_id}",
            sample_id=sample.id,
            source=cells[self.columns.source].strip(),
            image=image,
            image_format=image_format(image) if image is not None else None,
            pixel_size_um=sample.pixel_size_um,
            listmode=listmode,
            raw_label=called.label,
            raw_status=called.status,
            time=spot.time,
            latitude=spot.latitude,
            longitude=spot.longitude,
            depth_min_m=spot.depth_min_m,
            depth_max_m=spot.depth_max_m,
            licence=cells[self.columns.licence].strip() or "unknown",
            attribution=cells[self.columns.attribution].strip(),
            flags=tuple(dict.fromkeys([*sample.flags, *cells[self.columns.flags].split()])),
        )
        yield particle
        if called.time is not None:
            yield from _annotation(particle, called, cells[self.columns.person])

    def _begin(self, id: str) -> Iterator[Record]:
        """Give a sample and what is wrong or odd about it."""
        file = self.bundle.table.rpartition("/")[2]
        facts = sample_facts(self.joined[id], self.found.inner_names, file=file, id=id)
        self.samples[id] = replace(facts.sample, path=str(self.bundle.path), reader=self.reader)
        yield self.samples[id]
        for column, reason in facts.faults:
            yield self.bundle.skipped(id, f"{column}: {reason}")
        for oddity in facts.oddities:
            yield self.bundle.note(f"{id}: {oddity}")

    def _parameters(self, cells: list[str], complain: Callable[[str, str], None]) -> Mapping[str, float]:
        """Give the measurements; NaN for an empty cell, so that all rows have the same names."""
        if not self.names:
            return _NO_PARAMETERS
        picked = self.pick(cells)
        try:
            values = list(map(float, picked))
            plain = "_" not in "".join(picked) and not any(map(isinf, values))
        except ValueError:
            plain = False
        if not plain:
            values = [self._parameter(name, cell, complain) for name, cell in zip(self.names, picked, strict=True)]
        if all(value != value for value in values):
            return _NO_PARAMETERS
        return dict(zip(self.names, values, strict=True))

    def _parameter(self, name: str, cell: str, complain: Callable[[str, str], None]) -> float:
        value, reason = parse_real(cell)
        if reason:
            complain(name, f"{reason}; left out")
        return nan if value is None else value

    def _picture(self, row: Row, complain: Callable[[str, str], None]) -> bytes | None:
        name = picture_name(row.cells[self.columns.picture])
        if not name:
            return None
        if name in self.bundle.pictures.names:
            try:
                return self.bundle.pictures.read(name)
            except ValueError as error:
                complain("img_file_name", f"the picture {_shown(name)!r} {error}")
        elif unsafe := unsafe_name(name):
            complain("img_file_name", f"{_shown(name)!r} is not followed: {unsafe}")
        elif self.found.found:
            complain("img_file_name", f"there is no picture {_shown(name)!r}")
        return None

    def _skip(self, kind: str, line: int, object_id: str, reason: str) -> None:
        self.counts[f"skipped {kind}"] += 1
        if self.counts[f"skipped {kind}"] <= _NAMED_OF_A_KIND:
            item = f"line {line}" + (f" ({_shown(object_id)})" if object_id else "")
            self.pending.append(self.bundle.skipped(item, reason))


def _annotation(particle: Particle, called: Classification, person: str) -> Iterator[Annotation]:
    """Give what a person said, as an event of the history."""
    status = STATUSES[(called.status or "").lower()]
    if called.label is not None and called.time is not None and (status == "validated" or status == "dubious"):
        author = " ".join(person.split()) or "unknown"
        yield Annotation(particle_id=particle.id, label=called.label, status=status, author=author, time=called.time)


def _shown(text: str) -> str:
    """Make a text from a file fit to be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:120])
