"""The files of suggestions: a table to fill in, and a contact sheet to look at."""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seston.errors import UsageError
from seston.recognition.contact_sheet import contact_sheet
from seston.recognition.suggestion import SuggestResult

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["check_target", "write_suggestions"]

_COLUMNS = ("id", "label", "suggested", "score", "why", "sample", "path")


def check_target(path: Path, *, overwrite: bool) -> Path:
    """Refuse a file that is no CSV, or that (or whose contact sheet) is there already.

    Raises
    ------
    UsageError
        What is wrong with it.
    """
    if path.suffix.lower() != ".csv":
        raise UsageError(f"{path.name}: suggestions are written as a table to fill in: name a file that ends in .csv")
    for one in (path, _sheet_of(path)):
        if one.exists() and not overwrite:
            raise UsageError(f"{one} is already there, perhaps with labels: name another file, or add --overwrite")
    return path


def write_suggestions(data: DataSet, result: SuggestResult, path: Path) -> SuggestResult:
    """Write the table, and beside it the contact sheet; each appears when all of it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = _sheet_of(path)
    _write_whole(sheet, contact_sheet(data, result, table=path.name).encode())
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for one in result.particles:
        score = None if one.score is None else round(one.score, 4)
        writer.writerow([one.id, one.label, one.suggested, score, one.why, one.sample, one.path])
    # With a mark at the front, spreadsheets read names with accents as they are.
    _write_whole(path, text.getvalue().encode("utf-8-sig"))
    return replace(result, to=path, sheet=sheet)


def _sheet_of(path: Path) -> Path:
    return path.with_suffix(".html")


def _write_whole(path: Path, content: bytes) -> None:
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        half.write_bytes(content)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
