"""Prepared arrays as a batch of tensors: logarithms, scales and standardised sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.models.batch import Batch
from seston.training.preparation import Preparation
from seston.training.prepared import Prepared

__all__ = [
    "centred_picture",
    "image_size_numbers",
    "in_range",
    "plain_batch",
    "profile_numbers",
    "profile_size_numbers",
    "scaled_signal",
    "to_tensor",
]

_PAPER_SIDE = 224.0
_PAPER_LOG_MAXIMUM = 8.9211
_HALF_RANGE = 127.5
_FARTHEST = 10.0


def plain_batch(prepared: Prepared, sample: Tensor, preparation: Preparation) -> Batch:
    """Make a batch of particles as they were measured."""
    has_channel = to_tensor(prepared.has_channel)
    signal = to_tensor(prepared.profile)
    totals, maxima = to_tensor(prepared.signal_total), to_tensor(prepared.signal_maximum)
    picture = centred_picture(to_tensor(prepared.picture), to_tensor(prepared.background))
    return Batch(
        image=in_range(picture, to_tensor(prepared.background), preparation),
        image_size=image_size_numbers(to_tensor(prepared.picture_sizes), preparation),
        image_present=to_tensor(prepared.has_picture),
        profile=scaled_signal(signal, has_channel, preparation),
        channel_present=has_channel,
        profile_size=profile_size_numbers(to_tensor(prepared.profile_length), totals, maxima, has_channel, preparation),
        profile_present=to_tensor(prepared.has_profile),
        sample=sample,
    )


def to_tensor(array: NDArray[np.generic]) -> Tensor:
    """Give an array as a tensor of its own (a mapped file stays untouched)."""
    return torch.from_numpy(np.array(array))


def centred_picture(picture: Tensor, background: Tensor) -> Tensor:
    """Turn pixels into differences from the background: 0 is background, ±2 the whole range."""
    return (picture.float() - background.float()[:, :, None, None]) / _HALF_RANGE


def in_range(centred: Tensor, background: Tensor, preparation: Preparation) -> Tensor:
    """Leave a centred picture so, or give it its background back (black -1, white 1), as the recipe wants."""
    if preparation.pictures.centre == "background":
        return centred
    return centred + background.float()[:, :, None, None] / _HALF_RANGE - 1


def scaled_signal(signal: Tensor, has_channel: Tensor, preparation: Preparation) -> Tensor:
    """Turn light into scaled logarithms; a missing channel gets the value of no light.

    The logarithm is ln(1 + x), mirrored below zero, where noise and the curvature channel go.
    """
    logs = _log(signal * has_channel[:, :, None])
    if preparation.profiles.scaling == "paper":
        return 2 * logs / _PAPER_LOG_MAXIMUM - 1
    scale = torch.tensor(preparation.channel_scale, dtype=logs.dtype, device=logs.device)
    return logs / scale[None, :, None]


def image_size_numbers(sizes: Tensor, preparation: Preparation) -> Tensor:
    """Give the size numbers of pictures, standardised; an unknown pixel size counts as the mean one."""
    if preparation.sizes == "none":
        return sizes[:, :0]
    if preparation.sizes == "paper":
        return sizes[:, [1, 0]].exp() / _PAPER_SIDE
    numbers = _standardise(sizes, preparation.image_size_mean, preparation.image_size_deviation)
    known = sizes[:, 6:7]
    return torch.cat([numbers[:, :5], numbers[:, 5:6] * known, known], dim=1)


def profile_size_numbers(
    length: Tensor, totals: Tensor, maxima: Tensor, has_channel: Tensor, preparation: Preparation
) -> Tensor:
    """Give the size numbers of profiles: length, µm a sample, and each channel's total and maximum."""
    if preparation.sizes == "none":
        return length[:, :0]
    if preparation.sizes == "paper":
        return length[:, :1] / _PAPER_SIDE
    raw, measured = profile_numbers(length, totals, maxima, has_channel)
    numbers = _standardise(raw, preparation.profile_size_mean, preparation.profile_size_deviation)
    numbers = torch.cat([numbers[:, :2], raw[:, 2:3], numbers[:, 3:]], dim=1)
    return numbers * measured


def profile_numbers(length: Tensor, totals: Tensor, maxima: Tensor, has_channel: Tensor) -> tuple[Tensor, Tensor]:
    """Give the size numbers of profiles before standardising, and which of them were measured, both (B, 3 + 2 C)."""
    spacing = length[:, 1:2]
    known = spacing.isfinite()
    spacing = torch.where(known, spacing, 1.0)
    raw = torch.cat([length[:, :1].log(), spacing.log(), known.float(), _log(totals), _log(maxima)], dim=1)
    return raw, torch.cat([torch.ones_like(known), known, known, has_channel, has_channel], dim=1)


def _log(signal: Tensor) -> Tensor:
    return signal.sign() * signal.abs().log1p()


def _standardise(numbers: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    centre = torch.tensor(mean, dtype=numbers.dtype, device=numbers.device)
    width = torch.tensor(deviation, dtype=numbers.dtype, device=numbers.device)
    return ((numbers - centre) / width).clamp(-_FARTHEST, _FARTHEST)
