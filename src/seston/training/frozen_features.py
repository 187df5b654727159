"""What a frozen tower, or the frozen beginning of one, finds in particles, reckoned once: the rest learns quickly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seston.models.batch import Batch
from seston.models.classifier import ClassifierModel
from seston.particle import Progress
from seston.training.augmentation import NoiseTable, augmented_batch
from seston.training.batches import gather
from seston.training.preparation import Preparation
from seston.training.processes import Processes
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource
from seston.training.stepping import precision_of
from seston.training.tensors import plain_batch

__all__ = ["FrozenFeatures", "frozen_features", "standardise"]

_AT_ONCE = 256
_PURPOSE = 0xF0F0
_GREATEST = 65504.0
"""Of float16."""


@dataclass(frozen=True)
class FrozenFeatures:
    """Features of all particles, in files that are mapped into memory."""

    train: NDArray[np.float16]
    """(V, N, F): the first view is the particle as it was measured."""
    validation: NDArray[np.float16]
    """(M, F)."""
    blocks: int = 0
    """Where blocks behind frozen ones may learn: so many numbers of each row are what the frozen blocks found; the rest
    is what the tower found with all its blocks as they began."""

    def of_train(self, rows: NDArray[np.int64], drawn: NDArray[np.float64], *, whole: bool = False) -> Tensor:
        """Give (B, F) of training particles; of their views the ones that numbers in [0, 1) pick.

        Where there are frozen blocks, what these found, as (B, 1, K), or, with `whole`, what the tower found as it
        began, (B, F).
        """
        views = np.minimum((drawn * len(self.train)).astype(np.int64), len(self.train) - 1)
        return self._tensor(self.train[views, rows], whole)

    def as_measured(self, rows: NDArray[np.int64]) -> Tensor:
        """Give (B, F), or (B, 1, K), of training particles as they were measured."""
        return self._tensor(self.train[0, rows], False)

    def of_validation(self, rows: NDArray[np.int64], *, whole: bool = False) -> Tensor:
        """Give (B, F), or (B, 1, K), of held-out particles; `whole` as of `of_train`."""
        return self._tensor(self.validation[rows], whole)

    def _tensor(self, numbers: NDArray[np.float16], whole: bool) -> Tensor:
        if not self.blocks or whole:
            return torch.from_numpy(np.asarray(numbers[:, self.blocks :], np.float32))
        return torch.from_numpy(np.asarray(numbers[:, : self.blocks], np.float32))[:, None]


def frozen_features(
    model: nn.Module,
    look: Callable[[Batch], Tensor],
    views: int,
    recipe: Recipe,
    preparation: Preparation,
    train: PreparedSource,
    validation: PreparedSource | None,
    folder: Path,
    processes: Processes,
    say: Progress,
    *,
    blocks: int = 0,
) -> FrozenFeatures:
    """Reckon the features of all particles once into files of a folder; what is there whole is used again.

    Views do not depend on the seed of the recipe: trainings of several seeds, and of recipes with the same tower (given
    weights) and pictures, find the same and may share the folder, in which each kind of features has a folder of its
    own.

    Parameters
    ----------
    model
        With the tower that stays as it is, wholly or in its beginning.
    look
        Gives (B, F) of a batch, by what stays of it.
    views
        How many views of each training particle; the first is the particle as it was measured.
    recipe, preparation
        Of the run.
    train, validation
        Its particles.
    folder
        For the files.
    processes
        The first one reckons, the others wait.
    say
        Told how far it is.
    blocks
        How many of the numbers frozen blocks found, as `FrozenFeatures` keeps it.
    """
    parts = (train.chosen.fingerprint(), "" if validation is None else validation.chosen.fingerprint(), views)
    folder = folder / _hash_of(parts, recipe, preparation)
    done = folder / "complete"
    if processes.first and not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        model = model.to(processes.device).eval()
        device = processes.device
        job = _Job(look, recipe, preparation, device, say, NoiseTable(0, device))
        _write(job, views, train, validation, folder)
        done.touch()
    processes.wait()
    return FrozenFeatures(
        np.load(folder / "train.npy", mmap_mode="r"), np.load(folder / "validation.npy", mmap_mode="r"), blocks
    )


def _hash_of(parts: tuple[str, str, int], recipe: Recipe, preparation: Preparation) -> str:
    """Give a short hash of what the features depend on: particles, views, pictures, sizes and tower."""
    seen: tuple[object, ...] = (
        *parts,
        preparation.pictures,
        preparation.sizes,
        recipe.augmentation,
        recipe.model.image,
    )
    if preparation.sizes != "none":  # then numbers that are standardised stand beside
        seen = (*seen, preparation.image_size_mean, preparation.image_size_deviation)
    return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:16]


@dataclass(frozen=True)
class _Job:
    look: Callable[[Batch], Tensor]
    recipe: Recipe
    preparation: Preparation
    device: torch.device
    say: Progress
    noise: NoiseTable


def _write(job: _Job, views: int, train: PreparedSource, validation: PreparedSource | None, folder: Path) -> None:
    held = 0 if validation is None else len(validation)
    job.say.start("Looking at pictures", views * len(train) + held)
    width = _features(job, train, slice(0, 1), 0).shape[1]
    target = np.lib.format.open_memmap(folder / "train.npy", "w+", np.float16, (views, len(train), width))
    for view in range(views):
        _fill(job, target[view], train, view)
    held_target = np.lib.format.open_memmap(folder / "validation.npy", "w+", np.float16, (held, width))
    if validation is not None:
        _fill(job, held_target, validation, 0)
    target.flush()
    held_target.flush()
    job.say.finish()


def _fill(job: _Job, target: NDArray[np.float16], source: PreparedSource, view: int) -> None:
    """Reckon one view of all particles."""
    for start in range(0, len(source), _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, len(source)))
        target[part] = np.clip(_features(job, source, part, view), -_GREATEST, _GREATEST)
        job.say.advance(part.stop - part.start)


@torch.no_grad()
def _features(job: _Job, source: PreparedSource, part: slice, view: int) -> NDArray[np.float32]:
    gathered = gather(source, np.arange(part.start, part.stop), 0)
    if view == 0:
        batch = plain_batch(gathered.prepared, gathered.sample, job.preparation).to(job.device)
    else:
        batch = augmented_batch(
            gathered.prepared,
            gathered.keys,
            gathered.sample,
            job.preparation,
            job.recipe.augmentation,
            job.noise,
            (_PURPOSE, view),
            job.device,
        )
    kind = job.device.type
    precision = precision_of(job.recipe, kind)
    with torch.autocast(kind, dtype=precision, enabled=precision != torch.float32):
        features = job.look(batch)
    numbers: NDArray[np.float32] = features.float().cpu().numpy()
    return numbers


def standardise(model: ClassifierModel, found: FrozenFeatures) -> None:
    """Put the mean and the deviation of the training features into a classifier, which takes them off."""
    total = np.zeros(found.train.shape[2])
    squares = np.zeros(found.train.shape[2])
    for start in range(0, found.train.shape[1], 4096):
        part = found.train[:, start : start + 4096].astype(np.float64)
        total += part.sum(axis=(0, 1))
        squares += (part**2).sum(axis=(0, 1))
    count = found.train.shape[0] * found.train.shape[1]
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    deviation[deviation < 1e-3] = 1.0
    model.feature_mean.copy_(torch.from_numpy(mean))
    model.feature_scale.copy_(torch.from_numpy(deviation))
