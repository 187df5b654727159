"""The arithmetic from prepared numbers to what a model sees: logarithms, scales and standardised sizes.

Each function is written once for NumPy arrays and for tensors of torch: both know these operations by the same names.
So a model that runs without torch is shown exactly what it was trained with, and augmentations reckon on a GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from seston.training.preparation import Preparation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Numbers = TypeVar("Numbers", NDArray[Any], Tensor)
else:
    Numbers = TypeVar("Numbers")

__all__ = [
    "centred_picture",
    "image_size_numbers",
    "in_range",
    "profile_numbers",
    "profile_size_numbers",
    "scaled_signal",
]

_PAPER_SIDE = 224.0
_PAPER_LOG_MAXIMUM = 8.9211
_HALF_RANGE = 127.5
_FARTHEST = 10.0


def centred_picture(picture: Numbers, background: Numbers) -> Numbers:
    """Turn pixels into differences from the background: 0 is background, ±2 the whole range."""
    centred: Numbers = (_float(picture) - _float(background)[:, :, None, None]) / _HALF_RANGE
    return centred


def in_range(centred: Numbers, background: Numbers, preparation: Preparation) -> Numbers:
    """Leave a centred picture so, or give it its background back (black -1, white 1), as the recipe wants."""
    if preparation.pictures.centre == "background":
        return centred
    whole: Numbers = centred + _float(background)[:, :, None, None] / _HALF_RANGE - 1
    return whole


def scaled_signal(signal: Numbers, has_channel: Numbers, preparation: Preparation) -> Numbers:
    """Turn light into scaled logarithms; a missing channel gets the value of no light.

    The logarithm is ln(1 + x), mirrored below zero, where noise and the curvature channel go.
    """
    logs = _log(signal * has_channel[:, :, None])
    scaled: Numbers
    if preparation.profiles.scaling == "paper":
        scaled = 2 * logs / _PAPER_LOG_MAXIMUM - 1
    else:
        scaled = logs / _constants(preparation.channel_scale, logs)[None, :, None]
    return scaled


def image_size_numbers(sizes: Numbers, preparation: Preparation) -> Numbers:
    """Give the size numbers of pictures, standardised; an unknown pixel size counts as the mean one."""
    chosen: Numbers
    if preparation.sizes == "none":
        chosen = sizes[:, :0]
    elif preparation.sizes == "paper":
        chosen = _space(sizes).exp(sizes[:, [1, 0]]) / _PAPER_SIDE
    else:
        numbers = _standardise(sizes, preparation.image_size_mean, preparation.image_size_deviation)
        known = sizes[:, 6:7]
        chosen = _space(sizes).concatenate([numbers[:, :5], numbers[:, 5:6] * known, known], axis=1)
    return chosen


def profile_size_numbers(
    length: Numbers, totals: Numbers, maxima: Numbers, has_channel: Numbers, preparation: Preparation
) -> Numbers:
    """Give the size numbers of profiles: length, µm a sample, and each channel's total and maximum."""
    chosen: Numbers
    if preparation.sizes == "none":
        chosen = length[:, :0]
    elif preparation.sizes == "paper":
        chosen = length[:, :1] / _PAPER_SIDE
    else:
        raw, measured = profile_numbers(length, totals, maxima, has_channel)
        numbers = _standardise(raw, preparation.profile_size_mean, preparation.profile_size_deviation)
        chosen = _space(length).concatenate([numbers[:, :2], raw[:, 2:3], numbers[:, 3:]], axis=1) * measured
    return chosen


def profile_numbers(length: Numbers, totals: Numbers, maxima: Numbers, has_channel: Numbers) -> tuple[Numbers, Numbers]:
    """Give the size numbers of profiles before standardising, and which of them were measured, both (B, 3 + 2 C)."""
    space = _space(length)
    spacing = length[:, 1:2]
    known = space.isfinite(spacing)
    spacing = space.where(known, spacing, space.ones_like(spacing))
    parts = [space.log(length[:, :1]), space.log(spacing), _float(known), _log(totals), _log(maxima)]
    there = [space.ones_like(known), known, known, has_channel, has_channel]
    return space.concatenate(parts, axis=1), space.concatenate(there, axis=1)


def _log(signal: Numbers) -> Numbers:
    space = _space(signal)
    logs: Numbers = space.sign(signal) * space.log1p(space.abs(signal))
    return logs


def _standardise(numbers: Numbers, mean: Sequence[float], deviation: Sequence[float]) -> Numbers:
    even = (numbers - _constants(mean, numbers)) / _constants(deviation, numbers)
    kept: Numbers = _space(numbers).clip(even, -_FARTHEST, _FARTHEST)
    return kept


def _space(numbers: Any) -> Any:
    """Give the library that an array belongs to; it is loaded already."""
    return np if isinstance(numbers, np.ndarray) else sys.modules["torch"]


def _float(numbers: Numbers) -> Numbers:
    space = _space(numbers)
    converted: Numbers = space.asarray(numbers, dtype=space.float32)
    return converted


def _constants(values: Sequence[float], beside: Numbers) -> Numbers:
    """Give numbers as an array like another one, where that one lies."""
    space = _space(beside)
    where = {} if space is np else {"device": beside.device}
    made: Numbers = space.asarray(values, dtype=beside.dtype, **where)
    return made
