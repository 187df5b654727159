"""Particles to rows: whole columns at a time, never row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.store.examine import Examined
from seston.store.schema import PARTICLES

__all__ = ["listmode_values", "names_as_text", "particles_to_table"]

_AS_READ = (
    "id",
    "sample_id",
    "profile_spacing_um",
    "raw_label",
    "raw_status",
    "time",
    "latitude",
    "longitude",
    "depth_min_m",
    "depth_max_m",
)
_AS_FOUND = (
    "image",
    "image_format",
    "width",
    "height",
    "image_hash",
    "profile_hash",
    "image_fingerprint",
    "pixel_size_um",
    "scale_bar",
    "source",
    "licence",
    "attribution",
    "flags",
)


def particles_to_table(examined: Sequence[Examined]) -> pa.Table:
    """Give particles as rows of the table of particles, in the order given."""
    columns: dict[str, pa.Array] = {}
    particles = [item.particle for item in examined]
    _fill(columns, _AS_READ, particles)
    _fill(columns, _AS_FOUND, examined)
    columns |= _profiles(examined)
    columns |= _listmode(examined)
    return pa.table([columns[name] for name in PARTICLES.names], schema=PARTICLES)


@lru_cache(maxsize=1024)
def names_as_text(names: tuple[str, ...]) -> str:
    """Write a list of names as one text, as ``listmode_names`` holds it."""
    return json.dumps(names, ensure_ascii=False)


def listmode_values(examined: Examined) -> NDArray[np.float32]:
    """Give the listmode values in the order of their names; what float32 cannot hold becomes infinite."""
    with np.errstate(over="ignore"):
        return np.fromiter(examined.particle.listmode.values(), np.float32, len(examined.particle.listmode))


def _fill(columns: dict[str, pa.Array], names: tuple[str, ...], items: Iterable[Any]) -> None:
    rows = map(attrgetter(*names), items)
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        columns[name] = pa.array(values, PARTICLES.field(name).type)


def _profiles(examined: Sequence[Examined]) -> dict[str, pa.Array]:
    profiles = [item.profile for item in examined]
    lengths = [None if profile is None else profile.shape[1] for profile in profiles]
    channels = [None if item.profile is None else item.profile_channels for item in examined]
    return {
        "profile": _list_array([None if profile is None else profile.ravel() for profile in profiles]),
        "profile_channels": pa.array(channels, PARTICLES.field("profile_channels").type),
        "profile_length": pa.array(lengths, pa.int32()),
    }


def _listmode(examined: Sequence[Examined]) -> dict[str, pa.Array]:
    names = [names_as_text(tuple(item.particle.listmode)) if item.particle.listmode else None for item in examined]
    return {
        "listmode": _list_array([listmode_values(item) if item.particle.listmode else None for item in examined]),
        "listmode_names": pa.array(names, pa.string()).dictionary_encode(),
    }


def _list_array(rows: Sequence[NDArray[np.float32] | None]) -> pa.Array:
    lengths = np.fromiter((0 if row is None else row.size for row in rows), np.int64, len(rows))
    offsets = np.zeros(len(rows) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    present = [row for row in rows if row is not None]
    values = np.concatenate(present) if present else np.empty(0, np.float32)
    absent = np.fromiter((row is None for row in rows), np.bool_, len(rows))
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(values, pa.float32()), mask=pa.array(absent) if absent.any() else None
    )
