"""From blocks of bytes to `Particle` records, for every layout of a raw CytoSense file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.cyz_pictures import Picture
from seston.instruments.cyz_profiles import ChannelPlan, convert_block
from seston.instruments.cyz_settings import Measurement
from seston.instruments.dotnet_values import as_integer
from seston.instruments.pictures import image_format, image_size
from seston.particle import Note, Particle

__all__ = ["ONE_OFF", "UNMATCHED", "Arrival", "Maker", "left_over_pictures", "remarks"]

UNMATCHED = "unmatched_picture"
ONE_OFF = "picture_may_be_one_off"
_SPIKES = "CS-2014-66"
_ONE_OFF_VERSIONS = tuple(f"5.8.0.{patch}" for patch in range(8))


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a particle came and which set the instrument's software had put it in."""

    time: datetime | None = None
    seconds: float | None = None
    set_name: str = ""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the particles of one sample."""

    sample_id: str
    plan: ChannelPlan
    measurement: Measurement
    pictures: Mapping[int, Picture] = field(default_factory=lambda: MappingProxyType({}))
    """Picture of each particle that has one, by the particle's number."""

    def particles(
        self,
        numbers: Sequence[int | str],
        columns: Mapping[int, NDArray[np.uint8]],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        *,
        arrivals: Sequence[Arrival] = (),
        pictures: Sequence[Picture | None] = (),
        flags: tuple[str, ...] = (),
    ) -> Iterator[Particle]:
        """Yield one particle a span; see `convert_block` for `columns`, `starts` and `ends`."""
        block = convert_block(self.plan, columns, starts, ends)
        prefix, names, spacing = f"{self.sample_id}/", self.plan.names, self.measurement.spacing_um
        for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            number = numbers[place]
            picture = pictures[place] if pictures else self.pictures.get(number) if isinstance(number, int) else None
            if picture is None and not arrivals and not flags:
                yield Particle(
                    id=f"{prefix}{number}",
                    sample_id=self.sample_id,
                    profile=block[:, start:end].copy(),
                    profile_channels=names,
                    profile_spacing_um=spacing,
                )
            else:
                arrival = arrivals[place] if arrivals else Arrival()
                yield self._full(f"{prefix}{number}", block[:, start:end].copy(), picture, arrival, flags)

    def _full(
        self,
        particle_id: str,
        profile: NDArray[np.float32],
        picture: Picture | None,
        arrival: Arrival,
        flags: tuple[str, ...],
    ) -> Particle:
        if picture is not None and self.pictures_may_be_one_off:
            flags += (ONE_OFF,)
        if arrival.set_name:
            flags += (f"set:{arrival.set_name}",)
        return Particle(
            id=particle_id,
            sample_id=self.sample_id,
            image=None if picture is None else bytes(picture.data),
            pixel_size_um=None if picture is None else self.measurement.pixel_size_um,
            profile=profile,
            profile_channels=self.plan.names,
            profile_spacing_um=self.measurement.spacing_um,
            listmode={} if arrival.seconds is None else {"Time of Arrival": arrival.seconds},
            time=arrival.time,
            flags=flags,
        )

    @property
    def pictures_may_be_one_off(self) -> bool:
        """Whether the software that wrote the file is known to give pictures to the particle before."""
        return self.measurement.software in _ONE_OFF_VERSIONS


def remarks(maker: Maker, path: str, *, pictures: bool) -> Iterator[Note]:
    """Say what is known of this instrument, or of the software that wrote the file."""
    measurement = maker.measurement
    if measurement.serial_number == _SPIKES:
        yield Note(path, f"this instrument ({_SPIKES}) is known for spikes every 31 samples; they are left as they are")
    if pictures and maker.pictures_may_be_one_off:
        yield Note(
            path,
            f"CytoUSB {measurement.software} may have given each picture to the particle before: check the pairs "
            f"(flag {ONE_OFF})",
        )
    original = as_integer(measurement.reduction.get("OriginalNumber"))
    if measurement.reduction.get("WasReduced") is True and original:
        yield Note(path, f"the file was reduced to a set: it comes from a measurement of {original:,} particles")
    background = _background(measurement)
    if background:
        yield Note(path, f"a picture of the empty background is inside ({background}): it is no particle and left out")


def _background(measurement: Measurement) -> str:
    """Describe the camera's picture without a particle; empty where the file has none."""
    data = measurement.settings.object("iif").object("Background").get("Data")
    if not isinstance(data, memoryview | bytes) or not len(data):
        return ""
    picture = bytes(data)
    try:
        width, height = image_size(picture)
    except InputError:
        return f"{len(picture):,} bytes that are no picture"
    return f"{(image_format(picture) or 'unknown').upper()}, {width} × {height}"


def left_over_pictures(maker: Maker, pictures: Sequence[Picture], path: str) -> Iterator[Particle | Note]:
    """Yield the pictures that belong to no particle of the file, as particles of their own.

    Each brings a copy of its particle's bytes, so it is a full pair of picture and profile; the flag keeps it
    recognisable, because the same particle may stand in the file once more, cut a little differently.
    """
    if not pictures:
        return
    yield Note(
        path,
        f"{len(pictures)} picture{'s' if len(pictures) != 1 else ''} without a particle in the file: kept as particles "
        f"of their own with the flag {UNMATCHED}; leave those out of counts",
    )
    for number, picture in enumerate(pictures):
        sizes = {len(column) for column in picture.columns}
        if len(picture.columns) == len(maker.plan.hardware) and len(sizes) == 1 and min(sizes) > 0:
            columns = {place: np.frombuffer(bytes(picture.columns[place]), np.uint8) for place in maker.plan.shown}
            yield from maker.particles(
                [f"picture-{number}"],
                columns,
                np.array([0]),
                np.array([min(sizes)]),
                pictures=[picture],
                flags=(UNMATCHED,),
            )
        else:
            yield Particle(
                id=f"{maker.sample_id}/picture-{number}",
                sample_id=maker.sample_id,
                image=bytes(picture.data),
                pixel_size_um=maker.measurement.pixel_size_um,
                flags=(UNMATCHED,),
            )
