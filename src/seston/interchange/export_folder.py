"""The folder of an export that is written in shards: a killed export goes on after the last whole shard.

A shard appears under its name when the disk has all of it; then the notes (``.seston-export.json``) say so, with the
place where the next one begins and what was counted up to there. The same export of the same data set therefore writes
the same files, in one go or in ten.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seston import __version__
from seston.errors import DataSetError, UsageError
from seston.store.folder import write_whole

__all__ = ["NOTES", "ExportFolder", "Shard"]

NOTES = ".seston-export.json"
"""File in the folder of an export that says how far it is."""

_HALF = ".half"


@dataclass(frozen=True, slots=True)
class Shard:
    """One finished file."""

    name: str
    """Path below the folder, with forward slashes."""
    part: str
    particles: int
    bytes: int


class ExportFolder:
    """Where an export writes, and how far it is.

    Parameters
    ----------
    path
        A folder that is new, empty, or holds the same export, broken off.
    settings
        Whatever decides what is written; an export is gone on with only where they are the same.
    overwrite
        Put the files of an older export, and only those, out of the way.
    whole_is_fine
        Take the same export, where it is whole already, as it is; see `is_complete`.

    Raises
    ------
    UsageError
        Something else is there.
    """

    def __init__(
        self, path: Path, settings: Mapping[str, Any], *, overwrite: bool, whole_is_fine: bool = False
    ) -> None:
        self.path = path
        self.shards: list[Shard] = []
        self.tallies: dict[str, Counter[str]] = {}
        self.part, self.position = "", 0
        self._settings: dict[str, Any] = json.loads(json.dumps({**settings, "seston": __version__}))
        self._others: list[str] = []
        self.is_complete = False
        """Whether nothing is left to do."""
        self._begin(overwrite=overwrite, whole_is_fine=whole_is_fine)

    @property
    def resumed(self) -> bool:
        """Whether shards of an earlier run are kept."""
        return bool(self.shards)

    def count(self, what: str, key: str, number: int = 1) -> None:
        """Add to what is counted."""
        self.tallies.setdefault(what, Counter())[key] += number

    def counted(self, what: str) -> Counter[str]:
        """Give what was counted."""
        return self.tallies.get(what, Counter())

    def half(self, name: str) -> Path:
        """Give the path under which to write a file that is not whole yet."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f".{path.name}{_HALF}")

    def finish_shard(self, name: str, *, part: str, position: int, particles: int) -> None:
        """Take a file that was written under `half` as whole; the next one begins at `position` of `part`."""
        half = self.half(name)
        try:
            with half.open("rb+") as file:
                os.fsync(file.fileno())
            half.replace(self.path / name)
        except OSError as error:
            raise DataSetError(f"{self.path / name}: cannot be written: {error.strerror or error}") from error
        self.shards.append(Shard(name, part, particles, (self.path / name).stat().st_size))
        self.part, self.position = part, position
        self._write(complete=False)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file of the export."""
        if name not in self._others:
            self._others.append(name)
            self._write(complete=False)
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path / name, content)

    def complete(self) -> None:
        """Note that nothing is missing."""
        self._write(complete=True)

    def give_up(self) -> None:
        """Leave no trace of an export that came to nothing."""
        (self.path / NOTES).unlink(missing_ok=True)
        with suppress(OSError):  # there may be other things in it
            self.path.rmdir()

    def files(self) -> list[str]:
        """Name all files of the export, in the order in which they were written."""
        return [*(shard.name for shard in self.shards), *self._others]

    def bytes(self) -> int:
        """Add up the sizes of all files."""
        return sum((self.path / name).stat().st_size for name in self.files())

    def _begin(self, *, overwrite: bool, whole_is_fine: bool) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file; name a folder for the export")
        notes = self._read()
        if notes is not None and notes["settings"] == self._settings and (whole_is_fine or not notes["complete"]):
            self._go_on(notes)
            if notes["complete"]:
                self.is_complete = True
                return
        elif notes is not None and not overwrite:
            what = "an export" if notes["complete"] else "the beginning of another export, or of an older data set,"
            raise UsageError(f"{self.path} holds {what} already: choose another folder, or replace it by --overwrite")
        elif notes is not None:
            self._clear(notes)
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise UsageError(f"{self.path} holds other files; name a new or an empty folder for the export")
        self.path.mkdir(parents=True, exist_ok=True)
        for half in self.path.rglob(f".*{_HALF}"):
            half.unlink()
        self._write(complete=False)

    def _go_on(self, notes: dict[str, Any]) -> None:
        self.shards = [Shard(**shard) for shard in notes["shards"]]
        self._others = list(notes["others"])
        self.part, self.position = notes["part"], notes["position"]
        self.tallies = {what: Counter(counts) for what, counts in notes["tallies"].items()}

    def _clear(self, notes: dict[str, Any]) -> None:
        for name in [*(shard["name"] for shard in notes["shards"]), *notes["others"]]:
            path = self.path / name
            if self.path.resolve() in path.resolve().parents:  # the notes may have been changed by hand
                path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any] | None:
        path = self.path / NOTES
        if not path.is_file():
            return None
        try:
            notes: dict[str, Any] = json.loads(path.read_bytes())
            if {"settings", "shards", "others", "part", "position", "tallies", "complete"} <= set(notes):
                return notes
        except ValueError:
            pass
        raise DataSetError(f"{path} is damaged, so that the export cannot go on: remove the folder and begin anew")

    def _write(self, *, complete: bool) -> None:
        notes = {
            "settings": self._settings,
            "shards": [
                {"name": one.name, "part": one.part, "particles": one.particles, "bytes": one.bytes}
                for one in self.shards
            ],
            "others": self._others,
            "part": self.part,
            "position": self.position,
            "tallies": self.tallies,
            "complete": complete,
        }
        write_whole(self.path / NOTES, json.dumps(notes, ensure_ascii=False, indent=1).encode() + b"\n")
