"""What the operations on a data set say about themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from seston.particle import Note, Skipped

__all__ = ["AnnotateReport", "ImportReport", "Info", "Version"]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    added: int = 0
    """Particles that are new in the data set."""
    completed: int = 0
    """Particles that were there and now have a part that they lacked: a picture, a profile, listmode or a label."""
    already_there: int = 0
    profiles: int = 0
    """Profiles added."""
    images: int = 0
    """Pictures added."""
    pairs: int = 0
    """Particles that now have both a picture and a profile, and had not before."""
    duplicates: int = 0
    """Particles added whose picture or profile is, byte for byte, that of an earlier one; they are kept and flagged."""
    duplicate_of: list[tuple[str, str]] = field(default_factory=list)
    """Those particles, each with the first one of the same content."""
    decoded: int = 0
    """Pictures decoded by this import; those of particles that were there already are not decoded again."""
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class AnnotateReport:
    """What became of some annotations."""

    added: int = 0
    unknown_particles: list[str] = field(default_factory=list)
    """Ids that no particle of the data set has; nothing was written for them."""
    skipped: list[Skipped] = field(default_factory=list)
    """Rows of a table that could not be used."""


@dataclass(frozen=True, slots=True)
class Info:
    """What is in a data set."""

    particles: int
    images: int
    profiles: int
    pairs: int
    """Particles with both a picture and a profile."""
    listmode: int
    """Particles with the instrument's own parameters."""
    samples: int
    labels: dict[str, int]
    """Current label → particles, most frequent first."""
    instruments: dict[str, int]
    """Instrument → particles; ``unknown`` where the files do not say."""
    licences: dict[str, int]
    """Licence → particles."""
    flags: dict[str, int]
    """Flag → particles that have it; see `seston.store.plausibility` for those on places and times."""
    simulated: int
    semi_simulated: int
    duplicates: int
    """Particles that repeat the picture or the profile of an earlier one."""
    annotations: int
    """Events in the history of labels."""
    splits: list[str]
    version: int
    tags: dict[str, int]
    bytes: int
    """On disk, old versions included."""


@dataclass(frozen=True, slots=True)
class Version:
    """One state of the table of particles."""

    number: int
    time: datetime
    tags: tuple[str, ...]
