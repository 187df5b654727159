"""Optimisers, and their state as named tensors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seston.training.settings import OptimiserSettings

__all__ = ["load_optimiser_tensors", "make_optimiser", "optimiser_tensors"]


def make_optimiser(model: nn.Module, settings: OptimiserSettings) -> Optimizer:
    """Make the optimiser of a recipe; weight decay spares biases, norms and scales unless the recipe says otherwise."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in trained if settings.decay_all or parameter.ndim > 1]
    spared = [parameter for parameter in trained if not (settings.decay_all or parameter.ndim > 1)]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    if settings.name == "sgd":
        nesterov = settings.momentum > 0
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, nesterov=nesterov)
    return torch.optim.AdamW(
        groups, lr=settings.learning_rate, betas=(settings.momentum, 0.999), fused=_can_fuse(model)
    )


def optimiser_tensors(optimiser: Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """Give the state of an optimiser as ``<parameter>:<key>`` → tensor."""
    tensors = {}
    for name, parameter in model.named_parameters():
        for key, value in optimiser.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{name}:{key}"] = value
    return tensors


def load_optimiser_tensors(optimiser: Optimizer, model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put a state back that `optimiser_tensors` gave."""
    parameters = dict(model.named_parameters())
    for name, tensor in tensors.items():
        parameter, _, key = name.rpartition(":")
        optimiser.state[parameters[parameter]][key] = tensor


def _can_fuse(model: nn.Module) -> bool:
    return all(parameter.device.type in ("cpu", "cuda") for parameter in model.parameters())
