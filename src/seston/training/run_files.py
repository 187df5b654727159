"""What can be known of a run's folder without torch: whether it is whole, how it went, and the name of its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, NotFoundError
from seston.models.config import ModelConfig, TextTowerConfig
from seston.training.preparation import Preparation

__all__ = ["Summary", "check_run", "kept_config", "read_summary", "read_weights", "weights_id", "write_summary"]

_SUMMARY = "run.json"
_WEIGHTS = "model.safetensors"


class Summary(msgspec.Struct, kw_only=True):
    """How a training went."""

    model_id: str
    steps: int
    best: float | None
    seconds: float
    licences: dict[str, int] = {}
    """Of the training particles: SPDX id or ``unknown`` → particles; empty where it was not written down."""


def check_run(folder: Path) -> None:
    """Refuse what is no run, or not yet one.

    Raises
    ------
    NotFoundError
        No such folder, or a training that has not ended.
    """
    if not (folder / "recipe.toml").is_file():
        raise NotFoundError(f"{folder}: not a run (no recipe.toml in it)")
    if not (folder / _SUMMARY).is_file():
        raise NotFoundError(f"{folder}: its training has not ended; go on with it by --resume")


def read_summary(folder: Path) -> Summary:
    """Read how the training of a run went."""
    try:
        return msgspec.json.decode((folder / _SUMMARY).read_bytes(), type=Summary)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{folder / _SUMMARY}: cannot be read: {error}") from error


def write_summary(summary: Summary, folder: Path) -> None:
    """Write it; this file says that the run is whole."""
    (folder / _SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=1))


def read_weights(folder: Path) -> dict[str, NDArray[Any]]:
    """Read the weights of a run as arrays.

    Raises
    ------
    InputError
        A damaged file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder / _WEIGHTS}: cannot be loaded: {reason}") from error


def kept_config(config: ModelConfig) -> ModelConfig:
    """Give the architecture of a run whose weights lie in its folder: where they once came from no longer matters."""
    image = msgspec.structs.replace(config.image, weights="random")
    text = config.text
    if isinstance(text, TextTowerConfig):
        text = msgspec.structs.replace(text, weights="random")
    return msgspec.structs.replace(config, image=image, text=text)


def weights_id(weights: Mapping[str, NDArray[Any]], config: ModelConfig, preparation: Preparation) -> str:
    """Give 16 hexadecimal digits that depend on the weights, their names, the architecture and the preparation."""
    digest = hashlib.sha256(msgspec.json.encode((config, preparation)))
    for name, array in sorted(weights.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
