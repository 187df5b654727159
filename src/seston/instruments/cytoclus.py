"""Exports of CytoClus: Listmode, Pulses, Info and pictures of a measurement."""

from __future__ import annotations

from collections.abc import Iterator

from seston.instruments.export_groups import export_of, find_exports
from seston.instruments.measurement import read_measurement
from seston.instruments.source import Listing, Reader, Record, Source

__all__ = ["READER"]


def _claim(listing: Listing) -> list[Source]:
    sources = []
    for export in find_exports(listing):
        if export.rclustool:
            continue
        stands = (export.listmode or export.pulses or export.info or export.images)[0]
        reason = f"export of CytoClus, measurement {export.measurement!r}: {export.describe()}"
        details = {"measurement": export.measurement, "root": str(listing.root)}
        sources.append(Source("cytoclus", stands, export.files, reason, details))
    return sources


def _read(source: Source) -> Iterator[Record]:
    export = export_of(source.files, source.path.parent)
    return read_measurement(export, reader="cytoclus", path=source.path)


READER = Reader(
    name="cytoclus",
    description="CytoClus exports: Listmode, Pulses, Info, pictures in folder or zip; English or French, any locale",
    claim=_claim,
    read=_read,
)
