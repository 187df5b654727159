"""Pulse tables: one row a sample, one profile after the other.

CytoClus ends each profile with two rows of zeros: version 4 gives them the id 0 (which a real particle may have too),
version 3 the particle's own id. Tables that others wrote may have none; there a change of id ends a profile.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.number_text import parse_number
from seston.instruments.table_layout import Layout, read_layout
from seston.instruments.tables import Block, read_blocks
from seston.instruments.words import channel_name, column_role
from seston.particle import CHANNEL_ORDER, is_signal

__all__ = ["BadProfile", "Profile", "PulseTable", "is_pulse_table", "open_pulses", "read_profiles"]

_LONGEST_PROFILE = 1_000_000
"""Samples: the longest profile in real files has 1,524."""

Ending = Literal["none", "zero id", "own id"]


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of one particle."""

    number: int
    values: NDArray[np.float32]
    """Shape (channels, samples)."""
    line: int
    """Line of the file on which it begins."""


@dataclass(frozen=True, slots=True)
class BadProfile:
    """A profile that cannot be used."""

    number: int | None
    line: int
    reason: str


@dataclass(slots=True)
class PulseTable:
    """A pulse table: its columns, and what was seen while it was read."""

    path: Path
    layout: Layout
    id_column: int
    channels: tuple[str, ...]
    places: tuple[int, ...]
    """Column of each channel."""
    left_out: tuple[str, ...] = ()
    """Columns that are no signal."""
    ending: Ending = "none"
    ending_rows: int = 0
    samples: int = 0
    profiles: int = 0
    unsorted: bool = False
    particle_zero: bool = False
    _last: int = field(default=-1)

    @property
    def ignored(self) -> frozenset[int]:
        """Columns that are neither the id nor a channel."""
        return frozenset(range(self.layout.width)) - {self.id_column, *self.places}


def is_pulse_table(columns: tuple[str, ...]) -> bool:
    """Tell from its columns whether a table holds pulses: an id, and else nothing but channels."""
    channels = [channel_name(name) for name in columns if column_role(name) is None and name.strip()]
    signals = [name for name in channels if is_signal(name)]
    known = sum(name in CHANNEL_ORDER for name in signals)
    return any(column_role(name) == "id" for name in columns) and known >= 2 and known * 2 >= len(signals)


def open_pulses(path: Path) -> PulseTable:
    """Find out what the columns of a pulse table are, and how its profiles end.

    Raises
    ------
    InputError
        Where the file is empty or has no column of ids, or no channel.
    """
    layout = read_layout(path)
    ids = [place for place, name in enumerate(layout.columns) if column_role(name) == "id"]
    if not ids:
        found = ", ".join(layout.columns[:6])
        raise InputError(f"{path}: has no column of particle ids (it begins with: {found}); export Pulses again")
    channels: list[str] = []
    places: list[int] = []
    left_out: list[str] = []
    for place, column in enumerate(layout.columns):
        name = channel_name(column)
        if place == ids[0]:
            continue
        if not is_signal(name) or column_role(column) or name in channels or _only_words(layout, place):
            left_out.append(column)
            continue
        channels.append(name)
        places.append(place)
    if not channels:
        raise InputError(f"{path}: has no column of a channel; export Pulses again")
    named = tuple(name for name in left_out if name)
    table = PulseTable(path, layout, ids[0], tuple(channels), tuple(places), named)
    first = next(read_blocks(path, layout, ignored=table.ignored), None)
    table.ending = "none" if first is None else _ending(_rows_of(first, table))
    return table


def read_profiles(table: PulseTable, *, block_bytes: int = 1 << 21) -> Iterator[Profile | BadProfile]:
    """Stream the profiles of a table in the order of the file.

    A profile with a value that is no finite number, a row of another width, a single sample, or without its end is
    given as bad; so is a second one of the same particle, and one whose rows stand in two places.

    Notes
    -----
    What was seen (terminator rows, order, number of samples) stands in `table` when the stream has ended.
    """
    rest: _Rows | None = None
    seen: dict[int, str] = {}
    for block in read_blocks(table.path, table.layout, ignored=table.ignored, block_bytes=block_bytes):
        fresh = _rows_of(block, table)
        rows = fresh if rest is None else _join(rest, fresh)
        spans, terminators = _spans(rows, table.ending)
        begin = int(spans[-1, 0]) if len(spans) else rows.size
        yield from _profiles(rows, spans[:-1], table, seen)
        table.ending_rows += int(terminators[:begin].sum())
        if rows.size - begin > _LONGEST_PROFILE:
            number = int(rows.ids[begin])
            if number not in seen:
                seen[number] = f"is longer than {_LONGEST_PROFILE:,} samples"
                yield BadProfile(number, int(rows.lines[begin]), seen[number])
            begin = rows.size - 2
        rest = rows.tail(begin)
    if rest is not None and rest.size:
        spans, terminators = _spans(rest, table.ending)
        table.ending_rows += int(terminators.sum())
        yield from _profiles(rest, spans, table, seen)


