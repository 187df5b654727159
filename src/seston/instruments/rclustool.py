"""The csv trio of RclusTool: features, pulses, Info text and a folder of pictures named by particle."""

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
            reason = f"files of RclusTool, sample {export.measurement!r}: {export.describe()}"
            details = {"measurement": export.measurement, "root": str(listing.root)}
            sources.append(Source("rclustool", export.listmode[0], export.files, reason, details))
    return sources


def _read(source: Source) -> Iterator[Record]:
    export = export_of(source.files, source.path.parent)
    return read_measurement(export, reader="rclustool", path=source.path)


READER = Reader(
    name="rclustool",
    description="RclusTool: *_features.csv, *_pulses.csv, *_info.txt and pictures named by particle",
    claim=_claim,
    read=_read,
)
