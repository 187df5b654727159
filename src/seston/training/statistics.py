"""Statistics of the training particles: what a preparation needs besides its settings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seston.training.preparation import Preparation
from seston.training.prepared import Prepared
from seston.training.randomness import shuffled
from seston.training.scaling import profile_numbers
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource
from seston.training.squares import PICTURE_SIZES

__all__ = ["blank_preparation", "measured_preparation"]

_CHUNK = 512
_ENOUGH = 4096
_PURPOSE = 0x57A7


def blank_preparation(recipe: Recipe, channels: tuple[str, ...]) -> Preparation:
    """Make a preparation that leaves every number as it is: enough to prepare arrays, not to feed a model."""
    return Preparation(
        pictures=recipe.pictures,
        profiles=recipe.profiles,
        sizes=recipe.sizes,
        channels=channels,
        channel_scale=(1.0,) * len(channels),
        image_size_mean=(0.0,) * len(PICTURE_SIZES),
        image_size_deviation=(1.0,) * len(PICTURE_SIZES),
        profile_size_mean=(0.0,) * (3 + 2 * len(channels)),
        profile_size_deviation=(1.0,) * (3 + 2 * len(channels)),
    )


def measured_preparation(blank: Preparation, source: PreparedSource, seed: int) -> Preparation:
    """Fill in the statistics of training particles, of 4,096 of them where there are more.

    Everything is added up in float64 and in the order of the particles, so the same particles give the same numbers.
    """
    squares = np.zeros(len(blank.channels))
    samples = np.zeros(len(blank.channels))
    pictures, profiles = _Moments(len(PICTURE_SIZES)), _Moments(3 + 2 * len(blank.channels))
    for part in _chunks(source, seed):
        logs = np.log1p(np.abs(part.profile.astype(np.float64))) * part.has_channel[:, :, None]
        squares += (logs**2).sum(axis=(0, 2))
        samples += part.has_channel.sum(axis=0) * part.profile.shape[2]
        measured = np.repeat(part.has_picture[:, None], len(PICTURE_SIZES), axis=1)
        measured[:, 5] &= part.picture_sizes[:, 6] > 0
        pictures.add(part.picture_sizes, measured)
        raw, there = profile_numbers(part.profile_length, part.signal_total, part.signal_maximum, part.has_channel)
        profiles.add(raw, there & part.has_profile[:, None])
    scale = np.sqrt(squares / np.maximum(samples, 1))
    return Preparation(
        pictures=blank.pictures,
        profiles=blank.profiles,
        sizes=blank.sizes,
        channels=blank.channels,
        channel_scale=tuple(float(value) if value > 0 else 1.0 for value in scale),
        image_size_mean=pictures.mean(),
        image_size_deviation=pictures.deviation(),
        profile_size_mean=profiles.mean(),
        profile_size_deviation=profiles.deviation(),
    )


class _Moments:
    """Running mean and standard deviation of columns, leaving out what was not measured."""

    def __init__(self, columns: int) -> None:
        self.count, self.sum, self.squares = np.zeros((3, columns))

    def add(self, numbers: NDArray[np.float32], measured: NDArray[np.bool_]) -> None:
        values = np.where(measured, numbers, 0.0).astype(np.float64)
        self.count += measured.sum(axis=0)
        self.sum += values.sum(axis=0)
        self.squares += (values**2).sum(axis=0)

    def mean(self) -> tuple[float, ...]:
        return tuple((self.sum / np.maximum(self.count, 1)).tolist())

    def deviation(self) -> tuple[float, ...]:
        count = np.maximum(self.count, 1)
        spread = np.sqrt(np.maximum(self.squares / count - (self.sum / count) ** 2, 0.0))
        return tuple(float(value) if value > 1e-3 else 1.0 for value in spread)


def _chunks(source: PreparedSource, seed: int) -> Iterator[Prepared]:
    rows = np.arange(len(source))
    if len(rows) > _ENOUGH:
        rows = np.sort(shuffled(len(rows), seed, _PURPOSE)[:_ENOUGH])
    for start in range(0, len(rows), _CHUNK):
        yield source.take(rows[start : start + _CHUNK])
