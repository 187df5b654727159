"""Names of particles as a table on disk: written as they come, read back one after the other."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from seston.errors import InputError, NotFoundError, UsageError, nearest_word
from seston.particle import Sample
from seston.recognition.naming import Identification

__all__ = ["NamesWriter", "read_names", "read_samples", "sidecar_of"]

_SUFFIXES = (".csv", ".parquet", ".json")
_COLUMNS = tuple(field.name for field in fields(Identification))
_NUMBERS = ("score", "margin", "familiarity")
_LISTS = ("nearest", "nearest_labels", "nearest_likeness", "ranks", "rank_names", "rank_scores")
_LISTS_OF_NUMBERS = ("nearest_likeness", "rank_scores")
_BETWEEN = " | "
_KEPT_OF_SAMPLE = (
    "id", "path", "reader", "instrument", "start", "volume_sampled_ml", "volume_analysed_ml", "volume_imaged_ml",
    "dilution", "subsample_fraction", "n_counted", "n_recorded", "n_imaged", "set_name", "detector_levels", "flags",
)  # fmt: skip


class _Sink(Protocol):
    def write(self, names: Sequence[Identification]) -> None: ...

    def close(self) -> None: ...


class NamesWriter:
    """Writes names to a CSV, Parquet or JSON file, and beside it what is known of their samples.

    The files appear when all is written: a run that is broken off leaves nothing that looks whole. Use it as a context
    manager.

    Raises
    ------
    UsageError
        For another suffix, or a file that is there already unless `overwrite` is True.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        suffix = path.suffix.lower()
        if suffix not in _SUFFIXES:
            raise UsageError(
                f"{path.name}: names are written as .csv, .parquet or .json{nearest_word(suffix, _SUFFIXES)}"
            )
        if path.exists() and not overwrite:
            raise UsageError(f"{path} is already there; name another file, or add --overwrite")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._half = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        kinds: dict[str, type[_CsvSink] | type[_ParquetSink] | type[_JsonSink]]
        kinds = {".csv": _CsvSink, ".parquet": _ParquetSink, ".json": _JsonSink}
        self._sink: _Sink = kinds[suffix](self._half)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sink.close()
        if kind is None:
            self._half.replace(self._path)
        else:
            self._half.unlink(missing_ok=True)

    def write(self, names: Sequence[Identification]) -> None:
        """Add names."""
        self._sink.write(names)

    def write_samples(self, samples: Mapping[str, Sample]) -> None:
        """Write what is known of the samples beside the names, so that `seston count` can divide by volumes."""
        rows = [{name: _plain(getattr(sample, name)) for name in _KEPT_OF_SAMPLE} for sample in samples.values()]
        text = json.dumps({"samples": rows}, indent=1, ensure_ascii=False)
        sidecar_of(self._path).write_text(text + "\n", encoding="utf-8")


def sidecar_of(path: Path) -> Path:
    """Give the file that holds the samples of a file of names."""
    return path.with_name(f"{path.stem}.samples.json")


def read_names(path: Path) -> Iterator[Identification]:
    """Read names back, in the order in which they were written.

    Raises
    ------
    NotFoundError
        Where there is no such file.
    InputError
        Where it is no file of names.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no file of names {path}; make one with  seston identify FILES --to {path}")
    read = {".csv": _read_csv, ".parquet": _read_parquet, ".json": _read_json}.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path.name}: names are read from .csv, .parquet or .json")
    try:
        for number, row in enumerate(read(path), start=1):
            if not row.get("id") or "label" not in row:
                raise InputError(f"{path}: row {number} has no id or no label; it is no table that identify wrote")
            yield _from_row(row)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as a table of names ({error})") from error


def read_samples(path: Path) -> dict[str, Sample]:
    """Read the samples of a file of names; nothing where there is no such file beside it."""
    beside = sidecar_of(path)
    if not beside.is_file():
        return {}
    try:
        rows = json.loads(beside.read_bytes())["samples"]
        return {row["id"]: _sample(row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{beside}: is damaged ({error}); run  seston identify  again") from error


def _sample(row: Mapping[str, Any]) -> Sample:
    values = {name: value for name, value in row.items() if name in _KEPT_OF_SAMPLE and value is not None}
    if "start" in values:
        values["start"] = datetime.fromisoformat(values["start"])
    return replace(Sample(id=row["id"]), **values | {"flags": tuple(values.get("flags", ()))})


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _from_row(row: Mapping[str, Any]) -> Identification:
    values = {name: row[name] for name in _COLUMNS if row.get(name) not in (None, "")}
    for name in _NUMBERS:
        if name in values:
            values[name] = float(values[name])
    for name in _LISTS:
        several = values.get(name, ())
        values[name] = tuple(several.split(_BETWEEN) if isinstance(several, str) else several)
    for name in _LISTS_OF_NUMBERS:
        values[name] = tuple(map(float, values[name]))
    return Identification(**{"label": None, "modality": "none"} | values)


class _CsvSink:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(_COLUMNS)

    def write(self, names: Sequence[Identification]) -> None:
        self._writer.writerows(
            [
                _BETWEEN.join(map(str, value)) if isinstance(value, tuple) else _rounded(value)
                for value in asdict(one).values()
            ]
            for one in names
        )

    def close(self) -> None:
        self._file.close()


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def _read_csv(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


class _JsonSink:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._file.write('{"particles": [')
        self._first = True

    def write(self, names: Sequence[Identification]) -> None:
        for one in names:
            self._file.write(("" if self._first else ",") + "\n" + json.dumps(asdict(one), ensure_ascii=False))
            self._first = False

    def close(self) -> None:
        self._file.write("\n]}\n")
        self._file.close()


def _read_json(path: Path) -> Iterator[Mapping[str, Any]]:
    yield from json.loads(path.read_bytes())["particles"]


class _ParquetSink:
    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = dict.fromkeys(_NUMBERS, pa.float64()) | dict.fromkeys(_LISTS, pa.list_(pa.string()))
        kinds |= dict.fromkeys(_LISTS_OF_NUMBERS, pa.list_(pa.float64()))
        self._schema = pa.schema([(name, kinds.get(name, pa.string())) for name in _COLUMNS])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, names: Sequence[Identification]) -> None:
        import pyarrow as pa

        rows = [asdict(one) | {name: list(getattr(one, name)) for name in _LISTS} for one in names]
        self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _read_parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()
