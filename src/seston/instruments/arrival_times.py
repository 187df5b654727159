"""Times of arrival that an export wrote as a clock or a date, brought to seconds since the start."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from seston.instruments.info_text import parse_date
from seston.instruments.listmode import Listmode
from seston.particle import Note

__all__ = ["settle_arrival_times"]

_CLOCK = re.compile(r"^\s*(?:(\d+)\.)?(\d{1,3}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s*$")
_FRACTION = re.compile(r":\d{2}([.,]\d+)")
_DAY = 86400.0


def settle_arrival_times(table: Listmode, start: datetime | None) -> None:
    """Give a table whose times of arrival are words a column of seconds since the start of the measurement.

    CytoClus writes them relative, as a time of day or as a date, by a setting of the export. A time of day or date is
    counted from `start`; where that is not known or does not fit, from the first particle, and a note says so.
    """
    if not table.clock:
        return
    seconds = np.array([_seconds(text, start) for text in table.clock])
    if not np.isfinite(seconds).any():
        text = f"times of arrival such as {table.clock[0].strip()!r} cannot be read: left out"
        table.records.append(Note(str(table.path), text))
        return
    relative, how = _since_start(seconds, start)
    table.records.append(Note(str(table.path), f"times of arrival are written as {how}"))
    table.names = (*table.names, "Time of Arrival")
    table.values = np.column_stack([table.values, relative.astype(table.values.dtype)])
    table.clock = []
    table.index()


def _since_start(seconds: NDArray[np.float64], start: datetime | None) -> tuple[NDArray[np.float64], str]:
    first = float(np.nanmin(seconds))
    if first > 100 * _DAY:  # a date: seconds since 1970
        if start is not None and -120 <= first - start.timestamp() <= _DAY:
            return seconds - start.timestamp(), "dates: counted from the start that Info says"
        return seconds - first, "dates: counted from the first particle"
    if start is not None:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        since = seconds - (start - midnight).total_seconds()
        since = np.where(since < -_DAY / 2, since + _DAY, since)  # past midnight
        if first > 120 and -120 <= float(np.nanmin(since)) <= 3600:
            return since, "times of day: counted from the start that Info says"
    if first > 3600:
        return seconds - first, "times of day: counted from the first particle"
    return seconds, "a clock that begins with the measurement"


def _seconds(text: str, near: datetime | None) -> float:
    parts = _CLOCK.match(text)
    if parts is not None:
        days, hours, minutes, rest = parts.groups()
        clock = int(hours) * 3600.0 + int(minutes) * 60.0 + float((rest or "0").replace(",", "."))
        return int(days or 0) * _DAY + clock
    moment, _ = parse_date(text, near.replace(tzinfo=None) if near else None)
    if moment is None:
        return float("nan")
    fraction = _FRACTION.search(text)
    return moment.replace(tzinfo=UTC).timestamp() + (float("0" + fraction[1].replace(",", ".")) if fraction else 0.0)
