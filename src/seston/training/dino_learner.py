"""One step of learning from pictures alone: a student reaches for what a teacher, its own running mean, says (DINO)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from seston.models.dino import DinoNetwork, ImageModel, dino_head, dino_loss
from seston.training.batches import Gathered
from seston.training.checkpoint import Checkpoint
from seston.training.dino_settings import DinoSettings
from seston.training.dino_views import large_and_small_views
from seston.training.learning_state import copied_weights, learning_state, restore_learning
from seston.training.optimiser import make_optimiser
from seston.training.preparation import Preparation
from seston.training.processes import Processes
from seston.training.randomness import seed_of
from seston.training.schedule import learning_rate
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource
from seston.training.stepping import check_loss, loss_scaler, precision_of, update_weights

__all__ = ["DinoLearner", "make_dino_learner"]

_HEADS = 0x4EAD


@dataclass
class DinoLearner:
    """A student and a teacher, with everything that changes while they learn."""

    recipe: Recipe
    preparation: Preparation
    processes: Processes
    student: DinoNetwork
    teacher: DinoNetwork
    """Running mean of the student: its tower and bottleneck are what is kept."""
    loss: Any
    """lightly's; its buffer `center` is the running mean of the teacher's answers."""
    optimiser: Optimizer
    scaler: torch.amp.GradScaler
    best: dict[str, Tensor] = field(default_factory=dict)
    judged_by: str = "epoch"
    _since: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Sum of the losses since the last judgement, and their number."""
    _held: list[float] = field(default_factory=lambda: [-1.0, 0.0])
    """The epoch, and the share of the budget that was used up when it began."""

    @property
    def settings(self) -> DinoSettings:
        """The part of the recipe that this is about."""
        assert self.recipe.dino is not None
        return self.recipe.dino

    @property
    def average(self) -> ImageModel:
        """What is kept: the teacher without its head."""
        return self.teacher.model

    def step(self, batches: Sequence[Gathered], epoch: int, number: int, used: float) -> dict[str, float]:
        """Move the student once by the gradient of all the batches, and the teacher after it.

        Parameters and errors as for `seston.training.learner.Learner.step`.

        Returns
        -------
        dict
            ``learning_rate``, ``loss``, ``gradient_norm``, where the three schedules stand, and ``spread``: the
            standard deviation of the teacher's answers over the particles, mean over prototypes; towards 0, the
            teacher says the same of every picture and nothing is learnt.
        """
        through = self._through(epoch, used)
        numbers = self._set_rates(through, used)
        torch.manual_seed(seed_of(self.recipe.seed, number, self.processes.rank))
        self.student.train()
        self.teacher.train()  # the head normalises over the batch at hand: it is no part of what is used later
        self.teacher.model.train(self.settings.teacher_mode == "training")
        loss = 0.0
        for gathered in batches:
            mean, spread = self._loss(gathered, epoch, numbers["teacher_temperature"])
            part = mean / len(batches)
            self.scaler.scale(part).backward()  # type: ignore[no-untyped-call]  # torch's own
            loss += self.processes.sum_number(float(part.detach()))
            check_loss(loss, self.optimiser, number, batches)
        self.student.head.cancel_last_layer_gradients(epoch)  # type: ignore[operator]  # lightly is untyped
        self.processes.sum_gradients(self.student)
        limit = self.recipe.optimiser.clip_norm
        norm = update_weights(self.student, self.optimiser, self.scaler, limit, number, batches)
        self._move_teacher(numbers["momentum"])
        self._since = [self._since[0] + loss, self._since[1] + 1]
        return {"loss": loss, "spread": spread, "gradient_norm": norm, **numbers}

    def validate(self, source: PreparedSource | None) -> dict[str, float] | None:
        """Give the mean training loss since the last call, where the recipe keeps weights by it; else None.

        The loss of DINO is no measure of what was learnt (a constant answer has a low one), so held-out particles
        are not looked at, and by default the last weights are kept.
        """
        total, steps = self._since
        self._since = [0.0, 0.0]
        return {"loss": total / steps} if self.settings.keep == "training-loss" and steps else None

    def keep_as_best(self) -> None:
        """Remember the teacher."""
        self.best = copied_weights(self.average)

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give all tensors that a checkpoint needs."""
        return learning_state(self.student, self.teacher, self.best, self.optimiser) | {
            "dino": {
                "centre": self.loss.center,
                "since": torch.tensor(self._since, dtype=torch.float64),
                "held": torch.tensor(self._held, dtype=torch.float64),
            },
        }

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint."""
        device = self.processes.device
        self.best = restore_learning(checkpoint, self.student, self.teacher, self.optimiser, device)
        own = checkpoint.part("dino")
        self.loss.center.copy_(own["centre"])
        self._since, self._held = own["since"].tolist(), own["held"].tolist()
        if checkpoint.position.loss_scale:
            self.scaler.load_state_dict(dict(checkpoint.position.loss_scale))

    def _loss(self, gathered: Gathered, epoch: int, temperature: float) -> tuple[Tensor, float]:
        """Compute this process's share of the batch's mean loss, and the spread of the teacher's answers."""
        device = self.processes.device
        large, small = large_and_small_views(
            gathered.prepared,
            gathered.keys,
            self.settings.views,
            self.recipe.pictures.centre,
            (self.recipe.seed, epoch),
            device,
        )
        precision = precision_of(self.recipe, device.type)
        with torch.autocast(device.type, dtype=precision, enabled=precision != torch.float32):
            with torch.no_grad():
                teacher = _answers(self.teacher, large)
            student = _answers(self.student, large) + (_answers(self.student, small) if small else [])
        whole = self.processes.sum_number(float(len(gathered.keys)))
        loss: Tensor = self.loss(teacher, student, teacher_temp=temperature)
        return loss * (len(gathered.keys) / whole), float(teacher[0].std(dim=0, correction=0).mean())

    def _through(self, epoch: int, used: float) -> float:
        """Give the share of the budget at which the schedules of DINO stand: now, or when the epoch began."""
        if self.settings.schedule == "step":
            return used
        if self._held[0] != epoch:
            self._held = [float(epoch), used]
        return self._held[1]

    def _set_rates(self, through: float, used: float) -> dict[str, float]:
        settings, optimiser = self.settings, self.recipe.optimiser
        rate = learning_rate(optimiser, used)
        decay = _cosine((optimiser.weight_decay, settings.final_weight_decay), through)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.param_groups[0]["weight_decay"] = decay  # the second group is spared
        warm, hot = settings.teacher_temperature
        share = min(1.0, through / settings.teacher_warmup) if settings.teacher_warmup else 1.0
        return {
            "learning_rate": rate,
            "weight_decay": decay,
            "momentum": _cosine(settings.momentum, through),
            "teacher_temperature": warm + (hot - warm) * share,
        }

    @torch.no_grad()
    def _move_teacher(self, momentum: float) -> None:
        for mean, weight in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            mean.lerp_(weight, 1 - momentum)
        if self.settings.teacher_mode == "evaluation":  # else the teacher gathers statistics of its own
            for kept, buffer in zip(self.teacher.buffers(), self.student.buffers(), strict=True):
                kept.copy_(buffer)


