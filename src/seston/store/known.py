"""What an import must remember of the particles that are there: 40 bytes each, whatever their pictures weigh.

Ids and contents are kept as 64-bit hashes, keyed anew in each process. That two of a million ids share one has a chance
of 1 in 40 million; the second would then be reported as skipped, and the next run of the import would take it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.store.columns import listmode_values, names_as_text
from seston.store.examine import Examined
from seston.store.tables import Table

__all__ = ["Content", "Known", "content_of"]

_COLUMNS = ("id", "image_hash", "profile_hash", "listmode", "listmode_names", "raw_label")
_RECENT = 65_536


class Content(NamedTuple):
    """Hashes of what a particle holds; 0 where it lacks it."""

    image: int
    profile: int
    listmode: int
    label: int


class Known:
    """The particles that a data set holds, by the hash of their id."""

    def __init__(self, table: Table) -> None:
        parts = [_hashes_of(batch) for batch in table.scan(_COLUMNS, batch_size=8192)]
        rows = np.concatenate(parts) if parts else np.empty((0, 5), np.int64)
        self._rows = rows[np.argsort(rows[:, 0], kind="stable")]
        self._images = _sorted_hashes(rows[:, 1])
        self._profiles = _sorted_hashes(rows[:, 2])
        self._recent: dict[int, Content] = {}
        self._recent_images: set[int] = set()
        self._recent_profiles: set[int] = set()

    def find(self, ids: Iterable[str]) -> list[Content | None]:
        """Give the content of each particle, None where the id is new."""
        keys = [hash(text) for text in ids]
        found: list[Content | None] = [self._recent.get(key) for key in keys]
        if len(self._rows):
            wanted = np.array(keys, np.int64)
            places = np.minimum(np.searchsorted(self._rows[:, 0], wanted), len(self._rows) - 1)
            for index in np.flatnonzero(self._rows[places, 0] == wanted):
                if found[index] is None:  # what was completed since is among the recent ones
                    found[index] = Content(*self._rows[places[index], 1:].tolist())
        return found

    def repeats(self, contents: list[Content]) -> list[tuple[bool, bool]]:
        """Tell of each content whether its picture and its profile stand in an older particle."""
        images = _among(self._images, [content.image for content in contents])
        profiles = _among(self._profiles, [content.profile for content in contents])
        return list(zip(images, profiles, strict=True))

    def find_recent(self, particle_id: str) -> Content | None:
        """Give the content of a particle that was added since the last `settle`."""
        return self._recent.get(hash(particle_id))

    def repeats_recent(self, content: Content) -> tuple[bool, bool]:
        """Tell whether picture and profile stand in a particle that was added since the last `settle`."""
        return content.image in self._recent_images, content.profile in self._recent_profiles

    def add(self, particle_id: str, content: Content) -> None:
        """Remember a particle, or what it holds now."""
        self._recent[hash(particle_id)] = content
        if content.image:
            self._recent_images.add(content.image)
        if content.profile:
            self._recent_profiles.add(content.profile)

    def settle(self) -> None:
        """Pack the recent particles away, if they are many; call it only between chunks."""
        if len(self._recent) < _RECENT:
            return
        recent = np.array([(key, *content) for key, content in self._recent.items()], np.int64).reshape(-1, 5)
        old = self._rows[~np.isin(self._rows[:, 0], recent[:, 0])]
        rows = np.concatenate([old, recent])
        self._rows = rows[np.argsort(rows[:, 0], kind="stable")]
        self._images = _sorted_hashes(rows[:, 1])
        self._profiles = _sorted_hashes(rows[:, 2])
        self._recent.clear()
        self._recent_images.clear()
        self._recent_profiles.clear()


def content_of(examined: Examined) -> Content:
    """Hash what a particle brought."""
    listmode = 0
    if examined.particle.listmode:
        names = names_as_text(tuple(examined.particle.listmode))
        listmode = _hash_listmode(names, listmode_values(examined))
    return Content(
        _hash(examined.image_hash), _hash(examined.profile_hash), listmode, _hash(examined.particle.raw_label)
    )


def _hash(text: str | None) -> int:
    return hash(text) if text else 0


def _hash_listmode(names: str, values: NDArray[np.float32]) -> int:
    """Hash the parameters that are numbers: a file may leave out the others, or have a cell for them."""
    there = ~np.isnan(values)
    if there.all():
        return hash((names, values.tobytes()))
    kept = tuple(name for name, is_there in zip(json.loads(names), there.tolist(), strict=True) if is_there)
    return hash((names_as_text(kept), values[there].tobytes())) if kept else 0


def _hashes_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    rows = np.zeros((batch.num_rows, 5), np.int64)
    for column, name in ((0, "id"), (1, "image_hash"), (2, "profile_hash"), (4, "raw_label")):
        rows[:, column] = [_hash(text) for text in batch.column(name).to_pylist()]
    rows[:, 3] = list(_listmode_hashes(batch))
    return rows


def _listmode_hashes(batch: pa.RecordBatch) -> Iterator[int]:
    listmode = batch.column("listmode")
    values = listmode.values.to_numpy(zero_copy_only=True)
    offsets = listmode.offsets.to_pylist()
    names = batch.column("listmode_names").to_pylist()
    for start, end, text in zip(offsets, offsets[1:], names, strict=False):
        yield _hash_listmode(text, values[start:end]) if text is not None else 0


def _sorted_hashes(hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(hashes[hashes != 0])


def _among(known: NDArray[np.int64], hashes: list[int]) -> list[bool]:
    if not len(known):
        return [False] * len(hashes)
    wanted = np.array(hashes, np.int64)
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found: list[bool] = ((known[places] == wanted) & (wanted != 0)).tolist()
    return found
