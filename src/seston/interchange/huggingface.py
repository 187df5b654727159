"""A data set in the layout of the Hugging Face Hub: Parquet shards with pictures, samples, and a card.

``datasets.load_dataset(FOLDER)`` opens it without a network, and the Hub shows its pictures
(https://huggingface.co/docs/datasets/about_dataset_features#image-feature,
https://huggingface.co/docs/hub/datasets-cards).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seston.errors import UsageError
from seston.interchange.about import read_about
from seston.interchange.export_folder import NOTES, ExportFolder
from seston.interchange.hub_card import hub_card
from seston.interchange.hub_push import check_hub, push_folder
from seston.interchange.licences import LicenceChoice, check_licence_choice
from seston.interchange.outgoing import Outgoing
from seston.interchange.planktonzilla_rows import Column, columns_of, rows_to_table, schema_of
from seston.interchange.sharding import ExportReport, parts_of, report_of, write_shards
from seston.interchange.taxa import Taxa
from seston.particle import Progress
from seston.store import DataSet, open_data_set
from seston.store.sample_rows import samples_to_table

__all__ = ["export_huggingface"]

_ROWS_A_GROUP = (100, 2_000)
"""At least so many rows where they are small, and at most: each group costs memory until its shard is closed."""
_BYTES_A_GROUP = (4_000_000, 32_000_000)
_SAMPLES = "samples/samples.parquet"


def export_huggingface(
    data: DataSet | Path | str,
    to: Path | str,
    *,
    split: str | None = None,
    fold: int = 0,
    licence: LicenceChoice = "any",
    about: Path | str | None = None,
    push: str | None = None,
    private: bool = False,
    shard_mb: int = 500,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a data set as the Hugging Face Hub wants it, and send it there where asked.

    Parameters
    ----------
    to
        Folder for ``data/PART-00000.parquet``, ``samples/samples.parquet`` and ``README.md``. An export, or a push,
        that was broken off goes on.
    split, fold
        The parts of a saved split become the splits there; else all is ``train``.
    licence
        ``commercial`` leaves out what must not be used for money, ``attribution`` also what asks for more than credit.
    about
        TOML file with title, description, citation and creators for the card; see `seston.interchange.about`.
    push
        Repository on the Hub (``OWNER/NAME``) to send the folder to, with whatever login `huggingface_hub` finds.
    private
        Make the repository a private one, if it is made.
    shard_mb
        Size at which a shard is ended, in millions of bytes.

    Raises
    ------
    UsageError
        Another export is there and `overwrite` is False, or nothing can be exported.
    MissingExtraError
        To push, the extra ``hub`` is needed.
    """
    check_licence_choice(licence)
    if shard_mb < 1:
        raise UsageError(f"shards of {shard_mb} MB: give at least 1")
    said = read_about(about)
    if push is not None:
        check_hub(push)
    opened = data if isinstance(data, DataSet) else open_data_set(data)
    parts, standing, taxa = parts_of(opened, split, fold), opened.standing(), Taxa(opened.path)
    settings: Mapping[str, Any] = {
        "export": "huggingface", "data": str(opened.path.resolve()), "version": opened.version, "split": split,
        "fold": fold, "annotations": standing.last_event, "licence": licence, "shard_mb": shard_mb,
        "taxonomy": taxa.fingerprint,
    }  # fmt: skip
    folder = ExportFolder(Path(to), settings, overwrite=overwrite, whole_is_fine=push is not None)
    resumed = folder.resumed
    if not folder.is_complete:
        columns = _columns(opened)
        write_shards(
            opened,
            folder,
            standing,
            parts,
            name_of=lambda part, number: f"data/{part}-{number:05d}.parquet",
            open_shard=_opener(columns, taxa, shard_mb * 1_000_000),
            licence=licence,
            progress=progress,
        )
        _finish(opened, folder, hub_card(folder, [part.name for part in parts], columns, said))
    report = report_of(folder, resumed=resumed)
    if push is None:
        return report
    url = push_folder(folder.path, push, folder.files(), private=private, overwrite=overwrite, leave=NOTES)
    return replace(report, notes=[*report.notes, f"sent to {url}"])


def _opener(columns: list[Column], taxa: Taxa, largest: int) -> Callable[[Path], _Shard]:
    schema = schema_of(columns)
    return lambda path: _Shard(path, columns, schema, taxa, largest)


def _finish(data: DataSet, folder: ExportFolder, card: str) -> None:
    folder.write(_SAMPLES, _samples(data))
    folder.write("README.md", card.encode())
    folder.complete()


class _Shard:
    """A Parquet file; rows are held back until they make a row group."""

    def __init__(self, path: Path, columns: list[Column], schema: pa.Schema, taxa: Taxa, largest: int) -> None:
        self._columns, self._schema, self._taxa, self._largest = columns, schema, taxa, largest
        plain = [field.name for field in schema if field.name != "image"]
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            compression={"image.bytes": "NONE", "image.path": "ZSTD"} | dict.fromkeys(_leaves(schema), "ZSTD"),
            use_dictionary=plain,
            write_statistics=plain,
        )
        self._rows: list[Outgoing] = []
        self._waiting = 0

    def has_room_for(self, one: Outgoing) -> bool:
        return bool(self._file.tell() + self._waiting < self._largest)

    def add(self, one: Outgoing) -> None:
        self._rows.append(one)
        self._waiting += len(one.particle.image or b"") + (
            0 if one.particle.profile is None else one.particle.profile.nbytes
        )
        rows, size = len(self._rows), self._waiting
        large = rows >= _ROWS_A_GROUP[0] and size >= _BYTES_A_GROUP[0]
        if large or rows >= _ROWS_A_GROUP[1] or size >= _BYTES_A_GROUP[1]:
            self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()
        self._file.close()

    def _write(self) -> None:
        if self._rows:
            table = rows_to_table(self._rows, self._columns, self._schema, self._taxa)
            self._writer.write_table(table, row_group_size=len(self._rows))
            self._rows, self._waiting = [], 0


def _columns(data: DataSet) -> list[Column]:
    profiles = listmode = False
    for batch in data.particles(["profile_length", "listmode_names"], batch_size=8192):
        profiles |= batch.column(0).null_count < batch.num_rows
        listmode |= batch.column(1).null_count < batch.num_rows
        if profiles and listmode:
            break
    return columns_of(profiles=profiles, listmode=listmode)


def _samples(data: DataSet) -> bytes:
    """Give the samples as a Parquet file, without the paths of this machine."""
    samples = [replace(sample, path=Path(sample.path).name) for sample in data.samples()]
    written = io.BytesIO()
    pq.write_table(samples_to_table(samples), written, compression="zstd")
    return written.getvalue()


def _leaves(schema: pa.Schema) -> list[str]:
    """Name the Parquet columns below the pictures: a list has one of its own."""
    return [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in schema
        if field.name != "image"
    ]
