"""One step of learning names from labelled pictures."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from seston.models.class_losses import LossNumbers, class_loss, effective_number_weights
from seston.models.classifier import ClassifierModel
from seston.models.gather import gather_rows
from seston.models.low_rank import add_low_rank
from seston.models.rank_loss import rank_loss
from seston.models.shared_norm import share_batch_norms
from seston.training.augmentation import NoiseTable, augmented_batch
from seston.training.batches import Gathered, gather
from seston.training.checkpoint import Checkpoint
from seston.training.class_tree import ClassTree, class_tree
from seston.training.classifying import answered_classes
from seston.training.frozen_features import FrozenFeatures
from seston.training.held_out_answers import HeldOutAnswers, collect_answers
from seston.training.labelled import Labelled
from seston.training.layer_rates import freeze_layers, rate_shares, set_training
from seston.training.learning_state import copied_weights, learning_state, restore_learning
from seston.training.naming_scores import naming_scores
from seston.training.optimiser import make_optimiser
from seston.training.preparation import Preparation
from seston.training.processes import Processes
from seston.training.randomness import seed_of, uniforms
from seston.training.running_mean import RunningMean, running_mean
from seston.training.schedule import learning_rate
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource
from seston.training.stepping import check_loss, loss_scaler, precision_of, update_weights
from seston.training.supervised_settings import SupervisedSettings
from seston.training.tensors import plain_batch

__all__ = ["SupervisedLearner", "make_supervised_learner"]

_LOW_RANK, _VIEW = 0x10BA, 0x71E3


@dataclass
class SupervisedLearner:
    """A classifier that learns, with everything that changes while it does."""

    recipe: Recipe
    preparation: Preparation
    processes: Processes
    model: ClassifierModel
    average: ClassifierModel
    """Running mean of the weights: what is validated and kept."""
    labelled: Labelled
    tree: ClassTree
    optimiser: Optimizer
    noise: NoiseTable
    scaler: torch.amp.GradScaler
    frozen: FrozenFeatures | None = None
    """What a frozen tower found in all particles, instead of the tower."""
    best: dict[str, Tensor] = field(default_factory=dict)
    judged_by: str = "validation"

    @property
    def settings(self) -> SupervisedSettings:
        """The part of the recipe that this is about."""
        assert self.recipe.supervised is not None
        return self.recipe.supervised

    def step(self, batches: Sequence[Gathered], epoch: int, number: int, used: float) -> dict[str, float]:
        """Move the weights once, by the gradient of all the batches.

        Parameters and errors as for `seston.training.learner.Learner.step`.

        Returns
        -------
        dict
            ``learning_rate``, ``loss``, ``gradient_norm``, and ``accuracy``: the share of the particles that the head
            names right in these views.
        """
        rate = learning_rate(self.recipe.optimiser, used)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        torch.manual_seed(seed_of(self.recipe.seed, number, self.processes.rank))
        loss, right = 0.0, 0.0
        for gathered in batches:
            targets = self._targets(self.labelled.train, gathered)
            logits = self._logits(gathered, (self.recipe.seed, epoch))
            weights = self._weights(targets, used)
            whole = self.processes.sum_number(float(weights.sum()))
            part = (self.losses(logits, targets) * weights).sum() / (whole * len(batches))
            self.scaler.scale(part).backward()  # type: ignore[no-untyped-call]  # torch's own
            loss += self.processes.sum_number(float(part.detach()))
            named = self.processes.sum_number(float((logits.argmax(dim=1) == targets).sum()))
            right += named / (self.processes.sum_number(float(len(targets))) * len(batches))
            check_loss(loss, self.optimiser, number, batches)
        self.processes.sum_gradients(self.model)
        limit = self.recipe.optimiser.clip_norm
        norm = update_weights(self.model, self.optimiser, self.scaler, limit, number, batches)
        self._mean.follow(self.recipe.training.ema, number)
        return {"learning_rate": rate, "loss": loss, "accuracy": right, "gradient_norm": norm}

    @torch.no_grad()
    def validate(self, source: PreparedSource | None) -> dict[str, float] | None:
        """Name held-out particles, as they were measured, by the averaged weights.

        None where nothing was held out, or where the recipe keeps the last weights.

        Returns
        -------
        dict
            ``loss`` is what weights are compared by: the loss, or 1 - macro-F1. Beside it stand ``accuracy``,
            ``balanced_accuracy`` and ``macro_f1`` over the classes that were held out.
        """
        if source is None or self.settings.keep == "last":
            return None
        self.average.eval()
        parts = -(-len(source) // self.recipe.training.batch)
        named, losses = [], []
        for number, rows in enumerate(np.array_split(np.arange(len(source)), parts)):
            mine = np.array_split(rows, self.processes.count)[self.processes.rank]
            gathered = gather(source, mine, number)
            targets = self._targets(self.labelled.validation, gathered)
            logits = self._plain_logits(gathered)
            losses.append(gather_rows(self.losses(logits, targets)))
            named.append(gather_rows(torch.stack([targets, logits.argmax(dim=1)], dim=1)))
        targets, answers = torch.cat(named).cpu().numpy().T
        counted = ~self._left_out[targets]
        numbers = naming_scores(targets[counted], answers[counted])
        mean = float(torch.cat(losses).mean())
        by = 1 - numbers["macro_f1"] if self.settings.keep == "macro-f1" else mean
        return {"loss": by, "training_loss": mean, **numbers}

    @torch.no_grad()
    def held_out_answers(self, source: PreparedSource, flags: tuple[str, ...]) -> HeldOutAnswers:
        """Give what the averaged weights, as they are now, answer on held-out particles, as these were measured.

        Parameters
        ----------
        flags
            Of the training particles.
        """
        self.average.eval()

        def answer(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            gathered = gather(source, rows, 0)
            found = self._plain_logits(gathered).cpu().numpy()
            found[~np.asarray(gathered.prepared.has_picture)] = np.nan
            return np.asarray(found, np.float32)

        return collect_answers(answer, self.labelled.validation, flags)

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Compute the (B,) losses of a batch by (B, K) answers and (B,) classes."""
        settings, counts = self.settings.loss, self._counts(logits)
        logits = logits.float()
        if self.settings.head == "ranks":
            if settings.kind != "cross-entropy":
                strength = settings.strength if settings.kind == "logit-adjustment" else 1.0
                logits = logits + strength * (counts.clamp(min=1) / counts.clamp(min=1).sum()).log()
            members = torch.from_numpy(self.tree.members).to(logits.device)
            left_out = torch.from_numpy(self._left_out).to(logits.device)
            return rank_loss(logits, targets, members, left_out, self.settings.rank_weight)
        numbers = LossNumbers(
            smoothing=settings.smoothing,
            focus=settings.focus,
            focus_wrong=settings.focus_wrong,
            focus_right=settings.focus_right,
            margin=settings.margin,
            scale=self.settings.head_scale if self.settings.head == "cosine" else 1.0,
            strength=settings.strength,
        )
        return class_loss(settings.kind, logits, targets, counts, numbers)

    def keep_as_best(self) -> None:
        """Remember the averaged weights."""
        self.best = copied_weights(self.average)

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give all tensors that a checkpoint needs."""
        return learning_state(self.model, self.average, self.best, self.optimiser)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint."""
        device = self.processes.device
        self.best = restore_learning(checkpoint, self.model, self.average, self.optimiser, device)
        if checkpoint.position.loss_scale:
            self.scaler.load_state_dict(dict(checkpoint.position.loss_scale))

    @cached_property
    def _left_out(self) -> NDArray[np.bool_]:
        """(K,): classes that are no answer of their own, because finer ones stand below them."""
        return ~answered_classes(self.recipe, self.labelled.classes)

    def _targets(self, numbers: NDArray[np.int64], gathered: Gathered) -> Tensor:
        return torch.from_numpy(numbers[gathered.rows]).to(self.processes.device)

    def _counts(self, beside: Tensor) -> Tensor:
        return torch.tensor(self.labelled.classes.counts, dtype=torch.float32, device=beside.device)

    def _weights(self, targets: Tensor, used: float) -> Tensor:
        """Give the (B,) weights of particles: 1, or from a late step on those of their classes."""
        settings = self.settings.loss
        if used < settings.reweight_from or settings.reweight_from == 1:
            return torch.ones(len(targets), device=targets.device)
        return effective_number_weights(self._counts(targets), settings.effective_number)[targets]

    def _logits(self, gathered: Gathered, purpose: tuple[int, int]) -> Tensor:
        """Answer by a view of each particle."""
        device = self.processes.device
        if self.frozen is not None:
            drawn = uniforms(gathered.keys, 1, *purpose, _VIEW)[:, 0]
            return self._masked(self.model.logits(self.frozen.of_train(gathered.rows, drawn).to(device)))
        batch = augmented_batch(
            gathered.prepared,
            gathered.keys,
            gathered.sample,
            self.preparation,
            self.recipe.augmentation,
            self.noise,
            (*purpose, 0),
            device,
        )
        precision = precision_of(self.recipe, device.type)
        with torch.autocast(device.type, dtype=precision, enabled=precision != torch.float32):
            return self._masked(self.model.logits(self.model.features(batch)))

    def _plain_logits(self, gathered: Gathered) -> Tensor:
        device = self.processes.device
        if self.frozen is not None:
            return self._masked(self.average.logits(self.frozen.of_validation(gathered.rows).to(device)))
        batch = plain_batch(gathered.prepared, gathered.sample, self.preparation).to(device)
        precision = precision_of(self.recipe, device.type)
        with torch.autocast(device.type, dtype=precision, enabled=precision != torch.float32):
            return self._masked(self.average.logits(self.average.features(batch)))

    def _masked(self, logits: Tensor) -> Tensor:
        """Take the answers of classes away that are none of their own."""
        if not self._left_out.any():
            return logits.float()
        return logits.float().masked_fill(torch.from_numpy(self._left_out).to(logits.device), -torch.inf)

    @cached_property
    def _mean(self) -> RunningMean:
        return running_mean(self.average, self.model)


