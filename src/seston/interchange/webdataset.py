"""WebDataset shards: tar files in which what belongs to one particle has one name and several endings.

Format: https://github.com/webdataset/webdataset (the tar holds ``NAME.jpg``, ``NAME.json``, … one after the other).
Owners and times are fixed, so that the same data set gives the same bytes.
"""

from __future__ import annotations

import io
import json
import tarfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from seston.errors import UsageError
from seston.interchange.export_folder import ExportFolder
from seston.interchange.licences import LicenceChoice, check_licence_choice, find_licence
from seston.interchange.outgoing import Outgoing
from seston.interchange.picture_names import ending_of
from seston.interchange.sharding import ExportReport, parts_of, report_of, write_shards
from seston.interchange.taxa import Taxa
from seston.particle import Progress
from seston.store import DataSet, open_data_set
from seston.taxonomy import Taxon
from seston.taxonomy.captions import caption

__all__ = ["export_webdataset"]

_OF_PARTICLE = (
    "id", "sample_id", "source", "raw_label", "raw_status", "time", "latitude", "longitude", "depth_min_m",
    "depth_max_m", "width", "height", "pixel_size_um", "profile_channels", "profile_spacing_um", "licence",
    "attribution", "flags",
)  # fmt: skip
_OF_SAMPLE = ("instrument", "latitude", "longitude", "depth_min_m", "depth_max_m")
_OF_TAXON = ("name", "rank", "aphia_id", "kind", "stage", "part", "morphology", "qualifier", "how", "confidence")
_TAR_BLOCK = 512


def export_webdataset(
    data: DataSet | Path | str,
    to: Path | str,
    *,
    split: str | None = None,
    fold: int = 0,
    licence: LicenceChoice = "any",
    template: str = "lineage",
    shard_mb: int = 500,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a data set as WebDataset shards.

    Each particle has its picture as it was (``.jpg``, ``.png``, …), its profile where it has one (``.profile.npy``,
    float32, channels × samples), what is known of it (``.json``) and a caption for training (``.txt``).

    Parameters
    ----------
    to
        Folder for ``PART-000000.tar`` and so on. An export that was broken off goes on.
    split, fold
        Put the parts of a saved split into shards of their own; else all is ``train``.
    licence
        ``commercial`` leaves out what must not be used for money, ``attribution`` also what asks for more than credit.
    template
        What the caption is: ``lineage``, ``scientific``, ``common`` or ``photo``; see `seston.taxonomy.captions`. It is
        empty where nobody named the particle, or somebody doubts the name.
    shard_mb
        Largest size of a shard, in millions of bytes.

    Raises
    ------
    UsageError
        Another export is there and `overwrite` is False, or nothing can be exported.
    """
    check_licence_choice(licence)
    if shard_mb < 1:
        raise UsageError(f"shards of {shard_mb} MB: give at least 1")
    caption(Taxon(raw_label=""), template)  # refuses another word before anything is read
    opened = data if isinstance(data, DataSet) else open_data_set(data)
    parts, standing, taxa = parts_of(opened, split, fold), opened.standing(), Taxa(opened.path)
    settings = {
        "export": "webdataset", "data": str(opened.path.resolve()), "version": opened.version, "split": split,
        "fold": fold, "annotations": standing.last_event, "licence": licence, "shard_mb": shard_mb,
        "template": template, "taxonomy": taxa.fingerprint,
    }  # fmt: skip
    folder = ExportFolder(Path(to), settings, overwrite=overwrite)
    resumed = folder.resumed
    write_shards(
        opened,
        folder,
        standing,
        parts,
        name_of=lambda part, number: f"{part}-{number:06d}.tar",
        open_shard=lambda path: _Tar(path, taxa, template, shard_mb * 1_000_000),
        licence=licence,
        refuse=_refuse,
        progress=progress,
    )
    folder.complete()
    return report_of(folder, resumed=resumed)


class _Tar:
    def __init__(self, path: Path, taxa: Taxa, template: str, largest: int) -> None:
        self._file = path.open("wb")
        self._taxa, self._template, self._largest = taxa, template, largest

    def has_room_for(self, one: Outgoing) -> bool:
        profile = 0 if one.particle.profile is None else one.particle.profile.nbytes
        return self._file.tell() + len(one.particle.image or b"") + profile + 16 * _TAR_BLOCK <= self._largest

    def add(self, one: Outgoing) -> None:
        key = f"{one.position:09d}"
        particle, taxon = one.particle, self._taxa.of(one)
        if particle.image is not None:
            self._write(f"{key}.{ending_of(particle)}", particle.image)
        if particle.profile is not None:
            written = io.BytesIO()
            np.save(written, particle.profile, allow_pickle=False)
            self._write(f"{key}.profile.npy", written.getvalue())
        described = json.dumps(_described(one, self._taxa), ensure_ascii=False, sort_keys=True)
        self._write(f"{key}.json", described.encode())
        self._write(f"{key}.txt", caption(taxon, self._template).encode() if taxon else b"")

    def close(self) -> None:
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))  # two empty blocks are the end
        self._file.write(bytes(-self._file.tell() % tarfile.RECORDSIZE))
        self._file.close()

    def _write(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)  # time 0, owner 0, mode 644: nothing of this machine
        member.size = len(content)
        self._file.write(member.tobuf(tarfile.USTAR_FORMAT))
        self._file.write(content + bytes(-len(content) % tarfile.BLOCKSIZE))


def _refuse(one: Outgoing) -> str:
    return "" if one.particle.image is not None or one.particle.profile is not None else "neither picture nor profile"


def _described(one: Outgoing, taxa: Taxa) -> dict[str, Any]:
    taxon, licence = taxa.of(one), find_licence(one.particle.licence)
    found: dict[str, Any] = {name: _plain(getattr(one.particle, name)) for name in _OF_PARTICLE}
    for name in _OF_SAMPLE:
        found[name] = getattr(one.sample, name) if found.get(name) is None else found[name]
    found["time"] = found["time"] or _plain(one.sample.start)
    found["licence_url"] = licence.url if licence else None
    found["label"] = one.naming.label if one.naming else None
    found["status"] = one.naming.status if one.naming else None
    found["score"] = one.naming.score if one.naming else None
    if taxon is not None:
        found["taxon"] = {name: getattr(taxon, name) for name in _OF_TAXON} | {"lineage": dict(taxon.lineage)}
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
