"""Saved partitions: which particle is for training, which to choose a model by, which to test it with."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seston.errors import DataSetError, NotFoundError, UsageError, nearest_word
from seston.store.folder import write_whole

__all__ = ["PARTS", "Part", "Split", "check_name", "list_splits", "load_split", "save_split"]

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("fold", pa.int64()),
        pa.field("part", pa.dictionary(pa.int32(), pa.string())),
    ]
)
_ROWS_AT_ONCE = 262_144


@dataclass(frozen=True)
class Split:
    """A partition of the particles, once for each fold.

    `ids`, `fold` and `part` run side by side: one entry for each particle and fold.
    """

    name: str
    grouped: bool
    """Whether all particles of a sample stand on one side."""
    note: str
    """What to know about the split; *image-level, optimistic* where it is not grouped."""
    folds: int
    ids: list[str]
    fold: NDArray[np.int64]
    part: list[Part]
    settings: dict[str, str | int | float] = field(default_factory=dict)
    """How it was made: ``by``, ``mode``, ``seed``; where they apply ``cramers_v``, ``hold_out``, ``unseen``."""

    def ids_of(self, fold: int, part: str) -> list[str]:
        """Give the particles of one part of one fold, in the order of the data set."""
        if part not in PARTS:
            raise UsageError(f"there is no part {part!r}{nearest_word(part, PARTS)}")
        if not 0 <= fold < self.folds:
            raise UsageError(f"split {self.name!r} has folds 0 to {self.folds - 1}, not {fold}")
        rows = np.flatnonzero(self.fold == fold)
        return [self.ids[row] for row in rows.tolist() if self.part[row] == part]

    def sizes(self) -> list[dict[str, int]]:
        """Count the particles of each part, for each fold."""
        codes = np.fromiter(map(PARTS.index, self.part), np.int8, len(self.part))
        counts = np.bincount(self.fold * len(PARTS) + codes, minlength=self.folds * len(PARTS))
        counts = counts.reshape(self.folds, len(PARTS))
        return [dict(zip(PARTS, row, strict=True)) for row in counts.tolist()]


def save_split(folder: Path, split: Split, *, overwrite: bool = False) -> None:
    """Write a split as ``NAME.parquet`` with a card ``NAME.json``.

    Raises
    ------
    UsageError
        The name cannot be that of a file, or there is a split of that name and `overwrite` is False.
    """
    check_name(split.name)
    card, table = _files(folder, split.name)
    if card.exists() and not overwrite:
        raise UsageError(f"there is a split {split.name!r} already; choose another name, or say --overwrite")
    folder.mkdir(exist_ok=True)
    described = {
        "name": split.name,
        "grouped": split.grouped,
        "note": split.note,
        "folds": split.folds,
        "sizes": split.sizes(),
        **split.settings,
    }
    card.unlink(missing_ok=True)  # the card comes last: a split without one was killed halfway and does not count
    write_whole(table, _as_parquet(split))
    write_whole(card, json.dumps(described, ensure_ascii=False, indent=2).encode() + b"\n")


def load_split(folder: Path, name: str) -> Split:
    """Read a split.

    Raises
    ------
    NotFoundError
        There is none of that name.
    DataSetError
        Its files are damaged.
    """
    card, table = _files(folder, name)
    if not card.is_file():
        there = list_splits(folder)
        hint = nearest_word(name, there) or "; make one with  seston split DATA --name NAME"
        raise NotFoundError(f"there is no split {name!r}{hint}")
    try:
        described = json.loads(card.read_bytes())
        rows = pq.read_table(table, read_dictionary=["id", "part"]).unify_dictionaries()
        part: list[Part] = _shared(rows.column("part"))
        return Split(
            name=name,
            grouped=bool(described.pop("grouped")),
            note=str(described.pop("note")),
            folds=int(described.pop("folds")),
            ids=_shared(rows.column("id")),
            fold=rows.column("fold").to_numpy().astype(np.int64),
            part=part,
            settings={key: value for key, value in described.items() if key not in ("name", "sizes")},
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataSetError(f"{table}: split {name!r} is damaged ({error}); make it again with --overwrite") from error


def list_splits(folder: Path) -> list[str]:
    """Name the splits that are there."""
    return sorted(card.stem for card in folder.glob("*.json")) if folder.is_dir() else []


def check_name(name: str) -> str:
    """Refuse a name that cannot be a file's on every system."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise UsageError(f"{name!r} cannot be a name: use letters, digits, hyphens, underscores and dots")
    return name


def _as_parquet(split: Split) -> bytes:
    """Write the rows some at a time: as a table all at once they take more memory than the split itself."""
    written = io.BytesIO()
    with pq.ParquetWriter(written, _SCHEMA, compression="zstd", use_dictionary=["fold", "part"]) as writer:
        for start in range(0, len(split.ids), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            columns = (split.ids[rows], split.fold[rows], split.part[rows])
            arrays = [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)]
            writer.write_table(pa.table(arrays, schema=_SCHEMA))
    return written.getvalue()


def _shared(column: pa.ChunkedArray) -> list[Any]:
    """Give a dictionary column with unified dictionaries, each different text as a single object."""
    texts: list[Any] = []
    names = np.array(column.chunk(0).dictionary.to_pylist() if column.num_chunks else [], object)
    for chunk in column.chunks:
        texts += names[chunk.indices.to_numpy()].tolist()
    return texts


def _files(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.json", folder / f"{name}.parquet"
