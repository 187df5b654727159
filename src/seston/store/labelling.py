"""The label that holds now for each particle of a table, in the order of its rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seston.store.annotations import counts_for_source, current_labels
from seston.store.tables import Table

__all__ = ["labels_in_order", "shared_texts"]


def labels_in_order(particles: Table, events: pa.Table, *, trusted: bool = False) -> list[str | None]:
    """Give the label of each row, None where there is none; see `current_labels` for what holds.

    Particles that no one annotated, nearly all of a large data set, are never looked at one by one.

    Parameters
    ----------
    particles
        The table of particles.
    events
        Annotation events, oldest first.
    trusted
        Leave out predictions and doubts.
    """
    table = particles.read(["raw_label", "raw_status"])
    labels = np.array(shared_texts(table.column("raw_label")), object)
    labels[labels == ""] = None
    statuses = table.column("raw_status").combine_chunks().dictionary_encode()
    counts = [counts_for_source(status, trusted=trusted) for status in [*statuses.dictionary.to_pylist(), None]]
    codes = statuses.indices.fill_null(len(counts) - 1).to_numpy()
    labels[~np.array(counts, np.bool_)[codes]] = None
    if events.num_rows:
        ids = particles.read(["id"]).column("id")
        rows = np.flatnonzero(pc.is_in(ids, value_set=events.column("particle_id").unique()).to_numpy())
        touched = table.append_column("id", ids).take(pa.array(rows))
        raw = [touched.column(name).to_pylist() for name in ("id", "raw_label", "raw_status")]
        current = current_labels(zip(*raw, strict=True), events, trusted=trusted)
        for row, particle_id in zip(rows.tolist(), raw[0], strict=True):
            labels[row] = current.get(particle_id)
    in_order: list[str | None] = labels.tolist()
    return in_order


def shared_texts(column: pa.ChunkedArray) -> list[str | None]:
    """Give a column of texts of which few are different, each different one as a single object."""
    encoded = column.combine_chunks().dictionary_encode()
    names = np.array([*encoded.dictionary.to_pylist(), None], object)
    texts: list[str | None] = names[encoded.indices.fill_null(len(names) - 1).to_numpy()].tolist()
    return texts
