"""How a text table is written: separator, decimal mark, encoding, names of its columns."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seston.errors import InputError
from seston.instruments.number_text import parse_number

__all__ = ["Layout", "layout_of", "read_layout", "split_fields"]

_HEAD_BYTES = 1 << 16
_FIRST_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_MARKED = re.compile(r"\s*[-+]?[\d.,]*[.,][\d.,]*(?:[eE][-+]?\d+)?\s*")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written: found out once from its beginning."""

    columns: tuple[str, ...]
    separator: str
    decimal: str
    """``.`` or ``,``; empty where the beginning of the file holds whole numbers only."""
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
    lines = [line.rstrip("\r") for line in text.split("\n")] if line_end != "\r" else text.split("\r")
    if len(head) >= 4096 and len(lines) > 1:
        lines.pop()  # probably cut in the middle by the size of the head
    header_at = _header_line(lines)
    header = lines[header_at]
    separator = _separator(header)
    rows = [tuple(split_fields(line, separator)) for line in lines[header_at + 1 : header_at + 201] if line.strip()]
    columns = _columns(split_fields(header, separator), rows)
    decimal = _decimal(rows)
    return Layout(columns, separator, decimal, encoding, mark, line_end, header_at + 1, tuple(rows[:50]))


def split_fields(line: str, separator: str) -> list[str]:
    """Part one line into its fields; quoted ones may hold the separator."""
    if '"' in line:
        try:
            return next(csv.reader([line.replace("\r", "")], delimiter=separator), [])
        except csv.Error:
            return line.split(separator)  # a damaged line: it will be told apart by its fields
    return line.split(separator)


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


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Give one name a field, whatever trailing separators and row names do to the header's count."""
    columns = [name.strip().strip('"') for name in header]
    widths = Counter(len(row) for row in rows)
    usual = widths.most_common(1)[0][0] if widths else len(columns)
    if usual == len(columns) + 1:
        if all(not row[-1].strip() for row in rows if len(row) == usual):
            columns = [*columns, ""]
        elif len(rows) > 1 and len(widths) == 1:
            columns = ["", *columns]  # R's names of rows stand first and have no name of their own
    elif usual == len(columns) - 1 and not columns[-1]:
        columns.pop()
    return tuple(columns)


def _decimal(rows: Sequence[Sequence[str]]) -> str:
    """Find the decimal mark from the fields of the first rows; empty where they hold whole numbers only."""
    fields = [field for row in rows for field in row if _MARKED.fullmatch(field)]
    if not fields:
        return ""
    read = {mark: sum(parse_number(field, mark) is not None for field in fields) for mark in (",", ".")}
    own = {mark: sum(mark in field for field in fields) for mark in (",", ".")}
    return max((",", "."), key=lambda mark: (read[mark], own[mark]))
