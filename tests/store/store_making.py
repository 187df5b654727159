"""What the tests of the store make for themselves: pictures, profiles, and a reader of records made in a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from seston.instruments import READERS, Reader, Record, Source
from seston.instruments.source import Listing
from seston.particle import Particle, Progress
from seston.store import DataSet, ImportReport, open_data_set

__all__ = ["CHANNELS", "particle", "picture", "profile", "put", "put_into", "table_of"]

CHANNELS = ("FWS", "SWS", "FL Red")


def picture(seed: int, width: int = 24, height: int = 16) -> bytes:
    """An encoded picture whose bytes follow from the seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 1), dtype=np.uint8)
    encoded: bytes = simplejpeg.encode_jpeg(pixels, colorspace="GRAY")
    return encoded


def profile(seed: int, length: int = 12) -> NDArray[np.float32]:
    return np.random.default_rng(seed).lognormal(3, 1, (len(CHANNELS), length)).astype(np.float32)


def particle(
    number: int,
    *,
    sample: str = "a",
    image: bytes | None = None,
    wave: NDArray[np.float32] | None = None,
    listmode: dict[str, float] | None = None,
    label: str | None = None,
) -> Particle:
    return Particle(
        id=f"{sample}/{number}",
        sample_id=sample,
        image=image,
        profile=wave,
        profile_channels=() if wave is None else CHANNELS,
        listmode=listmode or {},
        raw_label=label,
    )


def put(
    folder: Path, records: Iterable[Record], *, source: str | None = None, licence: str | None = None
) -> ImportReport:
    """Import records into a data set, as if a reader had read them from a file."""
    return put_into(open_data_set(folder, create=True), records, source=source, licence=licence)


def put_into(
    data: DataSet,
    records: Iterable[Record],
    *,
    source: str | None = None,
    licence: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    file = data.path.parent / f"{data.path.name}.made"
    file.write_text("made in a test")

    def claim(listing: Listing) -> list[Source]:
        return [Source("made", path, (path,), "made in a test") for path in listing.files if path.suffix == ".made"]

    def read(_: Source) -> Iterator[Record]:
        yield from records

    READERS["made"] = Reader("made", "records made in a test", claim, read)
    try:
        return data.import_(file, reader="made", source=source, licence=licence, progress=progress)
    finally:
        del READERS["made"]


def table_of(folder: Path) -> list[tuple[str, str | None, str | None, tuple[str, ...]]]:
    """Id, picture hash, label and flags of every particle, sorted."""
    data = open_data_set(folder)
    rows = []
    for batch in data.particles(["id", "image_hash", "raw_label", "flags"]):
        columns = [batch.column(name).to_pylist() for name in ("id", "image_hash", "raw_label", "flags")]
        rows += [(i, h, label, tuple(flags)) for i, h, label, flags in zip(*columns, strict=True)]
    return sorted(rows)
