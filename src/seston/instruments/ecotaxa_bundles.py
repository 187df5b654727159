"""Tables in EcoTaxa's layout with the pictures beside them: in a folder, in a zip, in a zip inside a zip.

A table and what lies beneath its folder belong together; names of pictures are relative to that folder. Archives are
read in place: members are opened by name, an archive inside an archive is held in memory, or in an unnamed temporary
file where it is large.
"""

from __future__ import annotations

import gzip
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from seston.errors import InputError
from seston.instruments.archive_member import LARGEST_MEMBER, largest_total, unsafe_name
from seston.instruments.ecotaxa_table import looks_like_ecotaxa
from seston.instruments.image_sets import is_litter
from seston.instruments.pictures import PICTURE_SUFFIXES
from seston.particle import Note, Skipped

__all__ = ["Bundle", "Pictures", "archive_bundles", "folder_bundles", "holds_tables", "is_table_name", "table_opener"]

_HELD_IN_MEMORY = 64 << 20
_HEAD = 8192
_PIECE, _DIRECTORY = 1 << 20, 1 << 24
_MOST_LOOKED_INTO = 40
_ENDINGS = (".tsv", ".txt")
_NAME_OF_A_TABLE = re.compile(rb"ecotaxa[^/\x00]{0,120}\.(?:tsv|txt)", re.IGNORECASE)
_ARCHIVE_ERRORS = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OverflowError,
    LookupError,
)


@dataclass(slots=True)
class Pictures:
    """The pictures beneath one folder, by their path in it."""

    names: frozenset[str]
    _read: Callable[[str], bytes]
    unnamed: set[str] = field(init=False)
    """Those that no row of a table that was read names."""

    def __post_init__(self) -> None:
        self.unnamed = set(self.names)

    def read(self, name: str) -> bytes:
        """Give a picture's bytes as they are.

        Raises
        ------
        ValueError
            Where it cannot be read: why, in a user's words.
        """
        try:
            data = self._read(name)
        except _ARCHIVE_ERRORS as error:
            if type(error) is ValueError:
                raise
            raise ValueError(f"cannot be read ({_one_line(error)}); export it again") from None
        if not data:
            raise ValueError("is empty; export it again")
        return data


@dataclass(frozen=True, slots=True)
class Bundle:
    """One table and its pictures."""

    path: Path
    """The file on disk: the table, or the archive that holds it."""
    table: str
    """Name of the table to show a user."""
    name: str
    """What to call its sample where the table does not say."""
    open: Callable[[], BinaryIO]
    pictures: Pictures
    layout: tuple[str, ...] = ()
    """Names of the folders that it lies in, the innermost last."""

    def skipped(self, item: str, reason: str) -> Skipped:
        """Say what of it was left out; within an archive with the name of the table in front."""
        inside = self.table != self.path.name
        item = ", ".join(part for part in (self.table if inside or not item else "", item) if part)
        return Skipped(str(self.path), item, reason)

    def note(self, text: str) -> Note:
        """Say what is odd about it."""
        return Note(str(self.path), text if self.table == self.path.name else f"{self.table}: {text}")


def is_table_name(name: str) -> bool:
    """Tell whether EcoTaxa would take a file of this name for a table."""
    last = PurePosixPath(name.lower()).name.removesuffix(".gz")
    return last.startswith("ecotaxa") and last.endswith(_ENDINGS)


