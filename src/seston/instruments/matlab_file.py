"""Numbers, texts and cells of a MATLAB file of version 5, read with bounds.

After "MAT-File Format" (The MathWorks), level 5: a header of 128 bytes, then elements of a tag (type, bytes) and data,
each padded to 8 bytes; a matrix is an element of elements. Only what tables of labels need is understood. Sizes that a
file claims are held against the bytes that it has before anything is made.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import error as StructError
from struct import unpack_from

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError

__all__ = ["LARGEST_MATLAB_FILE", "MatlabValue", "read_matlab_file"]

LARGEST_MATLAB_FILE = 4 << 20
"""Bytes, of the file and of what is packed in it."""

MatlabValue = NDArray[np.float64] | str | list["MatlabValue | None"]
"""Numbers with their shape; a text; or the cells of a cell array, column after column."""

_HEADER = 128
_COMPRESSED, _MATRIX = 15, 14
_CELL, _CHAR = 1, 4
_NUMERIC_CLASSES = range(6, 16)
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le"}
_DEEPEST = 4


def read_matlab_file(data: bytes) -> dict[str, MatlabValue]:
    """Read the variables that are numbers, texts or cell arrays of those; others are left out.

    Raises
    ------
    InputError
        Where the data are no such file, are cut off or damaged, or hold more than `LARGEST_MATLAB_FILE`.
    """
    if len(data) < _HEADER or data[126:128] != b"IM":
        raise InputError("no file of MATLAB's version 5 or 7; save it so again")
    variables: dict[str, MatlabValue] = {}
    left = LARGEST_MATLAB_FILE
    try:
        for kind, element in _elements(data[_HEADER:LARGEST_MATLAB_FILE]):
            if kind == _COMPRESSED:
                unpacked = _unpacked(element, left)
                left -= len(unpacked)
                kind, element = next(_elements(unpacked), (0, b""))
            if kind == _MATRIX:
                name, value = _matrix(element, 0)
                if value is not None:
                    variables[name] = value
    except InputError:
        raise
    except (StructError, ValueError, LookupError, zlib.error, StopIteration):
        raise InputError("the MATLAB file is damaged or cut off; save it again") from None
    return variables


def _unpacked(element: bytes, largest: int) -> bytes:
    inflater = zlib.decompressobj()
    unpacked = inflater.decompress(element, max(largest, 1))
    if not inflater.eof and len(unpacked) >= largest:
        raise InputError(f"the MATLAB file holds more than {LARGEST_MATLAB_FILE >> 20} MB; left out")
    return unpacked


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give type and data of each element."""
    place = 0
    while place + 8 <= len(data):
        kind, size = unpack_from("<II", data, place)
        if kind >> 16:  # a small one: type, bytes and up to four bytes of data in eight
            kind, size, start, following = kind & 0xFFFF, kind >> 16, place + 4, place + 8
        else:
            start = place + 8
            following = start + size + (-size % 8 if kind != _COMPRESSED else 0)
        if start + size > len(data):
            raise ValueError("cut off")
        yield kind, data[start : start + size]
        place = following


def _matrix(data: bytes, depth: int) -> tuple[str, MatlabValue | None]:
    """Give name and value of a matrix; None for a class that is not understood."""
    elements = _elements(data)
    first = next(elements, None)
    if first is None:
        return "", None  # an empty cell
    kind = unpack_from("<I", first[1])[0] & 0xFF
    shape = np.frombuffer(next(elements)[1], "<i4").tolist()
    name = next(elements)[1].decode("latin-1")
    if kind == _CELL and depth < _DEEPEST:
        return name, [_matrix(cell, depth + 1)[1] for type_, cell in elements if type_ == _MATRIX]
    if kind == _CHAR:
        type_, content = next(elements, (2, b""))
        return name, content.decode(_TEXTS.get(type_, "latin-1"))
    if kind in _NUMERIC_CLASSES:
        type_, content = next(elements, (9, b""))
        return name, np.frombuffer(content, f"<{_TYPES[type_]}").astype(np.float64).reshape(shape, order="F")
    return name, None
