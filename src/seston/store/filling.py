"""Fill in places, depths and times from outside the files: never over what a file said, and with who says so.

The pictures stay where they are: only the small columns of the particles that gain something are written anew. Where a
particle's value is from is kept in a column ``provenance``, which a data set has once something was filled in: a JSON
object of column → source.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seston.particle import Particle, Progress, Sample
from seston.store.folder import Folder
from seston.store.plausibility import flag_particles, flag_samples
from seston.store.sample_rows import samples_to_table, table_to_samples
from seston.store.schema import PARTICLES
from seston.store.tables import Table

__all__ = ["FillReport", "Found", "LookUp", "fill_tables"]

_PROVENANCE = pa.field("provenance", pa.dictionary(pa.int32(), pa.string()))
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "position": ("latitude", "longitude"),
    "depth": ("depth_min_m", "depth_max_m"),
    "time": ("time",),
}
"""Values that only make sense together: they are filled in together, or not at all."""
_OF_POSITION = ("position", "on_land")
"""Flags that go with a position that gives way."""
_FILLED = tuple(name for names in _GROUPS.values() for name in names)
_READ = ("id", "sample_id", *_FILLED, "flags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What someone knows of a particle or a sample."""

    source: str
    """Who says so, as provenance: an address, or a file."""
    latitude: float | None = None
    longitude: float | None = None
    depth_min_m: float | None = None
    depth_max_m: float | None = None
    time: datetime | None = None
    """Of a sample: its start."""


