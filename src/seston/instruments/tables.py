"""Text tables in any locale, streamed in blocks of numbers.

A block that is clean goes through Arrow's parser; one that is not is read line by line, so that each bad row is named
by its line.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.number_text import parse_number
from seston.instruments.table_layout import Layout, split_fields

__all__ = ["Block", "Fault", "parse_block", "read_blocks"]

_LONGEST_LINE = 1 << 22
_SMALL = 1 << 15
_GROUPED = {
    ",": re.compile(rb"(?<![\d.,])[1-9]\d{0,2}((?:\.\d{3})+)(?!\d)"),
    ".": re.compile(rb"(?<![\d.,])[1-9]\d{0,2}((?:,\d{3})+)(?!\d)"),
}
"""Decimal mark → a number with the other mark between its thousands."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used as it stands."""

    row: int
    """Its place in the block; its numbers there are NaN where they could not be read."""
    line: int
    fields: tuple[str, ...]
    reason: str
    wrong_width: bool = False


@dataclass(slots=True)
class Block:
    """Some rows of a table."""

    first_line: int
    numbers: NDArray[np.float64]
    """Shape (columns, rows); a text column is NaN there."""
    texts: dict[int, list[str]] = field(default_factory=dict)
    """Column → its fields, for the columns that were asked for as text."""
    lines: NDArray[np.int64] | None = None
    """Line of each row where they do not follow each other without a gap."""
    faults: list[Fault] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows the block has."""
        return int(self.numbers.shape[1])

    def line_of(self, row: int) -> int:
        """Give the line of the file, counted from 1, that a row stands on."""
        return int(self.lines[row]) if self.lines is not None else self.first_line + row


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which columns are not numbers."""

    text: tuple[int, ...] = ()
    ignored: frozenset[int] = frozenset()


def read_blocks(
    path: Path,
    layout: Layout,
    *,
    text_columns: Iterable[int] = (),
    ignored: Iterable[int] = (),
    block_bytes: int = 1 << 21,
) -> Iterator[Block]:
    """Stream a table as blocks of numbers, never more than a few blocks in memory.

    Parameters
    ----------
    text_columns
        Columns to keep as text.
    ignored
        Columns whose fields may be anything: they stay NaN.
    block_bytes
        Bytes of the file that go into one block.

    Raises
    ------
    InputError
        Where the file cannot be read on, or a line is absurdly long.
    """
    wanted = _Wanted(tuple(text_columns), frozenset(ignored))
    line = 1
    for data in _whole_lines(path, layout, block_bytes):
        skipped = 0
        while line + skipped <= layout.header_lines:
            end = data.find(b"\n") + 1
            data = data[end:] if end else b""
            skipped += 1
            if not end:
                break
        line += skipped
        if not data:
            continue
        block, lines = _parse(data, layout, line, wanted)
        line += lines
        if block.rows:
            yield block


def parse_block(data: bytes, layout: Layout) -> Block:
    """Parse a whole small table that was read at once; its header lines are left aside."""
    if layout.encoding.startswith("utf-16"):
        data = data[len(layout.mark) :].decode(layout.encoding, errors="replace").encode()
    else:
        data = data[len(layout.mark) :]
    if layout.line_end == "\r":
        data = data.replace(b"\r", b"\n")
    for _ in range(layout.header_lines):
        data = data[data.find(b"\n") + 1 :] if b"\n" in data else b""
    return _parse(data, layout, layout.header_lines + 1, _Wanted())[0]


def _whole_lines(path: Path, layout: Layout, block_bytes: int) -> Iterator[bytes]:
    """Give the file in pieces of whole lines, as UTF-8 (or as it was, in a one-byte encoding), LF or CR LF."""
    wide = codecs.getincrementaldecoder(layout.encoding)(errors="replace") if "16" in layout.encoding else None
    rest = b""
    with path.open("rb") as file:
        file.seek(len(layout.mark))
        while True:
            data = file.read(block_bytes)
            piece = data
            if wide is not None:
                piece = wide.decode(data, final=not data).encode()
            if layout.line_end == "\r":
                piece = piece.replace(b"\r", b"\n")
            rest += piece
            if not data:
                break
            end = rest.rfind(b"\n") + 1
            if end:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) > max(_LONGEST_LINE, block_bytes):
                raise InputError(f"{path}: a line is longer than {len(rest):,} bytes: not a table that can be read")
    if rest:
        yield rest


def _parse(data: bytes, layout: Layout, first_line: int, wanted: _Wanted) -> tuple[Block, int]:
    lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    decimal = layout.decimal or ("," if layout.separator != "," and b"," in data else ".")
    if len(data) < _SMALL and not wanted.text and not wanted.ignored:
        small = _parse_small(data, layout, decimal, first_line)
        if small is not None and small.rows == lines:
            return small, lines
    block = _parse_clean(
        data if wanted.text else _without_groups(data, layout, decimal), layout, decimal, first_line, wanted
    )
    if block is not None and block.rows == lines:
        return block, lines
    return _parse_line_by_line(data, layout, decimal, first_line, wanted), lines


