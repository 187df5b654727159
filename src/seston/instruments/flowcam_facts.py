"""What the texts beside a FlowCam run say: the context ``.ctx``, ``_summary.csv`` and ``_run_summary.txt``.

Keys after files of VisualSpreadsheet 3.4.5 and 4.19.3. Who measured, and the folders of the computer, are not read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seston.instruments.number_text import parse_number

__all__ = ["LARGEST_TEXT", "Facts", "parse_facts"]

LARGEST_TEXT = 1 << 20
"""Bytes; a real one has four thousand."""

_MOST_KEYS = 1000
_LONGEST_VALUE = 300
_PERSONAL = re.compile(r"technician|operator|user|owner|email|customer|person|author|comment|note", re.IGNORECASE)
_LOCAL = re.compile(r"[A-Za-z]:[/\\]|^[/~\\]|\\|://|@")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T]+(\d\d?):(\d\d):(\d\d)")
_NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Facts:
    """Values of one text by ``section key`` or ``key``, without regard to case."""

    file: str
    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Give a value, empty where there is none."""
        return self.values.get(key.lower(), "")

    def number(self, key: str) -> float | None:
        """Give the number with which a value begins, or None."""
        found = _NUMBER.match(self.text(key))
        value = parse_number(found[0], ".") if found else None
        return value if value is not None and math.isfinite(value) else None

    def positive(self, key: str) -> float | None:
        """Give a number above 0, or None: the programs write 0 for what they do not know."""
        value = self.number(key)
        return value if value is not None and value > 0 else None

    def moment(self, key: str) -> datetime | None:
        """Give a date with its clock, as it stands."""
        found = _DATE.match(self.text(key))
        if found is None:
            return None
        try:
            return datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]
        except ValueError:
            return None

    def settings(self) -> dict[str, str]:
        """Give what is neither empty, nor about a person, nor a path."""
        return {
            key: value
            for key, value in self.values.items()
            if value and not _PERSONAL.search(key) and not _LOCAL.search(value)
        }


def parse_facts(data: bytes, file: str) -> Facts:
    """Read one of the three texts; which of them it is follows from its form."""
    text = data[:LARGEST_TEXT].decode("utf-8-sig", errors="replace").replace("\x00", "")
    lines = text.splitlines()
    if file.lower().endswith(".ctx"):
        pairs = _ini(lines)
    elif file.lower().endswith(".csv"):
        pairs = _summary(lines)
    else:
        pairs = _indented(lines)
    values: dict[str, str] = {}
    for key, value in pairs:
        if len(values) < _MOST_KEYS:
            values.setdefault(key.lower()[:100], value.strip()[:_LONGEST_VALUE])
    return Facts(file, values)


def _ini(lines: list[str]) -> Iterator[tuple[str, str]]:
    section = ""
    for line in lines:
        if line.startswith("["):
            section = line.strip().strip("[]")
        elif "=" in line:
            key, _, value = line.partition("=")
            yield f"{section} {key.strip()}", value


def _summary(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Take the pairs above the table of statistics and below it."""
    for line in lines:
        key, comma, value = line.partition(",")
        if comma and key.strip() != "Summary Stats" and not re.fullmatch(r"[-+.\deE]+(,[-+.\deE]+){3,}", value.strip()):
            yield key.strip(), value


def _indented(lines: list[str]) -> Iterator[tuple[str, str]]:
    section = ""
    for line in lines:
        key, colon, value = line.partition(":")
        if colon and not line[:1].isspace():
            section = key.strip()
        elif colon:
            yield f"{section} {key.strip()}", value
