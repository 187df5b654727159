"""The readers in the order in which they are asked, and which of them reads what.

A file belongs to the first reader that claims it. Readers of several files (an export, a folder of pairs) come before
those of single ones, folders of classes last.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seston.errors import UsageError, nearest_word
from seston.instruments.pictures import PICTURE_SUFFIXES
from seston.instruments.source import Claim, Listing, Reader, Record, Source
from seston.instruments.unclaimed import why_unclaimed
from seston.instruments.walk import listing_of, siblings_of
from seston.particle import Annotation, Particle, Sample

__all__ = ["READERS", "find_sources", "read"]

_MODULES = (
    "cyz",
    "cyz2json",
    "ifcb",
    "flowcam",
    "ecotaxa",
    "zooscan",
    "isiis",
    "cytoclus",
    "rclustool",
    "pairs",
    "table_alone",
    "planktonzilla",
    "class_folders",
)
_OF_SEVERAL_FILES = frozenset({"ifcb", "flowcam", "ecotaxa", "zooscan", "cytoclus", "rclustool", "pairs"})
"""Readers for which one named file brings the others of its measurement."""

_OF_PICTURES = _OF_SEVERAL_FILES | {"class-folders"}
"""Readers that are asked about pictures too."""


def _load_readers() -> dict[str, Reader]:
    readers: dict[str, Reader] = {}
    for module in _MODULES:
        reader: Reader = importlib.import_module(f"seston.instruments.{module}").READER
        readers[reader.name] = reader
    return readers


READERS: dict[str, Reader] = _load_readers()
"""Name → reader, in the order in which they are asked."""


def find_sources(paths: Sequence[Path], *, reader: str | None = None) -> tuple[list[Source], list[Claim]]:
    """Find out what can be read below some paths, and by whom.

    Parameters
    ----------
    paths
        Folders, which are walked (without dot files and what macOS leaves behind), or files. A single file of an
        export brings the others of its measurement.
    reader
        Ask this reader alone.

    Returns
    -------
    (sources, claims)
        Sources in the order of `paths`, those of one path sorted; and one claim a file that says who reads it and why,
        or why no one does.

    Raises
    ------
    NotFoundError
        For a path that does not exist, with the nearest name in its folder.
    UsageError
        For a reader that does not exist, with the nearest name.
    """
    asked = _readers(reader)
    sources: list[Source] = []
    claims: dict[str, Claim] = {}
    for path in paths:
        listing, outside = listing_of(Path(path))
        found, rest = _ask(listing, asked) if Path(path).is_dir() else _ask_about_file(listing, asked)
        for source in found:
            if not any(source.reader == known.reader and source.files == known.files for known in sources):
                sources.append(source)
        for source in found:
            for file in source.files:
                claims[str(file)] = Claim(str(file), source.reader, source.reason)
        for file in rest:
            claims.setdefault(str(file), Claim(str(file), None, why_unclaimed(file, listing, reader)))
        for file, reason in outside:
            claims.setdefault(str(file), Claim(str(file), None, reason))
    return sources, sorted(claims.values(), key=lambda claim: claim.path)


def read(source: Source, *, name: str | None = None) -> Iterator[Record]:
    """Stream the records of a source.

    Parameters
    ----------
    name
        Put ``NAME:`` in front of sample and particle ids.

    Raises
    ------
    InputError
        Where nothing of the source can be read.
    """
    reader = _readers(source.reader)[source.reader]
    records = reader.read(source)
    return records if not name else (_named(record, name) for record in records)


def _readers(name: str | None) -> dict[str, Reader]:
    if name is None:
        return READERS
    if name not in READERS:
        raise UsageError(f"there is no reader {name!r}{nearest_word(name, READERS)}")
    return {name: READERS[name]}


def _ask(listing: Listing, readers: dict[str, Reader]) -> tuple[list[Source], list[Path]]:
    """Ask each reader about what the ones before it left."""
    sources: list[Source] = []
    left = listing
    for reader in readers.values():
        asked = left if reader.name in _OF_PICTURES else _without_pictures(left)
        found = sorted(reader.claim(asked), key=lambda source: str(source.path))
        if not found:
            continue
        sources.extend(found)
        taken = {file for source in found for file in source.files}
        left = Listing(listing.root, tuple(file for file in left.files if file not in taken), left._heads)
    return sorted(sources, key=lambda source: str(source.path)), list(left.files)


def _without_pictures(listing: Listing) -> Listing:
    """Leave out pictures by their names, so that a reader of other files need not open a million of them."""
    files = tuple(path for path in listing.files if path.suffix.lower() not in PICTURE_SUFFIXES)
    return Listing(listing.root, files, listing._heads)


def _ask_about_file(listing: Listing, readers: dict[str, Reader]) -> tuple[list[Source], list[Path]]:
    """Ask about one file: first whether it is part of something larger that lies beside it."""
    file = listing.files[0] if listing.files else None
    if file is None:
        return [], []
    together = {name: reader for name, reader in readers.items() if name in _OF_SEVERAL_FILES}
    if together:
        found = [source for source in _ask(siblings_of(file), together)[0] if file in source.files]
        if found:
            return found, []
    return _ask(listing, readers)


def _named(record: Record, name: str) -> Record:
    if isinstance(record, Particle):
        return replace(record, id=f"{name}:{record.id}", sample_id=f"{name}:{record.sample_id}")
    if isinstance(record, Sample):
        return replace(record, id=f"{name}:{record.id}")
    if isinstance(record, Annotation):
        return replace(record, particle_id=f"{name}:{record.particle_id}")
    return record
