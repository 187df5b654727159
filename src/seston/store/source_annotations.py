"""Annotations that come with the files of an import: each becomes one event of the history, however often it comes.

Those that the history has already are known by 64-bit hashes, 8 bytes each, keyed anew in each process.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from seston.particle import Annotation
from seston.store.annotations import Annotations, checked

__all__ = ["SourceAnnotations"]


class SourceAnnotations:
    """Gathers the annotations of an import and adds the new ones to a history.

    Parameters
    ----------
    history
        It is read when the first annotation comes.
    """

    def __init__(self, history: Annotations) -> None:
        self._history = history
        self._known: NDArray[np.int64] | None = None
        self._waiting: dict[int, Annotation] = {}
        self.added = 0
        """Events that this import wrote."""

    def take(self, annotations: Iterable[Annotation]) -> None:
        """Keep what the history lacks until `flush`."""
        for annotation in map(checked, annotations):
            key = _key(annotation)
            if key not in self._waiting and not self._is_known(key):
                self._waiting[key] = annotation

    def flush(self) -> None:
        """Write what waits; when this returns, the disk has it. The particles must be there before."""
        if not self._waiting:
            return
        self._history.add(list(self._waiting.values()))
        self.added += len(self._waiting)
        keys = np.fromiter(self._waiting, np.int64, len(self._waiting))
        self._known = np.sort(np.concatenate([self._read_known(), keys]))
        self._waiting.clear()

    def _is_known(self, key: int) -> bool:
        known = self._read_known()
        place = int(np.searchsorted(known, key))
        return place < len(known) and int(known[place]) == key

    def _read_known(self) -> NDArray[np.int64]:
        if self._known is None:
            columns = ("particle_id", "label", "status", "author", "time")
            rows = self._history.read().select(columns)
            keys: list[int] = []
            for batch in rows.to_batches(max_chunksize=8192):
                keys += [
                    hash(values) for values in zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
                ]
            self._known = np.sort(np.array(keys, np.int64))
        return self._known


def _key(said: Annotation) -> int:
    return hash((said.particle_id, said.label, said.status, said.author, said.time))
