"""Parse a stream of .NET's BinaryFormatter (Microsoft's open specification MS-NRBF) without running any of it.

The bytes are taken for hostile until parsed: every length is held against the bytes that are left, the numbers of
records and of values are bounded, nesting is kept on a stack of our own, references may form cycles, and no name in
the stream ever reaches an import. Byte arrays stay slices of the input, so a mapped file is not copied.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from seston.errors import InputError
from seston.instruments.dotnet_bytes import (
    BOOLEAN,
    BYTE,
    CHAR,
    DECIMAL,
    FIXED,
    NULL,
    TEXT,
    ByteCursor,
    DamageError,
)
from seston.instruments.dotnet_values import DotNetObject, Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MAX_DEPTH", "MAX_RECORDS", "MAX_VALUES", "DotNetStream", "parse_stream"]

MAX_RECORDS: Final = 2_000_000
"""Most records in one stream: a whole segment of a cytometer's file has some 12,000."""
MAX_VALUES: Final = 10_000_000
"""Most members and array elements in one stream, primitive arrays (which cost no objects) not counted."""
MAX_DEPTH: Final = 1000
"""Deepest nesting of records inside records."""

_HEADER = struct.Struct("<Biiii")
_ARRAY_PRIMITIVE = struct.Struct("<iiB")
_REFERENCE = struct.Struct("<Bi")

# Numbers of the specification, section 2.1.2.
_PRIMITIVE, _STRING, _OBJECT, _SYSTEM_CLASS, _CLASS, _OBJECT_ARRAY, _STRING_ARRAY, _PRIMITIVE_ARRAY = range(8)
_NO_PRIMITIVE: Final = -1


@dataclass(frozen=True, slots=True)
class DotNetStream:
    """One parsed stream."""

    root: Any
    """The object that was serialised, or None where the stream broke off before it."""
    end: int
    """Offset of the first byte after the stream."""
    problem: str | None = None
    """Why the stream could not be read to its end record; only where the caller asked for what there is."""


def parse_stream(
    data: bytes | bytearray | memoryview | mmap, offset: int = 0, *, name: str = "stream", partial: bool = False
) -> DotNetStream:
    """Parse the stream that begins at `offset`.

    Objects become `DotNetObject`, object and string arrays lists, byte arrays `memoryview` slices of `data`, other
    primitive arrays NumPy arrays on the same bytes, dates and time spans raw 64-bit integers. Arrays of several
    dimensions are flat, in row-major order.

    Parameters
    ----------
    data
        Anything with the buffer protocol; a mapped file is read where it lies.
    name
        How the error message calls the file.
    partial
        Give what could be read before a cut or damage, with `problem` set, instead of raising.

    Raises
    ------
    InputError
        One line with the byte offset, where the stream is cut, damaged, larger than the limits of this module, or has
        no end record.

    Notes
    -----
    Source: [MS-NRBF] .NET Remoting: Binary Format Data Structure, sections 2.1 to 2.6. Records 21 and 22 (method
    calls) never occur in a file and are refused.
    """
    if offset < 0:
        raise InputError(f"{name}: cannot begin at byte {offset:,}")
    parser = _Parser(memoryview(data).cast("B"), offset)
    problem = None
    try:
        parser.run()
    except DamageError as damage:
        problem = f"{name}: cut or damaged at byte {damage.at:,}: {damage.what}"
    if problem is None and (missing := parser.resolve()) is not None:
        problem = f"{name}: damaged: object {missing} is referred to, but is not in the stream"
    elif problem is not None:
        parser.resolve()
    if problem is not None and not partial:
        raise InputError(problem)
    return DotNetStream(parser.objects.get(parser.root_id), parser.at, problem)


