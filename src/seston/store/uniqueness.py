"""What must hold after every import: no id twice; and who repeats whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seston.store.tables import Table

__all__ = ["drop_doubles", "first_with_same_content"]


def drop_doubles(table: Table) -> int:
    """Delete all but the first of rows with the same id; give their number.

    The lock of the data set keeps importers apart and Lance the declared key, but some network file systems do not
    keep locks. So this is looked at after every import; it costs about 0.2 s a million particles.
    """
    table.refresh()
    hashes = np.fromiter(
        (hash(text) for batch in table.scan(["id"], batch_size=65_536) for text in batch.column("id").to_pylist()),
        np.int64,
    )
    unique, counts = np.unique(hashes, return_counts=True)
    suspects = unique[counts > 1]
    if not len(suspects):
        return 0
    surplus = _surplus_addresses(table, set(suspects.tolist()))
    if surplus:
        table.delete_rows(surplus)
    return len(surplus)


def first_with_same_content(table: Table, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Give each of these particles with the first one that has its picture, or else its profile."""
    if not ids:
        return []
    columns = ("image_hash", "profile_hash")
    rows = table.read(["id", *columns])
    wanted = rows.filter(pc.is_in(rows.column("id"), value_set=pa.array(ids)))
    first: dict[str, str] = {}
    for column in columns:
        hashes = wanted.column(column).combine_chunks().drop_null()
        same = rows.filter(pc.is_in(rows.column(column), value_set=hashes)).select(["id", column]).to_pydict()
        for particle_id, content in zip(same["id"], same[column], strict=True):
            if content is not None:
                first.setdefault(content, particle_id)
    found = []
    for row in wanted.to_pylist():
        others = [first[row[column]] for column in columns if row[column] and first[row[column]] != row["id"]]
        if others:
            found.append((row["id"], others[0]))
    return found


def _surplus_addresses(table: Table, suspects: set[int]) -> list[int]:
    seen: set[str] = set()
    surplus: list[int] = []
    for batch in table.dataset.scanner(columns=["id"], with_row_id=True, scan_in_order=True).to_batches():
        for particle_id, address in zip(
            batch.column("id").to_pylist(), batch.column("_rowid").to_pylist(), strict=True
        ):
            if hash(particle_id) in suspects:
                if particle_id in seen:
                    surplus.append(address)
                seen.add(particle_id)
    return surplus
