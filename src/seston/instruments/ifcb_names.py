"""What the name of a file says about the IFCB bin that it belongs to.

Two ways of naming are in use (joefutrelle/pyifcb, ``ifcb/data/identifiers.py``): ``IFCB5_2012_028_081515`` of the first
instruments, with the day of the year, and ``D20220522T000439_IFCB134``. The name alone tells the layout of the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["BinFile", "BinName", "bin_file", "bin_of_roi", "parse_bin_name", "roi_number"]

_OLD = re.compile(r"IFCB(?P<instrument>\d{1,3})_(?P<year>\d{4})_(?P<day>\d{3})_(?P<clock>\d{6})")
_NEW = re.compile(r"D(?P<date>\d{8})T(?P<clock>\d{6})_IFCB(?P<instrument>\d{1,4})")
_FILE = re.compile(r"(?P<bin>IFCB\d{1,3}_\d{4}_\d{3}_\d{6}|D\d{8}T\d{6}_IFCB\d{1,4})(?P<rest>[._].*)")
_NAMED = re.compile(r"(?<![A-Za-z0-9])(?:IFCB\d{1,3}_\d{4}_\d{3}_\d{6}|D\d{8}T\d{6}_IFCB\d{1,4})(?![0-9])")
_RAW = frozenset({".adc", ".hdr", ".roi"})
_LABELS = {".csv": "labels", ".mat": "manual"}
_PRODUCTS = (
    (re.compile(r"_blobs?(_v\d+)?\.zip"), "blobs"),
    (re.compile(r"_(features|fea)(_v\d+)?\.csv"), "features"),
    (re.compile(r"_multiblob(_v\d+)?\.csv"), "features"),
    (re.compile(r"_class(_scores)?(_v\d+)?\.(csv|mat|h5)"), "class scores"),
)
_ROI = re.compile(r"_(\d{5,})(\.\w+)?")


@dataclass(frozen=True, slots=True)
class BinName:
    """A bin's name and what it says."""

    text: str
    instrument: str
    """Number of the instrument, as written: ``5``, ``013``."""
    start: datetime
    """UTC."""
    old_style: bool
    """Of the first instruments: other columns, and pictures that are to be stitched."""


@dataclass(frozen=True, slots=True)
class BinFile:
    """One file of a bin."""

    bin: BinName
    kind: str
    """``adc``, ``hdr``, ``roi``, ``zip``, ``labels``, ``manual``, or what product of the bin it is."""

    @property
    def is_raw(self) -> bool:
        """Whether the instrument wrote it."""
        return f".{self.kind}" in _RAW


def parse_bin_name(text: str) -> BinName | None:
    """Read a bin's name; None where it is none, or holds a date that there is not.

    Examples
    --------
    >>> parse_bin_name("IFCB5_2012_028_081515").start.isoformat()
    '2012-01-28T08:15:15+00:00'
    """
    found = _OLD.fullmatch(text) or _NEW.fullmatch(text)
    if found is None:
        return None
    try:
        clock = datetime.strptime(found["clock"], "%H%M%S")
        if old := "day" in found.re.groupindex:
            day = int(found["day"])
            date = datetime(int(found["year"]), 1, 1) + timedelta(days=day - 1)
            if not day or date.year != int(found["year"]):
                return None
        else:
            date = datetime.strptime(found["date"], "%Y%m%d")
    except (ValueError, OverflowError):
        return None
    start = datetime.combine(date.date(), clock.time(), UTC)
    return BinName(text, found["instrument"], start, old)


def bin_file(name: str) -> BinFile | None:
    """Tell which bin a file belongs to, and what it is to it; None where its name is not that of a bin's file."""
    found = _FILE.fullmatch(name)
    bin_name = parse_bin_name(found["bin"]) if found else None
    if found is None or bin_name is None:
        return None
    rest = found["rest"].lower()
    if rest in _RAW or rest == ".zip":
        return BinFile(bin_name, rest[1:])
    if rest in _LABELS:
        return BinFile(bin_name, _LABELS[rest])
    kind = next((kind for pattern, kind in _PRODUCTS if pattern.fullmatch(rest)), None)
    return BinFile(bin_name, kind) if kind else None


def bin_of_roi(name: str) -> str | None:
    """Find the bin in the name of a picture or particle such as ``IFCB5_2017_319_174459_01683``; None where none is.

    Examples
    --------
    >>> bin_of_roi("Eucampia/IFCB1_2010_030_180248_03226")
    'IFCB1_2010_030_180248'
    """
    found = _NAMED.search(name)
    return found[0] if found and parse_bin_name(found[0]) else None


def roi_number(name: str, bin_name: str) -> int | None:
    """Give the number of a ROI from ``<bin>_00014`` or ``<bin>_00014.png``; None where it is no ROI of this bin."""
    found = _ROI.fullmatch(name.removeprefix(bin_name)) if name.startswith(bin_name) else None
    return int(found[1]) if found else None