def _without_groups(data: bytes, layout: Layout, decimal: str) -> bytes:
    """Take out the marks between thousands, where every one of that kind is such a mark."""
    other = b"." if decimal == "," else b","
    if other == layout.separator.encode() or other not in data:
        return data
    marks = sum(match.end(1) - match.start(1) for match in _GROUPED[decimal].finditer(data)) // 4
    return data.replace(other, b"") if marks == data.count(other) else data


def _parse_small(data: bytes, layout: Layout, decimal: str, first_line: int) -> Block | None:
    """Parse a small clean block without Arrow, whose start costs more than that; None where a field is not plain."""
    separator = layout.separator.encode()
    plain = data.rstrip(b"\r\n").replace(b"\r\n", b"\n")
    lines = plain.split(b"\n")
    marks = layout.width - 1
    if decimal == layout.separator or b"_" in plain or any(line.count(separator) != marks for line in lines):
        return None
    joined = separator.join(lines)
    if decimal == ",":
        if b"." in joined:
            return None
        joined = joined.replace(b",", b".")
    try:
        numbers = np.array([float(text) for text in joined.split(separator)])
    except ValueError:
        return None
    return Block(first_line, np.ascontiguousarray(numbers.reshape(-1, layout.width).T))


def _parse_clean(data: bytes, layout: Layout, decimal: str, first_line: int, wanted: _Wanted) -> Block | None:
    """Parse a block in which every field is as it should be; None where one is not."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(place) for place in range(layout.width)]
    types = {name: pa.string() if place in wanted.text else pa.float64() for place, name in enumerate(names)}
    read = [place for place in range(layout.width) if place not in wanted.ignored]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=names, block_size=len(data) + 1, use_threads=len(data) > 1 << 16
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=layout.separator, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types,
                include_columns=[names[place] for place in read],
                decimal_point=decimal,
                strings_can_be_null=False,
                null_values=["", "NA", "NaN", "nan"],
            ),
        )
    except pa.ArrowInvalid:
        return None
    numbers = np.full((layout.width, table.num_rows), np.nan)
    texts: dict[int, list[str]] = {}
    for column, place in zip(table.columns, read, strict=True):
        if place in wanted.text:
            texts[place] = [text or "" for text in column.to_pylist()]
        else:
            numbers[place] = column.to_numpy()
    return Block(first_line, numbers, texts)


def _parse_line_by_line(data: bytes, layout: Layout, decimal: str, first_line: int, wanted: _Wanted) -> Block:
    """Parse a block that holds a bad row: slower, and each bad row becomes a fault."""
    rows: list[list[float]] = []
    numbers_of_lines: list[int] = []
    texts: dict[int, list[str]] = {place: [] for place in wanted.text}
    faults: list[Fault] = []
    for offset, raw in enumerate(data.split(b"\n")):
        if not raw.strip():
            continue
        fields = _fields_of_bytes(raw, layout)
        values, reason = _row(fields, layout, decimal, wanted)
        if reason:
            wrong_width = len(fields) != layout.width
            faults.append(Fault(len(rows), first_line + offset, tuple(fields), reason, wrong_width))
        for place in wanted.text:
            texts[place].append(fields[place] if place < len(fields) else "")
        rows.append(values)
        numbers_of_lines.append(first_line + offset)
    numbers = np.array(rows, dtype=np.float64).reshape(len(rows), layout.width).T
    return Block(first_line, np.ascontiguousarray(numbers), texts, np.array(numbers_of_lines, dtype=np.int64), faults)


def _fields_of_bytes(raw: bytes, layout: Layout) -> list[str]:
    encoding = "cp1252" if layout.encoding == "cp1252" else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    fields = split_fields(text.rstrip("\r\n"), layout.separator)
    if len(fields) == layout.width + 1 and not fields[-1].strip():
        fields.pop()
    elif len(fields) == layout.width - 1 and not layout.columns[-1]:
        fields.append("")
    return fields


def _row(fields: Sequence[str], layout: Layout, decimal: str, wanted: _Wanted) -> tuple[list[float], str]:
    """Give the numbers of a row and, where it cannot be used, why."""
    reason = ""
    if len(fields) != layout.width:
        reason = f"has {len(fields)} fields where the header has {layout.width}"
    values = [math.nan] * layout.width
    for place, text in enumerate(fields[: layout.width]):
        if place in wanted.text or place in wanted.ignored:
            continue
        value = parse_number(text, decimal)
        if value is None:
            reason = reason or f"holds {text.strip()[:40]!r} where a number should stand ({layout.columns[place]})"
        else:
            values[place] = value
    return values, reason
