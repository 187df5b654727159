"""Reader of the JSON that cyz2json makes of a raw CytoSense file, in all spellings since its first version.

The file is indexed once and then decoded particle by particle, so memory does not grow with it. Pictures stand behind
the particles: each is read when its particle is.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.cyz2json_sample import SAMPLING_RATE_MHZ, measurement_name, number_of, sample_of
from seston.instruments.json_stream import JsonIndex, Span, index_json, read_span, read_spans
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Note, Particle, Sample, Skipped, canonical_channel, canonical_parameter

__all__ = ["READER", "claim", "read"]

_SIGNS: Final = (b'"pulseShapes"', b'"measurementSettings"', b'"serialNumber"', b'"instrument"', b'"particles"')
_PARTICLES: Final = "particles"
_CROPPED, _PICTURES = "crop_images", "images"
_OF_THE_PARTICLE: Final = frozenset({"Sample Length", "Time of Arrival"})
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding damaged text, numbers, nesting or base64 can raise."""
_HALVES: Final = frozenset({"FWS L", "FWS R"})


class _Shape(msgspec.Struct):
    description: str = ""
    values: list[float | str | None] = []


class _Particle(msgspec.Struct):
    particle_id: int | float | str | None = msgspec.field(name="particleId", default=None)
    shapes: list[_Shape] = msgspec.field(name="pulseShapes", default_factory=list)
    parameters: list[dict[str, float | str | None]] = msgspec.field(default_factory=list)
    region: list[str] | str | None = None


class _PictureNumber(msgspec.Struct):
    particle_id: int | float | str | None = msgspec.field(name="particleId", default=None)


class _Picture(msgspec.Struct):
    base64: str = ""
    crop: dict[str, Any] | None = msgspec.field(name="cropRectangle", default=None)


_decode_particle = msgspec.json.Decoder(_Particle).decode
_decode_number = msgspec.json.Decoder(_PictureNumber).decode
_decode_picture = msgspec.json.Decoder(_Picture).decode


def claim(listing: Listing) -> list[Source]:
    """Claim JSON files that begin as cyz2json begins one: an object with an instrument and particles."""
    sources = []
    for path in listing.files:
        head = listing.head(path)
        begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if begin == b"{" and sum(sign in head for sign in _SIGNS) >= 2:
            sources.append(Source("cyz2json", path, (path,), "a JSON object with an instrument and its particles"))
        elif path.suffix.lower() == ".json" and begin == b"{" and b'"filename"' in head and b".cyz" in head:
            sources.append(Source("cyz2json", path, (path,), "a JSON object made from a .cyz file"))
    return sources


def read(source: Source) -> Iterator[Record]:
    """Read one file: its sample, then its particles in their order, with what could not be read in between.

    Raises
    ------
    InputError
        Where nothing can be read: no JSON, no instrument and no particles, or cut before the first particle.
    """
    path = source.path
    try:
        index = index_json(path)
    except OSError as error:
        raise InputError(f"{path.name}: cannot be opened: {error.strerror or error}") from None
    if index.size == 0:
        raise InputError(f"{path.name}: empty file")
    if "instrument" not in index.values and _PARTICLES not in index.items:
        raise InputError(
            f"{path.name}: {index.problem or 'has no instrument and no particles, so it is not of cyz2json'}"
        )
    pictures = _pictures_by_particle(path, index)
    sample = _sample(path, index, len(pictures))
    yield sample
    if "instrument" not in index.values:
        yield Skipped(str(path), "instrument", "is missing or cut off: settings, volumes and µm are not known")
    yield from _particles(path, index, sample, pictures)
    for number, spans in pictures.items():
        yield from _picture_alone(path, sample, number, spans)
    if index.problem is not None:
        yield Skipped(str(path), f"what follows particle {len(index.items.get(_PARTICLES, ())) - 1}", index.problem)


READER = Reader(
    name="cyz2json",
    description="JSON of cyz2json: profiles, listmode, pictures, settings",
    claim=claim,
    read=read,
)

_Places = list[Span]
"""Where the pictures of one particle lie, the best first."""


def _sample(path: Path, index: JsonIndex, pictures: int) -> Sample:
    def value(*keys: str) -> Any:
        return next((_value(path, index, key) for key in keys if key in index.values), None)

    instrument = value("instrument")
    return sample_of(
        instrument if isinstance(instrument, dict) else {},
        value("set_information", "region_information"),
        sample_id=measurement_name(value("filename"), path.stem),
        path=str(path),
        file=path.name,
        found=len(index.items.get(_PARTICLES, ())),
        pictures=pictures,
    )


def _value(path: Path, index: JsonIndex, key: str) -> Any:
    try:
        return json.loads(read_span(path, *index.values[key]))
    except _UNREADABLE:
        return None


def _pictures_by_particle(path: Path, index: JsonIndex) -> dict[str, _Places]:
    """Find the pictures of each particle, without holding one: cropped ones before whole frames."""
    found: dict[str, _Places] = {}
    for key in (_CROPPED, _PICTURES):
        spans = index.items.get(key)
        if spans is None:
            continue
        for (begin, end), raw in zip(spans.tolist(), read_spans(path, spans), strict=True):
            try:
                number = _number(_decode_number(raw).particle_id)
            except _UNREADABLE:
                number = None
            found.setdefault(f"?{len(found)}" if number is None else number, []).append((begin, end))
    return found


