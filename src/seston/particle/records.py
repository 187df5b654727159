"""The records that every room shares: particle, sample, annotation, and what a reader could not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Annotation", "Note", "Particle", "Sample", "Skipped", "Status"]

Status = Literal["predicted", "validated", "dubious"]
"""What an annotation claims: a model's guess, a person's word, or a person's doubt."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Particle:
    """One particle as an instrument saw it: a picture, an optical profile, listmode parameters, or several of them.

    A reader fills what its file says and leaves the rest; the import adds sizes, hashes and flags.
    """

    id: str
    """``<sample id>/<number>``: unique in a data set and stable over re-imports."""
    sample_id: str
    source: str = ""
    """The import or collection that it came with."""
    image: bytes | None = None
    """The encoded picture, byte for byte as it was in the source; PNG where the source holds raw pixels."""
    image_format: str | None = None
    """``jpeg``, ``png``, ``bmp``, ``tiff``, ``gif`` or ``webp``."""
    width: int | None = None
    height: int | None = None
    image_hash: str | None = None
    profile_hash: str | None = None
    image_fingerprint: int | None = None
    """64 bits that pictures which look alike share, all or nearly; None where they were not taken."""
    pixel_size_um: float | None = None
    """µm a pixel, or None: never guessed."""
    scale_bar: tuple[int, int, int, int] | None = None
    """Left, top, right, bottom (exclusive) of a scale bar with its label burned into the picture, in pixels."""
    profile: NDArray[np.float32] | None = None
    """Shape (channels, samples), in the instrument's units (mV)."""
    profile_channels: tuple[str, ...] = ()
    """Canonical channel names (see `seston.particle.channels`), one a row of `profile`."""
    profile_spacing_um: float | None = None
    """µm a sample along the flow; None unless flow speed and sampling rate are both known."""
    listmode: Mapping[str, float] = field(default_factory=lambda: _NO_NUMBERS)
    """The instrument's own scalar parameters, as ``"<channel> <parameter>"`` with canonical names."""
    raw_label: str | None = None
    raw_status: str | None = None
    time: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    depth_min_m: float | None = None
    depth_max_m: float | None = None
    licence: str = "unknown"
    """SPDX identifier, or ``unknown``."""
    attribution: str = ""
    flags: tuple[str, ...] = ()
    """Facts found at import: ``duplicate``, ``simulated``, ``semi-simulated``, ``truncated``, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement: instrument, time, place, volumes and counts, with the source of each value."""

    id: str
    source: str = ""
    path: str = ""
    """The file or folder that it was read from."""
    reader: str = ""
    instrument: str | None = None
    instrument_code: str | None = None
    """Identifier in the BODC L22 vocabulary, where the instrument has one."""
    serial_number: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    depth_min_m: float | None = None
    depth_max_m: float | None = None
    volume_sampled_ml: float | None = None
    volume_analysed_ml: float | None = None
    volume_imaged_ml: float | None = None
    dilution: float | None = None
    subsample_fraction: float | None = None
    n_counted: int | None = None
    n_recorded: int | None = None
    n_imaged: int | None = None
    trigger: str | None = None
    """Trigger channel and level as one phrase, for instance ``FL Red > 15.94 mV``."""
    set_name: str | None = None
    """Gate or set of the export."""
    detector_levels: Mapping[str, float] = field(default_factory=lambda: _NO_NUMBERS)
    """Sensitivity level of each adjustable detector, by canonical channel name."""
    core_speed_m_s: float | None = None
    beam_width_um: float | None = None
    pixel_size_um: float | None = None
    licence: str = "unknown"
    attribution: str = ""
    flags: tuple[str, ...] = ()
    """``simulated`` or ``semi-simulated`` where that is so."""
    settings: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Whatever else the file says about the measurement, as text."""
    provenance: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Field name → file and key that its value came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One event in the history of a particle's name. Histories are only ever added to."""

    particle_id: str
    label: str
    status: Status
    author: str
    """A person, or the id of a model."""
    score: float | None = None
    time: datetime


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that could not be read: which file, which item in it, and why, in a user's words."""

    path: str
    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something odd about a file that cost no particle."""

    path: str
    text: str
