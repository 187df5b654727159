"""Whole tables of new particles into a data set: the quick way in, for pictures by the million.

An import by `DataSet.import_` weighs every particle by itself, for it may bring a part that an older one lacks. Here a
particle is new, or it is there already and left alone. What repeats an earlier picture is flagged all the same.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.particle import Sample
from seston.store.keys import Keys, content_keys, id_keys
from seston.store.plausibility import flag_rows, with_flags
from seston.store.sample_rows import join_samples, samples_to_table, table_to_samples
from seston.store.schema import PARTICLES
from seston.store.tables import Table
from seston.store.uniqueness import drop_doubles

__all__ = ["Appender"]

_COMMIT_ROWS = 16_384
_COMMIT_BYTES = 48 * 1024 * 1024
_COMMIT_SECONDS = 20.0
_DUPLICATE = "duplicate"


class Appender:
    """Adds particles in the order in which they come and commits them some thousand at a time.

    Made by `DataSet.appending`, which holds the lock for imports as long.

    Parameters
    ----------
    particles, samples
        The tables.
    """

    def __init__(self, particles: Table, samples: Table) -> None:
        self._particles = particles
        self._samples = samples
        ids, contents = _keys_of(particles)
        self._ids = Keys(ids)
        self._contents = Keys(contents)
        self._sample_records = {sample.id: sample for sample in table_to_samples(samples.read(samples.schema.names))}
        self._new_samples: dict[str, Sample] = {}
        self._changed_samples: dict[str, Sample] = {}
        self._waiting: list[pa.Table] = []
        self._bytes = 0
        self._oldest = time.monotonic()
        self.added = 0
        self.duplicates = 0

    def are_there(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which of these particles the data set has, or will have with the next commit."""
        return self._ids.hold(id_keys(ids))

    def forget(self, ids: Sequence[str]) -> None:
        """Take these ids as there already, though no row has them: particles that were merged into others."""
        self._ids.add(id_keys(ids))

    def take_sample(self, sample: Sample) -> None:
        """Add a sample, or what an older record of it leaves empty; it is committed before its particles."""
        old = self._sample_records.get(sample.id)
        if old is None or sample.id in self._new_samples:
            self._new_samples[sample.id] = joined = sample if old is None else join_samples(old, sample)
        elif (joined := join_samples(old, sample)) is not old:
            self._changed_samples[sample.id] = joined
        self._sample_records[sample.id] = joined

    def add(self, rows: pa.Table, ids: Sequence[str], hashes: Sequence[str | None]) -> None:
        """Add rows of the table of particles; rows whose picture stands in an earlier row are flagged ``duplicate``.

        Parameters
        ----------
        rows
            Particles that are not there yet, none twice.
        ids, hashes
            Their columns ``id`` and ``image_hash`` once more, as text that need not be made again.
        """
        if not rows.num_rows:
            return
        repeated = self._find_repeats(content_keys(hashes))
        if repeated.any():
            rows = _flagged(rows, repeated)
        self._ids.add(id_keys(ids))
        self.added += rows.num_rows
        self.duplicates += int(repeated.sum())
        if not self._waiting:
            self._oldest = time.monotonic()
        self._waiting.append(rows)
        self._bytes += rows.nbytes
        if self._is_due():
            self.commit()

    def commit(self) -> None:
        """Write what was added since the last commit."""
        if self._new_samples:
            self._samples.append(samples_to_table(with_flags(list(self._new_samples.values()))))
        if self._changed_samples:
            self._samples.replace(samples_to_table(with_flags(list(self._changed_samples.values()))), "id")
        self._new_samples, self._changed_samples = {}, {}
        if self._waiting:
            self._particles.append(flag_rows(pa.concat_tables(self._waiting), self._sample_records))
            self._waiting, self._bytes = [], 0

    def finish(self) -> None:
        """Commit the rest and see that no id stands twice."""
        self.commit()
        if self.added:
            drop_doubles(self._particles)

    def _is_due(self) -> bool:
        return (
            sum(rows.num_rows for rows in self._waiting) >= _COMMIT_ROWS
            or self._bytes >= _COMMIT_BYTES
            or time.monotonic() - self._oldest >= _COMMIT_SECONDS
        )

    def _find_repeats(self, contents: NDArray[np.int64]) -> NDArray[np.bool_]:
        repeated = self._contents.hold(contents)
        first = np.zeros(len(contents), np.bool_)
        first[np.unique(contents, return_index=True)[1]] = True
        repeated |= ~first
        repeated &= contents != 0
        self._contents.add(contents[contents != 0])
        return repeated


def _keys_of(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids, contents = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for batch in table.scan(["id", "image_hash"], batch_size=65_536):
        ids.append(id_keys(batch.column("id").to_pylist()))
        contents.append(content_keys(batch.column("image_hash").to_pylist()))
    keys = np.concatenate(contents)
    return np.concatenate(ids), keys[keys != 0]


def _flagged(rows: pa.Table, repeated: NDArray[np.bool_]) -> pa.Table:
    flags = [
        [*(old or ()), _DUPLICATE] if again else old
        for old, again in zip(rows.column("flags").to_pylist(), repeated.tolist(), strict=True)
    ]
    place = rows.schema.get_field_index("flags")
    return rows.set_column(place, PARTICLES.field("flags"), pa.array(flags, PARTICLES.field("flags").type))
