"""From particle ids to row numbers, exactly and quickly, without a filter language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.store.tables import Table

__all__ = ["Identifiers"]


class Identifiers:
    """The ids of one version of the table of particles, in row order."""

    def __init__(self, table: Table) -> None:
        parts = [batch.column("id") for batch in table.scan(["id"], batch_size=65_536)]
        self._ids = pa.chunked_array(parts, pa.string()).cast(pa.large_string()).combine_chunks()
        hashes = np.fromiter((hash(text) for part in parts for text in part.to_pylist()), np.int64, len(self._ids))
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]

    def __len__(self) -> int:
        return len(self._ids)

    def to_list(self) -> list[str]:
        """Give all ids in row order."""
        ids: list[str] = self._ids.to_pylist()
        return ids

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Give the row number of each id, -1 for those that are not there."""
        wanted = np.fromiter(map(hash, ids), np.int64, len(ids))
        places = np.searchsorted(self._hashes, wanted)
        rows = np.full(len(ids), -1, np.int64)
        for index, (text, place) in enumerate(zip(ids, places.tolist(), strict=True)):
            while place < len(self._hashes) and self._hashes[place] == wanted[index]:
                row = int(self._order[place])
                if self._ids[row].as_py() == text:
                    rows[index] = row
                    break
                place += 1
        return rows
