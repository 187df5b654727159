"""A pulse table or a listmode table that stands alone, whatever program wrote it and whatever it is called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seston.errors import InputError
from seston.instruments.export_groups import Export, table_kind
from seston.instruments.measurement import read_measurement
from seston.instruments.source import Listing, Reader, Record, Source

__all__ = ["READER"]

_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})


def _claim(listing: Listing) -> list[Source]:
    sources = []
    for path in listing.files:
        kind = table_kind(path, listing) if path.suffix.lower() in _SUFFIXES else None
        if kind == "pulses":
            reason = "a pulse table alone: a column of particle ids, the others are channels"
        elif kind == "listmode":
            reason = "a listmode table alone: its columns are parameters of a cytometer's channels"
        else:
            continue
        sources.append(Source("tables", path, (path,), reason, {"kind": kind or ""}))
    return sources


def _read(source: Source) -> Iterator[Record]:
    kind = source.details.get("kind") or table_kind(source.path, Listing(source.path.parent, (source.path,)))
    if not kind:
        raise InputError(f"{source.path}: neither a pulse table nor a listmode table; look at its first line")
    export = _alone(source.path, kind)
    return read_measurement(export, reader="tables", path=source.path)


def _alone(path: Path, kind: str) -> Export:
    export = Export(path.parent, path.stem, alone=True)
    (export.pulses if kind == "pulses" else export.listmode).append(path)
    return export


READER = Reader(
    name="tables",
    description="A pulse table or a listmode table alone, also with a column of species, as R and others write them",
    claim=_claim,
    read=_read,
)
