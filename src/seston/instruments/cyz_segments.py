"""Read a raw CytoSense file in segments: a header, the settings, then segments of particles and of pictures.

Each segment is a stream of its own, of at most 1,000 particles or 100 pictures, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from mmap import mmap
from pathlib import Path
from typing import Any, Final

import numpy as np

from seston.errors import InputError
from seston.instruments.cyz_pictures import Picture, Signature, join_by_signature, pictures_of_segment, signature
from seston.instruments.cyz_profiles import plan_channels
from seston.instruments.cyz_records import Arrival, Maker, left_over_pictures, remarks
from seston.instruments.cyz_settings import Measurement, empty_note, measurement_of, sample_of, split_set_name
from seston.instruments.dotnet import parse_stream
from seston.instruments.dotnet_values import (
    DotNetObject,
    as_bytes,
    as_datetime,
    as_integer,
    as_integers,
    as_list,
    as_text,
)
from seston.particle import Note, Particle, Sample, Skipped

__all__ = ["read_segments"]

_ALL, _SMART, _PICTURES = 2, 3, 4
_WORDS: Final = {_ALL: "all particles", _SMART: "smart-triggered particles", _PICTURES: "pictures"}
_WROTE_TWICE: Final = ("5.8.0.5", "5.8.0.6")
_BATCH_BYTES: Final = 1 << 19


@dataclass(frozen=True, slots=True)
class _Segment:
    number: int
    kind: int
    offset: int
    count: int


def read_segments(
    path: Path, data: mmap, header: DotNetObject, problem: str | None
) -> Iterator[Sample | Particle | Skipped | Note]:
    """Read the file whose header has been parsed.

    Raises
    ------
    InputError
        Where the settings cannot be read.
    """
    place = header.object("_df_info")
    offset = as_integer(place.get("_offset"))
    if offset is None:
        raise InputError(problem or f"{path.name}: the header does not say where the settings are")
    settings = parse_stream(data, offset, name=f"{path.name}, settings").root
    if not isinstance(settings, DotNetObject):
        raise InputError(f"{path.name}: has no settings")
    measurement = measurement_of(settings)
    try:
        plan = plan_channels(measurement.settings, as_integers(measurement.protocol.get("_channelDataConversion")))
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    segments = _segments(header)
    reduced = measurement.reduction.get("WasReduced") is True
    stem, set_name = split_set_name(path.stem) if reduced else (path.stem, None)
    pictures, damages = _pictures(path, data, segments, measurement)
    sample = sample_of(measurement, path, sample_id=stem, set_name=set_name, pictures=len(pictures))
    yield sample
    if problem is not None:
        yield Skipped(str(path), "rest of the list of segments", problem)
    wanted, note = _wanted(segments, measurement)
    if not wanted:
        note = empty_note(sample, "no segment holds one")
    if note:
        yield Note(str(path), note)
    yield from damages
    joined, left = _join(path, data, wanted, pictures, measurement)
    maker = Maker(sample.id, plan, measurement, joined)
    yield from remarks(maker, str(path), pictures=bool(pictures))
    yield from _particles(path, data, wanted, maker, left)


def _segments(header: DotNetObject) -> list[_Segment]:
    """Give the segments that the header lists; a place that it lists again is not read again."""
    found: list[_Segment] = []
    seen: set[int | None] = set()
    for number, entry in enumerate(as_list(header.get("_segments"))):
        if isinstance(entry, DotNetObject):
            kind, offset, count = (as_integer(entry.get(name)) for name in ("_type", "_offset", "_count"))
            if offset not in seen:
                found.append(_Segment(number, -1 if kind is None else kind, offset or 0, count or 0))
            seen.add(offset)
    return found


def _wanted(segments: list[_Segment], measurement: Measurement) -> tuple[list[_Segment], str]:
    """Choose the segments of particles: the smart-triggered ones where smart triggering was on, else all."""
    first, second = (_SMART, _ALL) if measurement.smart_trigger else (_ALL, _SMART)
    for kind in (first, second):
        chosen = [segment for segment in segments if segment.kind == kind]
        if chosen and kind == second:
            return chosen, f"there is no segment of {_WORDS[first]}: the {_WORDS[second]} were read"
        if chosen:
            return chosen, ""
    return [], ""


@dataclass(frozen=True, slots=True)
class _Content:
    """What could be read of a segment."""

    particles: list[Any]
    damage: Skipped | None
    """Why that is not all; then some of the particles may lack their bytes."""


def _parse(path: Path, data: mmap, segment: _Segment) -> _Content:
    name = f"segment {segment.number} ({_WORDS.get(segment.kind, 'unknown kind')})"
    end = segment.offset + segment.count
    if segment.offset < 0 or segment.count <= 0 or segment.offset >= len(data):
        reason = f"should end at byte {end:,} of a file of {len(data):,} bytes: the file is cut"
        return _Content([], Skipped(str(path), name, reason))
    stream = parse_stream(memoryview(data)[: min(end, len(data))], segment.offset, name=name, partial=True)
    particles = list(as_list(stream.root.get("_particles"))) if isinstance(stream.root, DotNetObject) else []
    if stream.problem is None:
        return _Content(particles, None)
    reason = stream.problem.removeprefix(f"{name}: ")
    if end > len(data):
        reason = f"should end at byte {end:,} of a file of {len(data):,} bytes: the file is cut"
    return _Content(particles, Skipped(str(path), f"rest of {name}", f"{reason}; whole particles before it were kept"))


def _pictures(
    path: Path, data: mmap, segments: list[_Segment], measurement: Measurement
) -> tuple[list[Picture], list[Skipped]]:
    """Give each picture once, also where the software wrote its segment twice, and what could not be read."""
    pictures: list[Picture] = []
    damages: list[Skipped] = []
    seen: set[int | bytes] = set()
    by_number = _pictures_have_numbers(measurement)
    twice = measurement.software in _WROTE_TWICE
    for segment in segments:
        if segment.kind != _PICTURES:
            continue
        content = _parse(path, data, segment)
        if content.damage is not None:
            damages.append(content.damage)
        for picture in pictures_of_segment(content.particles, segment.number):
            own = picture.number if by_number else blake2b(picture.data, digest_size=16).digest() if twice else None
            if own is None or own not in seen:
                pictures.append(picture)
            if own is not None:
                seen.add(own)
    return pictures, damages


def _pictures_have_numbers(measurement: Measurement) -> bool:
    return measurement.settings.object("PIC").get("hasPICIIF") is True


def _join(
    path: Path, data: mmap, wanted: list[_Segment], pictures: list[Picture], measurement: Measurement
) -> tuple[dict[int, Picture], list[Picture]]:
    """Find the particle of each picture: by number where the picture board knows it, else by equal bytes."""
    if not pictures:
        return {}, []
    if _pictures_have_numbers(measurement):
        return {picture.number: picture for picture in pictures if picture.number is not None}, [
            picture for picture in pictures if picture.number is None
        ]
    wanted_signatures = {picture.signature for picture in pictures}
    numbers: dict[Signature, list[int]] = {}
    for segment in wanted:
        for particle in _parse(path, data, segment).particles:
            own = signature(_columns(particle))
            number = as_integer(particle.get("_ID")) if isinstance(particle, DotNetObject) else None
            if own is not None and own in wanted_signatures and number is not None:
                known = numbers.setdefault(own, [])
                if number not in known:
                    known.append(number)
    return join_by_signature(pictures, numbers, in_order=False)


def _particles(
    path: Path, data: mmap, wanted: list[_Segment], maker: Maker, left: list[Picture]
) -> Iterator[Particle | Skipped | Note]:
    seen: set[int] = set()
    repeated = 0
    twice = maker.measurement.software in _WROTE_TWICE
    for segment in wanted:
        content = _parse(path, data, segment)
        batch: list[tuple[int, DotNetObject, list[memoryview | bytes]]] = []
        size = 0
        for place, particle in enumerate(content.particles):
            checked = _check(particle, len(maker.plan.hardware))
            if isinstance(checked, str) and content.damage is not None:
                continue
            if isinstance(checked, str):
                yield Skipped(str(path), f"particle {place} of segment {segment.number}", checked)
                continue
            number, columns = checked
            if number in seen:
                repeated += 1
                if not twice:
                    yield Skipped(
                        str(path), f"particle {number}", "this number stands in the file twice; the first was kept"
                    )
                continue
            seen.add(number)
            batch.append((number, particle, columns))
            size += len(columns) * len(columns[0])
            if size >= _BATCH_BYTES:
                yield from _convert(maker, batch)
                batch, size = [], 0
        yield from _convert(maker, batch)
        if content.damage is not None:
            yield content.damage
    if repeated and twice:
        yield Note(
            str(path),
            f"CytoUSB {maker.measurement.software} wrote segments twice: {repeated} repeated particles dropped",
        )
    unmatched = left + [picture for number, picture in maker.pictures.items() if number not in seen]
    yield from left_over_pictures(maker, unmatched, str(path))


def _check(particle: Any, channels: int) -> tuple[int, list[memoryview | bytes]] | str:
    """Give a particle's number and the bytes of its channels, or why it cannot be used."""
    number = as_integer(particle.get("_ID")) if isinstance(particle, DotNetObject) else None
    if number is None:
        return "has no number"
    columns = _columns(particle)
    if len(columns) != channels:
        return f"number {number} has {len(columns)} channels, the instrument {channels}"
    if len(columns[0]) == 0 or any(len(column) != len(columns[0]) for column in columns):
        return f"number {number} has channels of different lengths, or no samples"
    return number, columns


