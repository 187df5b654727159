"""Walk through the archives of a collection, and the archives inside them, without unpacking.

A path goes on through an archive: ``2015.zip/copepod/1.png`` is a picture in an archive ``2015.zip`` inside the outer
one. Nothing is held in memory but the member at hand, and an archive inside a compressed one if it is small.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from seston.errors import InputError
from seston.instruments.archive_member import LARGEST_MEMBER, Member, largest_total
from seston.instruments.image_sets import is_litter
from seston.instruments.pictures import PICTURE_SUFFIXES
from seston.instruments.tar_members import tar_members
from seston.instruments.zip_members import zip_members

__all__ = ["ARCHIVE_ENDINGS", "is_archive_name", "walk"]

ARCHIVE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".zip")
_PICTURE_ENDINGS = frozenset(suffix[1:] for suffix in PICTURE_SUFFIXES)
_DEEPEST = 3
"""Archives inside archives, at most."""
_ZIP_START = b"PK\x03\x04"
_READ_ERRORS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, StopIteration)


def walk(source: Path, is_archive: Callable[[str], bool], *, depth: int = 0) -> Iterator[Member]:
    """Give the pictures, and whatever else there is, of an archive or a folder.

    Parameters
    ----------
    source
        An archive, whatever its name, or a folder.
    is_archive
        Whether a member of this path is an archive to look into.

    Returns
    -------
    iterator of Member
        In the order of the archive; in that of their names, of a folder. Members that are no pictures come without
        data, and those that cannot be read with their trouble.

    Raises
    ------
    InputError
        After all members that could be read, where an archive is cut off or damaged.
    """
    try:
        if source.is_dir():
            yield from _folder_members(source, is_archive)
        else:
            with source.open("rb", buffering=1 << 20) as file:
                yield from _members(file, is_archive, "", depth)
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror or error})") from None


def is_archive_name(name: str) -> bool:
    """Whether a file is an archive, by its ending."""
    return name.lower().endswith(ARCHIVE_ENDINGS)


def _folder_members(folder: Path, is_archive: Callable[[str], bool]) -> Iterator[Member]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            continue
        if is_archive(name):
            with path.open("rb", buffering=1 << 20) as file:
                yield from _members(file, is_archive, f"{name}/", 1)
        elif not _is_picture(name):
            yield Member(name, None)
        elif path.stat().st_size > LARGEST_MEMBER:
            yield Member(name, None, f"larger than {LARGEST_MEMBER >> 20} MB")
        else:
            yield Member(name, path.read_bytes())


def _members(file: BinaryIO, is_archive: Callable[[str], bool], above: str, depth: int) -> Iterator[Member]:
    zipped = file.read(4) == _ZIP_START
    file.seek(0)

    def is_wanted(name: str) -> bool:
        # An archive inside a zip is read apart, for it may be larger than a member may be.
        return _is_picture(name) or (not zipped and is_archive(above + name))

    for member in (zip_members if zipped else tar_members)(file, is_wanted):
        if not member.folder and is_archive(above + member.name):
            yield from _inside(file, member, is_archive, above, depth)
        elif above:
            yield Member(above + member.name, member.data, member.trouble, member.folder)
        else:
            yield member


def _inside(
    file: BinaryIO, member: Member, is_archive: Callable[[str], bool], above: str, depth: int
) -> Iterator[Member]:
    """Give what an archive inside an archive holds; one that is damaged costs only itself."""
    name = above + member.name
    if member.trouble or depth >= _DEEPEST:
        reason = member.trouble or "an archive too deep inside others"
        yield Member(name, None, f"{reason}; unpack the archive around it")
        return
    where = file.tell()
    try:
        with io.BytesIO(member.data) if member.data is not None else _opened(file, member.name) as opened:
            yield from _members(opened, is_archive, f"{name}/", depth + 1)
    except (InputError, *_READ_ERRORS) as error:
        yield Member(name, None, f"cannot be read to its end: {error}")
    finally:
        file.seek(where)


def _opened(file: BinaryIO, name: str) -> BinaryIO:
    """Open a member of a zip as a file that can be moved about in."""
    limit = largest_total(file.seek(0, 2))
    with zipfile.ZipFile(file) as outer:
        info = next(one for one in outer.infolist() if one.filename.replace("\\", "/") == name)
        if info.file_size > limit:
            raise InputError("it says to hold far more data than an honest archive of its size")
        return cast("BinaryIO", outer.open(info))


def _is_picture(name: str) -> bool:
    stem, _, ending = name.rpartition(".")
    return ending.lower() in _PICTURE_ENDINGS and stem[-1:] not in ("", "/") and not _is_litter(name)


def _is_litter(name: str) -> bool:
    """Ask `is_litter` only where it may say yes: this is asked of every member."""
    return (name[:1] == "." or "/." in name or "__MACOSX" in name) and is_litter(name)
