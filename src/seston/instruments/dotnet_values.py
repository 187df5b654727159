"""What a .NET stream holds, and how to ask it for lists, numbers, dates and bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = [
    "NOTHING",
    "DotNetObject",
    "Layout",
    "as_bytes",
    "as_datetime",
    "as_flags",
    "as_integer",
    "as_integers",
    "as_list",
    "as_number",
    "as_numbers",
    "as_text",
]

_YEAR_ONE = datetime(1, 1, 1)
_TICKS_MASK = (1 << 62) - 1
_UTC_KIND = 1
_LAST_TICK = 3_155_378_975_999_999_999  # 9999-12-31


class Layout:
    """A class of the stream: its name, its members and which of them are primitive. Shared by its objects."""

    __slots__ = ("_places", "members", "name", "primitives")

    def __init__(self, name: str, members: tuple[str, ...], primitives: list[int]) -> None:
        self.name = name
        self.members = members
        self.primitives = primitives
        self._places: dict[str, int] = {}

    def place(self, member: str) -> int | None:
        """Give the index of a member, by its name in the stream or by the name it had in its own class.

        The formatter writes an inherited private member as ``Class+member`` and a property as
        ``<Name>k__BackingField``.
        """
        if not self._places:
            plain = {_plain(name): index for index, name in enumerate(self.members)}
            self._places = plain | {name: index for index, name in enumerate(self.members)}
        return self._places.get(member)


def _plain(name: str) -> str:
    name = name.rsplit("+", 1)[-1]
    return name[1:].split(">", 1)[0] if name.startswith("<") and ">" in name else name


class DotNetObject:
    """An object of the stream: a class name and values. It has no behaviour."""

    __slots__ = ("layout", "values")

    def __init__(self, layout: Layout, values: list[Any]) -> None:
        self.layout = layout
        self.values = values

    @property
    def class_name(self) -> str:
        """Full name of the .NET class."""
        return self.layout.name

    def get(self, *names: str) -> Any:
        """Give the value of the first of these members that the object has and that is not null, else None."""
        for name in names:
            place = self.layout.place(name)
            if place is not None and (value := self.values[place]) is not None:
                return value
        return None

    def object(self, *names: str) -> DotNetObject:
        """Give a member that is an object; an object without members where there is none."""
        value = self.get(*names)
        return value if isinstance(value, DotNetObject) else NOTHING

    def __repr__(self) -> str:
        return f"<{self.layout.name} with {len(self.values)} members>"


NOTHING = DotNetObject(Layout("", (), []), [])


def as_list(value: Any) -> Sequence[Any]:
    """Give the elements of an array, or of a ``List<T>`` without its spare places; empty for anything else."""
    if isinstance(value, DotNetObject):
        items, size = value.get("_items"), as_integer(value.get("_size"))
        if size is None or items is None or isinstance(items, DotNetObject):
            return ()
        return as_list(items)[: max(size, 0)]
    if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
        return ()
    elements: Sequence[Any] = value
    return elements


def as_integer(value: Any) -> int | None:
    """Give a whole number or the number of an enum; None for anything else."""
    if isinstance(value, DotNetObject):
        value = value.get("value__")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_number(value: Any) -> float | None:
    """Give a finite number as a float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def as_numbers(value: Any) -> list[float]:
    """Give the numbers of an array or list; empty where one of its elements is no number (NaN and infinity are)."""
    numbers: list[float] = []
    for element in _plain_elements(value):
        if isinstance(element, bool) or not isinstance(element, int | float):
            return []
        numbers.append(element)
    return numbers


def as_integers(value: Any) -> list[int]:
    """Give the whole numbers or enums of an array or list; empty where one of its elements is none."""
    numbers: list[int] = []
    for element in _plain_elements(value):
        number = as_integer(element)
        if number is None:
            return []
        numbers.append(number)
    return numbers


def as_flags(value: Any) -> list[bool]:
    """Give the truth values of an array or list; an element of another kind is no."""
    return [element is True for element in _plain_elements(value)]


def _plain_elements(value: Any) -> Sequence[Any]:
    elements = as_list(value)
    plain: Sequence[Any] = elements.tolist() if hasattr(elements, "tolist") else elements
    return plain


def as_text(value: Any) -> str:
    """Give a text without white space around it; empty for anything else."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def as_bytes(value: Any) -> memoryview | None:
    """Give the bytes of an array, of a ``MemoryStream`` (its first `_length` bytes) or of a ``Bitmap``.

    Returns
    -------
    memoryview or None
        None for anything else, for no bytes at all, and for a stream that holds fewer than its length says.
    """
    if isinstance(value, DotNetObject):
        buffer = value.get("_buffer", "Data")
        length = as_integer(value.get("_length"))
        start = as_integer(value.get("_origin")) or 0
        if not isinstance(buffer, memoryview) or (length is not None and length > len(buffer)):
            return None
        value = buffer if length is None else buffer[max(start, 0) : max(length, 0)]
    return value if isinstance(value, memoryview) and len(value) else None


def as_datetime(value: Any) -> datetime | None:
    """Give the date of a raw 64-bit .NET ``DateTime``.

    Returns
    -------
    datetime or None
        In UTC where the stream says so; without a time zone where it is the local time of an unknown computer. None
        for no number, for the empty date (year 1) and for ticks beyond year 9999.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    ticks = value & _TICKS_MASK
    if not 0 < ticks <= _LAST_TICK:
        return None
    date = _YEAR_ONE + timedelta(microseconds=ticks // 10)
    return date.replace(tzinfo=UTC) if (value >> 62) & 3 == _UTC_KIND else date
