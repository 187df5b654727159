"""Walk through a zip archive without unpacking it, also through one that is cut off.

A whole archive is read by its directory, which stands at its end. Where that is missing, the members are taken from
their own headers, one after the other (PKWARE, "APPNOTE.TXT", sections 4.3.7 and 4.4).
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import unpack
from typing import BinaryIO

from seston.errors import InputError
from seston.instruments.archive_member import LARGEST_MEMBER, Member, Wanted, decoded_name, largest_total, unsafe_name

__all__ = ["zip_members"]

_LOCAL_HEADER, _SIZES_AFTER = b"PK\x03\x04", b"PK\x07\x08"
_PIECE = 1 << 16
_ENCRYPTED, _SIZES_LATER, _UTF_8 = 1, 8, 0x800
_STORED, _DEFLATED = 0, 8
_READ_ERRORS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError)


def zip_members(archive: Path | BinaryIO, wanted: Wanted) -> Iterator[Member]:
    """Give the members of a zip archive in the order of its directory.

    Parameters
    ----------
    archive
        A ``.zip``; or one that is open and can be moved about in.
    wanted
        Which members' data to read.

    Raises
    ------
    InputError
        Where the archive is cut off, after all members that are whole; where it is no zip archive; and where it holds
        far more data than its size allows.
    """
    if isinstance(archive, Path):
        with archive.open("rb") as file:
            yield from _members_of(file, wanted)
    else:
        yield from _members_of(archive, wanted)


def _members_of(file: BinaryIO, wanted: Wanted) -> Iterator[Member]:
    limit = largest_total(file.seek(0, 2))
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except _READ_ERRORS:
        file.seek(0)
        yield from _members_by_their_headers(file, wanted, limit)
        return
    with archive:
        total = 0
        for info in archive.infolist():
            member = _member(archive, info, wanted)
            total += len(member.data or b"")
            if total > limit:
                raise InputError(
                    "the archive holds far more data than an honest archive of its size; left out from there"
                )
            yield member


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, wanted: Wanted) -> Member:
    name = info.filename.replace("\\", "/")
    mode = info.external_attr >> 16
    if name and info.is_dir():
        return Member(name, None, folder=True)
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return Member(name, None, "a link or device, which is not followed")
    if unsafe := unsafe_name(name):
        return Member(name, None, unsafe)
    if not wanted(name):
        return Member(name, None)
    if info.flag_bits & _ENCRYPTED:
        return Member(name, None, "encrypted: unpack it with its password first")
    if info.file_size > LARGEST_MEMBER:
        return Member(name, None, f"larger than {LARGEST_MEMBER >> 20} MB")
    try:
        with archive.open(info) as file:
            return Member(name, file.read(info.file_size + 1))
    except _READ_ERRORS as error:
        return Member(name, None, f"damaged in the archive ({_one_line(error)})")


def _members_by_their_headers(file: BinaryIO, wanted: Wanted, limit: int) -> Iterator[Member]:
    last, total = "", 0
    while True:
        header = file.read(30)
        if header[:4] != _LOCAL_HEADER or len(header) < 30:
            if not last:
                raise InputError("not a zip archive, or its beginning is damaged; copy or make it again")
            raise InputError(f"the archive is cut off or damaged after {last!r}; copy or make it again")
        name, data = _next_member(file, header)
        if data is None:
            raise InputError(f"the archive is cut off or damaged within {name!r}; copy or make it again")
        total += len(data)
        if total > limit:
            raise InputError("the archive holds far more data than an honest archive of its size; left out from there")
        last = name or "?"
        unsafe = unsafe_name(name)
        yield Member(name, data if wanted(name) and not unsafe else None, unsafe, folder=name.endswith("/"))


def _next_member(file: BinaryIO, header: bytes) -> tuple[str, bytes | None]:
    """Name and data of the member whose header was just read; None for data that are not whole or not right."""
    flags, method, _, _, check, packed, size, name_length, extra_length = unpack("<HHHHIIIHH", header[6:])
    raw = file.read(name_length)
    file.seek(extra_length, 1)
    name = (decoded_name(raw) if flags & _UTF_8 else raw.decode("cp437")).replace("\\", "/")
    if flags & _ENCRYPTED or size > LARGEST_MEMBER or packed > LARGEST_MEMBER:
        return name, None
    if flags & _SIZES_LATER and method == _DEFLATED:
        return name, _inflated_to_its_end(file)
    return name, _unpacked(file.read(packed), packed, size, method, check)


def _unpacked(raw: bytes, packed: int, size: int, method: int, check: int) -> bytes | None:
    if len(raw) != packed or method not in (_STORED, _DEFLATED):
        return None
    if method == _DEFLATED:
        try:
            raw = zlib.decompressobj(-15).decompress(raw, size + 1)
        except zlib.error:
            return None
    return raw if len(raw) == size and zlib.crc32(raw) == check else None


def _inflated_to_its_end(file: BinaryIO) -> bytes | None:
    """Data of a member whose sizes and check sum stand after it."""
    inflater, parts, total = zlib.decompressobj(-15), [], 0
    while not inflater.eof and total <= LARGEST_MEMBER:
        piece = inflater.unconsumed_tail or file.read(_PIECE)
        if not piece:
            return None
        try:
            parts.append(inflater.decompress(piece, _PIECE))
        except zlib.error:
            return None
        total += len(parts[-1])
    file.seek(-len(inflater.unused_data), 1)
    after = file.read(16)
    if after[:4] != _SIZES_AFTER:  # the four bytes that announce them may be missing
        after = _SIZES_AFTER + after[:12]
        file.seek(-4, 1)
    data = b"".join(parts)
    return data if len(after) == 16 and unpack("<I", after[4:8])[0] == zlib.crc32(data) else None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
