"""The folder of a gallery: vectors as safetensors, particles as Parquet, the rest as JSON, and its own model.

::

    gallery.json         model, classifier, thresholds, labels left out, detector levels, words like *simulated*
    vectors.safetensors  vectors of the gallery particles and of others of the data set, and the spaces in which they
                         are compared
    particles.parquet    id, label, taxon, sample and thumbnail of each
    model/               the run (or the names of the classical features)
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, NotFoundError, UsageError
from seston.models.spaces import Block, Space, Turn
from seston.recognition.calibration import Calibration
from seston.recognition.embeddings import ARRAYS, Embeddings
from seston.recognition.encoder import load
from seston.recognition.gallery import Gallery, GalleryCard
from seston.recognition.levelling import read_levels, write_levels

__all__ = ["load_gallery", "save_gallery"]

_FORMAT = 2
_BLOCK = ("mean", "spread", "directions")
_POOL = "pool."
_CARD, _VECTORS, _PARTICLES, _MODEL = "gallery.json", "vectors.safetensors", "particles.parquet", "model"


def save_gallery(gallery: Gallery, path: Path, *, overwrite: bool) -> None:
    """Write a gallery; its folder appears when all of it is written.

    Raises
    ------
    UsageError
        Where something is there already and `overwrite` is False, or is there and no gallery.
    """
    if path.exists():
        if not overwrite:
            raise UsageError(f"{path} is already there; name another folder, or add --overwrite")
        if not (path / _CARD).is_file():
            raise UsageError(f"{path} is no gallery: it is not overwritten; name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    half.mkdir()
    try:
        _write(gallery, half)
        if path.exists():
            shutil.rmtree(path)
        half.rename(path)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _write(gallery: Gallery, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors.numpy import save_file

    tensors = {name: getattr(gallery.embeddings, name) for name in ARRAYS}
    tensors |= _space_tensors(gallery.spaces)
    if gallery.pool is not None:
        tensors |= {f"{_POOL}{name}": getattr(gallery.pool, name) for name in ARRAYS}
    if gallery.listmode is not None:
        tensors["listmode"] = gallery.listmode
    save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, folder / _VECTORS)
    thumbnails = gallery.thumbnails or (None,) * len(gallery)
    table = pa.table(
        {
            "id": pa.array(gallery.embeddings.ids, pa.string()),
            "label": pa.array(gallery.labels, pa.string()),
            "taxon": pa.array([gallery.taxa.get(label) for label in gallery.labels], pa.string()),
            "sample": pa.array(gallery.samples, pa.string()),
            "thumbnail": pa.array(thumbnails, pa.binary()),
        }
    )
    pq.write_table(table, folder / _PARTICLES, compression="zstd")
    if gallery.levels is not None:
        write_levels(gallery.levels, folder)
    if gallery.model is not None:
        gallery.model.save(folder / _MODEL)
    document = {"format": _FORMAT, **asdict(gallery.card), "classes": gallery.classes, "particles": len(gallery)}
    document["listmode_names"] = gallery.listmode_names
    numbers = {id(block): number for number, block in enumerate(_blocks(gallery.spaces))}
    document["blocks"] = {view: [numbers[id(one)] for one in space.blocks] for view, space in gallery.spaces.items()}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (folder / _CARD).write_text(text + "\n", encoding="utf-8")


def load_gallery(path: Path) -> Gallery:
    """Read a gallery; see `Gallery.load`."""
    if not (path / _CARD).is_file():
        what = "no gallery (no gallery.json in it)" if path.exists() else "not there"
        raise NotFoundError(f"{path} is {what}; make one with  seston gallery DATA --model RUN --to {path}")
    gallery = _read(path)
    if gallery.model is not None and gallery.model.model_id != gallery.card.model_id:
        raise InputError(
            f"{path / _MODEL}: is model {gallery.model.model_id}, but the gallery was made with "
            f"{gallery.card.model_id}; make the gallery anew"
        )
    return gallery


def _read(path: Path) -> Gallery:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        document = json.loads((path / _CARD).read_bytes())
        if int(document["format"]) > _FORMAT:
            raise InputError(f"{path}: was made by a newer Seston; install a newer one (pip install -U seston)")
        tensors = load_file(path / _VECTORS)
        table = pq.read_table(path / _PARTICLES)
        columns = {name: table.column(name).to_pylist() for name in ("id", "label", "taxon", "sample", "thumbnail")}
        embeddings = Embeddings(
            ids=tuple(columns["id"]),
            model_id=str(document["model_id"]),
            **{name: tensors[name] for name in ARRAYS if name in tensors},
        )
        return Gallery(
            embeddings=embeddings,
            labels=tuple(columns["label"]),
            samples=tuple(columns["sample"]),
            spaces=_spaces(document, tensors),
            card=_card(document),
            listmode_names=tuple(document["listmode_names"]),
            listmode=tensors.get("listmode"),
            thumbnails=tuple(columns["thumbnail"]),
            model=load(path / _MODEL) if (path / _MODEL).is_dir() else None,
            pool=_pool(tensors, embeddings.model_id),
            levels=read_levels(path),
            taxa={label: taxon for label, taxon in zip(columns["label"], columns["taxon"], strict=True) if taxon},
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, pa.ArrowException) as error:
        if isinstance(error, InputError | NotFoundError):
            raise
        raise InputError(f"{path}: the gallery is damaged ({error}); make it anew") from error


def _pool(tensors: Mapping[str, NDArray[Any]], model_id: str) -> Embeddings | None:
    there = {name: tensors[f"{_POOL}{name}"] for name in ARRAYS if f"{_POOL}{name}" in tensors}
    if not there:
        return None
    ids = tuple(str(row) for row in range(len(next(iter(there.values())))))
    return Embeddings(ids=ids, model_id=model_id, **there)


def _card(document: Mapping[str, Any]) -> GalleryCard:
    return GalleryCard(
        model_id=document["model_id"],
        classifier=document["classifier"],
        left_out=document["left_out"],
        calibrations={name: _calibration(values) for name, values in document["calibrations"].items()},
        detector_levels=document["detector_levels"],
        flags=tuple(document["flags"]),
        created=document["created"],
        seston_version=document["seston_version"],
    )


def _calibration(values: Mapping[str, Any]) -> Calibration:
    lists = {"right_above": tuple(map(tuple, values.get("right_above", ())))}
    lists["familiar_above"] = tuple(values.get("familiar_above", ()))
    lists["votes"] = tuple(map(tuple, values.get("votes", ())))
    return Calibration(**{**values, **lists})


def _blocks(spaces: Mapping[str, Space]) -> list[Block]:
    """List the blocks: one that several spaces have in common is written once."""
    return list({id(block): block for space in spaces.values() for block in space.blocks}.values())


def _space_tensors(spaces: Mapping[str, Space]) -> dict[str, NDArray[np.float32]]:
    tensors: dict[str, NDArray[np.float32]] = {}
    for number, block in enumerate(_blocks(spaces)):
        tensors |= {f"block.{number}.{part}": getattr(block, part) for part in _BLOCK}
        if block.knots is not None:
            tensors[f"block.{number}.knots"] = block.knots
    for view, space in spaces.items():
        tensors[f"space.{view}.centre"] = space.centre
        for number, turn in enumerate(space.turns):
            tensors[f"space.{view}.turn.{number}.directions"] = turn.directions
            tensors[f"space.{view}.turn.{number}.centre"] = turn.centre
    return tensors


def _spaces(document: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> dict[str, Space]:
    """Put the spaces together; the first format wrote the blocks of each by themselves, and how many there are."""
    blocks: dict[str, Block] = {}
    spaces = {}
    for view, listed in document["blocks"].items():
        names = (
            [f"space.{view}.{number}" for number in range(listed)]
            if document["format"] == 1
            else [f"block.{number}" for number in listed]
        )
        for name in names:
            if name not in blocks:
                mean, spread, directions = (tensors[f"{name}.{part}"] for part in _BLOCK)
                blocks[name] = Block(mean, spread, directions, tensors.get(f"{name}.knots"))
        turns: list[Turn] = []
        while f"space.{view}.turn.{len(turns)}.centre" in tensors:
            turn = f"space.{view}.turn.{len(turns)}"
            turns.append(Turn(tensors[f"{turn}.directions"], tensors[f"{turn}.centre"]))
        spaces[view] = Space(tuple(blocks[name] for name in names), tensors[f"space.{view}.centre"], tuple(turns))
    return spaces
