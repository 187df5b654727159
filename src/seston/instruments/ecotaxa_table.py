"""Stream a table in the layout that EcoTaxa imports and exports, whatever program wrote it.

Tabs, an optional second line of types, columns named ``PREFIX_FIELD``; UTF-8 or Latin-1, with a byte-order mark or not,
any line end, cells quoted or plain. Rules after the server's own parser (ecotaxa/ecotaxa_back, ``py/BO/TSVFile.py``);
what the server refuses but can be understood is read, and named.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO

from seston.errors import InputError

__all__ = ["LEVELS", "Header", "Row", "looks_like_ecotaxa", "read_header", "read_rows"]

LEVELS = ("object", "sample", "acq", "process", "img")
"""Prefixes of column names: what the column is a property of."""

_PIECE = 1 << 20
_LONGEST_LINE = 1 << 22
_MOST_LINES_IN_A_CELL = 64
_TYPE = re.compile(r"\[\w\]")
_OF_EXPORTS = re.compile(r"objid|complement_info|processid_internal|classif_\w+")
"""Columns without a level that EcoTaxa itself writes."""
_MOST_COLUMNS = {"sample": 61, "acq": 31, "process": 31}
_NOT_FREE = {"id", "instrument", "dataportal_descriptor"}

Open = Callable[[], BinaryIO]
"""Opens the table from its beginning; it is read twice."""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table, and what is wrong with them."""

    names: tuple[str, ...]
    """Trimmed and lower-cased, as the server does before it looks at them."""
    types: tuple[str, ...]
    """``f`` or ``t`` a column; empty where the table has no line of types."""
    columns: dict[str, int]
    """Name → place; of a name that occurs twice, the first."""
    first_row: int
    """Line, counted from 1, on which the data begin."""
    faults: tuple[tuple[str, str], ...] = ()
    """Column and what is wrong with it."""
    oddities: tuple[str, ...] = ()

    def of_level(self, level: str) -> list[str]:
        """Name the columns of one level, in their order."""
        return [name for name in self.columns if name.startswith(f"{level}_")]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line, its cells, and why it cannot be trusted.

    There is one cell a column and an empty one behind them, at the place -1 of a column that the table lacks.
    """

    line: int
    cells: list[str]
    trouble: str = ""


def looks_like_ecotaxa(head: bytes) -> bool:
    """Tell by the first bytes whether a file is a table with EcoTaxa's column names."""
    encoding, mark = _encoding(head)
    text = head[len(mark) :].decode(encoding, errors="replace")
    line = re.split(r"\r\n|\n|\r", text, maxsplit=1)[0]
    names = [name.strip().strip('"').lower() for name in line.split("\t")]
    ours = sum(name.partition("_")[0] in LEVELS and "_" in name for name in names)
    return ours >= 2 and ours * 2 >= len(names) and ("object_id" in names or (ours > 8 and len(head) < len(line) + 64))


def read_header(opened: Open) -> Header:
    """Read the line of names and, where there is one, the line of types.

    Raises
    ------
    InputError
        Where the table is empty or has no column ``object_id``.
    """
    with closing(_records(opened)) as records:
        first, second = next(records, None), next(records, None)
    if first is None or not any(cell.strip() for cell in first.cells):
        raise InputError("the table is empty; export it again")
    names = tuple(cell.strip().lower() for cell in first.cells)
    types = _types(second.cells) if second is not None else ()
    if types:
        types = (*types, *[""] * (len(names) - len(types)))[: len(names)]
    if "object_id" not in names:
        raise InputError("the table has no column object_id, so it is not one that EcoTaxa could read")
    columns = {name: place for place, name in reversed(list(enumerate(names))) if name}
    columns = dict(sorted(columns.items(), key=lambda item: item[1]))
    twice = [name for name, times in Counter(names).items() if times > 1 and name]
    oddities = [f"the column {name} occurs twice: the first one is read" for name in twice]
    oddities += _over_the_limits(columns)
    first_row = (second.line if second is not None else 2) + bool(types)
    return Header(names, types, columns, first_row, tuple(_faults(columns, types)), tuple(oddities))


def read_rows(opened: Open, header: Header) -> Iterator[Row]:
    """Stream the rows; a short one is filled up, a long one is given with its trouble.

    Raises
    ------
    InputError
        Where the table cannot be read on.
    """
    width = len(header.names)
    with closing(_records(opened)) as records:
        for row in records:
            if row.line < header.first_row:
                continue
            cells = row.cells
            if len(cells) < width:
                if not any(cells):
                    continue
                cells += [""] * (width - len(cells))  # legal: what is missing is empty
            elif len(cells) > width:
                beyond = [cell for cell in cells[width:] if cell.strip()]
                del cells[width:]
                if beyond and not row.trouble:
                    row = Row(row.line, cells, f"{len(beyond)} cells stand beyond the header's {width} columns")
            cells.append("")
            yield row


