"""A file that is still being fetched: what has come so far, and which state of the source it belongs to.

``NAME.part`` holds the bytes and ``NAME.part.json`` what the server said about the file that they are of, so that a
fetch that was killed goes on where it stood, and starts anew where the file at the source has changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from seston.errors import InputError
from seston.store.folder import write_whole

__all__ = ["PartialFile", "split_checksum"]

_CHUNK = 1024 * 1024
_MEMO = ("url", "etag", "last_modified", "total")


class PartialFile:
    """Bytes on disk, their running hashes, and the validators of the file at the source.

    Parameters
    ----------
    target
        Where the whole file will stand.
    url
        Where it comes from; bytes from another address are dropped.
    checksum
        ``algorithm:hex``, or None: SHA-256 is always taken.
    """

    def __init__(self, target: Path, url: str, checksum: str | None) -> None:
        self.target = target
        self.url = url
        self._algorithms = {"sha256", split_checksum(checksum)[0]} if checksum else {"sha256"}
        self._part = target.with_name(f"{target.name}.part")
        self._memo = target.with_name(f"{target.name}.part.json")
        self.etag: str | None = None
        self.last_modified: str | None = None
        self.total: int | None = None
        self.stitched = False
        """Whether the bytes come from more than one answer."""
        self._recall()

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self._size

    @property
    def condition(self) -> str | None:
        """What ``If-Range`` may say: a strong entity tag, or else the date of the last change (RFC 9110, 13.1.5)."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified

    def is_same(self, etag: str | None, last_modified: str | None, total: int | None) -> bool:
        """Tell whether an answer is about the file that the bytes are of, as far as both say anything."""
        pairs = ((self.etag, etag), (self.last_modified, last_modified), (self.total, total))
        return all(ours is None or theirs is None or ours == theirs for ours, theirs in pairs)

    def restart(self, etag: str | None = None, last_modified: str | None = None, total: int | None = None) -> None:
        """Drop the bytes, and remember what file the next ones are of."""
        self._part.unlink(missing_ok=True)
        self.etag, self.last_modified, self.total = etag, last_modified, total
        self.stitched = False
        self._size = 0
        self._hashes = {name: hashlib.new(name) for name in self._algorithms}
        memo = {"url": self.url, "etag": etag, "last_modified": last_modified, "total": total}
        write_whole(self._memo, json.dumps(memo).encode())

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        with self._part.open("ab") as file:
            file.write(data)
        self._size += len(data)
        for one in self._hashes.values():
            one.update(data)

    def digest(self, algorithm: str) -> str:
        """Hash of the bytes so far, in hexadecimal."""
        return self._hashes[algorithm].hexdigest()

    def settle(self, name: str | None = None) -> Path:
        """Give the whole file its name, after the disk has all of it."""
        with self._part.open("ab") as file:
            os.fsync(file.fileno())
        place = self.target if name is None else self.target.with_name(name)
        self._part.replace(place)
        self._memo.unlink(missing_ok=True)
        return place

    def _recall(self) -> None:
        """Take up what an earlier fetch left, if it is of this address and its memo can be read."""
        self._size = 0
        self._hashes = {name: hashlib.new(name) for name in self._algorithms}
        try:
            memo: dict[str, Any] = json.loads(self._memo.read_bytes())
            url, etag, last_modified, total = (memo[name] for name in _MEMO)
        except (OSError, ValueError, KeyError, TypeError):
            url = None
        if url != self.url:
            self._part.unlink(missing_ok=True)
            return
        self.etag, self.last_modified, self.total = etag, last_modified, total
        if self._part.is_file():
            self.stitched = True
            with self._part.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    self._size += len(chunk)
                    for one in self._hashes.values():
                        one.update(chunk)


def split_checksum(checksum: str) -> tuple[str, str]:
    """Part ``md5:…`` into the name of the algorithm and the digits.

    Raises
    ------
    InputError
        No algorithm that Python has, or not its number of hexadecimal digits.
    """
    algorithm, _, digits = checksum.lower().partition(":")
    if algorithm not in ("md5", "sha1", "sha256", "sha512") or len(digits) != 2 * hashlib.new(algorithm).digest_size:
        raise InputError(f"{checksum!r} is no checksum: write md5, sha1, sha256 or sha512, a colon, and its digits")
    return algorithm, digits