def _columns(particle: Any) -> list[memoryview | bytes]:
    channels = as_list(particle.get("_chdata")) if isinstance(particle, DotNetObject) else ()
    return [column if isinstance(column, memoryview) else as_bytes(column) or b"" for column in channels]


def _convert(maker: Maker, batch: list[tuple[int, DotNetObject, list[memoryview | bytes]]]) -> Iterator[Particle]:
    if not batch:
        return
    lengths = np.array([len(columns[0]) for _, _, columns in batch], np.int64)
    ends = lengths.cumsum()
    joined = {
        place: np.frombuffer(b"".join([columns[place] for _, _, columns in batch]), np.uint8)
        for place in maker.plan.shown
    }
    arrivals = [_arrival(particle, maker.measurement) for _, particle, _ in batch]
    yield from maker.particles([number for number, _, _ in batch], joined, ends - lengths, ends, arrivals=arrivals)


def _arrival(particle: DotNetObject, measurement: Measurement) -> Arrival:
    time = as_datetime(particle.get("_timeOfArrival"))
    cluster = particle.get("_clusterInfo")
    name = as_text(cluster.get("name", "_name")) if isinstance(cluster, DotNetObject) else ""
    start = measurement.start
    if time is None or start is None or (time.tzinfo is None) != (start.tzinfo is None):
        return Arrival(time, None, name)
    return Arrival(time, (time - start).total_seconds(), name)
