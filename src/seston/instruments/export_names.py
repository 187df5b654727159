"""What the names of exported files say: measurement, set, kind of file, particle.

CytoClus names files ``<measurement>_<set>_<kind>.csv`` and pictures ``<measurement>_Cropped_<id>.jpg``; a measurement
ends in ``YYYY-MM-DD HHhMM`` (``HHuMM`` on a Dutch computer), perhaps with ``_2`` behind it. People rename: hyphens or
underscores for spaces, small letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

__all__ = [
    "ExportName",
    "PictureName",
    "export_name",
    "measurement_key",
    "measurement_minute",
    "picture_name",
]

_KINDS = {
    "listmode": ("listmode", "list mode", "list-mode"),
    "pulses": ("pulses", "pulse shapes", "pulse-shapes", "impulsions", "profils"),
    "info": ("info", "infos", "information", "informations"),
    "images": ("images", "image", "photos", "imagettes"),
    "labels": ("labels", "label", "etiquettes", "étiquettes", "classes"),
    "features": ("features",),
}
_KIND_BY_WORD = {word.replace("-", " "): kind for kind, words in _KINDS.items() for word in words}
_KIND = re.compile(
    r"^(?:(?P<body>.*?)[_\- ])?(?P<kind>"
    + "|".join(re.escape(word) for words in _KINDS.values() for word in words)
    + r")$",
    re.IGNORECASE | re.DOTALL,
)
_DATED = re.compile(
    r"^(?P<measurement>.*?(?P<date>\d{4}[-_ ]\d{2}[-_ ]\d{2})[-_ ]+(?P<hour>\d{2})[hu](?P<minute>\d{2})"
    r"(?:_\d+(?=[_-]|$))?)(?:[_-](?P<set>.+))?$",
    re.IGNORECASE | re.DOTALL,
)
_PICTURE = re.compile(
    r"^(?:(?P<measurement>.*)[_\- ])?(?P<crop>uncropped|cropped)(?P<bar>[_\- ]*(?:with)?[_\- ]*scale[_\- ]?bar)?[_\- ]"
    r"(?P<number>\d{1,18})(?P<bar_behind>[_\- ]*(?:with)?[_\- ]*scale[_\- ]?bar)?$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ExportName:
    """What the name of an export's file or folder says."""

    measurement: str
    """Empty where the name is the kind alone (``Images``)."""
    set_name: str | None
    kind: str
    """``listmode``, ``pulses``, ``info``, ``images``, ``labels`` or ``features``."""
    dated: bool
    """Whether the measurement ends in a date, so that it is surely parted from the set."""


@dataclass(frozen=True, slots=True)
class PictureName:
    """What the name of a picture says."""

    measurement: str | None
    number: int
    cropped: bool
    scale_bar: bool


@lru_cache(maxsize=65536)
def export_name(stem: str) -> ExportName | None:
    """Read the name of a file or folder, without its suffix; None where it names no kind of export file.

    Examples
    --------
    >>> export_name("Pond 2023-05-24 09h23_All Imaged Particles_Pulses")
    ExportName(measurement='Pond 2023-05-24 09h23', set_name='All Imaged Particles', kind='pulses', dated=True)
    """
    parts = _KIND.match(stem)
    if parts is None:
        return None
    body = parts["body"] or ""
    kind = _KIND_BY_WORD[parts["kind"].lower().replace("-", " ")]
    dated = _DATED.match(body)
    if dated is None:
        return ExportName(body, None, kind, False)
    return ExportName(dated["measurement"], dated["set"], kind, True)


def picture_name(stem: str) -> PictureName | None:
    """Read the name of a picture, without its suffix; None where no particle can be told from it.

    A bare number is a particle's number (RclusTool); so is the last part of ``<measurement>_<number>``.
    """
    parts = _PICTURE.match(stem)
    if parts is not None:
        bar = bool(parts["bar"] or parts["bar_behind"])
        cropped = parts["crop"].lower() == "cropped"
        return PictureName(parts["measurement"] or None, int(parts["number"]), cropped, bar)
    if re.fullmatch(r"\d{1,18}", stem):
        return PictureName(None, int(stem), True, False)
    behind = re.match(r"^(?P<measurement>.*\d{2}[hu]\d{2}(?:_\d+)?)_(?P<number>\d{1,18})$", stem)
    return PictureName(behind["measurement"], int(behind["number"]), True, False) if behind else None


@lru_cache(maxsize=65536)
def measurement_key(measurement: str) -> str:
    """Give what two spellings of one measurement's name have in common."""
    return re.sub(r"[\s_\-.]+", " ", measurement).strip().casefold()


def measurement_minute(measurement: str) -> datetime | None:
    """Give the date and minute that a measurement's name ends in, as the computer's clock had it."""
    dated = _DATED.match(measurement)
    if dated is None:
        return None
    year, month, day = (int(part) for part in re.split(r"[-_ ]", dated["date"]))
    try:
        return datetime(year, month, day, int(dated["hour"]), int(dated["minute"]))
    except ValueError:
        return None
