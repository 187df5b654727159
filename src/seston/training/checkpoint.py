"""Checkpoints: everything that a training needs to go on as if it had never stopped.

A checkpoint is a folder ``state/checkpoint-<step>`` with ``tensors.safetensors`` and ``position.json``. It is written
under another name and renamed when it is whole, so that a kill at any moment leaves the last whole one. Chance needs no
state: all of it is a function of seed, epoch, step and particle.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
from safetensors.torch import load_file, save_file
from torch import Tensor

from seston.errors import DataSetError

__all__ = ["Checkpoint", "Position", "last_checkpoint", "save_checkpoint"]

_PREFIX = "checkpoint-"


class Position(msgspec.Struct, kw_only=True):
    """Where a training stands, in numbers."""

    step: int = 0
    """Steps of the optimiser that are done."""
    seconds: float = 0.0
    """Time spent, over all interruptions."""
    best: float | None = None
    """Lowest validation loss."""
    best_step: int = 0
    validated_step: int = 0
    """Step of the last validation."""
    epochs_without_better: int = 0
    metrics_bytes: int = 0
    """Length of ``metrics.jsonl``; what lies behind is written again."""
    loss_scale: dict[str, float | int] = {}
    """State of the loss scaling of float16."""
    particles: str = ""
    """Fingerprint of the training particles."""


class Checkpoint(msgspec.Struct, frozen=True):
    """A position and the tensors that belong to it, named ``<part>/<name>``."""

    position: Position
    tensors: dict[str, Tensor]

    def part(self, name: str) -> dict[str, Tensor]:
        """Give the tensors of one part: ``model``, ``average``, ``best`` or ``optimiser``."""
        prefix = f"{name}/"
        return {key.removeprefix(prefix): value for key, value in self.tensors.items() if key.startswith(prefix)}


def save_checkpoint(folder: Path, position: Position, parts: dict[str, dict[str, Tensor]]) -> None:
    """Write a checkpoint whole or not at all, then remove older ones.

    Raises
    ------
    DataSetError
        The disk is full or cannot be written to.
    """
    tensors = {f"{part}/{name}": tensor.detach().cpu().contiguous() for part, named in parts.items()
               for name, tensor in named.items()}  # fmt: skip
    final = folder / f"{_PREFIX}{position.step:09d}"
    fresh = folder / f".new-{position.step:09d}"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        save_file(tensors, fresh / "tensors.safetensors")
        (fresh / "position.json").write_bytes(msgspec.json.encode(position))
        for name in ("tensors.safetensors", "position.json"):
            _flush(fresh / name)
        shutil.rmtree(final, ignore_errors=True)
        fresh.rename(final)
    except OSError as error:
        raise DataSetError(f"{final}: the checkpoint cannot be written: {error.strerror or error}") from error
    for older in _checkpoints(folder):
        if older != final:
            shutil.rmtree(older, ignore_errors=True)


def last_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint, or None where there is none."""
    found = _checkpoints(folder)
    if not found:
        return None
    newest = found[-1]
    position = msgspec.json.decode((newest / "position.json").read_bytes(), type=Position)
    return Checkpoint(position, load_file(newest / "tensors.safetensors"))


def _checkpoints(folder: Path) -> list[Path]:
    """List whole checkpoints, oldest first."""
    return sorted(path for path in folder.glob(f"{_PREFIX}*") if (path / "position.json").is_file())


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