@dataclass(slots=True)
class _Rows:
    """Rows of the table, channel-major."""

    ids: NDArray[np.int64]
    values: NDArray[np.float32]
    lines: NDArray[np.int64]
    faults: dict[int, str]
    """Row → why it cannot be used."""
    loose: set[int]
    """Rows among these whose id cannot be trusted: it is missing, or the row has too many or too few fields."""

    @property
    def size(self) -> int:
        return len(self.ids)

    def tail(self, start: int) -> _Rows:
        faults = {row - start: reason for row, reason in self.faults.items() if row >= start}
        loose = {row - start for row in self.loose if row >= start}
        return _Rows(self.ids[start:], self.values[:, start:], self.lines[start:], faults, loose)


def _rows_of(block: Block, table: PulseTable) -> _Rows:
    raw = block.numbers[table.id_column]
    faults = {fault.row: f"line {fault.line} {fault.reason}" for fault in block.faults}
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(raw) & (raw == np.floor(raw)) & (np.abs(raw) < 2**62)
        ids = np.where(whole, raw, -1).astype(np.int64)
    loose = {fault.row for fault in block.faults if fault.wrong_width}
    for row in map(int, np.flatnonzero(~whole)):
        loose.add(row)
        faults.setdefault(row, f"line {block.line_of(row)} has no particle id")
    with np.errstate(over="ignore"):
        values = block.numbers[list(table.places)].astype(np.float32)
    unfinished = ~np.isfinite(values).all(axis=0)
    for row in map(int, np.flatnonzero(unfinished)):
        faults.setdefault(row, f"line {block.line_of(row)} holds a value that is not a number")
    lines = block.lines if block.lines is not None else np.arange(block.rows, dtype=np.int64) + block.first_line
    return _Rows(ids, values, lines, faults, loose)


def _join(first: _Rows, second: _Rows) -> _Rows:
    faults = first.faults | {row + first.size: reason for row, reason in second.faults.items()}
    return _Rows(
        np.concatenate([first.ids, second.ids]),
        np.concatenate([first.values, second.values], axis=1),
        np.concatenate([first.lines, second.lines]),
        faults,
        first.loose | {row + first.size for row in second.loose},
    )


def _ending(rows: _Rows) -> Ending:
    """Tell from the first rows of a table how its profiles end."""
    zero: NDArray[np.bool_] = np.logical_not(rows.values.any(axis=0))
    pairs = np.flatnonzero(zero[:-1] & zero[1:] & (rows.ids[:-1] == rows.ids[1:]))
    if not len(pairs):
        return "none"
    begins = pairs[np.concatenate([[True], np.diff(pairs) > 1])]
    before = begins[begins > 0] - 1
    strange = (rows.ids[before] != rows.ids[before + 1]) & (rows.ids[before + 1] == 0)
    return "zero id" if strange.any() else "own id"


def _settled_ids(rows: _Rows) -> NDArray[np.int64]:
    """Give each row whose id cannot be trusted the id of the profile that it stands in, or -1."""
    if not rows.loose:
        return rows.ids
    ids = rows.ids.copy()

    def id_of(row: int) -> int | None:
        """Give the id of a neighbour; rows of zeros belong to no profile for sure."""
        return int(ids[row]) if 0 <= row < rows.size and rows.values[:, row].any() else None

    after: dict[int, int | None] = {}
    for row in sorted(rows.loose, reverse=True):
        after[row] = after[row + 1] if row + 1 in after else id_of(row + 1)
    for row in sorted(rows.loose):
        neighbours = [number for number in (id_of(row - 1), after[row]) if number is not None]
        if int(ids[row]) not in neighbours:
            ids[row] = neighbours[-1] if neighbours else -1
    return ids


