"""Single cells of an EcoTaxa table: positions, dates, times, numbers, statuses.

Rules after ecotaxa/ecotaxa_back (``py/BO/TSVFile.py``, ``helpers/TSVHelpers.py``). Each function gives the value and a
reason: the value is None where a cell says nothing or cannot be right, and the reason, in a user's words, is empty but
for the latter.
"""

from __future__ import annotations

import math
import re
from datetime import date, time
from functools import lru_cache
from typing import Literal

from seston.instruments.number_text import parse_number

__all__ = ["STATUSES", "parse_coordinate", "parse_date", "parse_depth", "parse_real", "parse_time"]

STATUSES: dict[str, Literal["predicted", "validated", "dubious", "discarded"]] = {
    "predicted": "predicted",
    "p": "predicted",
    "validated": "validated",
    "v": "validated",
    "dubious": "dubious",
    "d": "dubious",
    "discarded": "discarded",
    "x": "discarded",
}
"""Lower-cased word or letter of a status → what it means; exports write one of the four as a letter."""

_NOT_GIVEN = frozenset({9999.0, 99999.0, 999999.0})
"""How ZooProcess writes that a number is not known."""
_NOTHING = frozenset({"", "nan", "na"})
_DEGREES = re.compile(
    r"(?P<sign>[-+]?)(?P<degrees>\d{1,3}(?:[.,]\d+)?)\s*(?:Â?[°º]|\ufffd)\s*"
    r"(?:(?P<minutes>\d{1,2}(?:[.,]\d+)?)\s*['′’]?\s*)?(?:(?P<seconds>\d{1,2}(?:[.,]\d+)?)\s*[\"″”]?\s*)?(?P<side>[NSEW]?)",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:\.0*)?")
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{0,6})\d*)?")
_DIGITS = re.compile(r"(\d{1,6})(?:\.0*)?|(\d{6})\.\d*")


def parse_real(text: str) -> tuple[float | None, str]:
    """Give a number; None for an empty cell, ``nan``, ``na`` and infinities."""
    text = text.strip()
    if not text:
        return None, ""
    value = parse_number(text)
    if value is None:
        return None, f"{text[:40]!r} is no number"
    return (value if math.isfinite(value) else None), ""


@lru_cache(maxsize=8192)
def parse_coordinate(text: str, limit: float) -> tuple[float | None, str]:
    """Give decimal degrees from decimal degrees or from degrees, minutes and seconds (``43°12 30``).

    Parameters
    ----------
    limit
        90 for a latitude, 180 for a longitude.
    """
    text = text.strip()
    if found := _DEGREES.fullmatch(text):
        degrees, minutes, seconds = (
            float((found[name] or "0").replace(",", ".")) for name in ("degrees", "minutes", "seconds")
        )
        if minutes >= 60 or seconds >= 60:
            return None, f"{text[:40]!r} has minutes or seconds beyond 59"
        value: float | None = degrees + minutes / 60 + seconds / 3600
        if value and (found["sign"] == "-" or found["side"].upper() in ("S", "W")):
            value = -value
    else:
        value, reason = parse_real(text)
        if reason:
            return None, reason
    if value is None or value in _NOT_GIVEN:
        return None, ""
    if abs(value) > limit:
        return None, f"{text[:40]!r} lies outside -{limit:g}..{limit:g} degrees"
    return value, ""


@lru_cache(maxsize=8192)
def parse_depth(text: str) -> tuple[float | None, str]:
    """Give metres; the numbers by which ZooProcess says "not known" are None."""
    value, reason = parse_real(text)
    return (None if value is None or value in _NOT_GIVEN else value), reason


@lru_cache(maxsize=8192)
def parse_date(text: str) -> tuple[date | None, str]:
    """Give a day from ``YYYYMMDD`` or ``YYYY-MM-DD``."""
    text = text.strip()
    if text.lower() in _NOTHING:
        return None, ""
    if found := _DATE.fullmatch(text):
        try:
            return date(int(found[1]), int(found[2]), int(found[3])), ""
        except ValueError:
            pass
    return None, f"{text[:40]!r} is no date (YYYYMMDD)"


@lru_cache(maxsize=8192)
def parse_time(text: str) -> tuple[time | None, str]:
    """Give a time of day from ``HHMMSS``, ``HHMM`` or ``HH:MM:SS``, the last with fractions of a second or without.

    Fewer than four digits lack zeros in front (``320`` is 03:20), as on the server. Five digits lack one too
    (``93804`` is 09:38:04), where the server would put a zero behind them.
    """
    text = text.strip()
    if text.lower() in _NOTHING:
        return None, ""
    digits, clock = _DIGITS.fullmatch(text), _TIME.fullmatch(text)
    parts: tuple[str | None, ...] = clock.groups() if clock else ()
    if digits:
        said = digits[1] or digits[2]
        padded = said.zfill(4 if len(said) <= 4 else 6).ljust(6, "0")
        parts = (padded[:2], padded[2:4], padded[4:], None)
    try:
        if parts:
            hour, minute, second = (int(part or "0") for part in parts[:3])
            return time(hour, minute, second, int((parts[3] or "").ljust(6, "0"))), ""
    except ValueError:
        pass
    return None, f"{text[:40]!r} is no time of day (HHMMSS)"
