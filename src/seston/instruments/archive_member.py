"""One member of an archive, and what is checked before it is trusted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["LARGEST_MEMBER", "Member", "Wanted", "decoded_name", "largest_total", "unsafe_name"]

LARGEST_MEMBER = 256 << 20
"""Larger members are not read (bytes)."""
_HARMLESS_TOTAL = 1 << 30
_STRONGEST_COMPRESSION = 200
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f]")

Wanted = Callable[[str], bool]
"""Whether the data of a member of this name are to be read."""


class Member(NamedTuple):
    """A member of an archive in the order of the archive."""

    name: str
    """Path inside the archive with forward slashes, as it was written there."""
    data: bytes | None
    """None where the data were not wanted or could not be read."""
    trouble: str = ""
    """Why the data were not read, in a user's words; empty where nothing is wrong."""
    folder: bool = False


def unsafe_name(name: str) -> str:
    """Say why a member's name must not be trusted; empty where it may be."""
    if name.isprintable() and ".." not in name and name[:1] not in ("", "/") and name[1:2] != ":":
        return ""  # this is asked of every member
    if not name or _NOT_IN_A_NAME.search(name):
        return "its name is empty or holds control characters"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "its path is absolute"
    if ".." in name.split("/"):
        return "its path leads out of the archive (..)"
    return ""


def decoded_name(raw: bytes) -> str:
    """Decode a name: UTF-8, else what older programs for Windows wrote."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def largest_total(compressed_bytes: int) -> int:
    """Bytes that an honest archive of this size can hold: pictures hardly shrink."""
    return max(_HARMLESS_TOTAL, _STRONGEST_COMPRESSION * compressed_bytes)
