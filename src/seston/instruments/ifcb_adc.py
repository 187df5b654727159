"""The ``.adc`` of an IFCB bin: one line a ROI, or a trigger without one.

No header; the order of the columns stands in the ``.hdr`` (key ``ADCFileFormat``) or is the usual one. Columns and
their order after joefutrelle/pyifcb (``ifcb/data/adc.py``) and the headers of real bins.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST_ADC", "Adc", "Roi", "parse_adc"]

LARGEST_ADC = 32 << 20
"""Bytes; a full syringe makes about one megabyte."""

_OLD_COLUMNS = (
    "trigger",
    "processing end s",
    "fluorescence low",
    "fluorescence high",
    "scattering low",
    "scattering high",
    "comparator pulse",
    "trigger open s",
    "frame grab s",
    "x",
    "y",
    "width",
    "height",
    "start byte",
    "valve status",
)
_NEW_COLUMNS = {
    "trigger": "trigger",
    "adctime": "ADC time s",
    "pmta": "PMT A",
    "pmtb": "PMT B",
    "pmtc": "PMT C",
    "pmtd": "PMT D",
    "peaka": "PMT A peak",
    "peakb": "PMT B peak",
    "peakc": "PMT C peak",
    "peakd": "PMT D peak",
    "timeofflight": "time of flight",
    "grabtimestart": "grab start s",
    "grabtimeend": "grab end s",
    "roix": "x",
    "roiy": "y",
    "roiwidth": "width",
    "roiheight": "height",
    "startbyte": "start byte",
    "comparatorout": "comparator out",
    "startpoint": "start point",
    "signallength": "signal length",
    "status": "status",
    "runtime": "run time s",
    "inhibittime": "inhibit time s",
}
"""Spelling in the header without case, blanks and underscores → column."""
_WHOLE = ("trigger", "x", "y", "width", "height", "start byte")
_NOT_OF_THE_PARTICLE = frozenset({"start byte", "width", "height"})
_NONE = -999.0
_LARGEST_WHOLE = 2**53
_LONGEST_LINE = 4096
_FAULTS_NAMED = 100


@dataclass(frozen=True, slots=True)
class Roi:
    """One line of an ``.adc``."""

    number: int
    """Its line, counted from 1: the number of the ROI."""
    trigger: int
    x: int
    y: int
    width: int
    height: int
    start: int
    """First byte of its pixels in the ``.roi``."""

    @property
    def has_picture(self) -> bool:
        """Whether the trigger gave a picture."""
        return self.width > 0 and self.height > 0


@dataclass(frozen=True, slots=True)
class Adc:
    """The lines of an ``.adc`` that could be read."""

    columns: tuple[str, ...]
    table: NDArray[np.float64]
    """Shape (lines, columns)."""
    numbers: NDArray[np.int64]
    """Number of each line in the file, from 1."""
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Lines that could not be read: which one, and why."""

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, name: str) -> NDArray[np.float64]:
        """Give a column; NaN where the file does not have it."""
        if name not in self.columns:
            return np.full(len(self), np.nan)
        return self.table[:, self.columns.index(name)]

    def rois(self) -> list[Roi]:
        """Give the place of every line's picture."""
        wholes = np.stack([self.column(name) for name in _WHOLE], axis=1).astype(np.int64).tolist()
        return [Roi(number, *row) for number, row in zip(self.numbers.tolist(), wholes, strict=True)]

    def parameters(self, row: int) -> Mapping[str, float]:
        """Give what the instrument measured of a line, by name; what it marks as absent (-999) is left out."""
        values = self.table[row].tolist()
        return {
            name: value
            for name, value in zip(self.columns, values, strict=True)
            if name not in _NOT_OF_THE_PARTICLE and value != _NONE and math.isfinite(value)
        }


def parse_adc(data: bytes, *, old_style: bool, layout: str = "") -> Adc:
    """Read an ``.adc``.

    Parameters
    ----------
    data
        The whole file, of at most `LARGEST_ADC` bytes.
    old_style
        The columns are those of the first instruments.
    layout
        Value of ``ADCFileFormat`` in the header, where there is one.
    """
    columns = _OLD_COLUMNS if old_style else _columns(layout)
    needed = max(columns.index(name) for name in _WHOLE) + 1
    wholes = [columns.index(name) for name in _WHOLE]
    values, numbers = array("d"), array("q")
    faults: list[tuple[str, str]] = []
    usual = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip(b"\r\t \x1a\x00,"):
            continue
        fields = line.rstrip(b"\r\t ").split(b",")
        if not fields[-1]:
            fields.pop()
        row, reason = _row(fields, wholes, needed, usual, columns) if len(line) <= _LONGEST_LINE else ([], _TOO_LONG)
        if reason:
            faults.append((f"line {number}", reason))
            continue
        usual = usual or len(fields)
        values.extend((row + [math.nan] * len(columns))[: len(columns)])
        numbers.append(number)
    table = np.array(values, np.float64).reshape(-1, len(columns))
    return Adc(columns, table, np.array(numbers, np.int64), _shortened(faults))


_TOO_LONG = f"is longer than {_LONGEST_LINE:,} bytes: no line of an .adc"


def _row(
    fields: Sequence[bytes], wholes: Sequence[int], needed: int, usual: int, columns: Sequence[str]
) -> tuple[list[float], str]:
    """Give the numbers of a line and, where it cannot be used, why."""
    if len(fields) < needed or (usual and len(fields) != usual):
        expected = usual or len(columns)
        return [], f"has {len(fields)} fields where {expected} should stand: damaged or cut off; copy the bin again"
    row: list[float] = []
    for place, text in enumerate(fields):
        try:
            row.append(math.nan if b"_" in text else float(text))
        except ValueError:
            row.append(math.nan)
        if place in wholes and not _is_whole(row[-1]):
            shown = text[:20].decode("ascii", errors="replace")
            return [], f"holds {shown!r} where a whole number should stand ({columns[place]})"
    if min(row[columns.index(name)] for name in ("width", "height", "start byte")) < 0:
        return [], "holds a negative width, height or start byte"
    return row, ""


def _is_whole(value: float) -> bool:
    return abs(value) < _LARGEST_WHOLE and value == int(value)


def _columns(layout: str) -> tuple[str, ...]:
    """Give the columns in the order of the header; in the usual order where it does not name all that are needed."""
    usual = tuple(_NEW_COLUMNS.values())
    named = [re.sub(r"[\s_#]+", "", name).lower() for name in layout.split(",")]
    columns = tuple(_NEW_COLUMNS.get(name, f"column {place}") for place, name in enumerate(named, start=1))
    complete = set(_WHOLE) <= set(columns) and len(set(columns)) == len(columns)
    return columns if complete else usual


def _shortened(faults: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Name the first hundred; a file of another kind could make a million."""
    more = len(faults) - _FAULTS_NAMED
    if more <= 0:
        return faults
    return [*faults[:_FAULTS_NAMED], (f"{more:,} more lines", "cannot be read either; look at the file")]
