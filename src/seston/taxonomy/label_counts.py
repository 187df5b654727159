"""How many particles each source has under each raw label: counted in a data set, or read from a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seston.errors import InputError, NotFoundError
from seston.particle import Progress, Silence
from seston.taxonomy.checklist_files import open_checklist, table_rows

__all__ = ["LabelCount", "count_labels", "read_label_counts"]

_AT_ONCE = 1 << 16
_COUNTS = ("n", "particles", "count", "images", "n_images", "n_particles", "objects")
_SOURCES = ("source", "collection", "dataset")


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many particles one source has under one label."""

    source: str
    raw_label: str
    """Exactly as the source has it; empty for particles without a label."""
    particles: int


def count_labels(path: Path, *, progress: Progress | None = None) -> list[LabelCount]:
    """Count the particles of a data set by source and raw label, or read such counts from a table.

    Parameters
    ----------
    path
        The folder of a data set, or a table of text with a header: a column ``raw_label`` (or one whose name ends in
        *label*), and where there are any ``source`` and ``particles`` (or ``n``, ``count``, ``n_images``). Without a
        column of numbers each row counts once.

    Raises
    ------
    NotFoundError
        There is nothing at `path`.
    InputError
        The table has no column of labels, or a number that is none.
    """
    if not path.exists():
        raise NotFoundError(f"there is no data set or table {path}")
    return read_label_counts(path) if path.is_file() else _of_data_set(path, progress or Silence())


def read_label_counts(path: Path) -> list[LabelCount]:
    """Read counts from a table; see `count_labels`."""
    counts: Counter[tuple[str, str]] = Counter()
    with open_checklist(path) as files:
        if not files.named:
            raise InputError(f"{path}: is an archive; unpack the table first")
        delimiter = max("\t,;", key=files.header(files.named).count)
        with files.open(files.named) as file:
            rows = table_rows(file, where=str(path), delimiter=delimiter, quote='"')
            label, source, number = _places(path, next(rows, (0, ()))[1])
            for line, fields in rows:
                if label < len(fields):
                    particles = _whole_number(path, line, fields, number)
                    counts[fields[source] if -1 < source < len(fields) else "", fields[label]] += particles
    return _listed(counts)


def _of_data_set(path: Path, progress: Progress) -> list[LabelCount]:
    import pyarrow as pa

    from seston.store import open_data_set

    data = open_data_set(path)
    counts: Counter[tuple[str, str]] = Counter()
    progress.start("particles counted", data.count_rows())
    for batch in data.particles(["source", "raw_label"], batch_size=_AT_ONCE):
        grouped = pa.Table.from_batches([batch]).group_by(["source", "raw_label"]).aggregate([([], "count_all")])
        for row in grouped.to_pylist():
            counts[row["source"] or "", row["raw_label"] or ""] += row["count_all"]
        progress.advance(batch.num_rows)
    progress.finish()
    return _listed(counts)


def _places(path: Path, header: Sequence[str]) -> tuple[int, int, int]:
    columns = [name.strip().lower() for name in header]
    label = _first(columns, ("raw_label", "label", *(name for name in columns if name.endswith("label"))))
    if label < 0:
        raise InputError(f"{path}: has no column raw_label")
    return label, _first(columns, _SOURCES), _first(columns, _COUNTS)


def _first(columns: list[str], names: Iterable[str]) -> int:
    return next((columns.index(name) for name in names if name in columns), -1)


def _whole_number(path: Path, line: int, fields: Sequence[str], place: int) -> int:
    if place < 0:
        return 1
    text = fields[place].strip() if place < len(fields) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InputError(f"{path}: line {line}: {text!r} is no number of particles")
    return int(text)


def _listed(counts: Counter[tuple[str, str]]) -> list[LabelCount]:
    return [LabelCount(source, label, n) for (source, label), n in sorted(counts.items())]