def _types(cells: list[str]) -> tuple[str, ...]:
    """Give the letters of a line of types; empty where the line is one of data."""
    said = [cell.strip().lower() for cell in cells]
    if not any(said) or any(cell and not _TYPE.fullmatch(cell) for cell in said):
        return ()
    return tuple(cell[1:-1] for cell in said)


def _faults(columns: dict[str, int], types: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, place in columns.items():
        level, underscore, _ = name.partition("_")
        if _OF_EXPORTS.fullmatch(name):
            continue
        if not underscore:
            yield name, "a column name without an underscore says not what it is a property of; left out"
        elif level not in LEVELS:
            yield name, f"a column name must begin with one of {', '.join(LEVELS)}, not with {level!r}; left out"
        elif types and types[place] not in ("f", "t", ""):
            yield name, f"a column is of the type [f] or [t], not [{types[place]}]; left out"
    for level in ("sample", "acq", "process"):
        have = [name for name in columns if name.startswith(f"{level}_")]
        if have and f"{level}_id" not in columns:
            yield f"{level}_id", f"there are columns {level}_… but not {level}_id, which EcoTaxa asks for"


def _over_the_limits(columns: dict[str, int]) -> Iterator[str]:
    for level, most in _MOST_COLUMNS.items():
        free = [name for name in columns if name.startswith(f"{level}_") and name.partition("_")[2] not in _NOT_FREE]
        if len(free) > most:
            text = f"EcoTaxa takes {most} columns {level}_… at most and would refuse the table"
            yield f"{len(free)} columns {level}_…: {text}; all are read"


@dataclass(slots=True)
class _Pending:
    """A row whose quoted cell holds a line break: the lines of it that were seen."""

    line: int = 0
    parts: list[str] = field(default_factory=list)


def _records(opened: Open) -> Generator[Row]:
    """Give every record with the line on which it begins; empty lines are passed over."""
    pending = _Pending()
    for number, line in enumerate(_lines(opened), start=1):
        if '"' not in line and not pending.parts:
            if line:
                yield Row(number, line.split("\t"))
            continue
        if not pending.parts:
            pending.line = number
        pending.parts.append(line)
        if (cells := _quoted("\n".join(pending.parts))) is not None:
            yield Row(pending.line, cells)
            pending = _Pending()
        elif len(pending.parts) > _MOST_LINES_IN_A_CELL:
            yield from _unbalanced(pending)
            pending = _Pending()
    yield from _unbalanced(pending)


def _quoted(text: str) -> list[str] | None:
    """Part a record with quote marks; None where a quoted cell has not ended."""
    try:
        return next(csv.reader([text], delimiter="\t", strict=True), [])
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None
    return [cell.strip().strip('"') for cell in text.split("\t")]


def _unbalanced(pending: _Pending) -> Iterator[Row]:
    """Give lines with an odd quote mark one by one: it stands for itself."""
    for offset, line in enumerate(pending.parts):
        if line:
            yield Row(pending.line + offset, [cell.strip().strip('"') for cell in line.split("\t")])


def _lines(opened: Open) -> Iterator[str]:
    """Give the lines without their ends, never more than a piece of the file in memory."""
    with opened() as file:
        data = file.read(_PIECE)
        encoding, mark = _encoding(data)
        decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)(errors="replace")
        piece = data[len(mark) :]
        first_return = piece.find(b"\r")
        bare_returns = first_return >= 0 and piece[first_return + 1 : first_return + 2] not in (b"\n", b"")
        bare_returns = bare_returns and b"\n" not in piece[:first_return]
        rest = b""
        while data:
            if decoder is not None:
                piece = decoder.decode(piece, final=False).encode()
            if bare_returns:
                piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            piece = rest + piece
            end = piece.rfind(b"\n") + 1
            yield from _decoded(piece[:end])
            rest = piece[end:]
            if len(rest) > _LONGEST_LINE:
                raise InputError(f"a line is longer than {_LONGEST_LINE:,} bytes: not a table that can be read")
            piece = data = file.read(_PIECE)
        yield from _decoded(rest)


def _decoded(lines: bytes) -> Iterator[str]:
    """Decode whole lines: as UTF-8 where they are, else line by line as Latin-1 in the flavour of Windows."""
    if not lines:
        return
    if lines.endswith(b"\n"):
        lines = lines[:-1]
    try:
        whole = lines.decode()
    except UnicodeDecodeError:
        for line in lines.split(b"\n"):
            yield _decoded_line(line).rstrip("\r")
        return
    for text in whole.split("\n"):
        yield text[:-1] if text.endswith("\r") else text


def _decoded_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def _encoding(head: bytes) -> tuple[str, bytes]:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return encoding, mark
    return "utf-8", b""
