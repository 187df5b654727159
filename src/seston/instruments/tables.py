"""Text tables in any locale, streamed in blocks of numbers.

The separator, the decimal mark, the encoding and the byte-order mark are found out from the file. A block that is
clean goes through Arrow's parser; one that is not is read line by line, so that each bad row is named by its line.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from seston.errors import InputError

__all__ = ["Block", "Fault", "Layout", "layout_of", "parse_block", "parse_number", "read_blocks", "read_layout"]

_HEAD_BYTES = 1 << 16
_LONGEST_LINE = 1 << 22
_NOT_A_NUMBER = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "nd", "n.d.", "n. def.", "non numérique", "-1.#ind", "1.#qnan"}
)
"""How programs and locales write a value that is none; the French one is .NET's."""
_INFINITE = {"+infini": math.inf, "infini": math.inf, "-infini": -math.inf, "∞": math.inf, "-∞": -math.inf}
_FIRST_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written: found out once from its beginning."""

    columns: tuple[str, ...]
    separator: str
    decimal: str
    """``.`` or ``,``; empty where the beginning of the file holds whole numbers only."""
    thousands: str = ""
    encoding: str = "utf-8"
    mark: bytes = b""
    """The byte-order mark, where there is one."""
    line_end: str = "\n"
    header_lines: int = 1
    sample: tuple[tuple[str, ...], ...] = ()
    """Fields of the first rows, as text."""

    @property
    def width(self) -> int:
        """How many fields a row has."""
        return len(self.columns)

    def describe(self) -> str:
        """Say in words how the table is written."""
        separator = {",": "commas", ";": "semicolons", "\t": "tabs"}.get(self.separator, repr(self.separator))
        mark = {".": "decimal points", ",": "decimal commas"}.get(self.decimal, "whole numbers")
        ends = {"\r\n": ", lines end in CR LF", "\r": ", lines end in CR"}.get(self.line_end, "")
        order = ", begins with a byte-order mark" if self.mark else ""
        return f"{separator} between fields, {mark}{ends}{order}"


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
    numbers: NDArray[np.floating]
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


def read_layout(path: Path) -> Layout:
    """Find out how a table is written.

    Raises
    ------
    InputError
        Where the file is empty, cannot be opened, or is no text table.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror}); check the file") from error
    try:
        return layout_of(head)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def layout_of(head: bytes) -> Layout:
    """Find out how a table is written from its first bytes.

    Raises
    ------
    InputError
        Where the bytes are empty or no text table; the message has no path in front.
    """
    if not head.strip():
        raise InputError("the file is empty; export it again")
    encoding, mark = _encoding(head)
    text = head[len(mark) :].decode(encoding, errors="replace")
    if "\x00" in text:
        raise InputError("not a text table (it holds zero bytes); export it again")
    line_end = "\r\n" if "\r\n" in text else ("\n" if "\n" in text or "\r" not in text else "\r")
    lines = text.split(line_end)
    if len(head) >= 4096 and len(lines) > 1:
        lines.pop()  # probably cut in the middle by the size of the head
    header_at = _header_line(lines)
    header = lines[header_at]
    separator = _separator(header)
    rows = [tuple(_fields(line, separator)) for line in lines[header_at + 1 : header_at + 201] if line.strip()]
    columns = _columns(_fields(header, separator), rows)
    decimal, thousands = _decimal(rows, separator)
    return Layout(columns, separator, decimal, thousands, encoding, mark, line_end, header_at + 1, tuple(rows[:50]))


def read_blocks(
    path: Path,
    layout: Layout,
    *,
    text_columns: Iterable[int] = (),
    dtype: DTypeLike = np.float32,
    block_bytes: int = 1 << 21,
) -> Iterator[Block]:
    """Stream a table as blocks of numbers, never more than a few blocks in memory.

    Parameters
    ----------
    text_columns
        Columns to keep as text.
    dtype
        ``float32`` or ``float64``: kind of all numbers, ids included.
    block_bytes
        Bytes of the file that go into one block.

    Raises
    ------
    InputError
        Where the file cannot be read on, or a line is absurdly long.
    """
    asked = tuple(text_columns)
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
        block, lines = _parse(data, layout, line, asked, np.dtype(dtype))
        line += lines
        if block.rows:
            yield block


