"""Write .NET BinaryFormatter streams, and small CytoSense files made of them, for tests and benchmarks.

Objects are written as the formatter writes them: the root first, whatever it refers to behind it, each class described
once.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

LIBRARY = "CytoSense, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null"
_PRIMITIVE_OF_DTYPE = {"|u1": 2, "<f8": 6, "<i2": 7, "<i4": 8, "<i8": 9, "|i1": 10, "<f4": 11, "<u2": 14, "<u4": 15}
_LOCAL_KIND = 2 << 62


@dataclass(eq=False)
class Thing:
    """An object: its class, and its members in order."""

    class_name: str
    members: dict[str, Any] = field(default_factory=dict)
    system: bool = False


@dataclass(frozen=True)
class Number:
    """A primitive of a chosen type: the type's number in the specification and how `struct` packs it."""

    kind: int
    form: str
    value: Any


def int64(value: int) -> Number:
    return Number(9, "<q", value)


def single(value: float) -> Number:
    return Number(11, "<f", value)


def date(value: datetime) -> Number:
    """Give a date in local time."""
    ticks = (value - datetime(1, 1, 1)) // timedelta(microseconds=1) * 10
    return Number(13, "<Q", ticks | _LOCAL_KIND)


@dataclass(eq=False)
class ByteRows:
    """A jagged array of byte arrays (``Byte[][]``)."""

    rows: Sequence[bytes]


def net_list(items: Sequence[Any], element: str) -> Thing:
    """Give a ``List<T>`` with spare places behind its elements."""
    name = f"System.Collections.Generic.List`1[[{element}, {LIBRARY}]]"
    spare: list[Any] = [*items, None, None, None]
    return Thing(name, {"_items": spare, "_size": len(items), "_version": len(items)}, system=True)


