"""Reader of raw CytoSense and CytoSub files (``.cyz``), in the three layouts that the maker's software has written.

One object (the settings and all bytes), segments (since 2013), or an index and pieces (2012). Profiles are in mV and
smoothed, as CytoClus and cyz2json give them by default.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.cyz_pictures import Picture, Signature, join_by_signature, pictures_of_camera_board, signature
from seston.instruments.cyz_pieces import read_pieces
from seston.instruments.cyz_profiles import plan_channels
from seston.instruments.cyz_records import Maker, left_over_pictures, remarks
from seston.instruments.cyz_segments import read_segments
from seston.instruments.cyz_settings import empty_note, measurement_of, sample_of, split_set_name
from seston.instruments.cyz_split import Block, Spans, blocks, find_particles, judge_block
from seston.instruments.dotnet import DotNetStream, parse_stream
from seston.instruments.dotnet_values import DotNetObject, as_integers, as_text
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Note, Particle, Skipped

__all__ = ["READER", "claim", "read"]

_MAGIC: Final = bytes.fromhex("0001000000FFFFFFFF01000000000000000C02000000")
_DATA_FILE: Final = "CytoSense.Data.Data+DataFile"
_INDEX: Final = "CytoSense.Data.Data+DataFileIndex"
_SEGMENTS: Final = "CytoSense.Data.SegmentedData.SegmentedDataFileHeader"


def claim(listing: Listing) -> list[Source]:
    """Claim what is named ``.cyz`` or begins as the maker's software begins a file."""
    sources = []
    for path in listing.files:
        named = path.suffix.lower() == ".cyz"
        head = listing.head(path)
        begins = head.startswith(_MAGIC) and b"CytoSense" in head[:512]
        if named or begins:
            why = (
                "begins as a raw CytoSense file"
                if begins
                else "is named .cyz, but does not begin as a raw CytoSense file"
            )
            sources.append(Source("cyz", path, (path,), why))
    return sources


def read(source: Source) -> Iterator[Record]:
    """Read one file: its sample, then its particles in their order, with what could not be read in between.

    Raises
    ------
    InputError
        Where not even the settings can be read: an empty file, one of another kind, one cut before its channels.
    """
    path = source.path
    data = _map(path)
    first = parse_stream(data, name=path.name, partial=True)
    root = first.root
    if not isinstance(root, DotNetObject):
        raise InputError(first.problem or f"{path.name}: holds no object")
    if root.class_name == _DATA_FILE:
        yield from _read_one_object(path, root, first)
    elif root.class_name == _SEGMENTS:
        yield from read_segments(path, data, root, first.problem)
    elif root.class_name == _INDEX:
        yield from read_pieces(path, data, root, first.problem)
    else:
        kind = as_text(root.class_name)[:100]
        raise InputError(f"{path.name}: is a .NET stream of class {kind}, not a measurement of a CytoSense")


READER = Reader(
    name="cyz",
    description="raw files of CytoSense and CytoSub (.cyz): profiles, pictures, settings",
    claim=claim,
    read=read,
)


def _map(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise InputError(f"{path.name}: empty file") from None
    except OSError as error:
        raise InputError(f"{path.name}: cannot be opened: {error.strerror or error}") from None


def _read_one_object(path: Path, root: DotNetObject, stream: DotNetStream) -> Iterator[Record]:
    measurement = measurement_of(root)
    try:
        plan = plan_channels(measurement.settings, as_integers(measurement.protocol.get("_channelDataConversion")))
    except InputError as error:
        raise InputError(stream.problem or f"{path.name}: {error}") from None
    raw = root.get("Data")
    data = np.frombuffer(raw, np.uint8) if isinstance(raw, memoryview) and len(raw) else np.empty(0, np.uint8)
    no_syncs = ""
    spans = Spans(np.empty(0, np.int64), np.empty(0, np.int64), 0)
    try:
        spans = find_particles(data, plan)
    except InputError as error:
        no_syncs = str(error)
    found = len(spans.starts)
    ids = measurement.original_ids if len(set(measurement.original_ids)) == found else ()
    stem, set_name = split_set_name(path.stem) if ids else (path.stem, None)
    album = pictures_of_camera_board(root.object("IIF"), len(plan.hardware))
    sample = sample_of(measurement, path, sample_id=stem, set_name=set_name, found=found, pictures=len(album))
    yield sample
    if not len(data) and stream.problem is None:
        yield Note(str(path), empty_note(sample, "Data has no bytes"))
    elif not found:
        reason = no_syncs or f"no sync records in {len(data):,} bytes of Data, so particles cannot be told apart"
        yield Skipped(str(path), "particles", stream.problem or reason)
    joined, left = _join(album, data, spans, ids, len(plan.hardware)) if album else ({}, [])
    maker = Maker(sample.id, plan, measurement, joined)
    yield from remarks(maker, str(path), pictures=bool(album))
    yield from _particles(path, maker, data, spans, ids)
    yield from left_over_pictures(maker, left, str(path))
    if stream.problem is not None and found:
        yield Skipped(str(path), f"what follows particle {found - 1}", stream.problem)


def _particles(
    path: Path, maker: Maker, data: NDArray[np.uint8], spans: Spans, ids: tuple[int, ...]
) -> Iterator[Particle | Skipped]:
    plan = maker.plan
    for item in blocks(data, spans, len(plan.hardware)):
        if not isinstance(item, Block):
            number, reason = item
            yield Skipped(str(path), f"particle {ids[number] if ids else number}", reason)
            continue
        refused = judge_block(item, plan)
        numbers = [ids[number] if ids else number for number in item.numbers.tolist()]
        for place in sorted(refused):
            yield Skipped(str(path), f"particle {numbers[place]}", refused[place])
        kept = np.array([place for place in range(len(numbers)) if place not in refused], dtype=np.int64)
        if len(kept):
            columns = {place: np.ascontiguousarray(item.samples[:, place]) for place in plan.shown}
            yield from maker.particles(
                [numbers[place] for place in kept.tolist()], columns, item.starts[kept], item.ends[kept]
            )


def _join(
    album: list[Picture], data: NDArray[np.uint8], spans: Spans, ids: tuple[int, ...], record: int
) -> tuple[dict[int, Picture], list[Picture]]:
    """Find the particle of each picture, looking only at particles as long as one of the pictured."""
    lengths = np.array(sorted({len(picture.columns[0]) * record for picture in album if picture.columns}), np.int64)
    numbers: dict[Signature, list[int]] = {}
    for number in np.flatnonzero(np.isin(spans.ends - spans.starts, lengths)).tolist():
        samples = data[spans.starts[number] : spans.ends[number]].reshape(-1, record)
        own = signature([samples[:, place].tobytes() for place in range(record)])
        if own is not None:
            numbers.setdefault(own, []).append(number)
    joined, left = join_by_signature(album, numbers, in_order=True)
    return {ids[number] if ids else number: picture for number, picture in joined.items()}, left