def parse_block(data: bytes, layout: Layout, *, dtype: DTypeLike = np.float32) -> Block:
    """Parse a whole small table that was read at once; its header lines are left aside."""
    if layout.encoding.startswith("utf-16"):
        data = data[len(layout.mark) :].decode(layout.encoding, errors="replace").encode()
    else:
        data = data[len(layout.mark) :]
    if layout.line_end == "\r":
        data = data.replace(b"\r", b"\n")
    for _ in range(layout.header_lines):
        data = data[data.find(b"\n") + 1 :] if b"\n" in data else b""
    return _parse(data, layout, layout.header_lines + 1, (), np.dtype(dtype))[0]


def parse_number(text: str, decimal: str = "", thousands: str = "") -> float | None:
    """Turn one field into a number.

    Parameters
    ----------
    decimal
        The decimal mark; empty: find out from the field.

    Returns
    -------
    float or None
        NaN for the words that mean "no number"; None for anything that is not a number at all.
    """
    plain = text.strip().strip('"').replace("\u00a0", "").replace("\u202f", "").replace("−", "-")
    if plain.lower() in _NOT_A_NUMBER:
        return math.nan
    if plain.lower() in _INFINITE:
        return _INFINITE[plain.lower()]
    if not decimal:
        decimal = "," if plain.rfind(",") > plain.rfind(".") else "."
        thousands = "." if decimal == "," else ","
    if thousands:
        plain = plain.replace(thousands, "")
    plain = plain.replace(" ", "")
    if decimal != ".":
        if "." in plain:
            return None
        plain = plain.replace(decimal, ".")
    if "_" in plain:
        return None
    try:
        return float(plain)
    except ValueError:
        return None


def _encoding(head: bytes) -> tuple[str, bytes]:
    for mark, encoding in _FIRST_MARKS.items():
        if head.startswith(mark):
            return encoding, mark
    if len(head) >= 4 and head[1:4:2] == b"\x00\x00" and head[0:3:2].isascii() and b"\x00" not in head[0:3:2]:
        return "utf-16-le", b""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252", b""
    return "utf-8", b""


def _header_line(lines: Sequence[str]) -> int:
    """Give the place of the header: the first line with text that is not Excel's ``sep=;``."""
    for place, line in enumerate(lines):
        if line.strip() and not line.lower().startswith("sep="):
            return place
    return 0


def _separator(header: str) -> str:
    outside = re.sub(r'"[^"]*"', "", header)
    counts = {mark: outside.count(mark) for mark in (";", "\t", ",")}
    return max(counts, key=lambda mark: counts[mark]) if any(counts.values()) else ","


def _fields(line: str, separator: str) -> list[str]:
    if '"' in line:
        return next(csv.reader([line], delimiter=separator), [])
    return line.split(separator)


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Give one name a field, whatever trailing separators and row names do to the header's count."""
    columns = [name.strip().strip('"') for name in header]
    widths = Counter(len(row) for row in rows)
    usual = widths.most_common(1)[0][0] if widths else len(columns)
    if usual == len(columns) + 1:
        trailing = all(not row[-1].strip() for row in rows if len(row) == usual)
        columns = [*columns, ""] if trailing else ["", *columns]  # R's row names stand first and have no name
    elif usual == len(columns) - 1 and not columns[-1]:
        columns.pop()
    return tuple(columns)


def _decimal(rows: Sequence[Sequence[str]], separator: str) -> tuple[str, str]:
    """Find the decimal mark and the mark between thousands from the fields of the first rows."""
    fields = [field for row in rows for field in row if re.fullmatch(r"\s*[-+]?[\d.,]+([eE][-+]?\d+)?\s*", field)]
    with_comma = any("," in field for field in fields)
    with_point = any("." in field for field in fields)
    if with_comma and with_point:
        both = [field for field in fields if "," in field and "." in field]
        comma_last = sum(field.rfind(",") > field.rfind(".") for field in both) if both else None
        if comma_last is None:  # never in one field: a mark that comes twice in one stands between thousands
            comma_last = 0 if any(field.count(",") > 1 for field in fields) else 1
            return (",", ".") if comma_last else (".", ",")
        return (",", ".") if comma_last * 2 >= len(both) else (".", ",")
    if with_comma:
        return ",", ""
    return (".", "") if with_point else ("", "")


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


