"""Which particles were taken out of a data set because an earlier one is the same: a table beside it, only added to.

A build reads it, and so does not bring them back.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from seston.errors import DataSetError

__all__ = ["read_merged", "remember_merged"]

_FILE = Path("collections") / "merged.tsv"
_HEADER = ("kept", "taken_out")


def remember_merged(data: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Write down pairs of ids: the particle that stays, and the one that goes."""
    path = data / _FILE
    try:
        path.parent.mkdir(exist_ok=True)
        new = not path.exists()
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerows([_HEADER, *pairs] if new else pairs)
    except OSError as error:
        raise DataSetError(f"{path}: cannot be written: {error.strerror or error}") from error


def read_merged(data: Path) -> list[str]:
    """Give the ids of the particles that were taken out."""
    path = data / _FILE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row[1] for row in csv.reader(file, delimiter="\t") if len(row) == 2][1:]
