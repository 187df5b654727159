"""What every training keeps in a checkpoint: weights, their running mean, the best of it, and the optimiser's state."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seston.training.checkpoint import Checkpoint
from seston.training.optimiser import load_optimiser_tensors, optimiser_tensors

__all__ = ["copied_weights", "learning_state", "restore_learning"]


def copied_weights(model: nn.Module) -> dict[str, Tensor]:
    """Give the weights of a model as they are now, whatever becomes of it."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def learning_state(
    model: nn.Module, average: nn.Module, best: Mapping[str, Tensor], optimiser: Optimizer
) -> dict[str, dict[str, Tensor]]:
    """Give the tensors of a checkpoint, by part."""
    return {
        "model": dict(model.state_dict()),
        "average": dict(average.state_dict()),
        "best": dict(best),
        "optimiser": optimiser_tensors(optimiser, model),
    }


def restore_learning(
    checkpoint: Checkpoint, model: nn.Module, average: nn.Module, optimiser: Optimizer, device: torch.device
) -> dict[str, Tensor]:
    """Put back what `learning_state` gave, and give the best weights so far, on a device."""
    model.load_state_dict(checkpoint.part("model"))
    average.load_state_dict(checkpoint.part("average"))
    load_optimiser_tensors(optimiser, model, checkpoint.part("optimiser"))
    return {name: tensor.to(device) for name, tensor in checkpoint.part("best").items()}
