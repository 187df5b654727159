"""Particles as arrays of one shape, in memory or in files that are mapped into memory."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import DataSetError
from seston.models.config import Inputs

__all__ = ["Prepared", "empty_prepared", "map_prepared", "take_prepared"]


@dataclass(frozen=True)
class Prepared:
    """What a picture and a profile become before chance, logarithms and statistics; the first axis is the particle."""

    picture: NDArray[np.uint8]
    """(N, channels, S, S)."""
    background: NDArray[np.uint8]
    """(N, channels)."""
    picture_sizes: NDArray[np.float32]
    """(N, 7): see `seston.training.squares.PICTURE_SIZES`."""
    has_picture: NDArray[np.bool_]
    profile: NDArray[np.float32]
    """(N, C, T): light, in the instrument's units."""
    profile_length: NDArray[np.float32]
    """(N, 2): samples, and µm a sample (NaN where unknown)."""
    signal_total: NDArray[np.float32]
    """(N, C): sum over the original samples."""
    signal_maximum: NDArray[np.float32]
    """(N, C)."""
    has_channel: NDArray[np.bool_]
    """(N, C)."""
    has_profile: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.has_picture)


def empty_prepared(count: int, inputs: Inputs) -> Prepared:
    """Make arrays without any particle in them: nothing is present."""
    made: dict[str, NDArray[Any]] = {
        name: np.zeros((count, *shape), dtype) for name, (dtype, shape) in _layout(inputs).items()
    }
    made["profile_length"][:] = (1.0, np.nan)
    return Prepared(**made)


def map_prepared(folder: Path, count: int, inputs: Inputs, *, create: bool = False) -> Prepared:
    """Map one file an array into memory, so that only what is used takes memory.

    Parameters
    ----------
    folder
        Holds ``<array>.npy``.
    count
        Particles.
    inputs
        Shapes.
    create
        Make the files; else they must exist and are only read.
    """
    made: dict[str, NDArray[Any]] = {}
    for name, (dtype, shape) in _layout(inputs).items():
        path = folder / f"{name}.npy"
        if create:
            made[name] = np.lib.format.open_memmap(path, "w+", dtype, (count, *shape))
            _reserve(path)
        else:
            made[name] = np.load(path, mmap_mode="r", allow_pickle=False)
    return Prepared(**made)


def _reserve(path: Path) -> None:
    """Have the disk hold the whole file now; a disk that fills up while mapped pages are written ends the program."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        reason = error.strerror or error
        raise DataSetError(f"{path}: no room for the prepared particles: {reason}; set training.cache=false") from error


def take_prepared(prepared: Prepared, rows: NDArray[np.int64] | slice) -> Prepared:
    """Take particles by their numbers, in that order."""
    return Prepared(**{f.name: getattr(prepared, f.name)[rows] for f in fields(prepared)})


def _layout(inputs: Inputs) -> dict[str, tuple[type[np.generic], tuple[int, ...]]]:
    size, channels = inputs.picture_size, inputs.profile_channels
    return {
        "picture": (np.uint8, (inputs.picture_channels, size, size)),
        "background": (np.uint8, (inputs.picture_channels,)),
        "picture_sizes": (np.float32, (7,)),
        "has_picture": (np.bool_, ()),
        "profile": (np.float32, (channels, inputs.profile_length)),
        "profile_length": (np.float32, (2,)),
        "signal_total": (np.float32, (channels,)),
        "signal_maximum": (np.float32, (channels,)),
        "has_channel": (np.bool_, (channels,)),
        "has_profile": (np.bool_, ()),
    }
