"""What a command gives back, and how it is shown: one JSON document, or text and tables for people."""

from __future__ import annotations

import csv
import dataclasses
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "NoteItem",
    "Outcome",
    "SkippedItem",
    "Table",
    "note_lines",
    "save_rows",
    "show",
    "skipped_document",
    "skipped_lines",
    "write_json",
]

_SHOWN_LINES = 20
_SHOWN_ITEMS = 6
_WIDE = 10_000
"""Columns of a "screen" that is a file or a pipe: nothing there may be cut or wrapped."""


class SkippedItem(Protocol):
    """Something that was left out: file, item in it, and why."""

    @property
    def path(self) -> str:
        """File or folder."""
        ...

    @property
    def item(self) -> str:
        """Particle, row or member."""
        ...

    @property
    def reason(self) -> str:
        """Why, in a user's words."""
        ...


class NoteItem(Protocol):
    """Something odd about a file."""

    @property
    def path(self) -> str:
        """File or folder."""
        ...

    @property
    def text(self) -> str:
        """What is odd."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for a person to read."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did."""

    document: Mapping[str, Any]
    """What ``--json`` prints."""
    blocks: tuple[str | Table, ...] = ()
    """What a person reads on stdout: sentences and tables."""
    notes: tuple[str, ...] = field(default=())
    """What a person reads on stderr: what was skipped, and odd things."""
    partial: bool = False
    """True where something that was asked for could not be done (exit code 1)."""


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Write the result to stdout and the notes to stderr."""
    if as_json:
        write_json(outcome.document)
        return
    sys.stderr.writelines(f"{note}\n" for note in outcome.notes)
    sys.stderr.flush()
    for block in outcome.blocks:
        if isinstance(block, Table):
            _print_table(block)
        else:
            sys.stdout.write(f"{block}\n")
    sys.stdout.flush()


def write_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout, in UTF-8; what is not a number becomes null."""
    import msgspec

    try:
        text = msgspec.json.encode(document, enc_hook=_plain)
    except UnicodeEncodeError:  # a file name that is no text
        text = msgspec.json.encode(_without_odd_letters(msgspec.to_builtins(document, enc_hook=_plain, str_keys=True)))
    sys.stdout.write(msgspec.json.format(text, indent=2).decode() + "\n")
    sys.stdout.flush()


def save_rows(path: Path, rows: Sequence[Any]) -> None:
    """Write records as a CSV file with a header; what is not known stays empty."""
    names = [field.name for field in dataclasses.fields(rows[0])] if rows else []
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)


def skipped_document(skipped: Iterable[SkippedItem]) -> list[list[str]]:
    """List skipped items as ``[path, item, reason]``."""
    return [[item.path, item.item, item.reason] for item in skipped]


def skipped_lines(skipped: Sequence[SkippedItem]) -> tuple[str, ...]:
    """Say what was skipped: one line for each file and reason, the first twenty of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in skipped:
        groups.setdefault((one.path, one.reason), []).append(one.item)
    lines = [_skipped_line(path, items, reason) for (path, reason), items in groups.items()]
    return tuple(_first_lines(lines))


def note_lines(notes: Sequence[NoteItem]) -> tuple[str, ...]:
    """Say what was odd: one line for each kind of note, with the first file that it is about."""
    groups: dict[str, list[str]] = {}
    for one in notes:
        groups.setdefault(one.text, []).append(PurePath(one.path).name)
    lines = [f"note: {_first_and_more(names)}: {text}" for text, names in groups.items()]
    return tuple(_first_lines(lines))


def _first_and_more(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"


def _first_lines(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN_LINES
    return [*lines[:_SHOWN_LINES], f"… and {more:,} more lines like these: see --json"] if more > 0 else lines


def _skipped_line(path: str, items: list[str], reason: str) -> str:
    named = [item for item in items if item]
    which = ", ".join(named[:_SHOWN_ITEMS]) + (", …" if len(named) > _SHOWN_ITEMS else "")
    if len(items) > 1:
        which = f"{len(items):,} items ({which})" if which else f"{len(items):,} items"
    return f"skipped: {path}{': ' if which else ''}{which}: {reason}"


def _print_table(table: Table) -> None:
    from rich import box
    from rich.table import Table as RichTable

    if not table.rows:
        return
    drawn = RichTable(title=table.title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(table.columns):
        numbers = all(isinstance(row[position], int | float | None) for row in table.rows)
        drawn.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(_cell(value) for value in row))
    console = _console()
    with console.capture() as captured:
        console.print(drawn, markup=False, highlight=False)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().strip("\n").splitlines())


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE)


def _cell(value: object) -> Any:
    from rich.text import Text

    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Text("–")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, int):
        return Text(f"{value:,}")
    return Text(f"{value:.4g}" if isinstance(value, float) else str(value))


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it knows."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} has no place in a JSON document")


def _without_odd_letters(value: Any) -> Any:
    """Copy a document, with file names that are no valid text made printable."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_without_odd_letters(key): _without_odd_letters(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_odd_letters(item) for item in value]
    return value