def _spans(rows: _Rows, ending: Ending) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find where each profile begins and ends.

    Returns
    -------
    (spans, terminators)
        Rows of (start, stop, 1 if a terminator follows); and for each row whether it is a terminator.
    """
    ids = _settled_ids(rows)
    same: NDArray[np.bool_] = np.equal(ids[1:], ids[:-1])
    terminators = _terminators(rows, ids, same, ending)
    data = ~terminators
    first = data.copy()
    first[1:] &= ~(data[:-1] & same)
    starts = np.flatnonzero(first)
    if not len(starts):
        return np.zeros((0, 3), dtype=np.int64), terminators
    limits = np.append(starts[1:], rows.size)
    counts = np.add.reduceat(data.astype(np.int64), starts)
    stops = starts + counts
    return np.stack([starts, stops, (stops < limits).astype(np.int64)], axis=1), terminators


def _terminators(rows: _Rows, ids: NDArray[np.int64], same: NDArray[np.bool_], ending: Ending) -> NDArray[np.bool_]:
    """Mark the rows of zeros that end a profile.

    They come in twos; a single one counts only where no row of its own id follows or none goes before, so that a row
    of zeros inside a profile stays data.
    """
    if ending == "none":
        return np.zeros(rows.size, dtype=np.bool_)
    zero: NDArray[np.bool_] = np.logical_not(rows.values.any(axis=0))
    if ending == "zero id":
        zero &= ids == 0
    for row in rows.faults:
        zero[row] = False
    joined = np.zeros(rows.size + 1, dtype=np.bool_)  # joined[i]: row i belongs to the same run of zeros as row i - 1
    joined[1:-1] = zero[1:] & zero[:-1] & same
    in_a_run = joined[:-1] | joined[1:]
    follows = np.zeros(rows.size, dtype=np.bool_)
    follows[:-1] = same
    precedes = np.zeros(rows.size, dtype=np.bool_)
    precedes[1:] = same
    alone_at_an_edge = ~(follows & precedes)
    return zero & (in_a_run | alone_at_an_edge)


def _profiles(
    rows: _Rows, spans: NDArray[np.int64], table: PulseTable, seen: dict[int, str]
) -> Iterator[Profile | BadProfile]:
    """Give the profiles of some spans; `seen` holds each id so far, with what was wrong with it."""
    ids = _settled_ids(rows)
    fault_rows = sorted(rows.faults)
    scattered = _scattered(ids, spans) if table.ending == "none" else frozenset()
    for start, stop, ended in spans.tolist():
        number = int(ids[start])
        line = int(rows.lines[start])
        reason = _what_is_wrong(rows, start, stop, bool(ended) or table.ending == "none", fault_rows)
        if number in scattered:
            reason = reason or "has its rows in two places: two particles of one id, or rows that are mixed up"
        if number in seen:
            if seen[number]:
                continue  # its reason was given already
            yield BadProfile(number, line, "comes a second time: the first one is kept")
            continue
        if number >= 0:
            seen[number] = reason
        if reason:
            yield BadProfile(number if number >= 0 else None, line, reason)
            continue
        table.profiles += 1
        table.samples += stop - start
        table.unsorted |= number < table._last
        table._last = number
        table.particle_zero |= number == 0
        yield Profile(number, np.ascontiguousarray(rows.values[:, start:stop]), line)


def _scattered(ids: NDArray[np.int64], spans: NDArray[np.int64]) -> frozenset[int]:
    """Give the ids that more than one span has."""
    numbers, counts = np.unique(ids[spans[:, 0]], return_counts=True)
    return frozenset(numbers[counts > 1].tolist())


def _what_is_wrong(rows: _Rows, start: int, stop: int, ended: bool, fault_rows: list[int]) -> str:
    place = bisect_left(fault_rows, start)
    if place < len(fault_rows) and fault_rows[place] < stop:
        return rows.faults[fault_rows[place]]
    if rows.ids[start] < 0:
        return "has a negative particle id"
    if not ended:
        return "does not end in rows of zeros as the others do: it is cut off, or mixed with rows of another particle"
    if stop - start < 2:
        return "has one row: a profile needs at least two"
    return ""


def _only_words(layout: Layout, place: int) -> bool:
    """Tell whether a column holds text in each of the first rows."""
    fields = [row[place] for row in layout.sample if place < len(row) and row[place].strip()]
    return len(fields) > 1 and all(parse_number(text, layout.decimal) is None for text in fields)
