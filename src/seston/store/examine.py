"""Look at each particle once on its way in: decode the picture, check the profile, take hashes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments import decode_image, find_scale_bar, image_format, image_size
from seston.particle import Particle

__all__ = ["Examined", "examine", "hash_of_profile"]

_LARGE_PIXELS = 8_000_000
_one_large_picture_at_a_time = threading.Lock()


@dataclass(slots=True)
class Examined:
    """A particle as it will be stored; `particle` still holds what its file said."""

    particle: Particle
    image: bytes | None = None
    image_format: str | None = None
    width: int | None = None
    height: int | None = None
    image_hash: str | None = None
    image_fingerprint: int | None = None
    scale_bar: tuple[int, int, int, int] | None = None
    pixel_size_um: float | None = None
    profile: NDArray[np.float32] | None = None
    profile_channels: tuple[str, ...] = ()
    profile_hash: str | None = None
    source: str = ""
    licence: str = "unknown"
    attribution: str = ""
    flags: tuple[str, ...] = ()
    decoded: bool = False
    faults: list[str] = field(default_factory=list)
    """Why a picture or a profile was left out."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left that could be stored."""
        return self.image is None and self.profile is None and not self.particle.listmode


def examine(particle: Particle, *, decode: bool = True) -> Examined:
    """Check what a particle brought and drop what cannot be used, with the reason.

    Parameters
    ----------
    particle
        As its reader gave it.
    decode
        Decode the picture to prove that it can be; not needed where the data set has one for this particle.
    """
    examined = Examined(
        particle,
        pixel_size_um=particle.pixel_size_um,
        source=particle.source,
        licence=particle.licence,
        attribution=particle.attribution,
        flags=particle.flags,
    )
    if particle.image is not None:
        _examine_picture(examined, particle.image, decode=decode)
    if particle.profile is not None:
        _examine_profile(examined, particle.profile, particle.profile_channels)
    if examined.is_empty and not examined.faults:
        examined.faults.append("it has neither a picture nor a profile nor listmode parameters; left out")
    return examined


def hash_of_profile(profile: NDArray[np.float32], channels: Sequence[str]) -> str:
    """SHA-256 over the names of the channels and the float32 samples, channel after channel, little-endian."""
    digest = hashlib.sha256("\x1f".join(channels).encode())
    digest.update(np.ascontiguousarray(profile, dtype="<f4").data)
    return digest.hexdigest()


def _examine_picture(examined: Examined, data: bytes, *, decode: bool) -> None:
    if decode:
        examined.decoded = True
        try:
            width, height = image_size(data)
            if width * height > _LARGE_PIXELS:
                with _one_large_picture_at_a_time:
                    _decode(examined, data)
            else:
                _decode(examined, data)
        except InputError as error:
            examined.faults.append(str(error))
            return
    examined.image = data
    examined.image_format = examined.particle.image_format or image_format(data)
    examined.image_hash = hashlib.sha256(data).hexdigest()


def _decode(examined: Examined, data: bytes) -> None:
    grey = decode_image(data, grey=True)
    examined.height, examined.width = grey.shape
    examined.scale_bar = examined.particle.scale_bar
    if examined.scale_bar is None and (bar := find_scale_bar(grey)) is not None:
        examined.scale_bar = bar.box
        if examined.pixel_size_um is None:
            examined.pixel_size_um = bar.um_per_px


def _examine_profile(examined: Examined, profile: NDArray[np.float32], channels: tuple[str, ...]) -> None:
    if profile.ndim != 2 or profile.shape[0] != len(channels) or not len(channels):
        shape = " × ".join(map(str, profile.shape))
        examined.faults.append(f"profile of shape {shape} does not fit its {len(channels)} channel names; left out")
    elif profile.shape[1] < 2:
        many = "only one sample" if profile.shape[1] else "no samples"
        examined.faults.append(f"profile has {many} (at least two are needed); left out")
    elif not np.isfinite(profile).all():
        row = int(np.flatnonzero(~np.isfinite(profile).all(axis=1))[0])
        examined.faults.append(f"profile has a value that is no number, in channel {channels[row]!r}; left out")
    else:
        examined.profile = np.ascontiguousarray(profile, dtype="<f4")
        examined.profile_channels = channels
        examined.profile_hash = hash_of_profile(examined.profile, channels)
