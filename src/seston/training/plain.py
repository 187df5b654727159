"""Particles as a model sees them, in arrays of NumPy: what a model that runs without torch is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.particle import Particle, Skipped
from seston.training.preparation import Preparation, prepare
from seston.training.prepared import Prepared
from seston.training.scaling import (
    centred_picture,
    image_size_numbers,
    in_range,
    profile_size_numbers,
    scaled_signal,
)

__all__ = ["PlainArrays", "make_arrays", "plain_arrays"]


@dataclass(frozen=True)
class PlainArrays:
    """The fields of `seston.models.Batch` but for the samples, which only losses look at; all float are float32."""

    image: NDArray[np.float32]
    image_size: NDArray[np.float32]
    image_present: NDArray[np.bool_]
    profile: NDArray[np.float32]
    channel_present: NDArray[np.bool_]
    profile_size: NDArray[np.float32]
    profile_present: NDArray[np.bool_]


def make_arrays(
    particles: Sequence[Particle], preparation: Preparation, *, skipped: list[Skipped] | None = None
) -> PlainArrays:
    """Turn particles into arrays for a model; see `seston.training.make_batch`, which gives the same as tensors."""
    return plain_arrays(prepare(particles, preparation, skipped=skipped), preparation)


def plain_arrays(prepared: Prepared, preparation: Preparation) -> PlainArrays:
    """Give prepared particles as they were measured, nothing left to chance."""
    has_channel = np.array(prepared.has_channel)
    totals, maxima = prepared.signal_total, prepared.signal_maximum
    picture = centred_picture(prepared.picture, prepared.background)
    return PlainArrays(
        image=in_range(picture, prepared.background, preparation),
        image_size=np.ascontiguousarray(image_size_numbers(prepared.picture_sizes, preparation), np.float32),
        image_present=np.array(prepared.has_picture),
        profile=scaled_signal(prepared.profile, has_channel, preparation),
        channel_present=has_channel,
        profile_size=np.ascontiguousarray(
            profile_size_numbers(prepared.profile_length, totals, maxima, has_channel, preparation), np.float32
        ),
        profile_present=np.array(prepared.has_profile),
    )