LookUp = Callable[[Sequence[str]], Sequence[Found | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillReport:
    """What was filled in."""

    particles: int = 0
    """Particles that gained something."""
    samples: int = 0
    values: dict[str, int] = field(default_factory=dict)
    """``position``, ``depth``, ``time`` → particles and samples that gained it."""
    flags: dict[str, int] = field(default_factory=dict)
    """Flag → particles and samples whose new values got it; see `seston.store.plausibility`."""


def fill_tables(
    folder: Folder, particles: Table, samples: Table, look_up: LookUp, look_up_samples: LookUp, *, progress: Progress
) -> FillReport:
    """Fill in what is missing in both tables; see `DataSet.fill_in`.

    A particle is filled in where neither it nor its sample says anything: what the sample says holds for its particles.
    A position that was only inferred for a whole collection (provenance ``card …``) gives way to a particle's own.
    """
    values: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    with folder.importing(progress):
        samples.refresh()
        particles.refresh()
        records = {sample.id: sample for sample in table_to_samples(samples.read(samples.schema.names))}
        changed = _fill_samples(records, look_up_samples, values, flags)
        if changed:
            samples.replace(samples_to_table(changed), "id")
        filler = _Filler({sample.id: sample for sample in changed} | _without(records, changed), look_up, progress)
        progress.start("filling in", particles.count_rows())
        particles.rewrite_columns(_present(particles, (*_READ, _PROVENANCE.name)), filler, pa.schema([_PROVENANCE]))
        progress.finish()
    values.update(filler.values)
    flags.update(filler.flags)
    return FillReport(particles=filler.particles, samples=len(changed), values=dict(values), flags=dict(flags))


def _present(table: Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in table.schema.names]


def _without(records: Mapping[str, Sample], changed: Sequence[Sample]) -> dict[str, Sample]:
    gone = {sample.id for sample in changed}
    return {name: sample for name, sample in records.items() if name not in gone}


def _fill_samples(
    records: Mapping[str, Sample], look_up: LookUp, values: Counter[str], flags: Counter[str]
) -> list[Sample]:
    filled = []
    for sample, found in zip(records.values(), look_up(list(records)), strict=True):
        if found is not None and (gained := _gained_by_sample(sample, found)):
            for group in _groups_of(gained):
                values[group] += 1
            provenance = MappingProxyType(dict(sample.provenance) | dict.fromkeys(gained, found.source))
            kept = tuple(flag for flag in sample.flags if "latitude" not in gained or flag not in _OF_POSITION)
            filled.append(replace(sample, **gained, provenance=provenance, flags=kept))
    changed = []
    for sample, new in zip(filled, flag_samples(filled), strict=True):
        new = tuple(flag for flag in new if flag not in sample.flags)
        flags.update(new)
        changed.append(replace(sample, flags=(*sample.flags, *new)))
    return changed


def _gained_by_sample(sample: Sample, found: Found) -> dict[str, Any]:
    gained: dict[str, Any] = {}
    for group, names in _GROUPS.items():
        if not _is_said_by_sample(sample, group):
            gained |= {_in_sample(name): getattr(found, name) for name in names if getattr(found, name) is not None}
    return gained


def _in_sample(name: str) -> str:
    return "start" if name == "time" else name


def _groups_of(names: Mapping[str, Any]) -> list[str]:
    return [
        group for group, members in _GROUPS.items() if any(_in_sample(one) in names or one in names for one in members)
    ]


def _is_said_by_sample(sample: Sample | None, group: str) -> bool:
    if sample is None:
        return False
    names = [_in_sample(name) for name in _GROUPS[group]]
    if all(sample.provenance.get(name, "").startswith("card ") for name in names):
        return False
    return any(getattr(sample, name) is not None for name in names)


class _Filler:
    """Fills in batches of particles, and counts."""

    def __init__(self, samples: Mapping[str, Sample], look_up: LookUp, progress: Progress) -> None:
        self._samples = samples
        self._look_up = look_up
        self._progress = progress
        self._said = {name: self._groups_said(sample) for name, sample in samples.items()}
        self.particles = 0
        self.values: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """Give the rows of a batch that gain something."""
        self._progress.advance(batch.num_rows)
        batch = batch.filter(_lacks_something(batch))
        if not batch.num_rows:
            return None
        columns = {name: batch.column(name).to_pylist() for name in (*_FILLED, "id", "sample_id")}
        lacking = self._lacking(columns)
        rows = [row for row, groups in enumerate(lacking) if groups]
        if not rows:
            return None
        found = self._look_up([columns["id"][row] for row in rows])
        gains = {
            row: (what.source, gained)
            for row, what in zip(rows, found, strict=True)
            if what is not None and (gained := self._gained(what, lacking[row]))
        }
        return self._write(batch, columns, gains) if gains else None

    @staticmethod
    def _groups_said(sample: Sample) -> frozenset[str]:
        return frozenset(group for group in _GROUPS if _is_said_by_sample(sample, group))

    def _lacking(self, columns: Mapping[str, list[Any]]) -> list[list[str]]:
        nothing = frozenset[str]()
        said = [self._said.get(name, nothing) for name in columns["sample_id"]]
        own = {group: zip(*(columns[name] for name in names), strict=True) for group, names in _GROUPS.items()}
        empty = {group: [all(value is None for value in values) for values in rows] for group, rows in own.items()}
        return [
            [group for group in _GROUPS if empty[group][row] and group not in said[row]] for row in range(len(said))
        ]

    def _gained(self, found: Found, groups: Sequence[str]) -> dict[str, Any]:
        gained: dict[str, Any] = {}
        for group in groups:
            gained |= {name: getattr(found, name) for name in _GROUPS[group] if getattr(found, name) is not None}
        return gained

    def _write(
        self, batch: pa.RecordBatch, columns: Mapping[str, list[Any]], gains: Mapping[int, tuple[str, dict[str, Any]]]
    ) -> pa.RecordBatch:
        rows = list(gains)
        values = {name: [gains[row][1].get(name, columns[name][row]) for row in rows] for name in _FILLED}
        particles = [_only(columns["id"][row], columns["sample_id"][row], gains[row][1]) for row in rows]
        chosen = batch.take(pa.array(rows, pa.int64()))
        flags = []
        for old, new in zip(chosen.column("flags").to_pylist(), flag_particles(particles, self._samples), strict=True):
            fresh = [flag for flag in new if flag not in (old or ())]
            self.flags.update(fresh)
            flags.append([*(old or ()), *fresh])
        before = chosen.column("provenance").to_pylist() if "provenance" in batch.schema.names else [None] * len(rows)
        provenance = [
            json.dumps(json.loads(old or "{}") | dict.fromkeys(gains[row][1], gains[row][0]), ensure_ascii=False)
            for row, old in zip(rows, before, strict=True)
        ]
        self.particles += len(rows)
        for row in rows:
            self.values.update(_groups_of(gains[row][1]))
        return pa.record_batch(
            {
                "_rowid": chosen.column("_rowid"),
                **{name: pa.array(values[name], PARTICLES.field(name).type) for name in _FILLED},
                "flags": pa.array(flags, PARTICLES.field("flags").type),
                "provenance": pa.array(provenance, pa.string()).dictionary_encode(),
            }
        )


def _lacks_something(batch: pa.RecordBatch) -> pa.Array:
    """Tell which rows lack all values of a group."""
    lacks = [reduce(pc.and_, [batch.column(name).is_null() for name in names]) for names in _GROUPS.values()]
    return reduce(pc.or_, lacks)


def _only(particle_id: str, sample_id: str, gained: Mapping[str, Any]) -> Particle:
    """Give a particle that says nothing but what it gained."""
    return replace(Particle(id=particle_id, sample_id=sample_id), **gained)
