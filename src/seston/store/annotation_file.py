"""Annotations from a table that a person made: a column for the particle, one for the label, and what else there is."""

from __future__ import annotations

import csv
import getpass
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seston.errors import InputError, NotFoundError, UsageError, nearest_word
from seston.particle import Annotation, Skipped, Status

__all__ = ["read_annotations"]

_COLUMNS = {
    "particle": "particle",
    "particle_id": "particle",
    "id": "particle",
    "label": "label",
    "status": "status",
    "author": "author",
    "score": "score",
    "time": "time",
}
_OF_IDENTIFY = frozenset({"path", "sample", "taxon", "margin", "modality", "nearest", "reason"})
"""Further columns of the table that ``seston identify`` writes: allowed, and not read."""
_OF_SUGGEST = frozenset({"suggested", "why"})
"""Columns by which the table that ``seston suggest`` writes is known."""
_STATUSES: dict[str, Status] = {
    "": "validated",
    "validated": "validated",
    "v": "validated",
    "predicted": "predicted",
    "p": "predicted",
    "dubious": "dubious",
    "d": "dubious",
}


@dataclass(frozen=True, slots=True)
class _Table:
    path: Path
    columns: tuple[str, ...]
    by_model: bool
    """Whether ``seston identify`` wrote it, so that a name is a prediction until someone says otherwise."""
    to_fill_in: bool
    """Whether ``seston suggest`` wrote it: an empty label is a question left open, and the score is not the label's."""
    rows: list[tuple[int, list[str]]]
    """Line number and fields."""


def read_annotations(path: Path) -> Iterator[Annotation | Skipped]:
    """Read a table of annotations.

    Parameters
    ----------
    path
        Text with columns ``particle`` (or ``id``) and ``label``, and where wanted ``status`` (``validated`` unless
        it says otherwise; ``predicted`` in a table that ``seston identify`` wrote), ``author`` (else the name of
        whoever runs this), ``score`` (0 to 1, decimal comma allowed) and ``time`` (ISO 8601, UTC unless it says
        otherwise; else now). Fields are parted by ``,``, ``;`` or tabs. In a table that ``seston suggest`` wrote, rows
        whose label is still empty are passed over.

    Yields
    ------
    Annotation or Skipped
        A row that cannot be used costs only itself.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        The file is empty or no text.
    UsageError
        A column is missing, or has a name that says nothing here.
    """
    table = _read(path)
    author, now = _whoever_runs_this(), datetime.now(UTC)
    for number, fields in table.rows:
        item = f"line {number}"
        if len(fields) != len(table.columns):
            yield Skipped(str(path), item, f"has {len(fields)} fields where the header has {len(table.columns)}")
            continue
        row = dict(zip(table.columns, fields, strict=True))
        if table.to_fill_in and not row["label"]:
            continue
        try:
            yield Annotation(
                particle_id=_filled(row, "particle"),
                label=_filled(row, "label"),
                status=_status(row.get("status") or ("predicted" if table.by_model else "")),
                author=row.get("author") or author,
                score=None if table.to_fill_in else _score(row.get("score", "")),
                time=_time(row.get("time", ""), now),
            )
        except InputError as error:
            yield Skipped(str(path), item, str(error))


def _read(path: Path) -> _Table:
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}; name a table with the columns particle and label")
    text = _decode(path.read_bytes())
    header = text.split("\n", 1)[0]
    if not header.strip() or "\0" in text:
        raise InputError(f"{path}: is {'no text' if text.strip() else 'empty'}; give a table with particle and label")
    separator = max(",;\t", key=header.count)
    lines = _lines(path, text, separator)
    names = next(lines)[1]
    columns = tuple(_column(path, name) for name in names)
    for wanted in ("particle", "label"):
        if columns.count(wanted) != 1:
            many = "no column" if wanted not in columns else "more than one column"
            raise UsageError(f"{path}: has {many} {wanted!r}; needed are particle (or id) and label")
    rows = [(number, stripped) for number, fields in lines if any(stripped := [field.strip() for field in fields])]
    return _Table(path, columns, {"modality", "nearest"} <= set(names), set(columns) >= _OF_SUGGEST, rows)


def _lines(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for fields in reader:
            yield reader.line_num, fields
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num} cannot be read as a table: {error}") from None


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _column(path: Path, name: str) -> str:
    squeezed = name.strip().lower().replace(" ", "_")
    if squeezed in _OF_IDENTIFY | _OF_SUGGEST:
        return squeezed
    if squeezed not in _COLUMNS:
        raise UsageError(f"{path}: unknown column {name.strip()!r}{nearest_word(squeezed, _COLUMNS)}")
    return _COLUMNS[squeezed]


def _filled(row: dict[str, str], column: str) -> str:
    if not row[column]:
        raise InputError(f"has no {column}")
    return row[column]


def _status(text: str) -> Status:
    if text.lower() not in _STATUSES:
        raise InputError(f"status {text!r} is none of validated, predicted, dubious")
    return _STATUSES[text.lower()]


def _score(text: str) -> float | None:
    if not text:
        return None
    try:
        score = float(text.replace(",", "."))
    except ValueError:
        raise InputError(f"score {text!r} is no number") from None
    if not 0 <= score <= 1:
        raise InputError(f"score {text!r} is not between 0 and 1")
    return score


def _time(text: str, now: datetime) -> datetime:
    if not text:
        return now
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"time {text!r} is not of the form 2024-03-31T12:00:00Z") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _whoever_runs_this() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
