"""What every learner does with a loss: numbers of which precision, a step along the gradient, and whom to blame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim import Optimizer

from seston.errors import TrainingError
from seston.training.batches import Gathered
from seston.training.settings import Recipe

__all__ = ["check_loss", "has_bfloat16", "loss_scaler", "precision_of", "update_weights"]

_NAMED_AT_MOST = 10


def precision_of(recipe: Recipe, device: str) -> torch.dtype:
    """Give the type in which towers compute on a kind of device."""
    wanted = recipe.training.precision
    if wanted == "auto":
        wanted = "bfloat16" if has_bfloat16(device) else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]


def has_bfloat16(device: str) -> bool:
    """Tell whether bfloat16 is computed in the circuits: there it doubles the steps per second."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    abilities = torch.cpu.get_capabilities()
    return bool(device == "cpu" and (abilities.get("avx512_bf16") or abilities.get("amx_bf16")))


def loss_scaler(recipe: Recipe, device: str) -> torch.amp.GradScaler:
    """Make what keeps the small gradients of float16 above zero; it does nothing in other precisions."""
    return torch.amp.GradScaler(device, enabled=precision_of(recipe, device) == torch.float16)


def check_loss(loss: float, optimiser: Optimizer, number: int, batches: Sequence[Gathered]) -> None:
    """Stop where a loss is no number.

    Raises
    ------
    TrainingError
        Names the step and the particles that hold numbers which are not finite, or else those of the batch.
    """
    if not math.isfinite(loss):
        raise TrainingError(_complaint(f"the loss became {loss}", optimiser, number, batches))


def update_weights(
    model: nn.Module,
    optimiser: Optimizer,
    scaler: torch.amp.GradScaler,
    clip_norm: float,
    number: int,
    batches: Sequence[Gathered],
) -> float:
    """Take the step of the optimiser and clear the gradients; give the norm that the gradient had.

    Raises
    ------
    TrainingError
        The gradient is no number; as for `check_loss`.
    """
    scaler.unscale_(optimiser)
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm or math.inf))
    if not math.isfinite(norm) and not scaler.is_enabled():
        raise TrainingError(_complaint("the gradient became infinite", optimiser, number, batches))
    scaler.step(optimiser)
    scaler.update()
    optimiser.zero_grad(set_to_none=True)
    return norm


def _complaint(what: str, optimiser: Optimizer, number: int, batches: Sequence[Gathered]) -> str:
    """Name the particles whose numbers are not finite, or else the particles of the batch."""
    culprits = [_ids(batch, _finite(batch)) for batch in batches]
    bad = [name for names in culprits for name in names]
    if bad:
        return f"step {number + 1}: {what}; these particles hold numbers that are not finite: {_few(bad)}"
    names = [name for batch in batches for name in batch.ids]
    rate = optimiser.param_groups[0]["lr"]
    return f"step {number + 1}: {what} at learning rate {rate:.2g}; particles of the batch: {_few(names)}"


def _finite(batch: Gathered) -> NDArray[np.bool_]:
    """Tell for each particle whether all its numbers are finite."""
    prepared = batch.prepared
    tables = [prepared.picture_sizes, prepared.signal_total, prepared.signal_maximum]
    width = prepared.profile.shape[1] * prepared.profile.shape[2]
    flat = [prepared.profile.reshape(len(prepared), width), *tables]
    return np.asarray(np.isfinite(np.concatenate(flat, axis=1)).all(axis=1))


def _ids(batch: Gathered, finite: NDArray[np.bool_]) -> list[str]:
    return [name for name, good in zip(batch.ids, finite, strict=True) if not good]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(names[:_NAMED_AT_MOST]) + more
