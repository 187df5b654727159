"""Where the particles of a data set were taken: each place once, with how many were taken there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from seston.particle import Sample
    from seston.store import DataSet

__all__ = ["Place", "Places", "find_places"]

_STEPS_A_DEGREE = 20
_MOST_NAMED = 3
_NOT_ON_A_MAP = "position"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A twentieth of a degree, about 5 km, where particles were taken."""

    latitude: float
    longitude: float
    particles: int
    samples: int
    named: tuple[str, ...]
    """Some of its samples."""
    on_land: bool = False
    """Whether all of it lies at least 30 km inland: a lake, or a wrong position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """All places of a data set, those with most particles first."""

    places: list[Place] = field(default_factory=list)
    particles: int = 0
    """Particles with a place."""
    samples: int = 0
    """Samples with a place."""
    without: int = 0
    """Particles of which no one says where they were taken."""
    impossible: int = 0
    """Particles whose position is none (flag ``position``); they are on no map."""


def find_places(data: DataSet) -> Places:
    """Count particles by place: a particle's own position, or else that of its sample.

    One pass over small columns; what is kept grows with the number of places and samples, not of particles.
    """
    samples = {sample.id: sample for sample in data.samples()}
    counter = _Counter(list(samples.values()))
    columns = ["sample_id", "latitude", "longitude", "flags"]
    for batch in data.particles(columns, batch_size=8192):
        counter.add(batch)
    return counter.places()


class _Counter:
    """Adds up batches of particles by the cell of the globe that they lie in."""

    def __init__(self, samples: list[Sample]) -> None:
        self._names = [sample.id for sample in samples]
        self._rows = {name: row for row, name in enumerate(self._names)}
        positions = [(_degrees(sample.latitude), _degrees(sample.longitude)) for sample in samples]
        self._position = np.array([*positions, (np.nan, np.nan)], np.float64)  # the last one: of no sample
        self._wrong = np.array([*(_NOT_ON_A_MAP in sample.flags for sample in samples), False], np.bool_)
        self._cells: Counter[tuple[int, int, int]] = Counter()
        self._without = self._impossible = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the particles of a batch."""
        names = batch.column("sample_id").fill_null("").dictionary_encode()
        row_of = np.array([self._rows.get(name, len(self._names)) for name in names.dictionary.to_pylist()], np.int64)
        sample = row_of[names.indices.to_numpy(zero_copy_only=False)]
        own = np.column_stack([_numbers(batch, name) for name in ("latitude", "longitude")])
        flagged = _have_flag(batch, _NOT_ON_A_MAP)
        says = np.isfinite(own[:, 0]) | np.isfinite(own[:, 1])
        position = np.where(says[:, None], own, self._position[sample])
        wrong = np.where(says, flagged, self._wrong[sample])
        known = np.isfinite(position[:, 0]) & np.isfinite(position[:, 1])
        self._without += int((~known & ~wrong).sum())
        self._impossible += int(wrong.sum())
        shown = known & ~wrong
        cells = np.round(position[shown] * _STEPS_A_DEGREE).astype(np.int64)
        keys, counts = np.unique(np.column_stack([cells, sample[shown]]), axis=0, return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            self._cells[key[0], key[1], key[2]] += count

    def places(self) -> Places:
        """Give the places, those with most particles first."""
        from seston.store.land import is_inland

        by_cell: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for (latitude, longitude, sample), count in self._cells.items():
            by_cell.setdefault((latitude, longitude), []).append((count, sample))
        cells = list(by_cell)
        degrees = np.array(cells, np.float64).reshape(-1, 2) / _STEPS_A_DEGREE
        inland = is_inland(degrees[:, 0], degrees[:, 1]).tolist()
        found = [self._place(cell, by_cell[cell], on_land) for cell, on_land in zip(cells, inland, strict=True)]
        return Places(
            places=sorted(found, key=lambda place: (-place.particles, place.latitude, place.longitude)),
            particles=self._cells.total(),
            samples=len({sample for _, _, sample in self._cells}),
            without=self._without,
            impossible=self._impossible,
        )

    def _place(self, cell: tuple[int, int], parts: list[tuple[int, int]], on_land: bool) -> Place:
        most = sorted(parts, reverse=True)[:_MOST_NAMED]
        return Place(
            latitude=cell[0] / _STEPS_A_DEGREE,
            longitude=cell[1] / _STEPS_A_DEGREE,
            particles=sum(count for count, _ in parts),
            samples=len(parts),
            named=tuple(self._names[sample] for _, sample in most if sample < len(self._names)),
            on_land=on_land,
        )


def _degrees(value: float | None) -> float:
    return np.nan if value is None else value


def _numbers(batch: pa.RecordBatch, name: str) -> NDArray[np.float64]:
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), np.float64)


def _have_flag(batch: pa.RecordBatch, flag: str) -> NDArray[np.bool_]:
    """Tell which particles have a flag."""
    import pyarrow.compute as pc

    flags = batch.column("flags")
    found = np.zeros(batch.num_rows, np.bool_)
    raised = pc.equal(flags.flatten(), flag).to_numpy(zero_copy_only=False)
    found[pc.list_parent_indices(flags).to_numpy()[raised]] = True
    return found