def _parse(
    data: bytes, layout: Layout, first_line: int, text_columns: tuple[int, ...], dtype: np.dtype[np.floating]
) -> tuple[Block, int]:
    lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    decimal = layout.decimal or ("," if layout.separator != "," and b"," in data else ".")
    if not (layout.thousands and text_columns):
        plain = data.replace(layout.thousands.encode(), b"") if layout.thousands else data
        block = _parse_clean(plain, layout, decimal, first_line, text_columns, dtype)
        if block is not None and block.rows == lines:
            return block, lines
    return _parse_line_by_line(data, layout, decimal, first_line, text_columns, dtype), lines


def _parse_clean(
    data: bytes,
    layout: Layout,
    decimal: str,
    first_line: int,
    text_columns: tuple[int, ...],
    dtype: np.dtype[np.floating],
) -> Block | None:
    """Parse a block in which every field is as it should be; None where one is not."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(place) for place in range(layout.width)]
    number = pa.float32() if dtype == np.float32 else pa.float64()
    types = {name: pa.string() if place in text_columns else number for place, name in enumerate(names)}
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=names, block_size=len(data) + 1, use_threads=len(data) > 1 << 16
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=layout.separator, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types, decimal_point=decimal, strings_can_be_null=False, null_values=["", "NA", "NaN", "nan"]
            ),
        )
    except pa.ArrowInvalid:
        return None
    numbers = np.full((layout.width, table.num_rows), np.nan, dtype=dtype)
    texts: dict[int, list[str]] = {}
    for place in range(layout.width):
        column = table.column(place)
        if place in text_columns:
            texts[place] = [text or "" for text in column.to_pylist()]
        else:
            numbers[place] = column.to_numpy()
    return Block(first_line, numbers, texts)


def _parse_line_by_line(
    data: bytes,
    layout: Layout,
    decimal: str,
    first_line: int,
    text_columns: tuple[int, ...],
    dtype: np.dtype[np.floating],
) -> Block:
    """Parse a block that holds a bad row: slower, and each bad row becomes a fault."""
    rows: list[list[float]] = []
    numbers_of_lines: list[int] = []
    texts: dict[int, list[str]] = {place: [] for place in text_columns}
    faults: list[Fault] = []
    for offset, raw in enumerate(data.split(b"\n")):
        if not raw.strip():
            continue
        fields = _fields_of_bytes(raw, layout)
        values, reason = _row(fields, layout, decimal, text_columns)
        if reason:
            wrong_width = len(fields) != layout.width
            faults.append(Fault(len(rows), first_line + offset, tuple(fields), reason, wrong_width))
        for place in text_columns:
            texts[place].append(fields[place] if place < len(fields) else "")
        rows.append(values)
        numbers_of_lines.append(first_line + offset)
    with np.errstate(over="ignore"):
        numbers = np.array(rows, dtype=np.float64).reshape(len(rows), layout.width).T.astype(dtype)
    return Block(first_line, np.ascontiguousarray(numbers), texts, np.array(numbers_of_lines, dtype=np.int64), faults)


def _fields_of_bytes(raw: bytes, layout: Layout) -> list[str]:
    encoding = "cp1252" if layout.encoding == "cp1252" else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    fields = _fields(text.rstrip("\r\n"), layout.separator)
    if len(fields) == layout.width + 1 and not fields[-1].strip():
        fields.pop()
    elif len(fields) == layout.width - 1 and not layout.columns[-1]:
        fields.append("")
    return fields


def _row(
    fields: Sequence[str], layout: Layout, decimal: str, text_columns: tuple[int, ...]
) -> tuple[list[float], str]:
    """Give the numbers of a row and, where it cannot be used, why."""
    reason = ""
    if len(fields) != layout.width:
        reason = f"has {len(fields)} fields where the header has {layout.width}"
    values = [math.nan] * layout.width
    for place, text in enumerate(fields[: layout.width]):
        if place in text_columns:
            continue
        value = parse_number(text, decimal, layout.thousands)
        if value is None:
            reason = reason or f"holds {text.strip()[:40]!r} where a number should stand ({layout.columns[place]})"
        else:
            values[place] = value
    return values, reason
