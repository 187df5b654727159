"""The ``.hdr`` of an IFCB bin: settings and state of the instrument, in the spellings of all software versions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import pairwise

from seston.instruments.number_text import parse_number

__all__ = ["LARGEST_HEADER", "Header", "parse_header"]

LARGEST_HEADER = 1 << 20
"""Bytes; a real one has four thousand."""

_MOST_KEYS = 500
_LONGEST_VALUE = 300
_SENTENCE = re.compile(r"\b(run time|inhibit time)\s*=\s*([-+\d.eE]+)\s*s", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')
_LOCAL = re.compile(r"^[A-Za-z]:[/\\]|^[/~]|\\|://|@")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIX = re.compile(r"([A-Za-z]{3})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Header:
    """The keys of a header, as written, and their values."""

    values: Mapping[str, str]
    _by_spelling: Mapping[str, tuple[str, str]]

    def find(self, name: str) -> tuple[str, str] | None:
        """Give key and value, whatever the case, blanks and underscores of the key."""
        return self._by_spelling.get(_squeeze(name))

    def text(self, name: str) -> str:
        """Give a value, empty where there is none."""
        return (self.find(name) or ("", ""))[1]

    def number(self, name: str) -> float | None:
        """Give a value as a finite number, or None."""
        value = parse_number(self.text(name), ".")
        return value if value is not None and math.isfinite(value) else None

    def is_on(self, name: str) -> bool:
        """Whether a switch is on: ``True`` or ``1``."""
        return self.text(name).lower() in ("true", "1", "yes", "on")

    def fix_time(self) -> datetime | None:
        """Give the time of the GPS fix (UTC)."""
        found = _FIX.match(self.text("gpsTimeFromFix"))
        if found is None or found[1].lower() not in _MONTHS:
            return None
        month = _MONTHS.index(found[1].lower()) + 1
        try:
            clock = time(int(found[4]), int(found[5]), int(found[6]), tzinfo=UTC)
            return datetime.combine(date(int(found[3]), month, int(found[2])), clock)
        except ValueError:
            return None

    def settings(self) -> dict[str, str]:
        """Give everything but paths and addresses of the computer that made the file."""
        return {key: value for key, value in self.values.items() if value and not _LOCAL.search(value)}


def parse_header(data: bytes) -> Header:
    """Read a header; a line that cannot be understood is left out.

    Three kinds are known: ``key: value`` lines; sentences such as ``run time = 1200 s``; and, of the first instruments,
    quoted free text whose last two lines are names and values.
    """
    values: dict[str, str] = {}
    lines = data[:LARGEST_HEADER].decode("latin-1").replace("\x00", "").splitlines()
    for key, value in (*_old_pairs(lines), *_pairs(lines)):
        if len(values) < _MOST_KEYS:
            values.setdefault(key[:100], value[:_LONGEST_VALUE] if key != "ADCFileFormat" else value[:4000])
    return Header(values, {_squeeze(key): (key, value) for key, value in reversed(values.items())})


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.startswith('"'):
            continue
        for name, value in _SENTENCE.findall(line):
            yield name, value
        key, colon, value = line.partition(":")
        if colon and key.strip() and key.isprintable():
            yield key.strip(), value.strip()


def _old_pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    quoted = [found for line in lines if (found := _QUOTED.findall(line))]
    if quoted and "software" in quoted[0][0].lower():
        yield "softwareVersion", quoted[0][0]
    for names, values in pairwise(quoted):
        words = names[0].split()
        if len(names) == 1 and len(words) == len(values) > 1:
            yield from zip(words, (value.strip() for value in values), strict=True)


def _squeeze(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).lower()
