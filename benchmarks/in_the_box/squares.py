"""The pictures of a data set as squares on disk, so that a training does not decode and scale them again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.particle import Particle
from seston.store import DataSet, open_data_set
from seston.training.preparation import Preparation, prepare
from seston.training.settings import PictureSettings, ProfileSettings

__all__ = ["Squares", "preparation_of", "squares_of"]

_AT_ONCE = 512


@dataclass(frozen=True)
class Squares:
    """Labelled pictures of a data set, in its order."""

    ids: NDArray[np.str_]
    labels: NDArray[np.str_]
    """``collection: label``."""
    parts: NDArray[np.str_]
    """``train``, ``validation`` or ``test`` in the split; empty without one."""
    pixels: NDArray[np.uint8]
    """(N, S, S), grey."""
    backgrounds: NDArray[np.uint8]
    """(N,)."""


def preparation_of(size: int) -> Preparation:
    """Say how a picture becomes a square of `size` pixels: grey, the particle with a margin, about its background."""
    return Preparation(
        pictures=PictureSettings(size=size, colour=False, frame="particle", centre="background"),
        profiles=ProfileSettings(length=8),
        sizes="none",
        channels=(),
        channel_scale=(),
        image_size_mean=(),
        image_size_deviation=(),
        profile_size_mean=(),
        profile_size_deviation=(),
    )


def squares_of(data: Path, size: int, split: str | None = None, fold: int = 0) -> Squares:
    """Read them from the file beside the data set, or make them."""
    kept = data / f"squares-{size}-{split or 'all'}-{fold}.npz"
    if kept.is_file():
        with np.load(kept) as arrays:
            return Squares(**{name: arrays[name] for name in arrays.files})
    from seston.recognition.encoder import stream_particles

    opened = open_data_set(data)
    names = opened.labels(trusted=True)
    part_of = {} if split is None else _parts(opened, split, fold)
    preparation = preparation_of(size)
    columns: dict[str, list[Any]] = {name: [] for name in ("ids", "labels", "parts", "pixels", "backgrounds")}
    waiting: list[Particle] = []
    for particle in stream_particles(opened, None):
        if particle.id in names and particle.image is not None:
            waiting.append(particle)
        if len(waiting) == _AT_ONCE:
            _add(columns, waiting, names, part_of, preparation)
            waiting = []
    _add(columns, waiting, names, part_of, preparation)
    made = Squares(
        ids=np.array(columns["ids"], np.str_),
        labels=np.array(columns["labels"], np.str_),
        parts=np.array(columns["parts"], np.str_),
        pixels=np.concatenate(columns["pixels"]),
        backgrounds=np.concatenate(columns["backgrounds"]),
    )
    np.savez(kept, **{name: getattr(made, name) for name in columns})
    return made


def _parts(opened: DataSet, split: str, fold: int) -> dict[str, str]:
    chosen = opened.load_split(split)
    return {particle: part for part in ("train", "validation", "test") for particle in chosen.ids_of(fold, part)}


def _add(
    columns: dict[str, list[Any]],
    waiting: list[Particle],
    names: dict[str, str],
    part_of: dict[str, str],
    preparation: Preparation,
) -> None:
    if not waiting:
        return
    prepared = prepare(waiting, preparation, skipped=[])
    columns["ids"] += [one.id for one in waiting]
    columns["labels"] += [f"{one.source}: {names[one.id]}" for one in waiting]
    columns["parts"] += [part_of.get(one.id, "") for one in waiting]
    columns["pixels"].append(np.asarray(prepared.picture)[:, 0].copy())
    columns["backgrounds"].append(np.asarray(prepared.background)[:, 0].copy())
