"""Prepared arrays as a batch of tensors."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.models.batch import Batch
from seston.training.plain import plain_arrays
from seston.training.preparation import Preparation
from seston.training.prepared import Prepared

__all__ = ["plain_batch", "to_tensor"]


def plain_batch(prepared: Prepared, sample: Tensor, preparation: Preparation) -> Batch:
    """Make a batch of particles as they were measured."""
    arrays = plain_arrays(prepared, preparation)
    return Batch(**{name: torch.from_numpy(array) for name, array in vars(arrays).items()}, sample=sample)


def to_tensor(array: NDArray[np.generic]) -> Tensor:
    """Give an array as a tensor of its own (a mapped file stays untouched)."""
    return torch.from_numpy(np.array(array))
