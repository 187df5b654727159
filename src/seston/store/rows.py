"""Rows of the table of particles back to records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.particle import Particle

__all__ = ["particle_from_row", "profiles_of", "rows_to_particles"]

_PLAIN = (
    "source",
    "image",
    "image_format",
    "width",
    "height",
    "image_hash",
    "profile_hash",
    "image_fingerprint",
    "pixel_size_um",
    "profile_spacing_um",
    "raw_label",
    "raw_status",
    "time",
    "latitude",
    "longitude",
    "depth_min_m",
    "depth_max_m",
    "licence",
    "attribution",
)
_NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


def rows_to_particles(batch: pa.RecordBatch | pa.Table) -> list[Particle]:
    """Give rows of the table of particles as records.

    Parameters
    ----------
    batch
        Rows with at least the columns ``id`` and ``sample_id``. A column that is missing leaves its field empty; a
        profile needs ``profile``, ``profile_channels`` and ``profile_length``, listmode ``listmode`` and
        ``listmode_names``.

    Returns
    -------
    list of Particle
        In the order of the rows. Profiles are views of the batch's memory and cannot be written to.
    """
    present = set(batch.schema.names)
    if missing := {"id", "sample_id"} - present:
        raise UsageError(f"rows without the column {min(missing)!r} cannot become particles; read that column too")
    columns: dict[str, list[Any]] = {
        name: batch.column(name).to_pylist() for name in ("id", "sample_id", *_PLAIN) if name in present
    }
    if {"profile", "profile_channels", "profile_length"} <= present:
        columns["profile_channels"] = _text_tuples(batch.column("profile_channels"))
        columns["profile"] = profiles_of(batch)
    if {"listmode", "listmode_names"} <= present:
        columns["listmode"] = list(_listmodes(batch))
    if "flags" in present:
        columns["flags"] = _text_tuples(batch.column("flags"))
    if "scale_bar" in present:
        columns["scale_bar"] = [None if box is None else tuple(box) for box in batch.column("scale_bar").to_pylist()]
    names = tuple(columns)
    return [Particle(**dict(zip(names, values, strict=True))) for values in zip(*columns.values(), strict=True)]


def particle_from_row(row: pa.RecordBatch | pa.Table) -> Particle:
    """Give a table of one row as a record."""
    if row.num_rows != 1:
        raise UsageError(f"one row makes one particle; these are {row.num_rows}")
    return rows_to_particles(row)[0]


def profiles_of(batch: pa.RecordBatch | pa.Table) -> list[NDArray[np.float32] | None]:
    """Give each row's profile, shape (channels, samples), or None; views of the batch's memory."""
    lengths = batch.column("profile_length").to_pylist()
    rows = _float_rows(batch.column("profile"))
    return [None if row is None else row.reshape(-1, length) for row, length in zip(rows, lengths, strict=True)]


class _Parameters(Mapping[str, float]):
    """Listmode parameters by name; the values stay where the batch has them until one is asked for."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: NDArray[np.float32]) -> None:
        self._places = places
        self._values = values

    def __getitem__(self, name: str) -> float:
        return float(self._values[self._places[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return repr(dict(self))


def _listmodes(batch: pa.RecordBatch | pa.Table) -> Iterator[Mapping[str, float]]:
    names = batch.column("listmode_names").to_pylist()
    rows = _float_rows(batch.column("listmode"))
    for text, values in zip(names, rows, strict=True):
        yield _NO_NUMBERS if values is None or text is None else _Parameters(_places(text), values)


def _text_tuples(column: pa.Array | pa.ChunkedArray) -> list[tuple[str, ...]]:
    """Give lists of texts as tuples, each different list once."""
    found: list[tuple[str, ...]] = []
    for array in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        encoded = array.values.dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32).tobytes()
        texts = encoded.dictionary.to_pylist()
        offsets = (array.offsets.to_numpy() * 4).tolist()
        tuples: dict[bytes, tuple[str, ...]] = {b"": ()}
        for start, end in pairwise(offsets):
            code = codes[start:end]
            if code not in tuples:
                tuples[code] = tuple(texts[place] for place in np.frombuffer(code, np.int32))
            found.append(tuples[code])
    return found


def _float_rows(column: pa.Array | pa.ChunkedArray) -> Iterator[NDArray[np.float32] | None]:
    for array in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        values = array.values.to_numpy(zero_copy_only=True)
        offsets = array.offsets.to_pylist()
        present = array.is_valid().to_pylist()
        for (start, end), there in zip(pairwise(offsets), present, strict=True):
            yield values[start:end] if there else None


@lru_cache(maxsize=1024)
def _places(names: str) -> dict[str, int]:
    return {name: place for place, name in enumerate(json.loads(names))}
