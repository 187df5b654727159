"""Archives that EcoTaxa imports: pictures and a table of them, in parts no larger than the server takes."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from seston.errors import InputError, UsageError
from seston.interchange.ecotaxa_table import EcotaxaTable, survey
from seston.interchange.export_folder import ExportFolder
from seston.interchange.licences import LicenceChoice, check_licence_choice
from seston.interchange.outgoing import Outgoing
from seston.interchange.picture_names import picture_name
from seston.interchange.sharding import ExportReport, Part, report_of, write_shards
from seston.interchange.taxa import Taxa
from seston.particle import Progress
from seston.store import DataSet, open_data_set

__all__ = ["export_ecotaxa"]

NameChoice = Literal["label", "taxon"]

_LONGEST_ID = 255
_TAKEN_AS_IT_IS = frozenset({"jpeg", "png", "gif"})
_BYTES_OF_A_MEMBER = 30 + 46 + 64
"""Of its two headers in a zip archive, beside its name (twice)."""
_BYTES_OF_THE_END = 4096
_WHEN = (1980, 1, 1, 0, 0, 0)
_UTF_8_MARK = b"\xef\xbb\xbf"


def export_ecotaxa(
    data: DataSet | Path | str,
    to: Path | str,
    *,
    names: NameChoice = "label",
    licence: LicenceChoice = "any",
    part_mb: int = 500,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a data set as archives for EcoTaxa's import.

    A particle that a person or its source named goes out as ``validated`` (or ``dubious``, ``discarded``), one that
    only a model named as ``predicted``, with ``object_prediction_score`` and ``object_prediction_model``: a prediction
    never stands in the place of validated work. Particles without a picture stay here, since EcoTaxa takes none.

    Parameters
    ----------
    to
        Folder for ``ecotaxa_part_001.zip`` and so on. An export that was broken off goes on.
    names
        Call particles by their ``label``, or by the accepted name of its ``taxon`` where there is one.
    licence
        ``commercial`` leaves out what must not be used for money, ``attribution`` also what asks for more than credit.
    part_mb
        Largest size of an archive in millions of bytes; EcoTaxa takes uploads of up to 500.

    Raises
    ------
    UsageError
        Another export is there and `overwrite` is False, or nothing can be exported.
    """
    check_licence_choice(licence)
    if names not in ("label", "taxon"):
        raise UsageError(f"names are 'label' or 'taxon', not {names!r}")
    if part_mb < 1:
        raise UsageError(f"parts of {part_mb} MB: give at least 1")
    opened = data if isinstance(data, DataSet) else open_data_set(data)
    standing, taxa = opened.standing(), Taxa(opened.path) if names == "taxon" else None
    settings = {
        "export": "ecotaxa", "data": str(opened.path.resolve()), "version": opened.version, "names": names,
        "annotations": standing.last_event, "licence": licence, "part_mb": part_mb,
        "taxonomy": taxa.fingerprint if taxa else "",
    }  # fmt: skip
    folder = ExportFolder(Path(to), settings, overwrite=overwrite)
    resumed, table = folder.resumed, _survey(opened)
    write_shards(
        opened,
        folder,
        standing,
        [Part("part", None)],
        name_of=lambda part, number: f"ecotaxa_{part}_{number + 1:03d}.zip",
        open_shard=lambda path: _Archive(path, table, taxa, part_mb * 1_000_000),
        licence=licence,
        refuse=lambda one: _refuse(one, table),
        progress=progress,
    )
    folder.complete()
    return report_of(folder, [*table.notes, *_notes(folder.counted("statuses"))], resumed=resumed)


class _Archive:
    """A zip archive that grows; its table waits in a file beside it until the end."""

    def __init__(self, path: Path, table: EcotaxaTable, taxa: Taxa | None, largest: int) -> None:
        self._table, self._taxa, self._largest = table, taxa, largest
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self._name = path.name.removeprefix(".").partition(".")[0]
        self._waiting = path.with_name(f".{self._name}.tsv.half")
        self._rows = self._waiting.open("w+b")
        self._rows.write(_UTF_8_MARK + table.head().encode())
        self._bytes = self._rows.tell() + _BYTES_OF_THE_END
        self._next: tuple[int, str, bytes, bytes] | None = None

    def has_room_for(self, one: Outgoing) -> bool:
        name, picture, row = self._prepared(one)
        return self._bytes + _size_in_archive(name, picture) + len(row) <= self._largest

    def add(self, one: Outgoing) -> None:
        name, picture, row = self._prepared(one)
        self._bytes += _size_in_archive(name, picture) + len(row)
        self._zip.writestr(_member(name), picture)
        self._rows.write(row)

    def close(self) -> None:
        self._rows.seek(0)
        member = _member(f"{self._name}.tsv")
        member.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(member, "w") as into:
            while piece := self._rows.read(1 << 20):
                into.write(piece)
        self._zip.close()
        self._rows.close()
        self._waiting.unlink()

    def _prepared(self, one: Outgoing) -> tuple[str, bytes, bytes]:
        if self._next is None or self._next[0] != one.position:
            name, picture = _picture_of(one)
            row = self._table.row(one, _category(one, self._taxa), name).encode()
            self._next = (one.position, name, picture, row)
        return self._next[1:]


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _WHEN)
    member.create_system = 3  # the same bytes on every system
    return member


def _survey(data: DataSet) -> EcotaxaTable:
    """Look through the ids and the names of parameters, which are small, for the columns that are needed."""
    samples = {sample.id: sample for sample in data.samples()}
    parameters: dict[str, None] = {}

    def ids() -> Iterator[tuple[str, str]]:
        for batch in data.particles(["id", "sample_id", "listmode_names"], batch_size=8192):
            for text in dict.fromkeys(batch.column("listmode_names").to_pylist()):
                parameters.update(dict.fromkeys(json.loads(text) if text else ()))
            yield from zip(batch.column("id").to_pylist(), batch.column("sample_id").to_pylist(), strict=True)

    return survey(ids(), parameters, samples)


def _refuse(one: Outgoing, table: EcotaxaTable) -> str:
    if one.particle.image is None:
        return "no picture"
    return "its id is longer than EcoTaxa's 255 characters" if len(table.object_id(one)) > _LONGEST_ID else ""


def _picture_of(one: Outgoing) -> tuple[str, bytes]:
    """Give a picture as it was, or as PNG with the same pixels where EcoTaxa does not take its format."""
    particle, image = one.particle, one.particle.image or b""
    if particle.image_format in _TAKEN_AS_IT_IS:
        return picture_name(particle), image
    from PIL import Image

    from seston.instruments import decode_image

    try:
        pixels = decode_image(image)
    except InputError:
        return picture_name(particle), image
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "png")
    return picture_name(replace(particle, image_format="png")), written.getvalue()


def _category(one: Outgoing, taxa: Taxa | None) -> str:
    if one.naming is None:
        return ""
    taxon = taxa.of(one) if taxa is not None else None
    return taxon.name if taxon is not None and taxon.name else one.naming.label


def _size_in_archive(name: str, picture: bytes) -> int:
    return len(picture) + 2 * len(name.encode()) + _BYTES_OF_A_MEMBER


def _notes(statuses: Counter[str]) -> list[str]:
    if unstated := statuses["unstated"]:
        return [f"{unstated:,} labels of sources that do not say who gave them go out as validated"]
    return []
