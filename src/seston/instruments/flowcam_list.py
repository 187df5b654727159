"""The tables of a FlowCam run: the list file ``.lst``, and the ``.csv`` that VisualSpreadsheet exports of it.

Layout after real files of VisualSpreadsheet 4 and morphocut/morphocut (``integration/flowcam.py``). The version in the
first line of a list does not fix its columns, their names do; names in the ``.csv`` are brought to those of the list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from seston.errors import InputError
from seston.instruments.number_text import parse_number
from seston.instruments.table_layout import split_fields

__all__ = ["BadRow", "ListRow", "is_list_head", "is_table_head", "list_columns", "read_list"]

_MOST_FIELDS = 1000
_LONGEST_LINE = 1 << 16
_NEEDED = ("id", "image_x", "image_y", "image_w", "image_h", "collage_file")
_TEXTS = frozenset({"collage_file", "image_id", "timestamp", "date", "time", "name", "image_file", "uuid"})
_NOT_OF_THE_PARTICLE = frozenset(
    {
        "id",
        "image_x",
        "image_y",
        "image_w",
        "image_h",
        "cal_const",
        "fringe_size",
        "cal_image",
        "camera",
        "filter_score",
    }
)
_SAME = {
    "particle_id": "id",
    "image_file": "collage_file",
    "image_width": "image_w",
    "image_height": "image_h",
    "calibration_factor": "cal_const",
    "calibration_image": "cal_image",
    "capture_x": "src_x",
    "capture_y": "src_y",
    "source_image": "src_image",
    "original_reference_id": "image_id",
    "particles_per_chain": "ppc",
    "area_abd": "abd_area",
    "area_filled": "filled_area",
    "diameter_abd": "abd_diameter",
    "diameter_esd": "esd_diameter",
    "diameter_fd": "fd_diameter",
    "average_red": "avg_red",
    "average_green": "avg_green",
    "average_blue": "avg_blue",
    "feret_angle_max": "feret_max_angle",
    "feret_angle_min": "feret_min_angle",
    "scatter_peak": "ch3_peak",
    "scatter_width": "ch3_width",
    "scatter_area": "ch3_area",
}
"""Name in the ``.csv`` → name in the list."""
_UNIT = re.compile(r"\((?:[uµμ\ufffd]m[23²³]?|px[2²]?|s|ml|%)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListRow:
    """One particle of a run."""

    line: int
    number: int
    """The particle's id in the run."""
    box: tuple[int, int, int, int]
    """Left, top, width, height in the collage, in pixels."""
    collage: str
    """File name of the collage, without the folder that it once lay in."""
    um_per_px: float | None
    """Calibration; None where it was never set (1.0000)."""
    clock: datetime | None
    """By the clock of the instrument's computer."""
    parameters: dict[str, float]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used."""

    line: int
    reason: str


def is_list_head(head: bytes) -> bool:
    """Tell a list file by its first bytes."""
    return re.match(rb"\xef?\xbb?\xbf?\d{3}\s*\r?\n\s*num-fields\|\d+", head) is not None


def is_table_head(head: bytes) -> bool:
    """Tell by its first bytes whether a ``.csv`` has the boxes of a run's particles."""
    columns = set(_table_columns(head.decode("latin-1").partition("\n")[0]))
    return columns >= set(_NEEDED)


def list_columns(path: Path) -> tuple[str, ...]:
    """Give the columns of a list or table, with the names of a list.

    Raises
    ------
    InputError
        Where the file is no list, or lacks a column without which no picture can be cut out.
    """
    with _open(path) as file:
        columns, _ = _header(file, path)
    return columns


def read_list(path: Path) -> Iterator[ListRow | BadRow]:
    """Stream the particles of a list or table.

    Raises
    ------
    InputError
        As for `list_columns`.
    """
    with _open(path) as file:
        columns, line = _header(file, path)
        for fields in _rows(file, path):
            line += 1
            if fields:
                yield _row(columns, fields, line)


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig" if _is_utf_8(path) else "latin-1", errors="replace", newline="")


