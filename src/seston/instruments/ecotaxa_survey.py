"""The first reading of an EcoTaxa table: which samples it holds, and which of an object's rows is its own.

A sample must be known before its first particle, and an object's pictures need not stand together. So a table is read
twice, and the first reading remembers 25 bytes a row besides what it learns of each sample.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from seston.instruments.ecotaxa_bundles import Pictures
from seston.instruments.ecotaxa_cells import parse_real
from seston.instruments.ecotaxa_objects import ObjectColumns, Spot
from seston.instruments.ecotaxa_table import Header, Row

__all__ = ["FURTHER", "OWN", "REPEATED", "UNUSABLE", "Acquisition", "Survey", "picture_name", "survey"]

OWN, FURTHER, REPEATED, UNUSABLE = range(4)
"""What a row is: its object's own; a further picture of it; a repetition; none that can be used."""

_ORIGINAL_OF_A_VIGNETTE = 100
_MOST_PLACES = 512
_MOST_CATEGORIES = 4096
_NOT_MEASURED = re.compile(
    r"id|link|prediction_score|prediction_model|source|licence|attribution|flags|random_value|sunpos|(?:lat|lon|date|time)(?:_end)?|depth_m(?:in|ax)|annotation_\w+"
)
"""Fields of objects that are no measurements."""
_INNER = ("sample", "acq", "process")

Rows = Callable[[], Iterator[Row]]


@dataclass(slots=True)
class Acquisition:
    """What the rows of one acquisition of one sample say together."""

    sample_id: str
    acquisition_id: str
    line: int
    cells: tuple[str, ...]
    """Of the columns of sample, acquisition and process, as its first row has them."""
    objects: int = 0
    varying: set[int] = field(default_factory=set)
    """Places in `cells` where later rows say something else."""
    places: Counter[tuple[float, float]] = field(default_factory=Counter)
    first_time: datetime | None = None
    last_time: datetime | None = None
    end: datetime | None = None
    depths_min: tuple[float, float] | None = None
    depths_max: tuple[float, float] | None = None
    lineages: dict[str, str] = field(default_factory=dict)
    """Category → its place in EcoTaxa's tree."""
    id_days: Counter[str] = field(default_factory=Counter)
    """Days by which ids of objects begin."""

    def join(self, other: Acquisition, names: tuple[str, ...]) -> None:
        """Take in another acquisition of the same sample; `names` are those of the columns of `cells`."""
        self.objects += other.objects
        self.varying |= other.varying
        for place, name in enumerate(names):
            if name.startswith("sample_") and self.cells[place] != other.cells[place]:
                self.varying.add(place)
        self.places.update(other.places)
        self.id_days.update(other.id_days)
        times = [time for one in (self, other) for time in (one.first_time, one.last_time) if time is not None]
        self.first_time, self.last_time = (min(times), max(times)) if times else (None, None)
        self.end = max((end for end in (self.end, other.end) if end is not None), default=None)
        for value in other.depths_min or ():
            self.depths_min = _widened(self.depths_min, value)
        for value in other.depths_max or ():
            self.depths_max = _widened(self.depths_max, value)
        self.lineages = {**other.lineages, **self.lineages}

    def usual_place(self) -> tuple[float, float] | None:
        """Give the position of most objects."""
        return self.places.most_common(1)[0][0] if self.places else None


@dataclass(slots=True)
class Survey:
    """What was learnt of a whole table."""

    acquisitions: dict[tuple[str, str], Acquisition]
    kinds: NDArray[np.uint8]
    """What each row is, in their order: `OWN`, `FURTHER`, `REPEATED` or `UNUSABLE`."""
    inner_names: tuple[str, ...]
    """Columns of sample, acquisition and process, in the order of `Acquisition.cells`."""
    measured: tuple[tuple[str, int], ...]
    """Columns of the objects' measurements that are not empty throughout: name and place."""
    words: tuple[str, ...]
    """Columns of objects that hold words, which are not kept."""
    named: int = 0
    """Rows that name a picture."""
    found: int = 0
    """Of these, the pictures that are there."""


def survey(header: Header, rows: Rows, pictures: Pictures) -> Survey:
    """Read a table through once.

    Parameters
    ----------
    rows
        Gives its rows from the beginning.
    pictures
        Those that are there; the ones that a row names are taken out of its `unnamed`.
    """
    columns = ObjectColumns.of(header)
    inner = [(name, header.columns[name]) for level in _INNER for name in header.of_level(level)]
    pick = _picker([place for _, place in inner])
    found = Survey({}, np.empty(0, np.uint8), tuple(name for name, _ in inner), (), ())
    measures = _Measures(header)
    marks = _Marks()
    for row in rows():
        cells = row.cells
        object_id, name = cells[columns.object_id].strip(), picture_name(cells[columns.picture])
        present = name in pictures.names
        if name:
            found.named += 1
            found.found += present
            pictures.unnamed.discard(name)
        if row.trouble or not object_id:
            marks.unusable()
            continue
        key = cells[columns.sample].strip(), cells[columns.acquisition].strip()
        acquisition = found.acquisitions.get(key)
        said = pick(cells)
        if acquisition is None:
            acquisition = found.acquisitions[key] = Acquisition(*key, row.line, said)
        _learn(acquisition, said, columns.spot(cells, _do_not_complain))
        _learn_names(acquisition, object_id, cells[columns.category].strip(), cells[columns.hierarchy].strip())
        measures.look_at(cells)
        rank = _rank(cells[columns.rank])
        if rank == _ORIGINAL_OF_A_VIGNETTE and cells[columns.instrument].strip().lower().startswith("uvp6"):
            rank = -1  # the other picture is made from it: inverted, with a scale bar and a footer
        marks.add(hash((key[0], object_id)), hash((key[0], object_id, name)), rank + 1000 * (not present))
    found.kinds = marks.kinds()
    found.measured, found.words = measures.measured(), measures.words()
    return found