def holds_tables(path: Path, head: bytes) -> bool:
    """Tell by names and first lines whether there are tables in a zip archive, or in the archives in it.

    Parameters
    ----------
    head
        Its first bytes, which tell where it is cut off: its tables must not be taken for folders of classes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {_tidy(info.filename): info for info in archive.infolist() if _is_plain(info)}
            if _tables(archive, infos):
                return True
            inner = [info for name, info in infos.items() if name.lower().endswith("images.zip")]
            return any(_holds_a_table_name(archive, info) for info in inner[:_MOST_LOOKED_INTO])
    except _ARCHIVE_ERRORS:
        return _NAME_OF_A_TABLE.search(head) is not None


def table_opener(path: Path) -> Callable[[], BinaryIO]:
    """Give what opens a table on disk, plain or compressed with gzip, from its beginning."""
    if path.suffix.lower() != ".gz":
        return lambda: path.open("rb")
    limit = largest_total(path.stat().st_size)
    return lambda: cast(BinaryIO, _Bounded(cast(BinaryIO, gzip.open(path)), limit))


def folder_bundles(root: Path, files: Sequence[Path], tables: Sequence[Path]) -> Iterator[Bundle]:
    """Give the tables of one folder, each with all pictures among `files`."""
    names = frozenset(path.relative_to(root).as_posix() for path in files if path.suffix.lower() in PICTURE_SUFFIXES)

    def read(name: str) -> bytes:
        path = root / name
        if path.stat().st_size > LARGEST_MEMBER:
            raise ValueError(f"is larger than {LARGEST_MEMBER >> 20} MB: left out")
        return path.read_bytes()

    pictures = Pictures(names, read)
    for path in tables:
        yield Bundle(path, path.name, _bundle_name(path.name, root.name), table_opener(path), pictures, root.parts)


def archive_bundles(path: Path) -> Iterator[Bundle | Skipped]:
    """Give the tables of a zip archive and of the archives in it, one after the other.

    Each may be read until the next one is asked for. An archive inside the archive that cannot be read costs only
    itself.

    Raises
    ------
    InputError
        Where the archive cannot be opened.
    """
    limit = largest_total(path.stat().st_size)
    try:
        archive = zipfile.ZipFile(path)
    except _ARCHIVE_ERRORS as error:
        raise InputError(f"{path}: the archive cannot be read ({_one_line(error)}); copy or make it again") from None
    with archive:
        yield from _bundles(path, archive, limit, path.stem)
        for info in archive.infolist():
            if info.filename.lower().endswith(".zip") and _is_plain(info) and not unsafe_name(info.filename):
                yield from _inner_bundles(path, archive, info, limit)


def _inner_bundles(
    path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int
) -> Iterator[Bundle | Skipped]:
    with ExitStack() as stack:
        try:
            held = stack.enter_context(_held(archive, info, limit))
            inner = stack.enter_context(zipfile.ZipFile(held))
        except _ARCHIVE_ERRORS as error:
            reason = str(error) if isinstance(error, InputError) else f"it cannot be read ({_one_line(error)})"
            yield Skipped(str(path), _tidy(info.filename), f"{reason}; copy or make it again")
            return
        yield from _bundles(path, inner, limit, PurePosixPath(info.filename).stem)


def _bundles(path: Path, archive: zipfile.ZipFile, limit: int, stem: str) -> Iterator[Bundle]:
    infos = {_tidy(info.filename): info for info in archive.infolist() if _is_plain(info)}
    tables = _tables(archive, infos)
    folders = {PurePosixPath(name).parent for name in tables}
    pictures = _pictures_by_folder(archive, infos, folders)
    for name in tables:
        folder = PurePosixPath(name).parent
        layout = (*path.parts[:-1], stem, *folder.parts)
        default = _bundle_name(PurePosixPath(name).name, folder.name or stem)
        yield Bundle(path, name, default, _member_opener(archive, infos[name], limit), pictures[folder], layout)


def _pictures_by_folder(
    archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], folders: set[PurePosixPath]
) -> dict[PurePosixPath, Pictures]:
    """Give each picture to the nearest folder above it that has a table."""
    members: dict[PurePosixPath, dict[str, zipfile.ZipInfo]] = {folder: {} for folder in folders}
    owners: dict[str, PurePosixPath | None] = {}
    for name, info in infos.items():
        above, _, last = name.rpartition("/")
        if PurePosixPath(last).suffix.lower() not in PICTURE_SUFFIXES:
            continue
        if above not in owners:
            owners[above] = _nearest(PurePosixPath(above), folders)
        if (owner := owners[above]) is not None:
            beneath = "" if str(owner) == "." else f"{owner}/"
            members[owner][name.removeprefix(beneath)] = info
    return {folder: Pictures(frozenset(found), _Reader(archive, found)) for folder, found in members.items()}


def _tables(archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo]) -> list[str]:
    """Name the members that are tables: by their names, else by their first lines."""
    named = [name for name in infos if is_table_name(name)]
    if named:
        return sorted(named)
    texts = [name for name in infos if name.lower().endswith(_ENDINGS)][:_MOST_LOOKED_INTO]
    return sorted(name for name in texts if looks_like_ecotaxa(_head(archive, infos[name])))


def _holds_a_table_name(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Look for the name of a table in the directory of an archive inside an archive, which stands at its end."""
    end = b""
    try:
        with archive.open(info) as file:
            while piece := file.read(_PIECE):
                end = (end + piece)[-_DIRECTORY:]
    except _ARCHIVE_ERRORS:
        return False
    return _NAME_OF_A_TABLE.search(end) is not None


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return file.read(_HEAD)
    except _ARCHIVE_ERRORS:
        return b""