def _particles(
    path: Path, index: JsonIndex, sample: Sample, pictures: dict[str, _Places]
) -> Iterator[Particle | Skipped | Note]:
    """Yield the particles; takes the pictures that it uses out of `pictures`."""
    spans = index.items.get(_PARTICLES)
    if spans is None:
        yield Note(str(path), "empty: the file holds no particle")
        return
    seen: set[str] = set()
    for place, raw in enumerate(read_spans(path, spans)):
        try:
            read_particle = _decode(raw)
        except InputError as error:
            yield Skipped(str(path), f"particle at place {place}", str(error))
            continue
        number = _number(read_particle.particle_id)
        if number is None or number in seen:
            why = (
                "has no particleId"
                if number is None
                else f"number {number} stands in the file twice; the first was kept"
            )
            yield Skipped(str(path), f"particle at place {place}", why)
            continue
        seen.add(number)
        yield from _particle(path, sample, number, read_particle, pictures.pop(number, []))


def _decode(raw: bytes) -> _Particle:
    try:
        return _decode_particle(raw)
    except _UNREADABLE as error:
        try:  # bare NaN is no JSON, but some writers leave it in
            return msgspec.convert(json.loads(raw), _Particle)
        except _UNREADABLE:
            raise InputError(f"is damaged: {' '.join(str(error).split())}") from None


def _particle(
    path: Path, sample: Sample, number: str, given: _Particle, places: _Places
) -> Iterator[Particle | Skipped]:
    profile, channels, problem = _profile(given.shapes)
    if problem:
        yield Skipped(str(path), f"profile of particle {number}", problem)
    listmode = _listmode(given.parameters)
    image, flags, skipped = _image(path, number, places)
    if skipped:
        yield skipped
    if profile is None and image is None and not listmode:
        if not problem and skipped is None:
            yield Skipped(str(path), f"particle {number}", "has neither profile, picture nor parameters")
        return
    spacing = sample.core_speed_m_s / SAMPLING_RATE_MHZ if sample.core_speed_m_s else None
    regions = [given.region] if isinstance(given.region, str) else given.region or []
    yield Particle(
        id=f"{sample.id}/{number}",
        sample_id=sample.id,
        image=image,
        pixel_size_um=sample.pixel_size_um if image is not None else None,
        profile=profile,
        profile_channels=channels,
        profile_spacing_um=spacing if profile is not None else None,
        listmode=listmode,
        flags=(*flags, *(f"set:{region}" for region in regions if region)),
    )


def _profile(shapes: list[_Shape]) -> tuple[NDArray[np.float32] | None, tuple[str, ...], str]:
    """Give profile, channels and, where there is no profile though there should be one, the reason.

    The file lists the sum of both halves of the forward scatter and then each half again: the sum is taken.
    """
    names = [canonical_channel(shape.description) for shape in shapes]
    kept = [place for place, name in enumerate(names) if not ("FWS" in names and name in _HALVES)]
    if not kept:
        return None, (), ""
    chosen = tuple(names[place] for place in kept)
    if len(set(chosen)) != len(chosen):
        return None, (), f"a channel stands there twice: {', '.join(chosen)}"
    lengths = {len(shapes[place].values) for place in kept}
    if len(lengths) != 1:
        return None, (), f"its channels have different numbers of samples ({', '.join(map(str, sorted(lengths)))})"
    if lengths == {0}:
        return None, (), "it has no samples"
    try:
        with np.errstate(over="ignore"):
            profile = np.array([shapes[place].values for place in kept], dtype=np.float32)
    except (TypeError, ValueError):
        return None, (), "it holds values that are no numbers"
    if not np.isfinite(profile).all():
        return None, (), "it holds values that are not finite (NaN or Infinity)"
    return profile, chosen, ""


def _listmode(parameters: list[dict[str, float | str | None]]) -> Mapping[str, float]:
    names = [canonical_channel(str(entry.get("description", ""))) for entry in parameters]
    listmode: dict[str, float] = {}
    for channel, entry in zip(names, parameters, strict=True):
        if "FWS" in names and channel in _HALVES:
            continue
        for key, value in entry.items():
            number = number_of(value) if key != "description" else None
            if number is not None:
                parameter = canonical_parameter(key)
                listmode.setdefault(parameter if parameter in _OF_THE_PARTICLE else f"{channel} {parameter}", number)
    return listmode


def _image(path: Path, number: str, places: _Places) -> tuple[bytes | None, tuple[str, ...], Skipped | None]:
    """Read the picture of a particle; the first that can be decoded from base64."""
    reason = ""
    for span in places:
        try:
            picture = _decode_picture(read_span(path, *span))
            image = binascii.a2b_base64(picture.base64, strict_mode=False)
        except _UNREADABLE as error:
            reason = f"is damaged: {' '.join(str(error).split())}"
            continue
        if image:
            return image, ("cropped_by_camera",) if picture.crop else (), None
        reason = "is empty"
    return None, (), Skipped(str(path), f"picture of particle {number}", reason) if reason else None


def _picture_alone(path: Path, sample: Sample, number: str, places: _Places) -> Iterator[Particle | Skipped]:
    """Yield a picture whose particle is not in the file."""
    if number.startswith("?"):
        yield Skipped(str(path), f"picture at byte {places[0][0]:,}", "it does not say of which particle it is")
        return
    image, flags, skipped = _image(path, number, places)
    if skipped:
        yield skipped
    if image is not None:
        yield Particle(
            id=f"{sample.id}/{number}",
            sample_id=sample.id,
            image=image,
            pixel_size_um=sample.pixel_size_um,
            flags=flags,
        )


def _number(value: int | float | str | None) -> str | None:
    """Give the number of a particle as text; a whole number never has a point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip() if value is not None else ""
    return text.replace("/", "_") or None
