"""One step of learning, and one validation: views, loss, gradient, weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from seston.errors import TrainingError
from seston.models import Batch, CrossModalModel, join_batches
from seston.training.augmentation import NoiseTable, augmented_batch
from seston.training.batches import Gathered, gather
from seston.training.checkpoint import Checkpoint
from seston.training.objective import Losses, total_loss
from seston.training.optimiser import load_optimiser_tensors, make_optimiser, optimiser_tensors
from seston.training.preparation import Preparation
from seston.training.processes import Processes
from seston.training.randomness import seed_of, uniforms
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource

__all__ = ["Learner", "make_learner"]

_HIDE = 0x41DE
_VALIDATION = 0x7A11D
_NAMED_AT_MOST = 10


@dataclass
class Learner:
    """A model that learns, with everything that changes while it does."""

    recipe: Recipe
    preparation: Preparation
    processes: Processes
    model: CrossModalModel
    average: CrossModalModel
    """Running mean of the weights: what is validated and kept."""
    optimiser: Optimizer
    noise: NoiseTable
    scaler: torch.amp.GradScaler
    best: dict[str, Tensor] = field(default_factory=dict)
    """Averaged weights at the lowest validation loss."""

    def step(self, batches: Sequence[Gathered], epoch: int, number: int, learning_rate: float) -> dict[str, float]:
        """Move the weights once, by the gradient of all the batches.

        Parameters
        ----------
        batches
            As many as the recipe accumulates.
        epoch
            Of the first batch; the views depend on it.
        number
            Of the step, from 0; dropout depends on it.
        learning_rate
            For this step.

        Returns
        -------
        dict
            ``loss`` and each of its terms, mean over the batches, and ``gradient_norm``.

        Raises
        ------
        TrainingError
            A loss or a gradient that is no number; the message names the particles.
        """
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        torch.manual_seed(seed_of(self.recipe.seed, number, self.processes.rank))
        means: dict[str, float] = {}
        for gathered in batches:
            losses = self._losses(self.model, gathered, (self.recipe.seed, epoch), hide=True)
            self.scaler.scale(losses.total / len(batches)).backward()  # type: ignore[no-untyped-call]  # torch's own
            loss = float(losses.total.detach())
            if not math.isfinite(loss):
                raise TrainingError(self._complaint(f"the loss became {loss}", number, batches))
            for name, value in {"loss": loss, **losses.terms}.items():
                means[name] = means.get(name, 0.0) + value / len(batches)
        self.processes.sum_gradients(self.model)
        means["gradient_norm"] = self._update(number, batches)
        self._average(number)
        return means

    @torch.no_grad()
    def validate(self, source: PreparedSource) -> dict[str, float]:
        """Compute the loss of the averaged weights on held-out particles, always with the same views."""
        self.average.eval()
        purpose = (self.recipe.seed, _VALIDATION)
        parts = -(-len(source) // self.recipe.training.batch)
        means: dict[str, float] = {}
        for number, rows in enumerate(np.array_split(np.arange(len(source)), parts)):
            mine = np.array_split(rows, self.processes.count)[self.processes.rank]
            losses = self._losses(self.average, gather(source, mine, number), purpose, hide=True)
            for name, value in {"loss": float(losses.total), **losses.terms}.items():
                means[name] = means.get(name, 0.0) + value * len(rows) / len(source)
        return means

    def keep_as_best(self) -> None:
        """Remember the averaged weights."""
        self.best = {name: tensor.detach().clone() for name, tensor in self.average.state_dict().items()}

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give all tensors that a checkpoint needs."""
        return {
            "model": dict(self.model.state_dict()),
            "average": dict(self.average.state_dict()),
            "best": self.best,
            "optimiser": optimiser_tensors(self.optimiser, self.model),
        }

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint."""
        self.model.load_state_dict(checkpoint.part("model"))
        self.average.load_state_dict(checkpoint.part("average"))
        self.best = {name: tensor.to(self.processes.device) for name, tensor in checkpoint.part("best").items()}
        load_optimiser_tensors(self.optimiser, self.model, checkpoint.part("optimiser"))
        if checkpoint.position.loss_scale:
            self.scaler.load_state_dict(dict(checkpoint.position.loss_scale))

    def _losses(self, model: CrossModalModel, gathered: Gathered, purpose: tuple[int, int], *, hide: bool) -> Losses:
        settings = self.recipe.loss
        views = [
            augmented_batch(
                gathered.prepared,
                gathered.keys,
                gathered.sample,
                self.preparation,
                self.recipe.augmentation,
                self.noise,
                (*purpose, view),
                self.processes.device,
            )
            for view in range(settings.views)
        ]
        batch = join_batches(views)
        hidden = self._hidden(gathered.keys, purpose, batch) if settings.fused and hide else (None, None)
        device = self.processes.device.type
        precision = _precision(self.recipe, device)
        with torch.autocast(device, dtype=precision, enabled=precision != torch.float32):
            encoded = model(batch, *hidden)
        return total_loss(model, encoded, batch, settings.views, settings)

    def _hidden(self, keys: NDArray[np.uint64], purpose: tuple[int, int], batch: Batch) -> tuple[Tensor, Tensor]:
        """Choose whose picture and whose profile the fused vector does without; never both, never the only one."""
        drawn = np.concatenate(
            [uniforms(keys, 1, *purpose, view, _HIDE)[:, 0] for view in range(self.recipe.loss.views)]
        )
        draw = torch.from_numpy(drawn).to(self.processes.device)
        share, both = self.recipe.loss.hide_share, batch.image_present & batch.profile_present
        return (draw < share) & both, (draw >= 1 - share) & both

    def _update(self, number: int, batches: Sequence[Gathered]) -> float:
        limit = self.recipe.optimiser.clip_norm or math.inf
        self.scaler.unscale_(self.optimiser)
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), limit))
        if not math.isfinite(norm) and not self.scaler.is_enabled():
            raise TrainingError(self._complaint("the gradient became infinite", number, batches))
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        return norm

    @torch.no_grad()
    def _average(self, number: int) -> None:
        """Move the running mean; it follows fast at first, when the weights are still far from anywhere."""
        decay = min(self.recipe.training.ema, (1 + number) / (10 + number)) if self.recipe.training.ema else 0.0
        for mean, weight in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(weight, 1 - decay)
        for kept, buffer in zip(self.average.buffers(), self.model.buffers(), strict=True):
            kept.copy_(buffer)

    def _complaint(self, what: str, number: int, batches: Sequence[Gathered]) -> str:
        """Name the particles whose numbers are not finite, or else the particles of the batch."""
        culprits = [_ids(batch, _finite(batch)) for batch in batches]
        bad = [name for names in culprits for name in names]
        if bad:
            return f"step {number + 1}: {what}; these particles hold numbers that are not finite: {_few(bad)}"
        names = [name for batch in batches for name in batch.ids]
        rate = self.optimiser.param_groups[0]["lr"]
        return f"step {number + 1}: {what} at learning rate {rate:.2g}; particles of the batch: {_few(names)}"


def make_learner(recipe: Recipe, preparation: Preparation, model: CrossModalModel, processes: Processes) -> Learner:
    """Put a new model where it learns, with a running mean of it and an optimiser."""
    model = model.to(processes.device)
    average = copy.deepcopy(model).requires_grad_(False)
    half = _precision(recipe, processes.device.type) == torch.float16
    return Learner(
        recipe=recipe,
        preparation=preparation,
        processes=processes,
        model=model,
        average=average,
        optimiser=make_optimiser(model, recipe.optimiser),
        noise=NoiseTable(recipe.seed, processes.device),
        scaler=torch.amp.GradScaler(processes.device.type, enabled=half),
    )


def _precision(recipe: Recipe, device: str) -> torch.dtype:
    wanted = recipe.training.precision
    if wanted == "auto":
        wanted = "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]


def _finite(batch: Gathered) -> NDArray[np.bool_]:
    """Tell for each particle whether all its numbers are finite."""
    prepared = batch.prepared
    tables = [prepared.picture_sizes, prepared.signal_total, prepared.signal_maximum]
    flat = [prepared.profile.reshape(len(prepared), -1), *tables]
    return np.asarray(np.isfinite(np.concatenate(flat, axis=1)).all(axis=1))


def _ids(batch: Gathered, finite: NDArray[np.bool_]) -> list[str]:
    return [name for name, good in zip(batch.ids, finite, strict=True) if not good]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(names[:_NAMED_AT_MOST]) + more
