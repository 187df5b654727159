"""Reader of Parquet shards in the form of Planktonzilla-17M, also of those that ``seston export huggingface`` writes.

Columns: ``project-oceania/planktonzilla-17M`` (arXiv 2606.00080). The shards are streamed a few rows at a time. What
the published shards do not say of their sources (instrument, licence, whom to credit) stands in
``planktonzilla_sources.tsv``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seston.errors import InputError
from seston.instruments.archive_member import largest_total
from seston.instruments.planktonzilla_rows import Rows, samples_in
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Skipped

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["READER"]

_NAME = "planktonzilla"
_ROWS = 64
_BUFFER = 1 << 20
_MARK = b"PAR1"
_ALWAYS_THERE = frozenset({"image", "dataset", "original_label"})
_READ = (
    "image", "dataset", "original_label", "original_path", "Latitude", "Longitude", "Depth_min", "Depth_max",
    "ObjID", "timestamp", "Humidity", "Temperature", "license", "attribution", "id", "sample_id", "label",
    "label_status", "label_score", "label_model", "label_time", "original_status", "pixel_size_um", "flags",
    "profile", "profile_channels", "profile_length", "profile_spacing_um", "listmode", "listmode_names",
)  # fmt: skip


def _claim(listing: Listing) -> list[Source]:
    shards: dict[Path, list[Path]] = {}
    for path in listing.files:
        if path.suffix.lower() == ".parquet" and listing.head(path).startswith(_MARK) and _is_shard(path):
            shards.setdefault(path.parent, []).append(path)
    sources = []
    for folder, files in shards.items():
        beside = [folder.parent / "samples" / "samples.parquet", folder.parent / "README.md"]
        others = tuple(path for path in beside if path in listing.files)
        reason = f"{len(files):,} Parquet shards with pictures, in the form of Planktonzilla-17M"
        samples = str(others[0]) if others and others[0].suffix == ".parquet" else ""
        sources.append(Source(_NAME, folder, (*files, *others), reason, {"samples": samples}))
    return sources


def _read(source: Source) -> Iterator[Record]:
    samples_file = source.details.get("samples", "")
    known = {}
    if samples_file:
        try:
            for sample in samples_in(Path(samples_file)):
                known[sample.id] = sample
                yield sample
        except InputError as error:
            yield Skipped(samples_file, "", str(error))
    rows = Rows(known)
    shards = [path for path in source.files if path.suffix.lower() == ".parquet" and str(path) != samples_file]
    broken: list[tuple[Path, str]] = []
    given = 0
    for number, path in enumerate(shards):
        try:
            for first, batch in _batches(path):
                for record in rows.records(batch, path, number, first):
                    given += not isinstance(record, Skipped)
                    yield record
        except InputError as error:
            broken.append((path, str(error)))
    if broken and not given:
        raise InputError(broken[0][1])
    yield from (Skipped(str(path), "", reason) for path, reason in broken)
    yield from rows.notes(source.path)


def _batches(path: Path) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Give a few rows at a time, each with the number of its first one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = 0
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            _check_size(path, file.metadata)
            columns = [name for name in _READ if name in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False):
                yield row, batch
                row += batch.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        said = " ".join(str(error).split())[:160]
        raise InputError(
            f"{path}: damaged after {row:,} rows, or newer than pyarrow {pa.__version__} can read ({said})"
        ) from error


def _check_size(path: Path, metadata: Any) -> None:
    """Refuse a shard that says that it holds far more than its size allows, before a row is read."""
    total = sum(metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups))
    if total > largest_total(path.stat().st_size):
        raise InputError(f"{path}: the shard claims to hold {total:,} bytes, far more than an honest one of its size")


def _is_shard(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError):
        return False
    if not set(schema.names) >= _ALWAYS_THERE:
        return False
    image = schema.field("image").type
    return bool(pa.types.is_struct(image)) and image.get_field_index("bytes") >= 0


READER = Reader(
    name=_NAME,
    description="Parquet shards with pictures and the columns of Planktonzilla-17M, as the Hugging Face Hub keeps them",
    claim=_claim,
    read=_read,
)
