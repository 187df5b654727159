"""Take numbers and texts off a run of bytes, never beyond its end.

The lowest layer of the .NET parser: primitive values as MS-NRBF, section 2.1, writes them.
"""

from __future__ import annotations

import struct
from typing import Any, Final

__all__ = ["BOOLEAN", "BYTE", "CHAR", "DECIMAL", "FIXED", "NULL", "TEXT", "ByteCursor", "DamageError"]

_INT32: Final = struct.Struct("<i")
_TWO_INT32: Final = struct.Struct("<ii")

# Numbers of the primitive types, section 2.1.2.3.
CHAR, DECIMAL, NULL, TEXT = 3, 5, 17, 18
FIXED: dict[int, tuple[struct.Struct, str]] = {
    1: (struct.Struct("<B"), "u1"),  # Boolean
    2: (struct.Struct("<B"), "u1"),
    6: (struct.Struct("<d"), "<f8"),
    7: (struct.Struct("<h"), "<i2"),
    8: (struct.Struct("<i"), "<i4"),
    9: (struct.Struct("<q"), "<i8"),
    10: (struct.Struct("<b"), "i1"),
    11: (struct.Struct("<f"), "<f4"),
    12: (struct.Struct("<q"), "<i8"),  # TimeSpan, in ticks of 100 ns
    13: (struct.Struct("<Q"), "<u8"),  # DateTime: kind in the top two bits, ticks below
    14: (struct.Struct("<H"), "<u2"),
    15: (struct.Struct("<I"), "<u4"),
    16: (struct.Struct("<Q"), "<u8"),
}
BOOLEAN, BYTE = 1, 2


class DamageError(Exception):
    """The bytes do not say what they should: where, and what was wrong."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at
        self.what = what


class ByteCursor:
    """A place in some bytes, which moves on with what is read."""

    def __init__(self, data: memoryview, at: int) -> None:
        self.data = data
        self.at = at
        self.size = len(data)

    def primitive(self, primitive: int) -> Any:
        """Read a value of a primitive type."""
        fixed = FIXED.get(primitive)
        if fixed is not None:
            form = fixed[0]
            if self.at + form.size > self.size:
                raise DamageError(self.at, "the stream ends inside a number")
            value = form.unpack_from(self.data, self.at)[0]
            self.at += form.size
            return bool(value) if primitive == BOOLEAN else value
        if primitive == CHAR:
            return self._character()
        if primitive in (DECIMAL, TEXT):
            return self.text()
        if primitive == NULL:
            return None
        raise DamageError(self.at, f"primitive type {primitive} is not known")

    def _character(self) -> str:
        first = self.peek()
        size = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        self.need(size, "a character")
        raw = bytes(self.data[self.at : self.at + size])
        self.at += size
        return self._decode(raw)

    def text(self) -> str:
        """Read a text with its length before it."""
        length = shift = 0
        while True:
            byte = self.byte()
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 28:
                raise DamageError(self.at, "the length of a text has more than five bytes")
        self.need(length, "a text")
        raw = bytes(self.data[self.at : self.at + length])
        self.at += length
        return self._decode(raw)

    def _decode(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise DamageError(self.at - len(raw), "a text that is not UTF-8") from None

    def need(self, size: int, what: str) -> None:
        """Make sure that so many bytes are left."""
        if size > self.size - self.at:
            raise DamageError(self.at, f"the stream ends inside {what}")

    def peek(self) -> int:
        """Give the next byte and stay before it."""
        if self.at >= self.size:
            raise DamageError(self.at, "the stream ends without its end record")
        return self.data[self.at]

    def byte(self) -> int:
        """Read one byte."""
        if self.at >= self.size:
            raise DamageError(self.at, "the stream ends inside a record")
        self.at += 1
        return self.data[self.at - 1]

    def number(self, what: str) -> int:
        """Read a 32-bit number."""
        self.need(4, what)
        value: int = _INT32.unpack_from(self.data, self.at)[0]
        self.at += 4
        return value

    def two_numbers(self, what: str) -> tuple[int, int]:
        """Read two 32-bit numbers."""
        self.need(8, what)
        first, second = _TWO_INT32.unpack_from(self.data, self.at)
        self.at += 8
        return first, second
