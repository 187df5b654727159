"""Why no reader reads a file, in a user's words."""

from __future__ import annotations

from pathlib import Path

from seston.errors import InputError
from seston.instruments.pictures import PICTURE_SUFFIXES, image_format
from seston.instruments.source import Listing
from seston.instruments.table_layout import layout_of

__all__ = ["why_unclaimed"]

_TABLES = frozenset({".csv", ".tsv"})
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})


def why_unclaimed(path: Path, listing: Listing, reader: str | None = None) -> str:
    """Say why a file is left out.

    Parameters
    ----------
    reader
        The only reader that was asked, where the user named one.
    """
    if reader is not None:
        return f"the reader {reader!r}, the only one asked, does not know it"
    head = listing.head(path)
    if not head:
        return "the file is empty or cannot be opened"
    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES or image_format(head):
        return "a picture that belongs to no table and to no folder of classes"
    if suffix in _ARCHIVES:
        return "an archive in which no reader finds pictures"
    if b"\x00" in head[:1024] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "no reader knows this kind of file"
    if b"<SetList" in head or b"ListID" in head:
        return "a definition of sets and gates of CytoClus: it holds no particles"
    if suffix == ".c4e":
        return "a template for exports of CytoClus: it holds no particles"
    return _table(head) if suffix in _TABLES else "no reader knows this kind of text"


def _table(head: bytes) -> str:
    try:
        layout = layout_of(head)
    except InputError:
        return "no reader knows this kind of text"
    rows = [layout.columns, *layout.sample]
    if all(row and row[0].strip('" ') in ("default", "select", "calcul", "scale", "log", "zoom") for row in rows):
        return "a list of RclusTool's preprocessing steps, not a measurement: it holds no particles"
    some = ", ".join(name for name in layout.columns[:4] if name) or "none"
    return f"no reader knows this kind of text: a table without the columns of a measurement (it begins with: {some})"
