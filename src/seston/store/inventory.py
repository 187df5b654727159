"""Count what is in a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from seston.store.annotations import counts_for_source, current_labels
from seston.store.reports import Info
from seston.store.tables import Table

__all__ = ["Counts", "count_everything", "count_labels", "count_particles"]

_COLUMNS = ("sample_id", "image_format", "profile_length", "listmode_names", "licence", "flags")
"""Small columns: what has a picture has its format, what has a profile its length."""
_LABEL_COLUMNS = ("raw_label", "raw_status")
_AT_ONCE = 65_536


def count_everything(particles: Table, samples: Table, events: pa.Table, *, splits: list[str], size: int) -> Info:
    """Count what is there.

    Parameters
    ----------
    particles, samples
        The tables.
    events
        Annotation events, oldest first.
    splits
        Names of the saved splits.
    size
        Bytes on disk.
    """
    instruments = dict(zip(*samples.read(["id", "instrument"]).to_pydict().values(), strict=True))
    counts = count_particles(particles, instruments)
    labels = count_labels(particles, events)
    return Info(
        particles=counts.particles,
        images=counts.images,
        profiles=counts.profiles,
        pairs=counts.pairs,
        listmode=counts.listmode,
        samples=len(instruments),
        labels=dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
        instruments=dict(counts.instruments.most_common()),
        licences=dict(counts.licences.most_common()),
        flags=dict(counts.flags.most_common()),
        simulated=counts.flags["simulated"],
        semi_simulated=counts.flags["semi-simulated"],
        duplicates=counts.flags["duplicate"],
        annotations=events.num_rows,
        splits=splits,
        version=particles.version,
        tags=particles.tags(),
        bytes=size,
    )


class Counts:
    """Numbers of particles, added up batch by batch."""

    def __init__(self) -> None:
        self.particles = self.images = self.profiles = self.pairs = self.listmode = 0
        self.licences: Counter[str] = Counter()
        self.instruments: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()


def count_particles(table: Table, instruments: Mapping[str, str | None]) -> Counts:
    """Add up one pass over the small columns of the table of particles.

    Parameters
    ----------
    instruments
        Instrument by the id of the sample.
    """
    counts = Counts()
    for batch in table.scan(_COLUMNS, batch_size=_AT_ONCE):
        _add(counts, batch, instruments)
    return counts


def _add(counts: Counts, batch: pa.RecordBatch, instruments: Mapping[str, str | None]) -> None:
    image, profile = (batch.column(name).is_valid() for name in ("image_format", "profile_length"))
    counts.particles += batch.num_rows
    counts.images += pc.sum(image).as_py()
    counts.profiles += pc.sum(profile).as_py()
    counts.pairs += pc.sum(pc.and_(image, profile)).as_py()
    counts.listmode += batch.num_rows - batch.column("listmode_names").null_count
    for licence, n in _values(batch.column("licence")):
        counts.licences[licence or "unknown"] += n
    for sample_id, n in _values(batch.column("sample_id")):
        counts.instruments[instruments.get(sample_id or "") or "unknown"] += n
    for flag, n in _values(batch.column("flags").flatten()):
        counts.flags[flag or ""] += n


def count_labels(table: Table, events: pa.Table) -> dict[str, int]:
    """Count the labels that hold now; particles without annotations are counted by their columns alone.

    Parameters
    ----------
    table
        The particles.
    events
        Annotation events, oldest first.
    """
    annotated = events.column("particle_id").unique() if events.num_rows else None
    said: Counter[tuple[str | None, str | None]] = Counter()
    touched: list[tuple[str, str | None, str | None]] = []
    columns = _LABEL_COLUMNS if annotated is None else ("id", *_LABEL_COLUMNS)
    for batch in table.scan(columns, batch_size=_AT_ONCE):
        rows = pa.Table.from_batches([batch])
        if annotated is not None:
            apart = pc.is_in(rows.column("id"), value_set=annotated)
            touched.extend(zip(*(rows.filter(apart).column(name).to_pylist() for name in columns), strict=True))
            rows = rows.filter(pc.invert(apart))
        for group in rows.group_by(list(_LABEL_COLUMNS), use_threads=False).aggregate([([], "count_all")]).to_pylist():
            said[group["raw_label"], group["raw_status"]] += group["count_all"]
    labels: Counter[str] = Counter(current_labels(touched, events).values())
    for (label, status), n in said.items():
        if label and counts_for_source(status):
            labels[label] += n
    return dict(labels)


def _values(column: pa.Array) -> list[tuple[str | None, int]]:
    return [(one["values"], one["counts"]) for one in pc.value_counts(column).to_pylist()]
