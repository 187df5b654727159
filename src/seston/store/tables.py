"""One Lance table on disk: opened at a version, scanned, read by row number, added to, and nothing else.

Lance runs threads of its own and does not survive ``fork``: start worker processes by *spawn* or *forkserver*.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seston.errors import DataSetError, NotFoundError
from seston.store.reports import Version

if TYPE_CHECKING:
    import lance

__all__ = ["Table", "writing"]

_STORAGE_VERSION = "2.1"
_BATCH_BYTES = 64 * 1024 * 1024
_READ_AHEAD = 2
_DELETED_AT_ONCE = 10_000
_HEAVY = frozenset({"image", "profile", "listmode"})


class Table:
    """A Lance table, pinned at the version that it was opened at until `refresh`.

    Parameters
    ----------
    path
        The ``.lance`` folder.
    version
        Version number or tag; None for the newest.
    """

    def __init__(self, path: Path, version: int | str | None = None) -> None:
        import lance

        self.path = path
        try:
            self._dataset = lance.dataset(str(path), version=version)
        except (ValueError, OSError, KeyError, RuntimeError) as error:
            if version is not None and path.is_dir():
                raise NotFoundError(f"{path.parent}: there is no version or tag {version!r}; see versions()") from error
            raise DataSetError(f"{path}: this table cannot be opened ({_first_line(error)}); is it damaged?") from error

    @classmethod
    def create(cls, path: Path, schema: pa.Schema) -> Table:
        """Make an empty table, or open the one that is there."""
        import lance

        if not (path / "_versions").is_dir():
            with writing(path):
                lance.write_dataset(
                    schema.empty_table(), str(path), mode="create", data_storage_version=_STORAGE_VERSION
                )
        return cls(path)

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        schema: pa.Schema = self._dataset.schema
        return schema

    @property
    def version(self) -> int:
        """The version that is being looked at."""
        return int(self._dataset.version)

    def is_newest(self) -> bool:
        """Tell whether no one has written a newer version than the one that is being looked at."""
        return int(self._dataset.latest_version) == self.version

    @property
    def dataset(self) -> lance.LanceDataset:
        """The Lance data set itself."""
        return self._dataset

    def refresh(self) -> bool:
        """Look at the newest version; tell whether it is another one."""
        before = self.version
        self._dataset.checkout_latest()
        return self.version != before

    def count_rows(self) -> int:
        """Count rows."""
        return int(self._dataset.count_rows())

    def scan(
        self, columns: Sequence[str] | None = None, *, batch_size: int = 1024, start: int = 0
    ) -> Iterator[pa.RecordBatch]:
        """Read row after row, in order, a bounded number of bytes at a time, from row `start` on."""
        scanner = self._dataset.scanner(
            columns=None if columns is None else list(columns),
            batch_size=self.rows_at_once(columns, batch_size),
            scan_in_order=True,
            batch_readahead=_READ_AHEAD,
            fragment_readahead=1,
            offset=start or None,
        )
        for batch in scanner.to_batches():
            if batch.num_rows:
                yield batch

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns whole."""
        return self._dataset.to_table(columns=list(columns))

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Read rows by number, in the order given."""
        return self._dataset.take(pa.array(rows, pa.int64()), columns=list(columns))

    def append(self, rows: pa.Table) -> None:
        """Add rows in one atomic commit."""
        import lance

        with writing(self.path):
            self._dataset = lance.write_dataset(rows, self._dataset, mode="append")

    def adopt(self, schema: pa.Schema) -> None:
        """Add the columns that a table of an older Seston lacks, empty."""
        if missing := [field for field in schema if field.name not in self.schema.names]:
            with writing(self.path):
                self._dataset.add_columns(missing)
            self.refresh()

    def flush_to_disk(self) -> None:
        """Wait until the disk has the files of the newest version; Lance itself does not wait."""
        for folder in ("data", "_transactions", "_versions"):
            newest = max((self.path / folder).iterdir(), key=lambda file: file.stat().st_mtime_ns, default=None)
            if newest is not None:
                _sync(newest)
                _sync(newest.parent)

    def replace(self, rows: pa.Table, key: str) -> None:
        """Put rows in the place of those with the same key, and add those that are new, in one atomic commit."""
        with writing(self.path):
            merge = self._dataset.merge_insert(key).when_matched_update_all().when_not_matched_insert_all()
            merge.execute(rows)
        self.refresh()

    def rewrite_columns(
        self, read: Sequence[str], rewrite: Callable[[pa.RecordBatch], pa.RecordBatch | None], new: pa.Schema
    ) -> None:
        """Give rows other values in some columns, in one atomic commit; order and all other columns stay as they are.

        Parameters
        ----------
        read
            Columns that are read, besides ``_rowid``.
        rewrite
            Gets rows and gives those that change: ``_rowid`` and the changed columns; None where none does.
        new
            Columns to add before, where the table lacks them; other versions of it are not touched.
        """
        import lance

        with writing(self.path):
            if lacking := [column for column in new if column.name not in self.schema.names]:
                self._dataset.add_columns(pa.schema(lacking))
            updated, fields = [], set[int]()
            for fragment in self._dataset.get_fragments():
                scanner = fragment.scanner(columns=list(read), with_row_id=True, batch_size=8192)
                changed = [rows for batch in scanner.to_batches() if (rows := rewrite(batch)) is not None]
                if changed:
                    metadata, modified = fragment.update_columns(pa.Table.from_batches(changed))
                    updated.append(metadata)
                    fields.update(modified)
            if updated:
                operation = lance.LanceOperation.Update(
                    updated_fragments=updated, fields_modified=sorted(fields), update_mode="rewrite_columns"
                )
                lance.LanceDataset.commit(self._dataset, operation, read_version=self.version)
        self.refresh()

    def delete_rows(self, addresses: Sequence[int]) -> None:
        """Delete rows by their Lance row id."""
        with writing(self.path):
            self._dataset.delete(f"_rowid IN ({', '.join(str(int(address)) for address in addresses)})")
        self.refresh()

    def delete(self, ids: Collection[str]) -> None:
        """Delete rows by their id."""
        addresses: list[int] = []
        for batch in self._dataset.scanner(columns=["id"], with_row_id=True, scan_in_order=True).to_batches():
            there = pc.is_in(batch.column("id"), value_set=pa.array(ids, pa.string()))
            addresses.extend(batch.column("_rowid").filter(there).to_pylist())
        for start in range(0, len(addresses), _DELETED_AT_ONCE):
            self.delete_rows(addresses[start : start + _DELETED_AT_ONCE])

    def versions(self) -> list[Version]:
        """List the versions that are still on disk, oldest first."""
        tags = self.tags()
        return [
            Version(
                number=int(version["version"]),
                time=version["timestamp"].astimezone(),
                tags=tuple(name for name, number in tags.items() if number == version["version"]),
            )
            for version in self._dataset.versions()
        ]

    def tags(self) -> dict[str, int]:
        """Give each tag and the version that it names."""
        return {name: int(tag["version"]) for name, tag in self._dataset.tags.list().items()}

    def tag(self, name: str, *, move: bool = False) -> None:
        """Give the present version a name."""
        with writing(self.path):
            if move:
                self._dataset.tags.update(name, self.version)
            else:
                self._dataset.tags.create(name, self.version)

    def compact(self) -> None:
        """Join small files, and drop the bytes of old versions that no tag names."""
        with writing(self.path):
            self.refresh()
            self._dataset.optimize.compact_files()
            self.refresh()
            self._dataset.cleanup_old_versions(
                older_than=timedelta(0), delete_unverified=True, error_if_tagged_old_versions=False
            )

    def rows_at_once(self, columns: Sequence[str] | None, wanted: int) -> int:
        """How many rows to hold in memory together: as many as wanted, fewer where pictures or profiles are large."""
        if columns is not None and not _HEAVY.intersection(columns):
            return wanted
        bytes_a_row = self.data_bytes() // max(1, self.count_rows())
        return max(1, min(wanted, _BATCH_BYTES // max(1, bytes_a_row)))

    def data_bytes(self) -> int:
        """Bytes of the data files on disk, old versions included."""
        return sum(file.stat().st_size for file in (self.path / "data").glob("*") if file.is_file())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while Lance writes into one plain line."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, DataSetError):
            raise
        raise DataSetError(_what_went_wrong(path, error)) from error


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder to flush it
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _what_went_wrong(path: Path, error: Exception) -> str:
    text = str(error)
    full = (f"os error {errno.ENOSPC})", f"os error {errno.EDQUOT})", f"os error {errno.EFBIG})")
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if any(mark in text for mark in full) or (isinstance(error, OSError) and error.errno in codes):
        return f"{path.parent}: the disk is full; make room and run it again (what was committed before is safe)"
    return f"{path.parent}: {path.name} cannot be written: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    """The first line of a Rust error, without the place in Lance's source code at its end."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r",? ?/\S+\.rs:\d+:\d+.*$", "", line)[:300]
