"""Listmode tables: one row a particle, one column a parameter of a channel.

A table is held in memory as one matrix, indexed by particle id. Rows with too many or too few fields are left out by
line; where two neighbouring rows are provably one cut in two with the other inside it, both are recovered.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.number_text import parse_number
from seston.instruments.table_layout import Layout, read_layout
from seston.instruments.tables import Block, Fault, read_blocks
from seston.instruments.words import column_role, is_known_parameter, parameter_name
from seston.particle import Note, Skipped

__all__ = ["Listmode", "is_listmode_table", "read_listmode"]

_EXACT_BELOW_BYTES = 200 << 20
"""A table of at most this size is held in float64; a larger one in float32."""
_ID = re.compile(r"0|[1-9]\d{0,17}")


@dataclass(slots=True)
class Listmode:
    """The rows of a listmode table by particle id."""

    path: Path
    layout: Layout
    names: tuple[str, ...] = ()
    """Canonical name of each parameter."""
    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    values: NDArray[np.floating] = field(default_factory=lambda: np.zeros((0, 0)))
    """Shape (rows, parameters)."""
    labels: list[str] | None = None
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Other columns of words → one field a row."""
    numbered: bool = True
    """Whether the table has ids of its own; if not, a particle's number is its row, from 1."""
    clock: list[str] = field(default_factory=list)
    """Times of arrival, where the table has them as a clock or a date only."""
    records: list[Skipped | Note] = field(default_factory=list)
    """What could not be read, and what was odd."""
    _finite: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    _order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _sorted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ids)

    def row_of(self, number: int) -> int | None:
        """Give the row of a particle, or None."""
        place = int(np.searchsorted(self._sorted, number))
        if place < len(self._sorted) and self._sorted[place] == number:
            return int(self._order[place])
        return None

    def parameters(self, row: int) -> dict[str, float]:
        """Give the parameters of a row by name; those that are no number are left out."""
        pairs = zip(self.names, self.values[row].tolist(), strict=True)
        return dict(pairs) if self._finite[row] else {name: value for name, value in pairs if math.isfinite(value)}

    def column(self, name: str) -> NDArray[np.floating] | None:
        """Give one parameter of all rows, or None where the table has no such column."""
        return self.values[:, self.names.index(name)] if name in self.names else None

    def index(self) -> None:
        """Make the rows findable by id."""
        self._finite = np.isfinite(self.values).all(axis=1)
        self._order = np.argsort(self.ids, kind="stable").astype(np.int64)
        self._sorted = self.ids[self._order]


def is_listmode_table(columns: Sequence[str]) -> bool:
    """Tell from its columns whether a table is listmode: several parameters of known channels."""
    return sum(is_known_parameter(name) for name in columns) >= 4


def read_listmode(path: Path, *, known_ids: Callable[[], frozenset[int]] | None = None) -> Listmode:
    """Read a listmode table.

    Parameters
    ----------
    known_ids
        Asked only where a recovered row could have more than one id: the ids that other files of the measurement have.

    Raises
    ------
    InputError
        Where the file is empty, cannot be opened, or has no parameter.
    """
    layout = read_layout(path)
    columns = _columns(layout)
    if not columns.parameters:
        found = ", ".join(layout.columns[:6])
        raise InputError(f"{path}: has no column of a parameter (it begins with: {found}); export Listmode again")
    table = Listmode(path, layout, tuple(columns.parameters.values()))
    rows = _Gathered(np.float64 if path.stat().st_size <= _EXACT_BELOW_BYTES else np.float32)
    for block in read_blocks(path, layout, text_columns=columns.words_places, ignored=columns.ignored):
        _gather(block, columns, rows)
    _mend(rows, columns, table, known_ids)
    _finish(rows, columns, table)
    return table


@dataclass(slots=True)
class _Columns:
    """What each column of the table is."""

    id_place: int | None
    parameters: dict[int, str]
    """Place → canonical name."""
    label_place: int | None
    words: dict[int, str]
    """Place → name, for other columns of text."""
    clock_place: int | None
    """A time of arrival that is written as a clock."""

    width: int

    @property
    def ignored(self) -> frozenset[int]:
        """Everything that is not kept: it must not be able to spoil a row."""
        kept = {self.id_place, *self.parameters, *self.words_places}
        return frozenset(place for place in range(self.width) if place not in kept)

    @property
    def words_places(self) -> tuple[int, ...]:
        """The columns of text that are kept."""
        places = [self.label_place, self.clock_place, *self.words]
        return tuple(place for place in places if place is not None)