def picture_name(cell: str) -> str:
    """Give the path of a picture with forward slashes; empty where a row names none."""
    name = cell.strip().replace("\\", "/")
    if "./" not in name and "//" not in name:
        return name
    tidy = "/".join(part for part in name.split("/") if part not in ("", "."))
    return f"/{tidy}" if name.startswith("/") else tidy


def _do_not_complain(column: str, reason: str) -> None:
    """Pass over a bad cell: the second reading names it."""


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple(cells[place] for place in places)


def _learn(acquisition: Acquisition, cells: tuple[str, ...], spot: Spot) -> None:
    acquisition.objects += 1
    if cells != acquisition.cells:
        acquisition.varying.update(
            place for place, (one, other) in enumerate(zip(cells, acquisition.cells, strict=True)) if one != other
        )
    if spot.latitude is not None and spot.longitude is not None:
        place = (spot.latitude, spot.longitude)
        if place in acquisition.places or len(acquisition.places) < _MOST_PLACES:
            acquisition.places[place] += 1
    if spot.time is not None:
        acquisition.first_time = min(spot.time, acquisition.first_time or spot.time)
        acquisition.last_time = max(spot.time, acquisition.last_time or spot.time)
    if spot.end is not None:
        acquisition.end = max(spot.end, acquisition.end or spot.end)
    acquisition.depths_min = _widened(acquisition.depths_min, spot.depth_min_m)
    acquisition.depths_max = _widened(acquisition.depths_max, spot.depth_max_m)


def _learn_names(acquisition: Acquisition, object_id: str, category: str, hierarchy: str) -> None:
    if hierarchy and category and len(acquisition.lineages) < _MOST_CATEGORIES:
        acquisition.lineages.setdefault(category, hierarchy)
    day = object_id[:10]
    if day[4:5] == "-" == day[7:8] and (day in acquisition.id_days or len(acquisition.id_days) < _MOST_PLACES):
        acquisition.id_days[day] += 1


def _widened(limits: tuple[float, float] | None, value: float | None) -> tuple[float, float] | None:
    if value is None:
        return limits
    return (value, value) if limits is None else (min(limits[0], value), max(limits[1], value))


@lru_cache(maxsize=1024)
def _rank(cell: str) -> int:
    value, _ = parse_real(cell)
    return int(min(max(value or 0, 0), 999))


class _Measures:
    """Which columns of objects hold measurements: not empty throughout, and numbers."""

    def __init__(self, header: Header) -> None:
        self._columns: list[tuple[str, int]] = []
        self._empty: dict[int, str] = {}
        self._words: list[str] = []
        self._types = header.types
        for name in header.of_level("object"):
            place = header.columns[name]
            if _NOT_MEASURED.fullmatch(name.removeprefix("object_")):
                continue
            if header.types and header.types[place] == "t":
                self._words.append(name)
            elif not header.types or header.types[place] in ("f", ""):
                self._empty[place] = name

    def look_at(self, cells: list[str]) -> None:
        """Take note of the columns that this row is the first to fill."""
        if not self._empty:
            return
        for place in [place for place in self._empty if cells[place].strip()]:
            value, reason = parse_real(cells[place])
            if value is None and not reason:
                continue
            name = self._empty.pop(place)
            if reason and not (self._types and self._types[place]):
                self._words.append(name)
            else:
                self._columns.append((name, place))

    def measured(self) -> tuple[tuple[str, int], ...]:
        """Name the columns of numbers, in the order of the table."""
        return tuple(sorted(self._columns, key=itemgetter(1)))

    def words(self) -> tuple[str, ...]:
        """Name the columns of words."""
        return tuple(self._words)


class _Marks:
    """Remembers of each row which object and picture it is of, and how much it is its object's own."""

    def __init__(self) -> None:
        self._objects = array("q")
        self._pairs = array("q")
        self._orders = array("h")

    def add(self, of_object: int, of_pair: int, order: int) -> None:
        """Add a row that can be used; the lowest order of an object is its own row."""
        self._objects.append(of_object)
        self._pairs.append(of_pair)
        self._orders.append(order)

    def unusable(self) -> None:
        """Add a row that cannot be used."""
        self.add(0, 0, -2)

    def kinds(self) -> NDArray[np.uint8]:
        """Say of each row what it is."""
        objects, pairs = np.frombuffer(self._objects, np.int64), np.frombuffer(self._pairs, np.int64)
        orders = np.frombuffer(self._orders, np.int16)
        kinds = np.full(len(objects), FURTHER, np.uint8)
        kinds[_first_of_each(objects, orders)] = OWN
        repeated = np.ones(len(objects), np.bool_)
        repeated[_first_of_each(pairs, orders)] = False
        kinds[repeated] = REPEATED
        kinds[orders == -2] = UNUSABLE
        return kinds


def _first_of_each(hashes: NDArray[np.int64], orders: NDArray[np.int16]) -> NDArray[np.int64]:
    """Give the row of each hash that has the lowest order, of equal ones the first."""
    if not len(hashes):
        return np.empty(0, np.int64)
    sequence = np.lexsort((orders, hashes))
    in_order = hashes[sequence]
    first = np.ones(len(hashes), np.bool_)
    first[1:] = in_order[1:] != in_order[:-1]
    rows: NDArray[np.int64] = sequence[first]
    return rows