def _is_utf_8(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == b"\xef\xbb\xbf"


def _header(file: TextIO, path: Path) -> tuple[tuple[str, ...], int]:
    """Read the header; give the columns and the number of lines that it takes."""
    first = file.readline(_LONGEST_LINE).strip()
    if path.suffix.lower() == ".csv":
        columns, lines = _table_columns(first), 1
    else:
        columns, lines = _declared_columns(file, path), 2
        lines += len(columns)
    if missing := [name for name in _NEEDED if name not in columns]:
        raise InputError(
            f"{path}: the list has no column {missing[0]!r}, so no picture can be cut out; export it again"
        )
    return columns, lines


def _declared_columns(file: TextIO, path: Path) -> tuple[str, ...]:
    word, _, number = file.readline(_LONGEST_LINE).strip().partition("|")
    if word != "num-fields" or not number.isdecimal() or not 0 < int(number[:9]) <= _MOST_FIELDS:
        raise InputError(f"{path}: no list of a FlowCam: its second line should be num-fields|N")
    columns = []
    for _ in range(int(number)):
        name, bar, _ = file.readline(_LONGEST_LINE).strip().partition("|")
        if not bar or not name:
            raise InputError(f"{path}: the list ends, or is damaged, within the names of its columns; export it again")
        columns.append(name.lower())
    return tuple(columns)


def _table_columns(line: str) -> tuple[str, ...]:
    names = split_fields(line.strip()[:_LONGEST_LINE], ",")
    plain = [re.sub(r"[^a-z0-9]+", "_", _UNIT.sub("", name).lower()).strip("_") for name in names]
    return tuple(_SAME.get(name, name) for name in plain)


def _rows(file: TextIO, path: Path) -> Iterator[list[str]]:
    table = path.suffix.lower() == ".csv"
    while line := file.readline(_LONGEST_LINE):
        plain = line.strip("\r\n\x00 \x1a")
        if not table:
            yield plain.split("|") if plain else []
        else:
            yield split_fields(plain, ",") if plain else []


def _row(columns: Sequence[str], fields: Sequence[str], line: int) -> ListRow | BadRow:
    if len(fields) != len(columns):
        return BadRow(line, f"the row has {len(fields)} fields where the list has {len(columns)} columns")
    values = dict(zip(columns, fields, strict=True))
    whole: dict[str, int] = {}
    for name in _NEEDED[:-1]:
        number = parse_number(values[name], ".")
        if number is None or not math.isfinite(number) or number != int(number) or abs(number) > 2**31:
            return BadRow(line, f"the row holds {values[name][:20]!r} where a whole number should stand ({name})")
        whole[name] = int(number)
    box = (whole["image_x"], whole["image_y"], whole["image_w"], whole["image_h"])
    if min(box[:2]) < 0 or min(box[2:]) < 1:
        return BadRow(line, f"the row's box is no box: {box[2]} × {box[3]} pixels at {box[0]}, {box[1]}")
    return ListRow(
        line=line,
        number=whole["id"],
        box=box,
        collage=re.split(r"[/\\]", values["collage_file"].strip())[-1],
        um_per_px=_calibration(values.get("cal_const", "")),
        clock=_clock(values),
        parameters=_parameters(values),
    )


def _calibration(text: str) -> float | None:
    value = parse_number(text, ".")
    return value if value is not None and math.isfinite(value) and value > 0 and value != 1 else None


def _clock(values: dict[str, str]) -> datetime | None:
    text = values.get("timestamp", "").strip() or f"{values.get('date', '')}T{values.get('time', '')}"
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _parameters(values: dict[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, text in values.items():
        if name in _TEXTS or name in _NOT_OF_THE_PARTICLE or not name:
            continue
        value = parse_number(text, ".")
        if value is not None and math.isfinite(value):
            found[name] = value
    return found
