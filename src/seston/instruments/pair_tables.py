"""Tables that name, row by row, a picture, a profile and a class: ``annotations.csv`` and its split files."""

from __future__ import annotations

import csv
import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seston.errors import InputError
from seston.instruments.table_layout import layout_of, read_layout
from seston.instruments.words import column_role, fold

__all__ = ["PairRow", "PairTable", "climbs", "has_pair_columns", "is_split_file", "read_pair_table"]

_IMAGE_NAMES = ("image", "images", "img", "picture", "image path", "image file", "photo", "fichier image")
_PROFILE_NAMES = ("profile", "profiles", "pulse", "pulses", "profile path", "profile file", "profil", "fichier profil")
_SPLIT_STEMS = frozenset({"train", "training", "val", "valid", "validation", "test", "gallery", "query"})


@dataclass(frozen=True, slots=True)
class PairRow:
    """One particle as a table names it."""

    line: int
    image: str | None
    """Path relative to the root folder, with forward slashes."""
    profile: str | None
    label: str | None
    reason: str = ""
    """Why the row cannot be used; empty where it can."""

    @property
    def number(self) -> str:
        """The particle's number: the relative path of its picture, or else of its profile, without the suffix."""
        return posixpath.splitext(self.image or self.profile or "")[0]


@dataclass(slots=True)
class PairTable:
    """The rows of one table."""

    path: Path
    rows: list[PairRow] = field(default_factory=list)

    def numbers(self) -> dict[int, str]:
        """Give each usable row's number by its line; with the suffix where two pictures differ in that alone."""
        stems = Counter(row.number for row in {(row.image or row.profile): row for row in self.rows}.values())
        return {
            row.line: row.number if stems[row.number] == 1 else (row.image or row.profile or "")
            for row in self.rows
            if not row.reason
        }


def has_pair_columns(head: bytes) -> bool:
    """Tell from its first bytes whether a table names pictures and profiles."""
    lower = head.lower()
    if not any(word in lower for word in (b"image", b"img", b"picture", b"photo")):
        return False
    try:
        columns = layout_of(head).columns
    except InputError:
        return False
    return _place(columns, _IMAGE_NAMES) is not None and _place(columns, _PROFILE_NAMES) is not None


def is_split_file(path: Path, head: bytes) -> bool:
    """Tell a table of a split from the table of all particles: by its name, or by a first row that climbs out."""
    stem = path.stem.lower()
    return stem != "annotations" and (stem in _SPLIT_STEMS or climbs(head))


def climbs(head: bytes) -> bool:
    """Tell whether the first row of a table leads to the folder above its own."""
    rows = head.splitlines()[1:2]
    return bool(rows) and re.search(rb"(?:^|[,;\t\"])\.\.[/\\]", rows[0]) is not None


def read_pair_table(path: Path, root: Path) -> PairTable:
    """Read a table of pairs.

    Paths in it are relative to its folder; ``../`` may climb as far as `root` and no farther.

    Raises
    ------
    InputError
        Where the file is empty, cannot be opened, or lacks one of the columns ``image`` and ``profile``.
    """
    layout = read_layout(path)
    image, profile = _place(layout.columns, _IMAGE_NAMES), _place(layout.columns, _PROFILE_NAMES)
    if image is None or profile is None:
        found = ", ".join(layout.columns[:6])
        raise InputError(f"{path}: needs the columns image and profile (it has: {found}); add them")
    roles = [column_role(name) for name in layout.columns]
    label = roles.index("label") if "label" in roles else None
    base = path.parent.relative_to(root).as_posix() if path.parent != root else ""
    table = PairTable(path)
    for line, fields in _rows(path, layout.encoding, layout.separator, layout.header_lines):
        table.rows.append(_row(line, fields, base, layout.width, image, profile, label))
    return table


def _rows(path: Path, encoding: str, separator: str, header_lines: int) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        reader = csv.reader((line.replace("\x00", "") for line in file), delimiter=separator)
        try:
            for fields in reader:
                if reader.line_num > header_lines and fields:
                    yield reader.line_num, fields
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num} cannot be read ({error}); look at that line") from error


def _row(line: int, fields: list[str], base: str, width: int, image: int, profile: int, label: int | None) -> PairRow:
    if len(fields) != width:
        return PairRow(line, None, None, None, f"the row has {len(fields)} fields where the header has {width}")
    paths: list[str | None] = []
    for place in (image, profile):
        text = fields[place].strip()
        if text.lower() in ("", "nan", "none", "na"):
            paths.append(None)
            continue
        inside = _inside(base, text)
        if inside is None:
            return PairRow(line, None, None, None, f"the path {text!r} leads out of the folder")
        paths.append(inside)
    if paths == [None, None]:
        return PairRow(line, None, None, None, "the row names neither a picture nor a profile")
    name = fields[label].strip() if label is not None else ""
    return PairRow(line, paths[0], paths[1], name or None)


def _inside(base: str, text: str) -> str | None:
    """Give a path relative to the root, or None where it leads out."""
    path = text.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return None
    joined = posixpath.normpath(posixpath.join(base, path))
    return None if joined == ".." or joined.startswith("../") else joined


def _place(columns: tuple[str, ...], names: tuple[str, ...]) -> int | None:
    folded = [fold(name) for name in columns]
    return next((folded.index(name) for name in names if name in folded), None)
