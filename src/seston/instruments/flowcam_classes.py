"""The classes of a FlowCam run: which particles were put into which class (``.cla``, version 3).

One value a line: ``v3``, the number of classifications, and for each its name, its number of classes, and for each of
those its name, how its filters are joined (``OR``), how many filters there are, their files, how many particles, their
ids. Read from files of VisualSpreadsheet 3.4 and 4.19.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from seston.errors import InputError

__all__ = ["LARGEST_CLASSES", "Classes", "parse_classes"]

LARGEST_CLASSES = 32 << 20
"""Bytes; a million particles need eight megabytes."""

_LONGEST_NAME = 500


@dataclass(slots=True)
class Classes:
    """The classification that names the most particles."""

    labels: dict[int, str] = field(default_factory=dict)
    """Class by the id of the particle."""
    by_filter: set[str] = field(default_factory=set)
    """Classes that particles come into by a rule, not by a person's eye."""
    doubled: int = 0
    """Particles that stand in several classes; the first one counts."""
    others: int = 0
    """Further classifications in the file, which are left."""


def parse_classes(data: bytes) -> Classes:
    """Read a ``.cla``.

    Raises
    ------
    InputError
        Where it is of another version, cut off, or not of this form.
    """
    lines = iter(data[:LARGEST_CLASSES].decode("latin-1").splitlines())
    if next(lines, "").strip().lower() != "v3":
        raise InputError("the classes are not of version 3; save them again with VisualSpreadsheet 3 or 4")
    found = [_classification(lines) for _ in range(_count(lines, len(data)))]
    if not found:
        return Classes()
    best = max(range(len(found)), key=lambda place: (len(found[place].labels), place))
    found[best].others = sum(bool(other.labels) for place, other in enumerate(found) if place != best)
    return found[best]


def _classification(lines: Iterator[str]) -> Classes:
    _text(lines)  # its name, which may be a person's
    classes = Classes()
    standing: Counter[int] = Counter()
    for _ in range(_count(lines, LARGEST_CLASSES)):
        name = _text(lines)
        _text(lines)
        filters = _count(lines, LARGEST_CLASSES)
        for _ in range(filters):
            _text(lines)
        if filters:
            classes.by_filter.add(name)
        for _ in range(_count(lines, LARGEST_CLASSES)):
            particle = _count(lines, 1 << 53)
            standing[particle] += 1
            classes.labels.setdefault(particle, name)
    classes.doubled = sum(often > 1 for often in standing.values())
    return classes


def _text(lines: Iterator[str]) -> str:
    line = next(lines, None)
    if line is None:
        raise InputError("the classes are cut off; save them again")
    return line.strip()[:_LONGEST_NAME]


def _count(lines: Iterator[str], largest: int) -> int:
    text = _text(lines)
    if not (text.isascii() and text.isdecimal()) or len(text) > 16 or int(text) > largest:
        raise InputError(f"the classes hold {text[:20]!r} where a number should stand; save them again")
    return int(text)
