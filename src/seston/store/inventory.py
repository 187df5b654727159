"""Count what is in a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from seston.particle import Sample
from seston.store.tables import Table

__all__ = ["Counts", "count_particles"]

_COLUMNS = ("sample_id", "image_hash", "profile_hash", "listmode_names", "licence", "flags")


class Counts:
    """Numbers of particles, added up batch by batch."""

    def __init__(self) -> None:
        self.particles = self.images = self.profiles = self.pairs = self.listmode = 0
        self.licences: Counter[str] = Counter()
        self.instruments: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()


def count_particles(table: Table, samples: Mapping[str, Sample]) -> Counts:
    """Add up one pass over the small columns of the table of particles."""
    counts = Counts()
    for batch in table.scan(_COLUMNS, batch_size=8192):
        _add(counts, batch, samples)
    return counts


def _add(counts: Counts, batch: pa.RecordBatch, samples: Mapping[str, Sample]) -> None:
    image, profile = (batch.column(name).is_valid() for name in ("image_hash", "profile_hash"))
    counts.particles += batch.num_rows
    counts.images += pc.sum(image).as_py()
    counts.profiles += pc.sum(profile).as_py()
    counts.pairs += pc.sum(pc.and_(image, profile)).as_py()
    counts.listmode += batch.num_rows - batch.column("listmode_names").null_count
    counts.licences.update(licence or "unknown" for licence in batch.column("licence").to_pylist())
    for sample_id, n in Counter(batch.column("sample_id").to_pylist()).items():
        sample = samples.get(sample_id)
        counts.instruments[(sample.instrument if sample else None) or "unknown"] += n
    for flag in pc.value_counts(batch.column("flags").flatten()).to_pylist():
        counts.flags[flag["values"]] += flag["counts"]
