"""Profiles of many particles with the same channels, end to end in one array, so that they are measured together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Pulses"]

Array = NDArray[np.float64]
Number = TypeVar("Number", np.float64, np.bool_)


@dataclass(frozen=True, slots=True)
class Pulses:
    """Profiles end to end. "Samples" are places along all of them, "particles" one value a particle."""

    signals: Array
    """Shape (channels, samples)."""
    starts: NDArray[np.int64]
    """Shape (particles,): where each profile begins."""
    counts: NDArray[np.int64]
    """Shape (particles,): samples of each profile, at least one."""
    index: Array
    """Shape (samples,): 0, 1, 2, … within each profile."""

    @classmethod
    def of(cls, profiles: Sequence[NDArray[np.floating]]) -> Pulses:
        """Lay profiles, each of shape (channels, samples) with at least one sample, end to end."""
        counts = np.array([profile.shape[1] for profile in profiles], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        signals = np.concatenate([np.asarray(profile, dtype=np.float64) for profile in profiles], axis=1)
        index = np.arange(signals.shape[1], dtype=np.float64) - np.repeat(starts, counts)
        return cls(signals, starts, counts, index)

    def rows(self, keep: Sequence[int] | NDArray[np.bool_]) -> Pulses:
        """Keep some channels."""
        return Pulses(np.ascontiguousarray(self.signals[keep]), self.starts, self.counts, self.index)

    @property
    def ends(self) -> NDArray[np.int64]:
        """Shape (particles,): the last sample of each profile."""
        return self.starts + self.counts - 1

    def along(self, values: Array | NDArray[np.int64]) -> Array:
        """Repeat one value a particle (last axis) for each of its samples."""
        return np.repeat(values, self.counts, axis=-1)

    def sums(self, samples: Array | NDArray[np.bool_]) -> Array:
        """Sum the samples (last axis) of each particle."""
        return np.asarray(np.add.reduceat(samples, self.starts, axis=-1, dtype=np.float64))

    def highest(self, samples: Array) -> Array:
        """Give the largest sample (last axis) of each particle."""
        return np.asarray(np.maximum.reduceat(samples, self.starts, axis=-1))

    def lowest(self, samples: Array) -> Array:
        """Give the smallest sample (last axis) of each particle."""
        return np.asarray(np.minimum.reduceat(samples, self.starts, axis=-1))

    def before(self, samples: NDArray[Number], at_start: float | bool) -> NDArray[Number]:
        """Give each sample's neighbour before it; a given value at the start of a profile."""
        moved = np.empty_like(samples)
        moved[..., 1:] = samples[..., :-1]
        moved[..., self.starts] = at_start
        return moved

    def after(self, samples: NDArray[Number], at_end: float | bool) -> NDArray[Number]:
        """Give each sample's neighbour after it; a given value at the end of a profile."""
        moved = np.empty_like(samples)
        moved[..., :-1] = samples[..., 1:]
        moved[..., self.ends] = at_end
        return moved
