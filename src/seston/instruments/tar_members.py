"""Walk through a tar archive from front to end, plain or compressed with gzip, without unpacking it.

POSIX ustar and pax headers and GNU's long names (`GNU tar manual, "Basic Tar Format"
<https://www.gnu.org/software/tar/manual/html_node/Standard.html>`_; POSIX.1-2017, ``pax``). Links and devices are never
followed. Nothing of the archive is held in memory but the member at hand.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from seston.errors import InputError
from seston.instruments.archive_member import LARGEST_MEMBER, Member, Wanted, decoded_name, largest_total, unsafe_name

__all__ = ["tar_members"]

_BLOCK = 512
_LARGEST_EXTENSION = 1 << 20
_BUFFER = 1 << 20
_END = bytes(_BLOCK)
_ADLER_PRIME = 65521
_USTAR = b"ustar\0"
_PLAIN = frozenset({b"0", b"\0"})
_BEFORE_A_MEMBER = frozenset({b"L", b"K", b"x", b"g"})
_WITHOUT_DATA = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}


def tar_members(archive: Path | BinaryIO, wanted: Wanted) -> Iterator[Member]:
    """Give the members of a tar archive in their order.

    Parameters
    ----------
    archive
        A ``.tar``, ``.tar.gz`` or ``.tgz``, told apart by its first bytes; or one that is open, and can be moved about
        in, at its beginning.
    wanted
        Which members' data to read; those of the others are skipped over.

    Raises
    ------
    InputError
        Where the archive is cut off or damaged, after all members that stand before that place; where it cannot be
        opened or is no tar archive; and where it holds far more data than its size allows.
    """
    if isinstance(archive, Path):
        with archive.open("rb", buffering=_BUFFER) as raw:
            yield from _members_of(raw, wanted)
    else:
        yield from _members_of(archive, wanted)


def _members_of(raw: BinaryIO, wanted: Wanted) -> Iterator[Member]:
    size = raw.seek(0, 2)
    raw.seek(0)
    zipped = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if not zipped:
        yield from _members(_Tape(raw, size, can_seek=True), wanted)
        return
    with gzip.open(raw) as unzipped:
        yield from _members(_Tape(unzipped, largest_total(size)), wanted)


@dataclass(slots=True)
class _Tape:
    """A stream that is read once from front to end."""

    file: BinaryIO | gzip.GzipFile
    limit: int
    """Bytes: the size of a plain archive, or what a compressed one may hold."""
    can_seek: bool = False
    position: int = 0

    def read(self, size: int) -> bytes:
        """Read so many bytes, fewer at the end."""
        self.position += size
        if self.position > self.limit and not self.can_seek:
            raise InputError("the archive holds far more data than an honest archive of its size; left out from there")
        try:
            return self.file.read(size)
        except EOFError:
            return b""
        except (OSError, zlib.error) as error:
            raise InputError(f"the archive is damaged ({error}); copy or make it again") from None

    def skip(self, size: int) -> bool:
        """Move on; False where the archive ends before."""
        if self.can_seek:
            self.position += size
            self.file.seek(size, 1)
            return self.position <= self.limit
        while size:
            part = self.read(min(size, _BUFFER))
            if not part:
                return False
            size -= len(part)
        return True


@dataclass(slots=True)
class _Extension:
    """What headers before a member's own say of it."""

    name: str | None = None
    size: int | None = None
    sparse: bool = False


class _Header(NamedTuple):
    name: str
    size: int
    kind: bytes
    sparse: bool


def _members(tape: _Tape, wanted: Wanted) -> Iterator[Member]:
    last = ""
    block = tape.read(_BLOCK)
    while (header := _plain_header(block) or _next_header(tape, block, last)) is not None:
        last, size, kind, _ = header
        data, padding, trouble = None, -size % _BLOCK, _trouble(header)
        if trouble or kind == b"5" or not wanted(last):
            whole = tape.skip(size + padding)
            block = tape.read(_BLOCK) if whole else b""
        else:
            data, block = _data_and_block(tape, size, padding)
            whole = len(data) == size
        if not whole:
            raise InputError(f"the archive is cut off within {last!r}; copy or make it again")
        yield Member(last, data, trouble, kind == b"5" or last.endswith("/"))


def _data_and_block(tape: _Tape, size: int, padding: int) -> tuple[bytes, bytes]:
    """Read a member's data and the block after them, at once where they are few: most members are small."""
    if size > _BUFFER:
        data = tape.read(size)
        return data, tape.read(padding + _BLOCK)[padding:]
    both = tape.read(size + padding + _BLOCK)
    return both[:size], both[size + padding :]


