"""What the path of a picture says, by the patterns of a card.

A pattern is a path with ``*`` (any letters but a slash), ``**`` (any folders, or none) and named parts in braces:

``{label}``, ``{sample}``, ``{object}``, ``{id}``, ``{file}``
    as many letters as fit, without a slash
``{number}``, ``{ending}``
    digits; what stands after the last dot
``{time}``
    written as the card's ``time_format`` says
``{bin}``
    the name of an IFCB bin, which is the sample and holds the time: ``IFCB1_2008_073_152345`` (year, day of the year,
    time) or ``D20141117T234033_IFCB102``, in UTC
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from seston.collections.cards import Layout
from seston.errors import InputError

__all__ = ["PathRules", "Place", "parse_time"]

_BIN = r"(?:IFCB\d{1,3}_\d{4}_\d{3}_\d{6}|D\d{8}T\d{6}_IFCB\d{3})"
_PARTS = {
    "label": r"[^/]+",
    "sample": r"[^/]+",
    "object": r"[^/]+",
    "id": r"[^/]+",
    "file": r"[^/]+",
    "number": r"\d+",
    "ending": r"[^/.]+",
    "bin": _BIN,
}
_SAID = ("label", "sample", "object", "time", "bin")
_TOKEN = re.compile(r"\{(\w+)\}|(\*\*/)|(/\*\*$)|(\*)|([^{*/]+|/|\{)")
_DIRECTIVES = {
    "%Y": r"\d{4}",
    "%m": r"\d{2}",
    "%d": r"\d{2}",
    "%j": r"\d{3}",
    "%H": r"\d{2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%f": r"\d{1,6}",
}
_MICROSECONDS = "microseconds"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """What a path says of a picture."""

    tail: str
    """The path below the folders that are the same for all: what stands in ids."""
    label: str | None
    sample: str | None
    object: str | None
    time: datetime | None
    """Of the picture itself."""
    start: datetime | None
    """Of its sample, where that is an IFCB bin."""


class PathRules:
    """The patterns of a card, ready to be asked.

    Raises
    ------
    InputError
        A pattern that says what no pattern can.
    """

    def __init__(self, layout: Layout) -> None:
        self._time_format = layout.time_format
        time = _time_pattern(layout.time_format)
        self._pictures = [(_compiled(text, time), len(_common(text))) for text in layout.pictures]
        self._archives = [_compiled(text, time) for text in layout.archives]
        self._ignored = [_compiled(text, time) for text in layout.ignore]

    def place(self, path: str) -> Place | None:
        """Read a picture's path by the first pattern that fits; None where none does."""
        for pattern, common in self._pictures:
            if (found := pattern.fullmatch(path)) is not None:
                label, sample, thing, time, name = found.group(*_SAID)
                return Place(
                    path[common:],
                    label,
                    name or sample,
                    thing,
                    parse_time(time, self._time_format) if time else None,
                    _time_of_bin(name) if name else None,
                )
        return None

    def is_archive(self, path: str) -> bool:
        """Whether a member is an archive to look into."""
        return bool(self._archives) and any(pattern.fullmatch(path) for pattern in self._archives)

    def is_ignored(self, path: str) -> bool:
        """Whether a picture stands where the collection has no particles."""
        return bool(self._ignored) and any(pattern.fullmatch(path) for pattern in self._ignored)


@lru_cache(maxsize=65_536)
def parse_time(text: str, time_format: str) -> datetime | None:
    """Read a time in UTC; None for one that is impossible."""
    try:
        if time_format == _MICROSECONDS:
            return _EPOCH + timedelta(microseconds=int(text))
        return datetime.strptime(text, time_format).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def _time_of_bin(name: str) -> datetime | None:
    if name.startswith("D"):
        return parse_time(name[1:16], "%Y%m%dT%H%M%S")
    return parse_time(name.partition("_")[2], "%Y_%j_%H%M%S")


def _common(pattern: str) -> str:
    """The leading folders of a pattern that hold nothing that varies."""
    folders = pattern.split("/")[:-1]
    fixed = next((n for n, folder in enumerate(folders) if "{" in folder or "*" in folder), len(folders))
    return "".join(f"{folder}/" for folder in folders[:fixed])


def _compiled(pattern: str, time: str) -> re.Pattern[str]:
    text = "".join(_piece(match, pattern, time) for match in _TOKEN.finditer(pattern))
    absent = "".join(f"(?P<{name}>(?!))?" for name in _SAID if f"{{{name}}}" not in pattern)  # a group that never fits
    try:
        return re.compile(text + absent, re.DOTALL)
    except re.error:
        raise InputError(f"the pattern {pattern!r} of a card names a part twice; name it once") from None


def _piece(match: re.Match[str], pattern: str, time: str) -> str:
    name, folders, rest, star, plain = match.groups()
    if name == "time" and time:
        return f"(?P<time>{time})"
    if name in _PARTS:
        return f"(?P<{name}>{_PARTS[name]})"
    if name:
        known = ", ".join(f"{{{part}}}" for part in (*_PARTS, "time"))
        why = "{time} needs a time_format" if name == "time" else f"there are: {known}"
        raise InputError(f"the pattern {pattern!r} of a card has {{{name}}}: {why}")
    if folders:
        return "(?:[^/]+/)*"
    if rest:
        return "/.*"
    return "[^/]*" if star else re.escape(plain)


def _time_pattern(time_format: str) -> str:
    if time_format == _MICROSECONDS:
        return r"\d{16}"
    pieces = re.split(r"(%[A-Za-z])", time_format)
    if unknown := [piece for piece in pieces if re.fullmatch(r"%[A-Za-z]", piece) and piece not in _DIRECTIVES]:
        raise InputError(
            f"the time_format {time_format!r} of a card has {unknown[0]}; there are: {', '.join(_DIRECTIVES)}"
        )
    return "".join(_DIRECTIVES.get(piece) or re.escape(piece) for piece in pieces)
