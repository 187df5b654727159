"""The pictures of a raw CytoSense file, and which particle each belongs to.

Newer files give a picture the number of its particle. Older ones do not: there a picture comes with a copy of the
particle's bytes, and belongs to the particle with the same bytes in channels 1 and 3 (forward and side scatter).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seston.instruments.dotnet_values import DotNetObject, as_bytes, as_integer, as_list

__all__ = ["Picture", "Signature", "join_by_signature", "pictures_of_camera_board", "pictures_of_segment", "signature"]

Signature = tuple[bytes, bytes]
"""Bytes of channels 1 and 3."""
_COMPARED = (1, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture with the copy of its particle's bytes."""

    place: str
    """Where in the file it stands, in a user's words."""
    data: memoryview
    number: int | None
    """Number of its particle, where the picture board gave one."""
    columns: tuple[memoryview | bytes, ...]
    """Bytes of each hardware channel."""

    @property
    def signature(self) -> Signature | None:
        """What it is compared by; None where its bytes are missing."""
        return signature(self.columns)


def signature(columns: Sequence[memoryview | bytes]) -> Signature | None:
    """Give the bytes by which a picture finds its particle; None where there are too few channels."""
    if len(columns) <= _COMPARED[1]:
        return None
    return bytes(columns[_COMPARED[0]]), bytes(columns[_COMPARED[1]])


def pictures_of_segment(particles: Iterable[Any], segment: int) -> list[Picture]:
    """Give the pictures of a segment of ``RawIIFParticle``; those without a picture are left out."""
    found = []
    for place, particle in enumerate(particles):
        if not isinstance(particle, DotNetObject):
            continue
        data = as_bytes(particle.get("_ImageStream", "ImageStream", "_imageStream"))
        if data is not None:
            columns = tuple(as_bytes(column) or b"" for column in as_list(particle.get("_chdata")))
            found.append(
                Picture(f"picture {place} of segment {segment}", data, as_integer(particle.get("_ID")), columns)
            )
    return found


def pictures_of_camera_board(iif: DotNetObject, channels: int) -> list[Picture]:
    """Give the old-style pictures of a one-object file (``DSPParticles``), in the order in which they were taken."""
    found = []
    entries = as_list(iif.get("_DSPParticle"))
    count = as_integer(iif.get("nParts"))
    for place, entry in enumerate(entries[: len(entries) if count is None else max(count, 0)]):
        if not isinstance(entry, DotNetObject) or entry.get("_ImageMatchSucces") is False:
            continue
        data = as_bytes(entry.get("_imageStream")) or as_bytes(entry.get("_Image"))
        if data is not None:
            raw = as_bytes(entry.get("_ChannelData")) or memoryview(b"")
            columns = tuple(raw[channel::channels] for channel in range(channels)) if len(raw) % channels == 0 else ()
            found.append(Picture(f"picture {place} of IIF", data, None, columns))
    return found


def join_by_signature(
    pictures: Sequence[Picture], numbers: Mapping[Signature, Sequence[int]], *, in_order: bool
) -> tuple[dict[int, Picture], list[Picture]]:
    """Give each particle its picture.

    Parameters
    ----------
    numbers
        For each signature, the numbers of the particles that have it, ascending.
    in_order
        Whether pictures and particles stand in the order in which they came: then the next particle with the same
        bytes is taken. Otherwise only a match that is the only one on both sides counts.

    Returns
    -------
    (picture by particle, pictures left over)
    """
    if not in_order:
        return _join_exclusively(pictures, numbers)
    joined: dict[int, Picture] = {}
    left: list[Picture] = []
    last = -1
    for picture in pictures:
        own = picture.signature
        free = [number for number in numbers.get(own, ()) if number not in joined] if own else []
        if not free:
            left.append(picture)
            continue
        later = [number for number in free if number > last]
        chosen = later[0] if later else free[-1]
        joined[chosen] = picture
        last = max(last, chosen)
    return joined, left


def _join_exclusively(
    pictures: Sequence[Picture], numbers: Mapping[Signature, Sequence[int]]
) -> tuple[dict[int, Picture], list[Picture]]:
    signatures = [picture.signature for picture in pictures]
    often: dict[Signature, int] = {}
    for own in signatures:
        if own is not None:
            often[own] = often.get(own, 0) + 1
    joined: dict[int, Picture] = {}
    left: list[Picture] = []
    for picture, own in zip(pictures, signatures, strict=True):
        matches = numbers.get(own, ()) if own is not None and often[own] == 1 else ()
        if len(matches) == 1:
            joined[matches[0]] = picture
        else:
            left.append(picture)
    return joined, left
