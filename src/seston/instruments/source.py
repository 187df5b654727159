"""What a reader is: something that claims files and reads them as one source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seston.particle import Annotation, Note, Particle, Sample, Skipped

__all__ = ["Claim", "Listing", "Reader", "Record", "Source"]

_MOST_HEADS = 4096

Record = Sample | Particle | Skipped | Note | Annotation
"""What a reader yields: each sample before its particles, what a person said of a particle right behind it, and
whatever it could not use, in between."""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that a reader reads as a whole: an export, a file, a folder of classes."""

    reader: str
    path: Path
    """The file or folder that stands for it."""
    files: tuple[Path, ...]
    """Every file that belongs to it."""
    reason: str
    """Why the reader claims it, in a user's words."""
    details: dict[str, str] = field(default_factory=dict)
    """What the reader found out while claiming and wants to know again while reading."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Which reader reads a file, and why; or why none does."""

    path: str
    reader: str | None
    reason: str


@dataclass(slots=True)
class Listing:
    """The files below one path that no reader has claimed yet."""

    root: Path
    """What the user named: a folder, or the folder of the file that they named."""
    files: tuple[Path, ...]
    """Regular files, sorted; without dot files and the twins that macOS leaves in archives."""
    _heads: dict[Path, bytes] = field(default_factory=dict)

    def head(self, path: Path, size: int = 8192) -> bytes:
        """Give the first bytes of a file; empty where it cannot be opened.

        They are kept for the next reader that asks, those of the last few thousand files at most: a folder may hold a
        million pictures.
        """
        if path not in self._heads:
            if len(self._heads) >= _MOST_HEADS:
                self._heads.clear()
            try:
                with path.open("rb") as file:
                    self._heads[path] = file.read(size)
            except OSError:
                self._heads[path] = b""
        return self._heads[path]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of one format.

    `claim` looks at a listing and gives the sources it can read, without reading more than the heads of files; `read`
    streams one source. Readers are asked in the order of the registry; a file belongs to the first that claims it.
    """

    name: str
    description: str
    claim: Callable[[Listing], list[Source]]
    read: Callable[[Source], Iterator[Record]]
