"""Pictures of a collection as rows of the table of particles: whole columns at a time, never row by row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from seston.collections.cards import Card
from seston.collections.gathering import Gathered
from seston.collections.looking import Looked
from seston.store.schema import PARTICLES

__all__ = ["picture_rows"]

_POSITION = ("latitude", "longitude", "depth_min_m", "depth_max_m")


def picture_rows(card: Card, gathered: Gathered, looked: Looked) -> pa.Table:
    """Give pictures as rows, in their order; also those with faults, which the caller leaves out."""
    n = len(gathered.ids)
    columns: dict[str, Sequence[Any] | pa.Array] = {
        "id": gathered.ids,
        "sample_id": gathered.sample_ids,
        "source": _always(card.name, n),
        "image": gathered.pictures,
        "image_format": looked.formats,
        "width": looked.widths,
        "height": looked.heights,
        "image_hash": looked.hashes,
        "image_fingerprint": looked.fingerprints,
        "raw_label": gathered.labels,
        "licence": _always(card.licence, n),
        "attribution": _always(card.attribution, n),
        "flags": _no_flags(n),
    }
    if any(gathered.times):
        columns["time"] = gathered.times
    if any(gathered.positions):
        for place, name in enumerate(_POSITION):
            columns[name] = [one[place] if one else None for one in gathered.positions]
    if looked.scale_bars:
        columns["scale_bar"] = [looked.scale_bars.get(place) for place in range(n)]
        columns["pixel_size_um"] = [looked.pixel_sizes.get(place) for place in range(n)]
    return pa.table([_column(columns.get(field.name), field.type, n) for field in PARTICLES], schema=PARTICLES)


def _always(text: str, n: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), n)


@lru_cache(maxsize=256)
def _no_flags(n: int) -> pa.Array:
    return pa.array([[]] * n, PARTICLES.field("flags").type)


@lru_cache(maxsize=1024)
def _nothing(n: int, kind: pa.DataType) -> pa.Array:
    return pa.nulls(n, kind)


def _column(values: Sequence[Any] | pa.Array | None, kind: pa.DataType, n: int) -> pa.Array:
    if values is None:
        return _nothing(n, kind)
    return values if isinstance(values, pa.Array) else pa.array(values, kind)
