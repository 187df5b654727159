"""Which annotation counts for each particle, kept small: some 100 bytes an event, whatever the number of particles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from seston.particle import Annotation
from seston.store.annotations import RANKS

__all__ = ["Standing"]


class Standing:
    """The annotation that counts for each annotated particle: validated before dubious before predicted, then newest.

    Parameters
    ----------
    events
        All annotation events, oldest first, with the columns of `seston.store.ANNOTATIONS`.
    """

    def __init__(self, events: pa.Table) -> None:
        self._events = events.combine_chunks()
        self.last_event = int(max(events.column("event").to_pylist(), default=0))
        """Number of the newest event: the same number, the same annotations."""
        keys = np.fromiter(map(hash, events.column("particle_id").to_pylist()), np.int64, events.num_rows)
        ranks = np.fromiter((RANKS[one] for one in events.column("status").to_pylist()), np.int64, events.num_rows)
        times = events.column("time").cast(pa.int64()).to_numpy()
        order = np.lexsort((np.arange(len(keys)), times, ranks, keys))
        last = np.append(keys[order][1:] != keys[order][:-1], True) if len(keys) else np.empty(0, np.bool_)
        self._rows = order[last]
        self._keys = keys[self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, ids: Sequence[str]) -> list[Annotation | None]:
        """Give the annotation of each particle, None for those that have none."""
        found: list[Annotation | None] = [None] * len(ids)
        if not len(self._keys):
            return found
        wanted = np.fromiter(map(hash, ids), np.int64, len(ids))
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        hits = np.flatnonzero(self._keys[places] == wanted)
        rows = self._events.take(pa.array(self._rows[places[hits]])).drop_columns("event").to_pylist()
        for place, row in zip(hits.tolist(), rows, strict=True):
            if row["particle_id"] == ids[place]:
                found[place] = Annotation(**row)
        return found
