"""The files of a checklist, in a folder or in a zip archive that is not unpacked."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from seston.errors import InputError, NotFoundError

__all__ = ["ChecklistFiles", "open_checklist", "table_rows"]

_LARGEST_MEMBER = 16 << 30
_STRONGEST_COMPRESSION = 100
_HARMLESS = 64 << 20
_HEADER = 1 << 16
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)


@dataclass(frozen=True, slots=True)
class ChecklistFiles:
    """Files that belong together: one that was named, those beside it, or the members of an archive."""

    path: Path
    """What was named."""
    named: str
    """Name of the table that was named; empty for a folder or an archive."""
    _folder: Path | None = None
    _archive: zipfile.ZipFile | None = None
    _members: dict[str, zipfile.ZipInfo] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Name the files by their last part."""
        if self._folder is not None:
            return sorted(item.name for item in self._folder.iterdir() if item.is_file())
        return list(self._members)

    def header(self, name: str) -> str:
        """Give the first line of a file."""
        with self.open(name) as file:
            return file.read(_HEADER).decode("utf-8-sig", "replace").split("\n", 1)[0].rstrip("\r")

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading.

        Raises
        ------
        InputError
            It is encrypted, damaged, or claims to hold far more than an honest table of its size.
        """
        if self._folder is not None:
            with (self._folder / name).open("rb") as file:
                yield file
            return
        assert self._archive is not None
        info = self._members[name]
        limit = max(_HARMLESS, _STRONGEST_COMPRESSION * info.compress_size)
        if info.file_size > min(limit, _LARGEST_MEMBER):
            raise InputError(
                f"{self.path}: {name} in it claims to hold {info.file_size:,} bytes, too many for its size"
            )
        if info.flag_bits & 1:
            raise InputError(f"{self.path}: {name} in it is encrypted; unpack it with its password first")
        try:
            with self._archive.open(info) as member:
                yield member
        except _DAMAGE as error:
            raise InputError(f"{self.path}: {name} in it is damaged ({' '.join(str(error).split())[:120]})") from None


@contextmanager
def open_checklist(path: Path) -> Iterator[ChecklistFiles]:
    """Open a table, the folder of an unpacked archive, or a zip archive.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        The archive is damaged.
    """
    if not path.exists():
        raise NotFoundError(f"there is no file {path}; name a checklist")
    if path.is_dir():
        yield ChecklistFiles(path, "", _folder=path)
        return
    if path.suffix.lower() != ".zip":
        yield ChecklistFiles(path, path.name, _folder=path.parent)
        return
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise InputError(f"{path}: is no whole zip archive ({error}); fetch it again") from None
    with archive:
        members = {PurePosixPath(info.filename).name: info for info in archive.infolist() if not info.is_dir()}
        yield ChecklistFiles(path, "", _archive=archive, _members=members)


def table_rows(
    file: IO[bytes], *, where: str, delimiter: str, quote: str = "", encoding: str = "utf-8-sig", errors: str = "strict"
) -> Iterator[tuple[int, Sequence[str]]]:
    """Read a table of text row by row.

    Yields
    ------
    (line, fields)
        Number of the row's last line, from 1, and its fields.

    Raises
    ------
    InputError
        It is no text of that encoding, or no table.
    """
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
    try:
        reader = csv.reader(
            text, delimiter=delimiter, quotechar=quote or None, quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
        )
        for fields in reader:
            yield reader.line_num, fields
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is no {encoding} text ({error.reason}); save it again as UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{where}: cannot be read as a table: {error}") from None
    finally:
        if not file.closed:  # a reader that stopped halfway may have closed it
            text.detach()
