"""Tables that stand beside the pictures of a collection and say more about each, in little memory.

A table of seven million objects is kept as one 64-bit hash and one number a row; what its rows say is kept once for
each different saying. That two of seven million keys share a hash has a chance of one in a million.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from seston.collections.cards import SideTable
from seston.collections.paths import parse_time
from seston.errors import InputError

__all__ = ["Said", "SideRows", "find_table", "read_side_table"]

_Texts = tuple[str, ...]
"""What a row says as it is written: label, sample, time and `_NUMBERS`, empty where it says nothing."""
_NUMBERS = ("latitude", "longitude", "depth_min_m", "depth_max_m")


class Said(NamedTuple):
    """What a row says of its picture; None where it says nothing."""

    label: str | None
    sample: str | None
    time: datetime | None
    latitude: float | None
    longitude: float | None
    depth_min_m: float | None
    depth_max_m: float | None


class SideRows:
    """The rows of a table by their keys."""

    def __init__(self, keys: NDArray[np.int64], codes: NDArray[np.int32], said: list[Said]) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._codes = codes[order]
        self._said = said

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, keys: Sequence[str]) -> list[Said | None]:
        """Give what is said of each key, None where the table lacks it; the first row of a key counts."""
        if not len(self._keys):
            return [None] * len(keys)
        wanted = np.fromiter(map(hash, keys), np.int64, len(keys))
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        there = self._keys[places] == wanted
        codes = self._codes[places]
        return [self._said[code] if found else None for code, found in zip(codes.tolist(), there.tolist(), strict=True)]


def find_table(name: str, folder: Path) -> Path | None:
    """Find a table in a folder: as a file, or in one of the zip archives there (then the archive is given)."""
    if (folder / name).is_file():
        return folder / name
    return next((path for path in sorted(folder.glob("*.zip")) if _member_called(path, name)), None)


def read_side_table(path: Path, table: SideTable) -> SideRows:
    """Read a table, row by row.

    Parameters
    ----------
    path
        The file, or a zip archive that holds it.

    Raises
    ------
    InputError
        It cannot be read, or lacks a column that the card names.
    """
    keys, codes, said = array("q"), array("i"), dict[Said, int]()
    try:
        with _opened(path, table.file) as file:
            for names, rows in _rows(file, table, path):
                keys.extend(map(hash, names))
                parsed = {row: _parsed(row, table.time_format) for row in set(rows)}  # most say what others say too
                codes.extend([said.setdefault(parsed[row], len(said)) for row in rows])
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: the table {table.file} cannot be read ({error}); fetch it again") from None
    return SideRows(np.frombuffer(keys, np.int64), np.frombuffer(codes, np.int32), list(said))


def _rows(file: IO[bytes], table: SideTable, path: Path) -> Iterator[tuple[list[str], list[_Texts]]]:
    """Give keys and what their rows say, some thousand rows at a time."""
    delimiter = "," if table.file.removesuffix(".gz").endswith(".csv") else "\t"
    names = [table.key, table.label, table.sample, table.time, *(getattr(table, number) for number in _NUMBERS)]
    wanted = sorted({name for name in names if name})
    try:
        batches = arrow_csv.open_csv(
            file,
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=lambda row: "skip"),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted, strings_can_be_null=False
            ),
        )
    except KeyError as error:
        raise InputError(f"{path}: {table.file} lacks a column that the card names: {error}") from None
    for batch in batches:
        keys, *columns = [_texts(batch, name) for name in names]
        yield list(keys), list(zip(*columns, strict=True))


def _texts(batch: pa.RecordBatch, name: str) -> Iterable[str]:
    if not name:
        return repeat("", batch.num_rows)
    return [text.strip() for text in batch.column(name).to_pylist()]


def _parsed(row: _Texts, time_format: str) -> Said:
    label, sample, time, *numbers = row
    when = parse_time(time, time_format) if time else None
    return Said(label or None, sample or None, when, *map(_number, numbers))


def _number(text: str) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is None or np.isfinite(number) else None


@contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_member_called(path, name) or name) as member:
            yield _unzipped(member, name)
    else:
        with path.open("rb") as file:
            yield _unzipped(file, name)


def _unzipped(file: IO[bytes], name: str) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(file)) if name.endswith(".gz") else file


def _member_called(path: Path, name: str) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            return next((one for one in archive.namelist() if one.rpartition("/")[2] == name), None)
    except (OSError, zipfile.BadZipFile):
        return None
