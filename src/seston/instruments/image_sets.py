"""The pictures of an export: in a folder, in a zip, or beside the tables.

Archives are read without unpacking to disk; a member's declared and real size are bounded. Which picture is a
particle's follows from the file names alone: cropped before uncropped, without a burned-in scale bar before with one.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from seston.instruments.export_names import measurement_key, picture_name
from seston.instruments.pictures import PICTURE_SUFFIXES
from seston.particle import Note, Skipped

__all__ = ["ImageSet", "Picture", "is_litter"]

_LARGEST_PICTURE = 256 << 20
_MOST_MEMBERS = 5_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of one particle, not read yet."""

    number: int
    path: Path
    """The picture, or the archive that holds it."""
    member: str | None
    cropped: bool
    scale_bar: bool

    @property
    def item(self) -> str:
        """The name to show a user."""
        return PurePosixPath(self.member).name if self.member else self.path.name


def is_litter(name: str) -> bool:
    """Tell whether a path is what an operating system leaves behind: dot files, the twins of macOS."""
    return any(
        part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts if part not in (".", "..")
    )


@dataclass(slots=True)
class ImageSet:
    """The pictures of one measurement by particle; a context manager that keeps archives open."""

    measurement: str
    pictures: dict[int, Picture] = field(default_factory=dict)
    records: list[Skipped | Note] = field(default_factory=list)
    uncropped_aside: int = 0
    """Uncropped pictures of particles that have a cropped one too."""
    uncropped_taken: int = 0
    with_bar_aside: int = 0
    litter: int = 0
    _archives: dict[Path, zipfile.ZipFile] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for archive in self._archives.values():
            archive.close()
        self._archives.clear()

    def add(self, files: Iterable[Path]) -> None:
        """Take in pictures and zip archives of pictures, and sort out what belongs to the measurement."""
        offered: dict[int, list[Picture]] = {}
        for path, member in self._names(files):
            picture = self._picture(path, member)
            if picture is not None:
                offered.setdefault(picture.number, []).append(picture)
        for number, pictures in offered.items():
            if number in self.pictures:
                pictures.insert(0, self.pictures[number])
            self._choose(number, pictures)

    def read(self, picture: Picture) -> bytes | Skipped:
        """Read a picture's bytes as they are; or say why it cannot be read."""
        where = str(picture.path)
        try:
            if picture.member is None:
                size = picture.path.stat().st_size
                data = picture.path.read_bytes() if size <= _LARGEST_PICTURE else None
            else:
                data = self._member(picture.path, picture.member)
        except (
            OSError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
            RuntimeError,
            NotImplementedError,
            KeyError,
        ) as error:
            return Skipped(where, picture.item, f"the picture cannot be read ({_plain(error)}); export it again")
        if data is None:
            return Skipped(where, picture.item, f"the picture is larger than {_LARGEST_PICTURE >> 20} MB: left out")
        if not data:
            return Skipped(where, picture.item, "the picture is empty; export it again")
        return data

    def _names(self, files: Iterable[Path]) -> Iterator[tuple[Path, str | None]]:
        for path in files:
            if path.suffix.lower() != ".zip":
                yield path, None
                continue
            try:
                archive = zipfile.ZipFile(path)
            except (OSError, zipfile.BadZipFile, ValueError) as error:
                reason = f"the archive cannot be opened ({_plain(error)}); zip the pictures again"
                self.records.append(Skipped(str(path), path.name, reason))
                continue
            self._archives[path] = archive
            for info in archive.infolist()[:_MOST_MEMBERS]:
                if not info.filename or info.is_dir():
                    continue
                if is_litter(info.filename):
                    self.litter += 1
                    continue
                yield path, info.filename

    def _picture(self, path: Path, member: str | None) -> Picture | None:
        name = PurePosixPath(member or path.name)
        if name.suffix.lower() not in PICTURE_SUFFIXES:
            if member is not None:
                self.records.append(Skipped(str(path), name.name, "not a picture: left out"))
            return None
        parts = picture_name(name.stem)
        if parts is None:
            background = "background" in name.stem.lower()
            reason = "a background picture, not a particle" if background else "no particle can be told from its name"
            self.records.append(Skipped(str(path), name.name, f"{reason}: left out"))
            return None
        if parts.measurement and measurement_key(parts.measurement) != measurement_key(self.measurement):
            reason = f"a picture of another measurement ({parts.measurement}): left out"
            self.records.append(Skipped(str(path), name.name, reason))
            return None
        return Picture(parts.number, path, member, parts.cropped, parts.scale_bar)

    def _choose(self, number: int, pictures: list[Picture]) -> None:
        """Keep the best picture of a particle; of the others only a second one of the same kind is odd."""
        best = min(pictures, key=lambda picture: (not picture.cropped, picture.scale_bar))
        self.pictures[number] = best
        self.uncropped_taken += not best.cropped
        for picture in pictures:
            if picture is best:
                continue
            if not picture.cropped and best.cropped:
                self.uncropped_aside += 1
            elif picture.scale_bar and not best.scale_bar:
                self.with_bar_aside += 1
            else:
                reason = f"a second picture of particle {number}: {best.item} is kept"
                self.records.append(Skipped(str(picture.path), picture.item, reason))

    def _member(self, path: Path, member: str) -> bytes | None:
        archive = self._archives.get(path)
        if archive is None:
            archive = self._archives[path] = zipfile.ZipFile(path)
        if archive.getinfo(member).file_size > _LARGEST_PICTURE:
            return None
        with archive.open(member) as file:
            data = file.read(_LARGEST_PICTURE + 1)
        return None if len(data) > _LARGEST_PICTURE else data


def _plain(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