@dataclass(slots=True)
class _Gathered:
    """Rows while the table is being read."""

    dtype: type[np.floating]
    ids: list[NDArray[np.float64]] = field(default_factory=list)
    values: list[NDArray[np.floating]] = field(default_factory=list)
    lines: list[NDArray[np.int64]] = field(default_factory=list)
    texts: dict[int, list[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    records: list[Skipped | Note] = field(default_factory=list)


def _columns(layout: Layout) -> _Columns:
    roles = [column_role(name) for name in layout.columns]
    ids = [place for place, role in enumerate(roles) if role == "id"]
    labels = [place for place, role in enumerate(roles) if role == "label"]
    found = _Columns(ids[0] if ids else None, {}, labels[0] if labels else None, {}, None, layout.width)
    wordy = {place for place in range(layout.width) if _is_words(layout, place)}
    taken: set[str] = set()
    clocks: list[int] = []
    for place, column in enumerate(layout.columns):
        if place in (found.id_place, found.label_place) or not column.strip() or column.strip().upper() == "X":
            continue
        name = parameter_name(column)
        if place in wordy or roles[place] == "set":
            if name == "Time of Arrival":
                clocks.append(place)
            elif not is_known_parameter(column):
                found.words[place] = column.strip()
            continue
        if name not in taken:
            taken.add(name)
            found.parameters[place] = name
    if clocks and "Time of Arrival" not in taken:
        found.clock_place = clocks[0]
    return found


def _is_words(layout: Layout, place: int) -> bool:
    fields = [row[place] for row in layout.sample if place < len(row) and row[place].strip()]
    numbers = sum(parse_number(text, layout.decimal) is not None for text in fields)
    return bool(fields) and numbers * 2 < len(fields)


def _gather(block: Block, columns: _Columns, rows: _Gathered) -> None:
    """Take over the good rows of a block, and keep the bad ones for mending."""
    good = np.ones(block.rows, dtype=np.bool_)
    for fault in block.faults:
        good[fault.row] = False
    rows.faults.extend(block.faults)
    places = list(columns.parameters)
    rows.values.append(np.ascontiguousarray(block.numbers[places][:, good].T.astype(rows.dtype)))
    lines = block.lines if block.lines is not None else np.arange(block.rows, dtype=np.int64) + block.first_line
    rows.lines.append(lines[good])
    if columns.id_place is not None:
        rows.ids.append(block.numbers[columns.id_place][good].astype(np.float64))
    for place in columns.words_places:
        fields = block.texts[place]
        rows.texts.setdefault(place, []).extend(text for text, keep in zip(fields, good.tolist(), strict=True) if keep)


def _mend(rows: _Gathered, columns: _Columns, table: Listmode, known_ids: Callable[[], frozenset[int]] | None) -> None:
    """Recover rows that were cut in two by another; say of every other bad row why it is left out."""
    path = str(table.path)
    if not rows.faults:
        return
    present = frozenset(int(number) for part in rows.ids for number in part[np.isfinite(part)])
    pending = deque(sorted(rows.faults, key=lambda fault: fault.line))
    while pending:
        fault = pending.popleft()
        after = pending[0] if pending and pending[0].line == fault.line + 1 else None
        pair = _unsplice(fault, after, columns, table.layout, present, known_ids) if after else None
        if pair is None or after is None:
            number = _number(fault.fields, columns)
            item = f"line {fault.line}" if number is None else f"line {fault.line} (particle {number})"
            rows.records.append(Skipped(path, item, f"the row {fault.reason}"))
            continue
        pending.popleft()
        outer, inner = pair
        for fields, line in ((outer, fault.line), (inner, after.line)):
            _append(fields, line, columns, table.layout, rows)
        rows.records.append(
            Note(
                path,
                f"lines {fault.line} and {after.line} are the row of particle {_number(outer, columns)} with the row "
                f"of particle {_number(inner, columns)} spliced into it: cutting it out gives both rows whole, and "
                "both were read",
            )
        )


def _unsplice(
    first: Fault,
    second: Fault,
    columns: _Columns,
    layout: Layout,
    present: frozenset[int],
    known_ids: Callable[[], frozenset[int]] | None,
) -> tuple[list[str], list[str]] | None:
    """Take a row out of the row that it was written into.

    The first line holds the beginning of the outer row, broken off anywhere, and the whole inner row; the second line
    holds the rest of the outer one. Proven only where both then have the header's width, every field is a number, and
    one way of cutting alone does this.
    """
    width = layout.width
    place = len(first.fields) - width
    if columns.id_place != 0 or place < 1 or len(first.fields) + len(second.fields) != 2 * width or not second.fields:
        return None
    torn = first.fields[place].strip()
    pairs: list[tuple[list[str], list[str]]] = []
    for cut in range(len(torn)):
        outer = [*first.fields[:place], torn[:cut] + second.fields[0].strip(), *second.fields[1:]]
        inner = [torn[cut:], *first.fields[place + 1 :]]
        if _is_whole(outer, columns, layout) and _is_whole(inner, columns, layout):
            numbers = {int(outer[0]), int(inner[0])}
            if len(numbers) == 2 and not numbers & present:
                pairs.append((outer, inner))
    if len(pairs) > 1 and known_ids is not None:
        known = known_ids()
        pairs = [pair for pair in pairs if int(pair[0][0]) in known and int(pair[1][0]) in known]
    return pairs[0] if len(pairs) == 1 else None


def _is_whole(fields: Sequence[str], columns: _Columns, layout: Layout) -> bool:
    if len(fields) != layout.width or not _ID.fullmatch(fields[0]):
        return False
    for place in columns.parameters:
        value = parse_number(fields[place], layout.decimal)
        if value is None or not np.isfinite(value):
            return False
    return True


def _append(fields: Sequence[str], line: int, columns: _Columns, layout: Layout, rows: _Gathered) -> None:
    values = [parse_number(fields[place], layout.decimal) for place in columns.parameters]
    rows.values.append(np.array([values], dtype=rows.dtype))
    rows.ids.append(np.array([float(fields[0])]))
    rows.lines.append(np.array([line], dtype=np.int64))
    for place in columns.words_places:
        rows.texts.setdefault(place, []).append(fields[place])


def _number(fields: Sequence[str], columns: _Columns) -> int | None:
    place = columns.id_place
    if place is None or place >= len(fields) or not _ID.fullmatch(fields[place].strip()):
        return None
    return int(fields[place])


def _finish(rows: _Gathered, columns: _Columns, table: Listmode) -> None:
    """Put the gathered rows together, without those that no particle can be told from."""
    width = len(columns.parameters)
    values = np.concatenate(rows.values) if rows.values else np.zeros((0, width), dtype=rows.dtype)
    lines = np.concatenate(rows.lines) if rows.lines else np.zeros(0, dtype=np.int64)
    numbers = np.concatenate(rows.ids) if rows.ids else np.arange(1.0, len(values) + 1)
    table.numbered = columns.id_place is not None
    if table.numbered and _ids_restart(numbers):
        table.numbered = False
        column = table.layout.columns[columns.id_place or 0]
        text = f"the column {column!r} numbers several rows alike: particles are numbered by row instead"
        rows.records.append(Note(str(table.path), text))
        numbers = np.arange(1.0, len(values) + 1)
    keep = np.ones(len(values), dtype=np.bool_)
    for row, reason in _unusable(numbers, values):
        keep[row] = False
        item = f"line {int(lines[row])}"
        if np.isfinite(numbers[row]) and "id" not in reason:
            item += f" (particle {int(numbers[row])})"
        rows.records.append(Skipped(str(table.path), item, reason))
    table.ids = numbers[keep].astype(np.int64)
    table.values = values if keep.all() else values[keep]
    texts = {
        place: [text for text, kept in zip(all_, keep.tolist(), strict=True) if kept]
        for place, all_ in rows.texts.items()
    }
    if columns.label_place is not None:
        table.labels = [text.strip() for text in texts.get(columns.label_place, [])]
    table.texts = {name: texts.get(place, []) for place, name in columns.words.items()}
    _part_from_labels(table)
    if columns.clock_place is not None:
        table.clock = texts.get(columns.clock_place, [])
    table.records = rows.records
    table.index()


def _part_from_labels(table: Listmode) -> None:
    """Take out columns with one value a label: they describe the species, not the particle, and betray its name."""
    if not table.labels or not 1 < len(set(table.labels)) <= len(table.labels) / 3:
        return
    labels = np.array(table.labels)
    own = [parameter_name(column) for column in table.layout.columns if is_known_parameter(column)]
    for name in [name for name in table.names if name not in own]:
        place = table.names.index(name)
        column = table.values[:, place]
        if all(len(np.unique(column[labels == label])) == 1 for label in set(table.labels)):
            table.texts[name] = [f"{value:.10g}" for value in column.tolist()]
            table.names = (*table.names[:place], *table.names[place + 1 :])
            table.values = np.delete(table.values, place, axis=1)


def _ids_restart(numbers: NDArray[np.float64]) -> bool:
    """Tell whether ids begin anew inside the table, as where several measurements were put together."""
    finite = numbers[np.isfinite(numbers)]
    return len(finite) >= 20 and len(np.unique(finite)) < 0.9 * len(finite)


def _unusable(numbers: NDArray[np.float64], values: NDArray[np.floating]) -> Iterator[tuple[int, str]]:
    seen: set[int] = set()
    empty = ~np.isfinite(values).any(axis=1) if len(values) else np.zeros(0, dtype=np.bool_)
    for row, number in enumerate(numbers.tolist()):
        if not np.isfinite(number) or number != int(number) or number < 0:
            yield row, "the row has no particle id"
        elif int(number) in seen:
            yield row, "a second row of the same particle: the first one is kept"
        elif empty[row]:
            yield row, "the row holds no number"
        else:
            seen.add(int(number))