def _trouble(header: _Header) -> str:
    if header.kind in _KINDS or header.sparse:
        return f"{_KINDS.get(header.kind, 'a sparse file')}, which is not followed"
    if unsafe := unsafe_name(header.name):
        return unsafe
    if header.size > LARGEST_MEMBER:
        return f"larger than {LARGEST_MEMBER >> 20} MB"
    return ""


def _plain_header(block: bytes) -> _Header | None:
    """Read a header of the usual kind, of a file with a short name, in few steps; None where it needs a closer look."""
    size, stated, kind = block[124:136].rstrip(b"\0 "), block[148:156].rstrip(b"\0 "), block[156:157]
    if (
        kind not in _PLAIN
        or not size.isdigit()
        or not stated.isdigit()
        or (block[345:346] != b"\0" and block[257:263] == _USTAR)
    ):
        return None
    try:
        if (_sum(block) - _sum(block[148:156]) + 8 * 32 - int(stated, 8)) % _ADLER_PRIME:
            return None
        return _Header(decoded_name(block[:100].partition(b"\0")[0]), int(size, 8), kind, False)
    except ValueError:
        return None


def _next_header(tape: _Tape, block: bytes, last: str) -> _Header | None:
    """Read headers, of which the first block was read, up to a member's own; None at the end of the archive."""
    extension: _Extension | None = None
    while True:
        if block == _END:
            return None
        if len(block) < _BLOCK:
            after = f" after {last!r}" if last else ""
            raise InputError(f"the archive is cut off{after}: it has no end mark; copy or make it again")
        size, kind = _checked(block, last)
        if kind in _BEFORE_A_MEMBER:
            extension = extension or _Extension()
            _extend(extension, kind, _extension_data(tape, size))
            block = tape.read(_BLOCK)
            continue
        if extension is None:
            return _Header(_plain_name(block), 0 if kind in _WITHOUT_DATA else size, kind, sparse=False)
        name = extension.name if extension.name is not None else _plain_name(block)
        if extension.size is not None:
            size = extension.size
        return _Header(name, 0 if kind in _WITHOUT_DATA else size, kind, extension.sparse)


def _checked(block: bytes, last: str) -> tuple[int, bytes]:
    """Size and kind of a header whose check sum is right."""
    size, stated = _number(block[124:136]), _number(block[148:156])
    total = _sum(block) - _sum(block[148:156]) + 8 * 32
    if stated is None or (stated - total) % _ADLER_PRIME or size is None or size < 0:
        if not last:
            raise InputError("not a tar archive, or its first header is damaged; copy or make it again")
        raise InputError(f"the archive is damaged after {last!r}; copy or make it again")
    return size, block[156:157]


def _sum(data: bytes) -> int:
    """Add up bytes, but for multiples of 65521: the lower half of Adler-32 (RFC 1950), far quicker than a loop."""
    return (zlib.adler32(data) & 0xFFFF) - 1


def _number(text: bytes) -> int | None:
    """Octal digits, or GNU's base 256 for large sizes."""
    if text[0] & 0x80:
        return int.from_bytes(text, "big") & ((1 << (8 * len(text) - 1)) - 1)
    try:
        return int(text.split(b"\0", 1)[0].strip() or b"0", 8)
    except ValueError:
        return None


def _plain_name(block: bytes) -> str:
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == _USTAR else b""
    return decoded_name(prefix + b"/" + name if prefix else name)


def _extension_data(tape: _Tape, size: int) -> bytes:
    if size > _LARGEST_EXTENSION:
        raise InputError("the archive has a header of absurd size; copy or make it again")
    data = tape.read(size)
    if len(data) < size or not tape.skip(-size % _BLOCK):
        raise InputError("the archive is cut off within a long name; copy or make it again")
    return data


def _extend(extension: _Extension, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        extension.name = decoded_name(data.split(b"\0", 1)[0])
    if kind != b"x":
        return  # names of links, and what holds for all members, tell nothing that is needed
    for key, value in _records(data):
        if key == b"path":
            extension.name = decoded_name(value)
        elif key == b"size" and value.isdigit():
            extension.size = int(value)
        elif key.startswith(b"GNU.sparse"):
            extension.sparse = True


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the records ``LENGTH KEY=VALUE`` of a pax header; stop at the first that is none."""
    while data:
        length, blank, _ = data.partition(b" ")
        if not blank or not length.isdigit() or not 0 < int(length) <= len(data):
            return
        record = data[len(length) + 1 : int(length) - 1]
        key, equals, value = record.partition(b"=")
        if equals:
            yield key, value
        data = data[int(length) :]
