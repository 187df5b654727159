"""Tables in EcoTaxa's layout with their pictures: import trees, exports, PlanktoScope, UVP6 and ZooScan.

One folder with tables in it is one source, and so is one zip archive; each table is read by itself. Objects become
particles, acquisitions samples, and the objects' measured columns the particles' parameters.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from seston.errors import InputError
from seston.instruments.ecotaxa_bundles import (
    Bundle,
    archive_bundles,
    folder_bundles,
    holds_tables,
    is_table_name,
    table_opener,
)
from seston.instruments.ecotaxa_particles import is_of_one_scan, read_bundle
from seston.instruments.ecotaxa_survey import picture_name
from seston.instruments.ecotaxa_table import looks_like_ecotaxa, read_header, read_rows
from seston.instruments.pictures import PICTURE_SUFFIXES
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Skipped

__all__ = ["READER"]

_NAME = "ecotaxa"
_ROWS_LOOKED_AT = 200
_TABLES = (".tsv", ".txt", ".tsv.gz", ".txt.gz")
_FAMILY = re.compile(rb"planktoscope|uvp[56]|zooscan", re.IGNORECASE)
_SHOWN = {"planktoscope": "PlanktoScope", "uvp5": "UVP5", "uvp6": "UVP6", "zooscan": "ZooScan"}


def _claim(listing: Listing) -> list[Source]:
    tables = [path for path in listing.files if _is_table(path, listing)]
    archives = [path for path in listing.files if _is_archive(path, listing)]
    alone = len(tables) == 1
    by_folder: dict[Path, list[Path]] = {}
    for path in tables:
        by_folder.setdefault(path.parent, []).append(path)
    pictures = _pictures_beneath(listing, by_folder)
    scans = {path for path in listing.files if path.suffix.lower() == ".pid"}
    sources = []
    for folder, found in by_folder.items():
        source = _folder_source(folder, found, pictures.get(folder, []), listing, alone=alone)
        same = {one for one in scans if one.parent == folder and any(_is_of_scan(table, one) for table in found)}
        sources.append(replace(source, files=tuple(sorted({*source.files, *same}))))
    sources += [Source(_NAME, path, (path,), "an archive with tables in EcoTaxa's layout") for path in archives]
    return sources


def _read(source: Source) -> Iterator[Record]:
    if source.path.suffix.lower() == ".zip":
        yield from _read_bundles(archive_bundles(source.path), source.path, alone=True)
        return
    tables = [path for path in source.files if path.name.lower().endswith(_TABLES)] or [source.path]
    bundles: Iterator[Bundle | Skipped] = folder_bundles(tables[0].parent, source.files, tables)
    yield from _read_bundles(bundles, source.path, alone=bool(source.details.get("alone", "yes")))


def _read_bundles(bundles: Iterator[Bundle | Skipped], path: Path, *, alone: bool) -> Iterator[Record]:
    """Read tables one after the other; one that cannot be read costs only itself, unless nothing else is there."""
    pictures: dict[int, Bundle] = {}
    failures: list[Skipped] = []
    given = False
    for bundle in bundles:
        if isinstance(bundle, Skipped):
            failures.append(bundle)
            continue
        pictures.setdefault(id(bundle.pictures), bundle)
        try:
            for record in read_bundle(bundle, reader=_NAME, alone=alone):
                given = True
                yield record
        except InputError as error:
            failures.append(bundle.skipped("", str(error)))
    if not given and alone:
        reason = failures[0].reason if failures else "no table in EcoTaxa's layout in this archive"
        raise InputError(f"{path}: {reason}")
    yield from failures
    for bundle in pictures.values():
        yield from _about_unnamed(bundle)


def _about_unnamed(bundle: Bundle) -> Iterator[Record]:
    unnamed = sorted(bundle.pictures.unnamed)
    if unnamed:
        shown = ", ".join(unnamed[:3]) + (", …" if len(unnamed) > 3 else "")
        many = "1 picture is" if len(unnamed) == 1 else f"{len(unnamed):,} pictures are"
        reason = f"{many} named by no row of the table, and left out: {shown}"
        if is_of_one_scan(bundle):  # there each vignette should have its row
            yield bundle.skipped("", reason)
        else:
            yield bundle.note(reason)


def _is_of_scan(table: Path, pid: Path) -> bool:
    """Tell whether a table holds the objects of a ZooScan's own file, which is then not read beside it."""
    return pid.stem.startswith(f"{table.stem.removeprefix('ecotaxa_')}_dat")


def _is_table(path: Path, listing: Listing) -> bool:
    name = path.name.lower()
    if not name.endswith(_TABLES):
        return False
    return looks_like_ecotaxa(_head(path, listing)) or is_table_name(name)


def _head(path: Path, listing: Listing) -> bytes:
    head = listing.head(path)
    if path.suffix.lower() != ".gz":
        return head
    try:
        return zlib.decompressobj(31).decompress(head, 1 << 13)
    except zlib.error:
        return b""


def _is_archive(path: Path, listing: Listing) -> bool:
    return path.suffix.lower() == ".zip" and holds_tables(path, listing.head(path))


def _pictures_beneath(listing: Listing, folders: dict[Path, list[Path]]) -> dict[Path, list[Path]]:
    """Give each picture to the nearest folder above it that has a table."""
    owner: dict[Path, Path | None] = {}
    found: dict[Path, list[Path]] = {}
    for path in listing.files if folders else ():
        if path.suffix.lower() in PICTURE_SUFFIXES:
            folder = path.parent
            if folder not in owner:
                owner[folder] = next((above for above in (folder, *folder.parents) if above in folders), None)
            if (above := owner[folder]) is not None:
                found.setdefault(above, []).append(path)
    return found


def _folder_source(folder: Path, tables: list[Path], pictures: list[Path], listing: Listing, *, alone: bool) -> Source:
    head = _head(tables[0], listing)
    if not any(_names_one_of(path, folder, pictures) for path in tables):
        pictures = []
    family = _FAMILY.search(head)
    instrument = f" of a {_SHOWN[family[0].decode().lower()]}" if family else ""
    many = f"{len(tables)} tables" if len(tables) > 1 else "a table"
    number = "1 picture" if len(pictures) == 1 else f"{len(pictures):,} pictures" if pictures else "no pictures"
    beside = f", {number} beneath its folder"
    known = looks_like_ecotaxa(head)
    reason = f"{many} in EcoTaxa's layout{instrument}{beside}" if known else f"{many} with EcoTaxa's file name{beside}"
    path = tables[0] if len(tables) == 1 else folder
    details = {"alone": "yes" if alone else ""}
    return Source(_NAME, path, tuple(sorted([*tables, *pictures])), reason, details)


def _names_one_of(table: Path, folder: Path, pictures: list[Path]) -> bool:
    """Tell whether the first rows of a table name a picture that is there, so that the others are its own too."""
    opened = table_opener(table)
    try:
        header = read_header(opened)
        place = header.columns.get("img_file_name", -1)
        if place < 0 or not pictures:
            return False
        named = [picture_name(row.cells[place]) for row in islice(read_rows(opened, header), _ROWS_LOOKED_AT)]
    except InputError:
        return False
    there = set(pictures)
    return any(folder / name in there for name in named if name)


READER = Reader(
    name=_NAME,
    description="EcoTaxa's tables with pictures, in folders or zip: imports, exports, PlanktoScope, UVP6, ZooScan",
    claim=_claim,
    read=_read,
)