def make_dino_learner(recipe: Recipe, preparation: Preparation, model: ImageModel, processes: Processes) -> DinoLearner:
    """Put a new model where it learns as a student, with a teacher that begins as it does, and an optimiser.

    Raises
    ------
    MissingExtraError
        lightly is not installed.
    """
    settings = recipe.dino
    assert settings is not None
    pair = (model, copy.deepcopy(model))
    student, teacher = (DinoNetwork(one, _head(recipe, settings, which)) for which, one in enumerate(pair))
    if settings.teacher_head == "copy":
        teacher.head.load_state_dict(student.head.state_dict())
    student = student.to(processes.device)
    return DinoLearner(
        recipe=recipe,
        preparation=preparation,
        processes=processes,
        student=student,
        teacher=teacher.requires_grad_(False).to(processes.device),
        loss=dino_loss(settings.prototypes, settings.student_temperature, settings.centre_momentum).to(
            processes.device
        ),
        optimiser=make_optimiser(student, recipe.optimiser),
        scaler=loss_scaler(recipe, processes.device.type),
    )


def _head(recipe: Recipe, settings: DinoSettings, which: int) -> Any:
    """Make a head with random weights of its own, leaving torch's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(recipe.seed, _HEADS, which))
        return dino_head(
            recipe.model.embedding,
            settings.head_hidden,
            settings.head_narrow,
            settings.prototypes,
            settings.frozen_epochs,
            batch_norm=settings.head_batch_norm,
        )


def _answers(network: DinoNetwork, views: Sequence[Tensor]) -> list[Tensor]:
    """Show a network views of one size at once; give its answers view by view."""
    return list(network(torch.cat(list(views))).float().chunk(len(views)))


def _cosine(ends: tuple[float, float], through: float) -> float:
    """Go from one number to another along half a cosine."""
    return ends[1] + (ends[0] - ends[1]) * (1 + math.cos(math.pi * through)) / 2
