"""What reaches a model: tensors and nothing else. No file name, id or label is among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

__all__ = ["Batch", "join_batches"]


@dataclass(frozen=True)
class Batch:
    """Particles, ready for a model; the first dimension of each tensor is the particle."""

    image: Tensor
    """(B, 1 or 3, S, S) float: the picture, padded to a square with its background."""
    image_size: Tensor
    """(B, k) float: how large picture and particle are, standardised logarithms."""
    image_present: Tensor
    """(B,) bool."""
    profile: Tensor
    """(B, C, T) float: scaled logarithm of the signal; a channel without signal has the value of zero light."""
    channel_present: Tensor
    """(B, C) bool."""
    profile_size: Tensor
    """(B, k) float: how long the profile is, and total and maximum of each channel, standardised logarithms."""
    profile_present: Tensor
    """(B,) bool."""
    sample: Tensor
    """(B,) int64: a number for the sample that each particle came from; only the losses look at it."""

    def __len__(self) -> int:
        return int(self.image.shape[0])

    def to(self, device: torch.device | str) -> Batch:
        """Move every tensor to a device."""
        return Batch(**{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})

    def __getitem__(self, rows: slice | Tensor) -> Batch:
        return Batch(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def join_batches(batches: Sequence[Batch]) -> Batch:
    """Put batches one after the other."""
    return Batch(**{f.name: torch.cat([getattr(b, f.name) for b in batches]) for f in fields(Batch)})