def make_supervised_learner(
    recipe: Recipe,
    preparation: Preparation,
    model: ClassifierModel,
    processes: Processes,
    labelled: Labelled,
    frozen: FrozenFeatures | None = None,
) -> SupervisedLearner:
    """Put a new classifier where it learns, with a running mean of it and an optimiser.

    Raises
    ------
    UsageError
        Layers that the tower does not have.
    """
    settings = recipe.supervised
    assert settings is not None
    if settings.low_rank is not None:
        low = settings.low_rank
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(recipe.seed, _LOW_RANK))
            add_low_rank(model.image_tower, low.layers, low.rank, low.alpha, low.dropout)
    freeze_layers(model.image_tower, settings, whole=frozen is not None)
    share_batch_norms(model)
    set_training(model, settings, whole=frozen is not None)
    model = model.to(processes.device)
    return SupervisedLearner(
        recipe=recipe,
        preparation=preparation,
        processes=processes,
        model=model,
        average=copy.deepcopy(model).requires_grad_(False),
        labelled=labelled,
        tree=class_tree(labelled.classes),
        optimiser=make_optimiser(
            model, recipe.optimiser, rate_shares(model, recipe.optimiser.tower_rate, settings.layer_decay)
        ),
        noise=NoiseTable(recipe.seed, processes.device),
        scaler=loss_scaler(recipe, processes.device.type),
        frozen=frozen,
    )
