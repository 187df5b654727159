"""Batch norms whose statistics are those of the batches of all processes together, on a CPU as on a GPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn

from seston.models.gather import process_count

__all__ = ["SharedBatchNorm", "share_batch_norms", "sum_over_processes"]


def share_batch_norms(model: nn.Module) -> nn.Module:
    """Let all batch norms of a model look at the batches of all processes; names of weights stay as they are.

    torch's own `SyncBatchNorm` does so on GPUs alone. Where a process is alone, nothing is changed.
    """
    if process_count() == 1:
        return model
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, SharedBatchNorm(child))
    return model


class SharedBatchNorm(nn.Module):
    """In training, subtract the mean and divide by the deviation over all places of all particles of all processes.

    Ioffe and Szegedy 2015, algorithm 1 (arXiv 1502.03167). What timm's batch norms do afterwards (dropping, rectifying)
    is done here too.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, getattr(norm, name))
        self.epsilon, self.momentum = norm.eps, norm.momentum if norm.momentum is not None else 0.1
        self.drop, self.act = getattr(norm, "drop", nn.Identity()), getattr(norm, "act", nn.Identity())

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalise (B, C) or (B, C, H, W)."""
        mean, variance = self._statistics(inputs) if self.training else (self.running_mean, self.running_var)
        answer: Tensor = self.act(self.drop(self._normalised(inputs, mean, variance)))
        return answer

    def _normalised(self, inputs: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        shape = (1, -1, *[1] * (inputs.ndim - 2))
        factor = self.weight * (variance + self.epsilon).rsqrt()
        return (inputs - mean.reshape(shape)) * factor.reshape(shape) + self.bias.reshape(shape)

    def _statistics(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Give mean and variance of each channel, and move the running ones."""
        axes = [0, *range(2, inputs.ndim)]
        values = inputs.to(self.running_mean.dtype)
        count = sum_over_processes(values.new_tensor([inputs.numel() / inputs.shape[1]]))
        mean = sum_over_processes(values.sum(dim=axes)) / count
        apart = values - mean.reshape(1, -1, *[1] * (inputs.ndim - 2))
        variance = sum_over_processes(apart.square().sum(dim=axes)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
        return mean, variance


def sum_over_processes(numbers: Tensor) -> Tensor:
    """Add numbers up over all processes, with gradients: each process gets those of the sums of all."""
    if process_count() == 1:
        return numbers
    summed: Tensor = _Sum.apply(numbers)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return summed


class _Sum(torch.autograd.Function):
    """The sum over processes forwards, and backwards."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor) -> Tensor:
        summed = numbers.detach().clone()
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        summed = gradient.clone()
        distributed.all_reduce(summed)
        return summed
