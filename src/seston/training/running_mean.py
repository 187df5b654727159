"""A running mean of a model's weights: what is validated and kept."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["RunningMean", "running_mean"]


@dataclass(frozen=True)
class RunningMean:
    """Tensors of a model, each beside the one that follows it.

    They are looked up once: to walk through a deep model takes longer than to move its weights.
    """

    weights: tuple[tuple[Tensor, Tensor], ...]
    """(mean, weight) of what is learned."""
    buffers: tuple[tuple[Tensor, Tensor], ...]
    """(copy, buffer), which the mean has as they are."""

    @torch.no_grad()
    def follow(self, ema: float, number: int) -> None:
        """Move the mean after a step; it follows fast at first, when the weights are still far from anywhere.

        Parameters
        ----------
        ema
            How much of the mean stays in the long run; 0 keeps the weights themselves.
        number
            Of the step, from 0.
        """
        share = 1 - min(ema, (1 + number) / (10 + number)) if ema else 1.0
        for mean, weight in self.weights:
            mean.lerp_(weight, share)
        for copy, buffer in self.buffers:
            copy.copy_(buffer)


def running_mean(average: nn.Module, model: nn.Module) -> RunningMean:
    """Let one model follow another of the same build; weights that are not learned have to be equal already."""
    return RunningMean(
        tuple(
            (mean, weight)
            for mean, weight in zip(average.parameters(), model.parameters(), strict=True)
            if weight.requires_grad
        ),
        tuple(zip(average.buffers(), model.buffers(), strict=True)),
    )
