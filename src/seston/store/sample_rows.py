"""Samples to rows and back; and how two records of one sample become one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from seston.particle import Sample
from seston.store.schema import SAMPLES

__all__ = ["join_samples", "samples_to_table", "table_to_samples"]

_NAMES = tuple(field.name for field in fields(Sample))
_MAPPINGS = ("detector_levels", "settings", "provenance")


def samples_to_table(samples: Sequence[Sample]) -> pa.Table:
    """Give samples as rows."""
    columns = {name: [getattr(sample, name) for sample in samples] for name in _NAMES}
    for name in _MAPPINGS:
        columns[name] = [json.dumps(dict(value), ensure_ascii=False) for value in columns[name]]
    return pa.table([pa.array(columns[name], SAMPLES.field(name).type) for name in SAMPLES.names], schema=SAMPLES)


def table_to_samples(table: pa.Table) -> list[Sample]:
    """Give rows as samples."""
    return [_sample(row) for row in table.to_pylist()]


def join_samples(old: Sample, new: Sample) -> Sample:
    """Fill what the older record leaves empty from the newer one; what stands there is never changed.

    Examples
    --------
    >>> join_samples(Sample(id="a", n_counted=3), Sample(id="a", n_counted=5, n_imaged=2)).n_counted
    3
    """
    gained: dict[str, Any] = {}
    for name in _NAMES:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Mapping):
            joined = {**after, **before}
            if joined != dict(before):
                gained[name] = MappingProxyType(joined)
        elif name == "flags":
            if flags := tuple(flag for flag in after if flag not in before):
                gained[name] = (*before, *flags)
        elif _is_empty(name, before) and not _is_empty(name, after):
            gained[name] = after
    return replace(old, **gained) if gained else old


def _is_empty(name: str, value: object) -> bool:
    return value is None or value == "" or (name == "licence" and value == "unknown")


def _sample(row: dict[str, Any]) -> Sample:
    for name in _MAPPINGS:
        row[name] = MappingProxyType(json.loads(row[name] or "{}"))
    row["flags"] = tuple(row["flags"] or ())
    return Sample(**row)
