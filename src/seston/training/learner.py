"""One step of learning, and one validation: views, loss, gradient, weights."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from seston.models import Batch, CrossModalModel, Encoded, join_batches
from seston.training.augmentation import NoiseTable, augmented_batch
from seston.training.batches import Gathered, gather
from seston.training.checkpoint import Checkpoint
from seston.training.context_objective import ContextTargets, context_loss
from seston.training.frozen_features import FrozenFeatures
from seston.training.layer_rates import rate_shares
from seston.training.learning_state import copied_weights, learning_state, restore_learning
from seston.training.neighbourhood import Neighbourhood
from seston.training.objective import Losses, total_loss
from seston.training.optimiser import make_optimiser
from seston.training.preparation import Preparation
from seston.training.prepared import Prepared
from seston.training.processes import Processes
from seston.training.randomness import seed_of, uniforms
from seston.training.running_mean import RunningMean, running_mean
from seston.training.schedule import learning_rate
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource
from seston.training.stepping import check_loss, loss_scaler, precision_of, update_weights
from seston.training.tensors import plain_batch
from seston.training.text_naming import named_by_texts
from seston.training.text_objective import TextTargets, text_loss

__all__ = ["Learner", "make_learner"]

_HIDE = 0x41DE
_VALIDATION = 0x7A11D
_VIEW = 0x71E3


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
    neighbourhood: Neighbourhood | None = None
    """Where neighbours stand in for second views."""
    texts: TextTargets | None = None
    """What is said of the particles, where the recipe learns from texts."""
    frozen: FrozenFeatures | None = None
    """What the frozen part of the tower found in all pictures, instead of it."""
    contexts: ContextTargets | None = None
    """Where and when the particles were taken, where the recipe learns from contexts and there are any."""
    thawed: bool = True
    """Whether the blocks behind frozen ones learn by now."""
    best: dict[str, Tensor] = field(default_factory=dict)
    """Averaged weights at the lowest validation loss."""
    judged_by: str = "validation"

    def step(self, batches: Sequence[Gathered], epoch: int, number: int, used: float) -> dict[str, float]:
        """Move the weights once, by the gradient of all the batches.

        Parameters
        ----------
        batches
            As many as the recipe accumulates.
        epoch
            Of the first batch; the views depend on it.
        number
            Of the step, from 0; dropout depends on it.
        used
            Share of the budget that is used up; the learning rate depends on it.

        Returns
        -------
        dict
            ``learning_rate``, ``loss`` and each of its terms (mean over the batches), and ``gradient_norm``.

        Raises
        ------
        TrainingError
            A loss or a gradient that is no number; the message names the particles.
        """
        self.thawed = used >= self.recipe.training.thaw
        if self.neighbourhood is not None:
            self.neighbourhood.search_if_due(self.average, self.preparation, used, self.processes.device)
        rate = learning_rate(self.recipe.optimiser, used)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        torch.manual_seed(seed_of(self.recipe.seed, number, self.processes.rank))
        means: dict[str, float] = {}
        for gathered in batches:
            purpose = (self.recipe.seed, epoch)
            other = gathered if self.neighbourhood is None else self.neighbourhood.second(gathered, purpose)
            losses = self._losses(self.model, (gathered, other), purpose, hide=True)
            self.scaler.scale(losses.total / len(batches)).backward()  # type: ignore[no-untyped-call]  # torch's own
            loss = float(losses.total.detach())
            check_loss(loss, self.optimiser, number, batches)
            for name, value in {"loss": loss, **losses.terms}.items():
                means[name] = means.get(name, 0.0) + value / len(batches)
        self.processes.sum_gradients(self.model)
        limit = self.recipe.optimiser.clip_norm
        means["gradient_norm"] = update_weights(self.model, self.optimiser, self.scaler, limit, number, batches)
        self._mean.follow(self.recipe.training.ema, number)
        return {"learning_rate": rate, **means}

    @torch.no_grad()
    def validate(self, source: PreparedSource | None) -> dict[str, float] | None:
        """Compute the loss of the averaged weights on held-out particles, always with the same views.

        None where nothing was held out, and where neighbours teach, as losses before and after they do cannot be
        compared: then the last weights are the ones to keep.

        Returns
        -------
        dict
            ``loss`` is what weights are compared by, and with it stand its terms. Where a recipe keeps the weights that
            name best by texts, it is 1 - macro-F1, and the loss itself is called ``training_loss``.
        """
        if source is None or self.neighbourhood is not None:
            return None
        self.average.eval()
        purpose = (self.recipe.seed, _VALIDATION)
        parts = -(-len(source) // self.recipe.training.batch)
        means: dict[str, float] = {}
        for number, rows in enumerate(np.array_split(np.arange(len(source)), parts)):
            mine = np.array_split(rows, self.processes.count)[self.processes.rank]
            pair = (gather(source, mine, number),) * 2
            losses = self._losses(self.average, pair, purpose, hide=True, held_out=True)
            for name, value in {"loss": float(losses.total), **losses.terms}.items():
                means[name] = means.get(name, 0.0) + value * len(rows) / len(source)
        if self.texts is None or self.texts.settings.keep == "loss" or not (self.texts.validation >= 0).any():
            return means
        batch = self.recipe.training.batch
        scores = named_by_texts(self.average, self._looked_at, source, self.texts, self.processes, batch)
        return {**means, "training_loss": means["loss"], **scores, "loss": 1 - scores["macro_f1"]}

    def keep_as_best(self) -> None:
        """Remember the averaged weights."""
        self.best = copied_weights(self.average)

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give all tensors that a checkpoint needs."""
        neighbours = {} if self.neighbourhood is None else {"neighbours": self.neighbourhood.tensors()}
        return learning_state(self.model, self.average, self.best, self.optimiser) | neighbours

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint."""
        device = self.processes.device
        self.best = restore_learning(checkpoint, self.model, self.average, self.optimiser, device)
        if self.neighbourhood is not None:
            self.neighbourhood.restore(checkpoint.part("neighbours"))
        if checkpoint.position.loss_scale:
            self.scaler.load_state_dict(dict(checkpoint.position.loss_scale))

    def _losses(
        self,
        model: CrossModalModel,
        pair: tuple[Gathered, Gathered],
        purpose: tuple[int, int],
        *,
        hide: bool,
        held_out: bool = False,
    ) -> Losses:
        """Compute the loss of a batch; the second of the pair gives the second views."""
        settings = self.recipe.loss
        shown = pair[: settings.views]
        batch = join_batches(
            [self._view(gathered, (*purpose, view), held_out=held_out) for view, gathered in enumerate(shown)]
        )
        hidden = self._hidden(pair[0].keys, purpose, batch) if settings.fused and hide else (None, None)
        device = self.processes.device.type
        precision = precision_of(self.recipe, device)
        with torch.autocast(device, dtype=precision, enabled=precision != torch.float32):
            encoded = model(batch, *hidden)
            said = self._terms_beside(model, encoded, batch, pair[0], purpose, held_out=held_out)
        if self.neighbourhood is None:
            losses = total_loss(model, encoded, batch, settings.views, settings)
        else:
            rows = torch.from_numpy(np.concatenate([gathered.rows for gathered in shown])).to(self.processes.device)
            losses = total_loss(model, encoded, batch, settings.views, settings, rows, self.neighbourhood.alike)
        return losses.with_terms(said, settings) if said else losses

    def _looked_at(self, gathered: Gathered) -> tuple[Tensor, Tensor]:
        """Give vectors of held-out pictures as they were measured, by the averaged weights, and which there are."""
        if self.frozen is None:
            batch = plain_batch(gathered.prepared, gathered.sample, self.preparation).to(self.processes.device)
        else:
            batch = plain_batch(_without_pixels(gathered.prepared), gathered.sample, self.preparation)
            batch = replace(batch, image=self.frozen.of_validation(gathered.rows)).to(self.processes.device)
        device = self.processes.device.type
        precision = precision_of(self.recipe, device)
        with torch.autocast(device, dtype=precision, enabled=precision != torch.float32):
            return self.average(batch).image, batch.image_present

    def _view(self, gathered: Gathered, purpose: tuple[int, int, int], *, held_out: bool) -> Batch:
        """Make a view of each particle; a frozen tower has looked at its picture before."""
        prepared, keys = gathered.prepared, gathered.keys
        if self.frozen is not None:
            prepared = _without_pixels(prepared)
        batch = augmented_batch(
            prepared,
            keys,
            gathered.sample,
            self.preparation,
            self.recipe.augmentation,
            self.noise,
            purpose,
            self.processes.device,
        )
        if self.frozen is None:
            return batch
        whole = bool(self.frozen.blocks) and not self.thawed
        if held_out:
            found = self.frozen.of_validation(gathered.rows, whole=whole)
        else:
            found = self.frozen.of_train(gathered.rows, uniforms(keys, 1, *purpose, _VIEW)[:, 0], whole=whole)
        return replace(batch, image=found.to(self.processes.device))

    def _terms_beside(
        self,
        model: CrossModalModel,
        encoded: Encoded,
        batch: Batch,
        gathered: Gathered,
        purpose: tuple[int, int],
        *,
        held_out: bool,
    ) -> dict[str, Tensor]:
        """Compare what the first views are seen to be with what is said of their particles, and with their contexts."""
        weights, first, rows, keys = self.recipe.loss, slice(0, len(gathered.keys)), gathered.rows, gathered.keys
        seen = {"": (encoded.image, batch.image_present), "_profile": (encoded.profile, batch.profile_present)}
        terms = {}
        if self.texts is not None:
            taxa = (self.texts.validation if held_out else self.texts.train)[rows]
            for end, (vectors, present) in seen.items():
                if getattr(weights, f"text{end}"):
                    shown = vectors[first], present[first], taxa
                    terms[f"text{end}"] = text_loss(model, *shown, keys, self.texts, purpose)
        if self.contexts is not None:
            known = (self.contexts.validation if held_out else self.contexts.train)[rows]
            for end, (vectors, present) in seen.items():
                if getattr(weights, f"context{end}"):
                    placed = vectors[first], present[first], known, batch.sample[first]
                    terms[f"context{end}"] = context_loss(model, *placed, keys, self.contexts, purpose)
        return terms

    def _hidden(self, keys: NDArray[np.uint64], purpose: tuple[int, int], batch: Batch) -> tuple[Tensor, Tensor]:
        """Choose whose picture and whose profile the fused vector does without; never both, never the only one."""
        drawn = np.concatenate(
            [uniforms(keys, 1, *purpose, view, _HIDE)[:, 0] for view in range(self.recipe.loss.views)]
        )
        draw = torch.from_numpy(drawn).to(self.processes.device)
        share, both = self.recipe.loss.hide_share, batch.image_present & batch.profile_present
        return (draw < share) & both, (draw >= 1 - share) & both

    @cached_property
    def _mean(self) -> RunningMean:
        return running_mean(self.average, self.model)


def make_learner(
    recipe: Recipe,
    preparation: Preparation,
    model: CrossModalModel,
    processes: Processes,
    neighbourhood: Neighbourhood | None = None,
    texts: TextTargets | None = None,
    frozen: FrozenFeatures | None = None,
    contexts: ContextTargets | None = None,
) -> Learner:
    """Put a new model where it learns, with a running mean of it and an optimiser."""
    model = model.to(processes.device)
    share = recipe.optimiser.tower_rate
    shares = None if share == 1 else rate_shares(model, share)
    model.train()
    if recipe.model.image.frozen is True:
        model.image_tower.requires_grad_(False).eval()
    average = copy.deepcopy(model).requires_grad_(False)
    return Learner(
        recipe=recipe,
        preparation=preparation,
        processes=processes,
        model=model,
        average=average,
        optimiser=make_optimiser(model, recipe.optimiser, shares),
        noise=NoiseTable(recipe.seed, processes.device),
        scaler=loss_scaler(recipe, processes.device.type),
        neighbourhood=neighbourhood,
        texts=texts,
        frozen=frozen,
        contexts=contexts,
    )


def _without_pixels(prepared: Prepared) -> Prepared:
    """Leave one pixel of each picture, which nobody looks at."""
    return replace(prepared, picture=prepared.picture[:, :, :1, :1])