class Writer:
    """Writes one stream into a file."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self._numbers: dict[int, int] = {}
        self._keep: list[Any] = []
        self._classes: dict[tuple[str, tuple[str, ...]], int] = {}
        self._queue: deque[Any] = deque()

    def write(self, root: Thing, *, end: bool = True) -> None:
        self.out.write(struct.pack("<Biiii", 0, 1, -1, 1, 0))
        self.out.write(b"\x0c" + struct.pack("<i", 2) + _text(LIBRARY))
        self._numbers[id(root)] = 1
        self._numbers[id(self)] = 2
        self._queue.append(root)
        while self._queue:
            self._object(self._queue.popleft())
        if end:
            self.out.write(b"\x0b")

    def _number_of(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._numbers) + 1
            self._keep.append(value)
            self._queue.append(value)
        return number

    def _object(self, value: Any) -> None:
        number = self._numbers[id(value)]
        if isinstance(value, Thing):
            self._thing(number, value)
        elif isinstance(value, bytes):
            self.out.write(struct.pack("<BiiB", 15, number, len(value), 2))
            self.out.write(value)
        elif isinstance(value, np.ndarray):
            self.out.write(struct.pack("<BiiB", 15, number, len(value), _PRIMITIVE_OF_DTYPE[value.dtype.str]))
            self.out.write(value.tobytes())
        elif isinstance(value, ByteRows):
            self.out.write(struct.pack("<BiBiiBB", 7, number, 1, 1, len(value.rows), 7, 2))
            self.out.write(b"".join(struct.pack("<Bi", 9, self._number_of(row)) for row in value.rows))
        else:
            self._list(number, value)

    def _list(self, number: int, values: Sequence[Any]) -> None:
        self.out.write(struct.pack("<Bii", 16, number, len(values)))
        empty = 0
        for value in values:
            if value is None:
                empty += 1
                continue
            self._nulls(empty)
            empty = 0
            self._boxed(value)
        self._nulls(empty)

    def _nulls(self, count: int) -> None:
        if count == 1:
            self.out.write(b"\x0a")
        elif 1 < count < 256:
            self.out.write(struct.pack("<BB", 13, count))
        elif count:
            self.out.write(struct.pack("<Bi", 14, count))

    def _boxed(self, value: Any) -> None:
        if isinstance(value, bool | int | float | Number):
            kind, packed = _primitive(value)
            self.out.write(struct.pack("<BB", 8, kind) + packed)
        else:
            self._by_reference(value)

    def _by_reference(self, value: Any) -> None:
        if value is None:
            self.out.write(b"\x0a")
        elif isinstance(value, str):
            self._keep.append(value)
            number = self._numbers[-len(self._numbers)] = len(self._numbers) + 1
            self.out.write(struct.pack("<Bi", 6, number) + _text(value))
        else:
            self.out.write(struct.pack("<Bi", 9, self._number_of(value)))

    def _thing(self, number: int, thing: Thing) -> None:
        kinds = tuple(_kind(value) for value in thing.members.values())
        key = (thing.class_name, (*thing.members, *(repr(kind) for kind in kinds)))
        known = self._classes.get(key)
        if known is not None:
            self.out.write(struct.pack("<Bii", 1, number, known))
        else:
            self._classes[key] = number
            self.out.write(struct.pack("<Bi", 4 if thing.system else 5, number) + _text(thing.class_name))
            self.out.write(struct.pack("<i", len(thing.members)) + b"".join(map(_text, thing.members)))
            self.out.write(bytes(kind for kind, _ in kinds) + b"".join(detail for _, detail in kinds))
            if not thing.system:
                self.out.write(struct.pack("<i", 2))
        for value in thing.members.values():
            if isinstance(value, bool | int | float | Number):
                self.out.write(_primitive(value)[1])
            else:
                self._by_reference(value)


def _kind(value: Any) -> tuple[int, bytes]:
    if isinstance(value, bool | int | float | Number):
        return 0, bytes([_primitive(value)[0]])
    if isinstance(value, str):
        return 1, b""
    if isinstance(value, bytes):
        return 7, b"\x02"
    if isinstance(value, np.ndarray):
        return 7, bytes([_PRIMITIVE_OF_DTYPE[value.dtype.str]])
    if isinstance(value, ByteRows):
        return 3, _text("System.Byte[][]")
    return 2, b""


def _primitive(value: Any) -> tuple[int, bytes]:
    if isinstance(value, Number):
        return value.kind, struct.pack(value.form, value.value)
    if isinstance(value, bool):
        return 1, struct.pack("<B", value)
    if isinstance(value, int):
        return 8, struct.pack("<i", value)
    return 6, struct.pack("<d", value)


def _text(text: str) -> bytes:
    raw = text.encode()
    size, prefix = len(raw), bytearray()
    while size >= 0x80:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + raw


def stream(root: Thing) -> bytes:
    """Give the bytes of one stream."""
    import io

    out = io.BytesIO()
    Writer(out).write(root)
    return out.getvalue()


# -- CytoSense files --------------------------------------------------------------------------------------------------

OLD_CHANNELS: Mapping[str, int] = {
    "Trigger1": 0,
    "FWS L": 130,
    "FWS R": 132,
    "SWS": 134,
    "FL Orange": 136,
    "FL Red": 138,
}
NEW_CHANNELS: Mapping[str, int] = dict.fromkeys(("FWS L", "FWS R", "SWS", "FL Yellow", "FL Red HS", "FL Red LS"), -1)
START = datetime(2021, 3, 4, 5, 6, 7)


def data_file(
    channels: Mapping[str, int],
    *,
    data: bytes | None = b"",
    newer: bool = False,
    codes: Sequence[int] = (),
    settings: Mapping[str, Any] | None = None,
    protocol: Mapping[str, Any] | None = None,
    info: Mapping[str, Any] | None = None,
    others: Mapping[str, Any] | None = None,
) -> Thing:
    """Give a ``DataFile`` with the members that a reader asks for; the mappings add or replace members."""
    listed = [
        Thing(
            "CytoSense.CytoSettings.channel",
            {"name": name, "visible": not name.startswith(("Trigger", "DSP")), "SyncPulseValue": sync},
        )
        for name, sync in channels.items()
    ]
    instrument: dict[str, Any] = {
        "name": "Test", "SerNr": "CS-2000-1", "Corespeed": 2.0, "BeamWidth": single(5.0), "channels": listed,
        "hasFJDataElectronics": newer, "triggerlevelConstant": 0.125 if newer else 1.0, "triggerlevelOffset": 0.0,
    }  # fmt: skip
    measurement: dict[str, Any] = {
        "_TabName": "protocol", "_TriggerChannelArray": [name == "SWS" for name in channels], "_TriggerLevel1e": 30,
        "_channelDataConversion": np.array(codes or [2 if newer else 1] * len(channels), np.int32),
    }  # fmt: skip
    results: dict[str, Any] = {"MeasurementStartTime": date(START), "MeasureTime": single(60.0)}
    return Thing(
        "CytoSense.Data.Data+DataFile",
        {
            "Version": None,
            "Data": data,
            "CytoSenseSetting": Thing("CytoSense.CytoSettings.CytoSenseSetting", instrument | dict(settings or {})),
            "MeasurementSettings": Thing(
                "CytoSense.MeasurementSettings.Measurement", measurement | dict(protocol or {})
            ),
            "MeasurementInfo": Thing("CytoSense.Data.Data+MeasurementInfo", results | dict(info or {})),
            **dict(others or {}),
        },
    )


def multiplex(particles: Sequence[NDArray[np.uint8]], channels: Mapping[str, int], *, syncs: int = 5) -> bytes:
    """Give the byte stream of the older electronics: particles of shape (samples, channels) between sync records."""
    sync = np.tile(np.array([max(value, 0) for value in channels.values()], np.uint8), (syncs, 1)).tobytes()
    return sync + b"".join(particle.tobytes() + sync for particle in particles)


def raw_particle(
    number: int, columns: Sequence[bytes], *, arrival: datetime = START, cluster: Thing | None = None
) -> Thing:
    """Give a ``RawParticle`` of the V10 electronics."""
    members = {"_chdata": ByteRows(columns), "_clusterInfo": cluster, "_ID": number, "_timeOfArrival": date(arrival)}
    return Thing("CytoSense.Data.SegmentedData.RawParticle", members)


def pictured_particle(number: int, columns: Sequence[bytes], picture: bytes, *, arrival: datetime = START) -> Thing:
    """Give a ``RawIIFParticle``: inherited members carry the name of their class, the stream has spare bytes."""
    image = Thing(
        "System.IO.MemoryStream", {"_buffer": picture + bytes(64), "_origin": 0, "_length": len(picture)}, system=True
    )
    base = raw_particle(number, columns, arrival=arrival)
    members = {"_ImageStream": image} | {f"RawParticle+{name}": value for name, value in base.members.items()}
    return Thing("CytoSense.Data.SegmentedData.RawIIFParticle", members)


def segmented_file(settings: Thing, segments: Sequence[tuple[int, Sequence[Thing]]], out: BinaryIO) -> None:
    """Write a file in segments; each is (type, particles)."""
    space = 65_535
    out.write(bytes(space))
    Writer(out).write(settings)
    entries = [_segment_info(space, out.tell() - space, 1)]
    for kind, particles in segments:
        begin = out.tell()
        Writer(out).write(
            Thing(
                "CytoSense.Data.SegmentedData.ParticleDataSegment",
                {
                    "_particles": net_list(particles, "CytoSense.Data.SegmentedData.RawParticle"),
                    "DataSegment+_segmentType": kind,
                },
            )
        )
        entries.append(_segment_info(begin, out.tell() - begin, kind))
    header = Thing(
        "CytoSense.Data.SegmentedData.SegmentedDataFileHeader",
        {
            "_df_info": entries[0],
            "_segments": net_list(entries[1:], "CytoSense.Data.SegmentedData.SegmentInfo"),
            "DataSegment+_segmentType": 0,
        },
    )
    out.seek(0)
    Writer(out).write(header)
    if out.tell() > space:
        raise ValueError("the list of segments does not fit into the header")


def _segment_info(offset: int, count: int, kind: int) -> Thing:
    return Thing(
        "CytoSense.Data.SegmentedData.SegmentInfo", {"_offset": int64(offset), "_count": int64(count), "_type": kind}
    )
