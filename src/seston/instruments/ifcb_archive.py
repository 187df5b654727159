"""IFCB bins in a zip archive: read in the order of the archive, a bin as soon as all its files have come by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath

from seston.errors import InputError
from seston.instruments.archive_member import Member
from seston.instruments.ifcb_bin import BinParts, read_bin
from seston.instruments.ifcb_labels import has_label_columns
from seston.instruments.ifcb_names import BinFile, bin_file
from seston.instruments.ifcb_pictures import RoiFile
from seston.instruments.image_sets import is_litter
from seston.instruments.source import Record
from seston.instruments.zip_members import zip_members
from seston.particle import Note, Skipped

__all__ = ["is_set_aside", "read_archive"]

_SET_ASIDE = frozenset({"skip", "beads"})
_WANTED = frozenset({"adc", "hdr", "roi", "labels", "manual"})
_OF_LABELS = frozenset({"labels", "manual"})
_MOST_WAITING = 512 << 20

_Key = tuple[str, str]
"""Folder in the archive, and name of the bin."""


@dataclass(slots=True)
class _Archive:
    """What is known of an archive while it is read."""

    path: Path
    expected: dict[_Key, set[str]] = field(default_factory=dict)
    """Kinds of files that are still to come of each bin."""
    labelled: dict[str, set[str]] = field(default_factory=dict)
    """Kinds of labels that are still to come of each bin; they may lie in another folder."""
    waiting: dict[_Key, BinParts] = field(default_factory=dict)
    labels: dict[str, dict[str, bytes]] = field(default_factory=dict)
    waiting_bytes: int = 0
    others: Counter[str] = field(default_factory=Counter)
    aside: set[str] = field(default_factory=set)


def is_set_aside(folder: str) -> bool:
    """Tell whether a folder's name says that the bins in it are not to be used."""
    return folder.lower() in _SET_ASIDE


def read_archive(path: Path) -> Iterator[Record]:
    """Stream the bins of a zip archive.

    Raises
    ------
    InputError
        Where the archive cannot be read; after what could be read of it, where it is cut off.
    """
    archive = _Archive(path)
    _look_through(archive)
    broken = ""
    members = zip_members(path, lambda name: _file_of(name) is not None)
    while True:
        try:
            member = next(members, None)
        except (InputError, OSError) as error:
            broken = str(error)
            break
        if member is None:
            break
        yield from _take(member, archive)
    for key in list(archive.waiting):
        yield from _give(key, archive)
    if archive.others:
        kinds = ", ".join(f"{number:,} {ending}" for ending, number in sorted(archive.others.items()))
        text = f"{archive.others.total():,} members are no part of a bin and were left: {kinds}"
        yield Note(str(path), text)
    for name in sorted(archive.labels):
        yield Note(str(path), f"labels of the bin {name}, which is not in the archive, were left")
    for name in sorted(archive.aside):
        yield Note(str(path), f"{name}: left out, as it lies in a folder of bins that are not to be used")
    if broken:
        yield Skipped(str(path), path.name, broken)


def _look_through(archive: _Archive) -> None:
    """Find out from the names which bins there are, and which files each will bring."""
    try:
        for member in zip_members(archive.path, lambda name: False):
            found = _file_of(member.name)
            if found is None or member.folder:
                continue
            if found.kind in _OF_LABELS:
                archive.labelled.setdefault(found.bin.text, set()).add(found.kind)
            else:
                key = (member.name.rpartition("/")[0], found.bin.text)
                archive.expected.setdefault(key, set()).add(found.kind)
    except (InputError, OSError):
        pass  # said when it is read


def _take(member: Member, archive: _Archive) -> Iterator[Record]:
    """Keep a file until all of its bin are there, then give the bin."""
    found = _file_of(member.name)
    folder, _, name = member.name.rpartition("/")
    if found is None or member.folder:
        if not member.folder and not is_litter(member.name):
            archive.others[PurePosixPath(name).suffix.lower() or "no ending"] += 1
        return
    if any(is_set_aside(part) for part in folder.split("/")):
        archive.aside.add(found.bin.text)
        return
    if member.data is None:
        yield Skipped(str(archive.path), member.name, f"{member.trouble or 'cannot be read'}: left out")
    key = (folder, found.bin.text)
    if found.kind in _OF_LABELS:
        archive.labelled.get(found.bin.text, set()).discard(found.kind)
        if member.data is not None and (found.kind == "manual" or has_label_columns(member.data[:8192])):
            archive.labels.setdefault(found.bin.text, {}).setdefault(found.kind, member.data)
        ready = [waiting for waiting in archive.waiting if waiting[1] == found.bin.text]
    else:
        _keep(found, member.data, archive.waiting.setdefault(key, BinParts(found.bin, str(archive.path))), archive)
        archive.expected.get(key, set()).discard(found.kind)
        ready = [key]
    for key in ready:
        if not archive.expected.get(key) and not archive.labelled.get(found.bin.text):
            yield from _give(key, archive)


def _keep(found: BinFile, data: bytes | None, parts: BinParts, archive: _Archive) -> None:
    if data is None:
        return
    archive.waiting_bytes += len(data)
    if archive.waiting_bytes > _MOST_WAITING:
        raise InputError(
            f"{archive.path}: the files of its bins lie too far apart to be read without unpacking; unpack it first"
        )
    if found.kind == "roi":
        parts.roi = RoiFile(BytesIO(data), len(data))
    else:
        parts.data[found.kind] = data


def _give(key: _Key, archive: _Archive) -> Iterator[Record]:
    parts = archive.waiting.pop(key)
    archive.waiting_bytes -= sum(map(len, parts.data.values())) + (parts.roi.size if parts.roi else 0)
    parts.data |= archive.labels.pop(key[1], {})
    try:
        yield from read_bin(parts)
    except InputError as error:
        yield Skipped(str(archive.path), key[1], str(error).removeprefix(f"{archive.path}: "))


def _file_of(name: str) -> BinFile | None:
    """Tell which file of a bin a member is; None where it is of no use."""
    found = bin_file(name.rpartition("/")[2])
    return found if found is not None and found.kind in _WANTED and not is_litter(name) else None