class _Parser(ByteCursor):
    """The state of one parse. `run` fills `objects`; `resolve` then replaces references by what they point to."""

    def __init__(self, data: memoryview, offset: int) -> None:
        super().__init__(data, offset)
        self.root_id = 0
        self.objects: dict[int, Any] = {}
        self._layouts: dict[int, Layout] = {}
        self._references: list[tuple[list[Any], int, int]] = []
        self._frames: list[list[Any]] = []  # [values, index of the next one, layout or None for an array]
        self._records = 0
        self._values = 0
        self._read_by_record: dict[int, Callable[[list[Any], int], None]] = {
            1: self._class_with_id,
            2: self._class_untyped,
            3: self._class_untyped_with_library,
            4: self._class_typed,
            5: self._class_typed_with_library,
            6: self._string_object,
            7: self._binary_array,
            8: self._primitive_typed,
            9: self._reference,
            10: self._null,
            15: self._primitive_array,
            16: self._object_array,
            17: self._object_array,
        }

    # -- the walk ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        self._header()
        top: list[Any] = [None]
        while True:
            if self._frames:
                self._fill(self._frames[-1])
                continue
            record = self.peek()
            if record == 11:
                self.at += 1
                return
            if record == 15:
                self._byte_arrays()
            if self.peek() != 11:
                self._record(top, 0)

    def resolve(self) -> int | None:
        """Put the objects in place of the references; give the first number that is missing."""
        missing = None
        for values, index, number in self._references:
            if number in self.objects:
                values[index] = self.objects[number]
            elif missing is None:
                missing = number
        return missing

    def _header(self) -> None:
        self.need(_HEADER.size, "the header")
        record, self.root_id, _, major, minor = _HEADER.unpack_from(self.data, self.at)
        if record != 0 or (major, minor) != (1, 0):
            raise DamageError(self.at, "there is no .NET BinaryFormatter stream here")
        self.at += _HEADER.size

    def _fill(self, frame: list[Any]) -> None:
        """Read on in an unfinished object or array until it is full or something nested begins."""
        values, index, layout = frame
        depth = len(self._frames)
        total = len(values)
        while index < total:
            primitive = _NO_PRIMITIVE if layout is None else layout.primitives[index]
            if primitive != _NO_PRIMITIVE:
                values[index] = self.primitive(primitive)
                index += 1
                continue
            record = self.peek()
            if record == 9:
                index = self._references_from(values, index, total if layout is None else index + 1)
                continue
            if layout is None and record in (13, 14):
                index += self._null_run(record, total - index)
                continue
            self._record(values, index)
            index += 1
            if len(self._frames) != depth:
                frame[1] = index
                return
        del self._frames[depth - 1]

    def _references_from(self, values: list[Any], index: int, stop: int) -> int:
        """Read references one after the other: most of a large stream are these and byte arrays, so they are quick."""
        data, at, last = self.data, self.at, self.size - _REFERENCE.size
        begin = index
        while index < stop and at <= last and data[at] == 9:
            self._references.append((values, index, _REFERENCE.unpack_from(data, at)[1]))
            at += _REFERENCE.size
            index += 1
        self.at = at
        if index == begin:
            raise DamageError(at, "the stream ends inside a reference")
        self._count_records(index - begin)
        return index

    def _byte_arrays(self) -> None:
        """Read whole byte arrays one after the other, as long as nothing is odd about them."""
        data, at, size, objects = self.data, self.at, self.size, self.objects
        count = 0
        while at + _ARRAY_PRIMITIVE.size < size and data[at] == 15:
            number, length, primitive = _ARRAY_PRIMITIVE.unpack_from(data, at + 1)
            begin = at + 1 + _ARRAY_PRIMITIVE.size
            if primitive != BYTE or not 0 <= length <= size - begin or number in objects:
                break
            at = begin + length
            objects[number] = data[begin:at]
            count += 1
        self.at = at
        self._count_records(count)

    def _record(self, values: list[Any], index: int) -> None:
        """Read one record into a place."""
        while (record := self.peek()) == 12:
            self.at += 1
            self.need(4, "a library")
            self.at += 4
            self.text()
            self._count_records()
        reader = self._read_by_record.get(record)
        if reader is None:
            raise DamageError(self.at, f"record type {record} cannot stand here")
        self.at += 1
        self._count_records()
        reader(values, index)

    def _push(self, values: list[Any], layout: Layout | None) -> None:
        if len(self._frames) >= MAX_DEPTH:
            raise DamageError(self.at, f"records are nested deeper than {MAX_DEPTH:,}")
        self._frames.append([values, 0, layout])

    def _count_records(self, count: int = 1) -> None:
        self._records += count
        if self._records > MAX_RECORDS:
            raise DamageError(self.at, f"more than {MAX_RECORDS:,} records in one stream")

    def _place_for(self, number: int) -> list[Any]:
        self._values += number
        if self._values > MAX_VALUES:
            raise DamageError(self.at, f"more than {MAX_VALUES:,} values in one stream")
        return [None] * number

    def _keep(self, number: int, value: Any) -> None:
        if number in self.objects:
            raise DamageError(self.at, f"object {number} stands there twice")
        self.objects[number] = value

    # -- records ----------------------------------------------------------------------------------------------------

    def _class_with_id(self, values: list[Any], index: int) -> None:
        number, like = self.two_numbers("an object")
        layout = self._layouts.get(like)
        if layout is None:
            raise DamageError(self.at, f"object {number} is of the class of object {like}, which is not known")
        self._new_object(number, layout, values, index)

    def _class_typed(self, values: list[Any], index: int) -> None:
        number, name, members = self._class_info()
        self._class(number, Layout(name, members, self._member_types(len(members))), values, index)

    def _class_typed_with_library(self, values: list[Any], index: int) -> None:
        number, name, members = self._class_info()
        primitives = self._member_types(len(members))
        self.number("the library of a class")
        self._class(number, Layout(name, members, primitives), values, index)

    def _class_untyped(self, values: list[Any], index: int) -> None:
        number, name, members = self._class_info()
        self._class(number, Layout(name, members, [_NO_PRIMITIVE] * len(members)), values, index)

    def _class_untyped_with_library(self, values: list[Any], index: int) -> None:
        number, name, members = self._class_info()
        self.number("the library of a class")
        self._class(number, Layout(name, members, [_NO_PRIMITIVE] * len(members)), values, index)

    def _class(self, number: int, layout: Layout, values: list[Any], index: int) -> None:
        self._layouts[number] = layout
        self._new_object(number, layout, values, index)

    def _new_object(self, number: int, layout: Layout, values: list[Any], index: int) -> None:
        members = self._place_for(len(layout.members))
        made = DotNetObject(layout, members)
        self._keep(number, made)
        values[index] = made
        self._push(members, layout)

    def _string_object(self, values: list[Any], index: int) -> None:
        number = self.number("a text")
        values[index] = text = self.text()
        self._keep(number, text)

    def _primitive_typed(self, values: list[Any], index: int) -> None:
        values[index] = self.primitive(self.byte())

    def _reference(self, values: list[Any], index: int) -> None:
        self._references.append((values, index, self.number("a reference")))

    def _null(self, values: list[Any], index: int) -> None:
        values[index] = None

    def _null_run(self, record: int, places: int) -> int:
        self.at += 1
        count = self.byte() if record == 13 else self.number("a run of empty places")
        if not 0 < count <= places:
            raise DamageError(self.at, f"a run of {count:,} empty places where {places:,} are left")
        return count

    def _primitive_array(self, values: list[Any], index: int) -> None:
        self.need(_ARRAY_PRIMITIVE.size, "an array")
        number, length, primitive = _ARRAY_PRIMITIVE.unpack_from(self.data, self.at)
        self.at += _ARRAY_PRIMITIVE.size
        self._array_of_primitives(number, length, primitive, values, index)

    def _object_array(self, values: list[Any], index: int) -> None:
        number, length = self.two_numbers("an array")
        self._array_of_records(number, length, values, index)

    def _binary_array(self, values: list[Any], index: int) -> None:
        number = self.number("an array")
        shape, rank = self.byte(), self.number("the rank of an array")
        if shape > 5 or not 1 <= rank <= 32:
            raise DamageError(self.at, f"an array of kind {shape} and rank {rank}")
        lengths = [self.number("the length of an array") for _ in range(rank)]
        if min(lengths) < 0:
            raise DamageError(self.at, f"an array of {min(lengths):,} elements")
        if shape >= 3:
            for _ in range(rank):
                self.number("the lower bound of an array")
        kind = self.byte()
        primitive = self._type_detail(kind)
        length = math.prod(lengths)
        if kind == _PRIMITIVE:
            self._array_of_primitives(number, length, primitive, values, index)
        else:
            self._array_of_records(number, length, values, index)

    def _array_of_records(self, number: int, length: int, values: list[Any], index: int) -> None:
        if length < 0:
            raise DamageError(self.at, f"an array of {length:,} elements")
        elements = self._place_for(length)
        self._keep(number, elements)
        values[index] = elements
        self._push(elements, None)

    def _array_of_primitives(self, number: int, length: int, primitive: int, values: list[Any], index: int) -> None:
        if length < 0:
            raise DamageError(self.at, f"an array of {length:,} elements")
        fixed = FIXED.get(primitive)
        if fixed is None:
            array: Any = self._array_of_texts(length, primitive)
        else:
            size = length * fixed[0].size
            left = self.size - self.at
            if size > left:
                raise DamageError(self.at, f"an array of {size:,} bytes, of which {left:,} are there")
            array = _typed_array(self.data[self.at : self.at + size], primitive, fixed[1])
            self.at += size
        self._keep(number, array)
        values[index] = array

    def _array_of_texts(self, length: int, primitive: int) -> list[Any]:
        if length > self.size - self.at:
            raise DamageError(self.at, f"an array of {length:,} texts in {self.size - self.at:,} bytes")
        texts = self._place_for(length)
        for place in range(length):
            texts[place] = self.primitive(primitive)
        return texts

    # -- pieces of records ------------------------------------------------------------------------------------------

    def _class_info(self) -> tuple[int, str, tuple[str, ...]]:
        number = self.number("a class")
        name = self.text()
        count = self.number("the members of a class")
        if not 0 <= count <= self.size - self.at:
            raise DamageError(self.at, f"a class of {count:,} members in {self.size - self.at:,} bytes")
        self._place_for(count)
        return number, name, tuple(self.text() for _ in range(count))

    def _member_types(self, count: int) -> list[int]:
        """Give for each member its primitive type, or -1 where a record stands in its place."""
        self.need(count, "the types of a class")
        kinds = bytes(self.data[self.at : self.at + count])
        self.at += count
        details = [self._type_detail(kind) for kind in kinds]
        return [detail if kind == _PRIMITIVE else _NO_PRIMITIVE for kind, detail in zip(kinds, details, strict=True)]

    def _type_detail(self, kind: int) -> int:
        if kind in (_PRIMITIVE, _PRIMITIVE_ARRAY):
            primitive = self.byte()
            if primitive not in FIXED and primitive not in (CHAR, DECIMAL, NULL, TEXT):
                raise DamageError(self.at, f"primitive type {primitive} is not known")
            return primitive
        if kind == _SYSTEM_CLASS:
            self.text()
        elif kind == _CLASS:
            self.text()
            self.number("the library of a type")
        elif kind not in (_STRING, _OBJECT, _OBJECT_ARRAY, _STRING_ARRAY):
            raise DamageError(self.at, f"member type {kind} is not known")
        return _NO_PRIMITIVE


def _typed_array(raw: memoryview, primitive: int, dtype: str) -> memoryview | NDArray[np.generic]:
    if primitive == BYTE:
        return raw
    import numpy as np

    array = np.frombuffer(raw, dtype=dtype) if len(raw) else np.empty(0, dtype)
    return array != 0 if primitive == BOOLEAN else array