@dataclass(slots=True)
class _Reader:
    """Reads members of an archive by name."""

    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo] = field(default_factory=dict)

    def __call__(self, name: str) -> bytes:
        info = self.members[name]
        if info.file_size > LARGEST_MEMBER:
            raise ValueError(f"is larger than {LARGEST_MEMBER >> 20} MB: left out")
        with self.archive.open(info) as file:
            return file.read(info.file_size + 1)


def _nearest(folder: PurePosixPath, folders: set[PurePosixPath]) -> PurePosixPath | None:
    return next((above for above in (folder, *folder.parents) if above in folders), None)


def _held(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> IO[bytes]:
    """Hold an archive of the archive so that its members can be opened in any order."""
    held: IO[bytes] = cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_HELD_IN_MEMORY))  # noqa: SIM115 - given
    try:
        total = 0
        with archive.open(info) as file:
            while piece := file.read(_PIECE):
                total += len(piece)
                if total > limit:
                    raise InputError("it holds far more data than an honest archive of its size")
                held.write(piece)
        held.seek(0)
    except BaseException:
        held.close()
        raise
    return held


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Tell whether a member is a file that may be opened: no folder, link, password or twin of macOS."""
    mode = stat.S_IFMT(info.external_attr >> 16)
    if not info.filename or info.is_dir():
        return False
    return mode in (0, stat.S_IFREG) and not info.flag_bits & 1 and not is_litter(info.filename)


def _member_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        try:
            return cast(BinaryIO, _Bounded(cast(BinaryIO, archive.open(info)), limit))
        except _ARCHIVE_ERRORS as error:
            raise InputError(f"it is damaged in the archive ({_one_line(error)}); copy or make it again") from None

    return opened


class _Bounded(RawIOBase):
    """A stream out of an archive that ends with an error where it gives absurdly much."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, fewer at the end."""
        try:
            data = self._file.read(size)
        except _ARCHIVE_ERRORS as error:
            raise InputError(f"the archive is damaged ({_one_line(error)}); copy or make it again") from None
        self._left -= len(data)
        if self._left < 0:
            raise InputError("the archive holds far more data than an honest archive of its size; left out from there")
        return data

    def close(self) -> None:
        """Close the stream beneath."""
        with closing(self._file):
            super().close()


def _bundle_name(table: str, folder: str) -> str:
    """Name a sample after its table, without what EcoTaxa puts in front; else after the folder."""
    stem = PurePosixPath(table.removesuffix(".gz")).stem
    for front in ("ecotaxa_", "ecotaxa.", "ecotaxa"):
        if stem.lower().startswith(front):
            stem = stem[len(front) :]
            break
    return (stem if stem.lower() not in ("", "export", "table", "import") else folder) or "sample"


def _tidy(name: str) -> str:
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return "/".join(parts)


def _one_line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:120]
