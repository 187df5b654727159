"""The folder of a data set: what lies where, its format version, and the locks that keep writers apart."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from seston.errors import DataSetError, NotFoundError, UsageError
from seston.particle import Progress, Silence
from seston.store.schema import ANNOTATIONS, PARTICLES, SAMPLES
from seston.store.tables import Table

__all__ = ["FORMAT", "Folder", "locked", "write_whole"]

FORMAT = 1
"""Version of the layout on disk; a data set with a higher one was made by a newer Seston."""

_CARD = "seston.json"
_OURS = frozenset(
    {
        _CARD,
        "particles.lance",
        "samples.lance",
        "annotations.lance",
        "annotations.journal",
        "splits",
        "embeddings",
        "metadata",
        "collections",
        "README.md",
        "info.json",
        "import.lock",
        "annotations.lock",
    }
)


class Folder:
    """Where the parts of a data set lie; nothing is opened yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.particles = path / "particles.lance"
        self.samples = path / "samples.lance"
        self.annotations = path / "annotations.lance"
        self.journal = path / "annotations.journal"
        self.splits = path / "splits"
        self.summary = path / "info.json"
        self.embeddings = path / "embeddings"

    @classmethod
    def open(cls, path: Path, *, create: bool) -> Folder:
        """Find a data set, or make an empty one.

        Raises
        ------
        NotFoundError
            Nothing is there, or something that is no data set.
        DataSetError
            The data set was made by a newer Seston, or its card is damaged.
        """
        folder = cls(path)
        if not (path / _CARD).is_file():
            if not create:
                raise NotFoundError(_why_no_data_set(path))
            folder._make()
        folder._check_format()
        return folder

    def bytes_on_disk(self) -> int:
        """Add up the sizes of all files, but for what is kept of the counting itself."""
        files = (file for file in self.path.rglob("*") if file.is_file() and file != self.summary)
        return sum(file.stat().st_size for file in files)

    @contextmanager
    def importing(self, progress: Progress | None = None) -> Iterator[None]:
        """Hold the right to write particles; a second importer waits, and says so."""
        with locked(self.path / "import.lock", progress, f"another import is writing to {self.path}: waiting for it"):
            yield

    @contextmanager
    def annotating(self) -> Iterator[None]:
        """Hold the right to write annotations."""
        with locked(self.path / "annotations.lock"):
            yield

    def _make(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file; name a folder for the data set")
        if strangers := self._strangers():
            raise UsageError(f"{self.path} holds other files ({strangers[0]}, …); name a new or an empty folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with self.importing():
                Table.create(self.particles, PARTICLES)
                Table.create(self.samples, SAMPLES)
                Table.create(self.annotations, ANNOTATIONS)
                if not (self.path / _CARD).is_file():
                    write_whole(self.path / _CARD, json.dumps({"format": FORMAT}).encode() + b"\n")
        except OSError as error:
            raise DataSetError(f"{self.path}: the data set cannot be made: {error.strerror or error}") from error

    def _strangers(self) -> list[str]:
        """Name what does not stem from making a data set here that was killed halfway."""
        names = {item.name for item in self.path.iterdir()} if self.path.is_dir() else set()
        return sorted(name for name in names - _OURS if not name.startswith(f".{_CARD}."))

    def _check_format(self) -> None:
        try:
            version = json.loads((self.path / _CARD).read_bytes())["format"]
        except (OSError, ValueError, KeyError, TypeError):
            version = None
        if not isinstance(version, int):
            raise DataSetError(f'{self.path / _CARD} is damaged: it should say {{"format": {FORMAT}}}')
        if version > FORMAT:
            raise DataSetError(
                f"{self.path} has format version {version}, and this Seston reads up to {FORMAT}: "
                "install a newer Seston (pip install -U seston)"
            )


def _why_no_data_set(path: Path) -> str:
    if not path.exists():
        return f"there is no data set {path}; make one with  seston import FILES --to {path}"
    what = "a folder without seston.json" if path.is_dir() else "a file"
    return f"{path} is no data set but {what}; make one with  seston import {path} --to NEW_FOLDER"


@contextmanager
def locked(path: Path, progress: Progress | None = None, waiting: str = "") -> Iterator[None]:
    """Hold a lock of the operating system, which dies with its process."""
    lock = FileLock(path, thread_local=False)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if waiting:
                (progress or Silence()).note(waiting)
            lock.acquire(poll_interval=0.02)
    except OSError as error:
        raise DataSetError(f"{path.parent}: cannot be locked for writing: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, even after a kill."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise DataSetError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        Path(name).unlink(missing_ok=True)
