"""Optimisers, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seston.training.settings import OptimiserSettings

__all__ = ["load_optimiser_tensors", "make_optimiser", "optimiser_tensors"]


def make_optimiser(
    model: nn.Module, settings: OptimiserSettings, rate_shares: Callable[[str], float] | None = None
) -> Optimizer:
    """Make the optimiser of a recipe; weight decay spares biases, norms and scales unless the recipe says otherwise.

    Parameters
    ----------
    model
        Of which the parameters that want a gradient are moved.
    settings
        Of the recipe.
    rate_shares
        Name of a parameter → share of the learning rate at which it moves; each group of the optimiser holds it under
        ``share``. Without it, there are two groups of full rate: what decays, and what does not.
    """
    members: dict[tuple[float, bool], list[nn.Parameter]] = {}
    if rate_shares is None:
        members = {(1.0, True): [], (1.0, False): []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            share = 1.0 if rate_shares is None else rate_shares(name)
            members.setdefault((share, settings.decay_all or parameter.ndim > 1), []).append(parameter)
    groups = [
        {"params": some, "weight_decay": settings.weight_decay if decays else 0.0, "share": share}
        for (share, decays), some in members.items()
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
