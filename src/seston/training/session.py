"""The course of a training: steps until the budget is used up, with validations, checkpoints and a way to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.errors import UsageError
from seston.particle import Progress
from seston.training.batches import Gathered, Plan, gathered_batches
from seston.training.checkpoint import Checkpoint, Position, last_checkpoint, save_checkpoint
from seston.training.metrics import Metrics
from seston.training.processes import Processes
from seston.training.schedule import Budget
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource
from seston.training.threads import ThreadChoice

__all__ = ["Learns", "Session"]

_LOG_EVERY = 10


class Learns(Protocol):
    """What a session needs of a learner."""

    judged_by: str
    """Word before the names of what `validate` gives."""
    best: dict[str, Tensor]
    """The weights to keep, once there are any."""

    @property
    def recipe(self) -> Recipe:
        """What it was asked to do."""
        ...

    @property
    def processes(self) -> Processes:
        """Those that learn together."""
        ...

    @property
    def scaler(self) -> torch.amp.GradScaler:
        """What keeps small gradients above zero; its state is part of a position."""
        ...

    def step(self, batches: Sequence[Gathered], epoch: int, number: int, used: float) -> dict[str, float]:
        """Move the weights once; give the numbers of this step, ``loss`` among them."""
        ...

    def validate(self, source: PreparedSource | None) -> dict[str, float] | None:
        """Give the ``loss`` by which weights are compared, or None where the last ones are the ones to keep."""
        ...

    def keep_as_best(self) -> None:
        """Remember the weights as they are."""
        ...

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give all tensors that a checkpoint needs."""
        ...

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint."""
        ...


@dataclass
class Session:
    """A training between its beginning and its end."""

    learner: Learns
    train: PreparedSource
    validation: PreparedSource | None
    folder: Path
    started: float
    """What `clock` said when the user called."""
    say: Progress
    clock: Callable[[], float] = time.monotonic
    """Gives seconds; a budget in minutes ends by it."""
    weights: NDArray[np.float64] | None = None
    """How often each training particle comes; without it, each once an epoch."""
    position: Position = field(init=False)
    plan: Plan = field(init=False)
    metrics: Metrics = field(init=False)
    _before: float = field(init=False, default=0.0)
    _saved: float = field(init=False, default=0.0)

    def learn(self) -> Position:
        """Take steps until the budget is used up or nothing gets better; then give where the training stands."""
        settings, processes = self.learner.recipe.training, self.learner.processes
        self.position = self._restored()
        self._before = self.position.seconds
        self._saved = time.monotonic()
        seed, alike = self.learner.recipe.seed, (processes.rank, processes.count)
        self.plan = Plan(len(self.train), settings.batch, seed, *alike, self.weights)
        board = settings.tensorboard and processes.first
        first_batch = self.position.step * settings.accumulation
        batches = gathered_batches(self.train, self.plan, first_batch, settings.workers)
        with Metrics(self.folder, self.position.metrics_bytes, tensorboard=board, active=processes.first) as metrics:
            self.metrics = metrics
            try:
                self._take_steps(batches)
            finally:
                batches.close()
            self._validate()
        if not self.position.step:
            self.say.note("the budget ended before the first step: the weights are untrained; give it more minutes")
        self.position.seconds = self._seconds()
        return self.position

    def _take_steps(self, batches: Iterator[Gathered]) -> None:
        recipe, budget = self.learner.recipe, self._budget()
        self.say.start("Training", budget.steps if budget.steps is not None else budget.seconds)
        self.say.advance(self.position.step if budget.steps is not None else self._seconds())
        choice = self._thread_choice(budget)
        with _interrupts() as interrupted, _own_threads():
            while True:
                used, stop = self.learner.processes.agree(
                    budget.progress(self.position.step, self._seconds()), float(interrupted())
                )
                if used >= 1 or self._gets_no_better():
                    break
                if stop:
                    self._save()
                    raise KeyboardInterrupt
                before = self._seconds()
                torch.set_num_threads(choice.threads())
                group = [next(batches) for _ in range(recipe.training.accumulation)]
                epoch = self.plan.epoch(group[0].number)
                numbers = self.learner.step(group, epoch, self.position.step, used)
                self.position.step += 1
                choice.took(self._seconds() - before)
                self._after_step({"epoch": epoch, **numbers})
                done = 1 if budget.steps is not None else self._seconds() - before
                self.say.advance(done, f"loss {numbers['loss']:.3f}")
        self.say.finish()

    def _after_step(self, numbers: dict[str, float]) -> None:
        """Write down, validate and save, each when it is due."""
        settings, position = self.learner.recipe.training, self.position
        if position.step % _LOG_EVERY == 0 or position.step == 1:
            self.metrics.write(position.step, numbers | {"seconds": round(self._seconds(), 3)})
        batches = position.step * settings.accumulation
        new_epoch = self.plan.epoch(batches) > self.plan.epoch(batches - settings.accumulation)
        if new_epoch and position.step - position.validated_step >= settings.validation_steps:
            self._validate()
        by_steps = settings.checkpoint_steps and position.step % settings.checkpoint_steps == 0
        if by_steps or time.monotonic() - self._saved > 60 * settings.checkpoint_minutes:
            self._save()

    def _validate(self) -> None:
        """Let the learner judge its weights and remember them if they are the best so far."""
        position = self.position
        if self.learner.best and position.validated_step == position.step:
            return
        numbers = self.learner.validate(self.validation)
        if numbers is None:
            self.learner.keep_as_best()
            position.validated_step = position.best_step = position.step
            return
        self.metrics.write(position.step, numbers, prefix=f"{self.learner.judged_by}_")
        if position.best is None or numbers["loss"] < position.best:
            position.best, position.best_step, position.epochs_without_better = numbers["loss"], position.step, 0
            self.learner.keep_as_best()
        else:
            batches = (position.step - position.validated_step) * self.learner.recipe.training.accumulation
            position.epochs_without_better += max(1, batches // self.plan.batches_per_epoch)
        position.validated_step = position.step

    def _gets_no_better(self) -> bool:
        patience = self.learner.recipe.training.patience
        return patience > 0 and self.position.epochs_without_better >= patience

    def _thread_choice(self, budget: Budget) -> ThreadChoice:
        every = torch.get_num_threads()
        by_the_clock = budget.steps is None and self.learner.processes.device.type == "cpu"
        return ThreadChoice((every, 1) if by_the_clock and every > 1 else (every,))

    def _budget(self) -> Budget:
        settings = self.learner.recipe.training
        batches = settings.epochs * self.plan.batches_per_epoch
        steps = -(-batches // settings.accumulation) if settings.epochs else None
        return Budget(steps, 60 * settings.minutes if settings.minutes else None)

    def _seconds(self) -> float:
        """Give the time spent so far, over all interruptions."""
        return self._before + self.clock() - self.started

    def _save(self) -> None:
        self._saved = time.monotonic()
        if not self.learner.processes.first:
            return
        self.position.seconds = self._seconds()
        self.position.metrics_bytes = self.metrics.bytes_written()
        self.position.particles = self.train.chosen.fingerprint()
        self.position.loss_scale = self.learner.scaler.state_dict()
        save_checkpoint(self.folder / "state", self.position, self.learner.parts())

    def _restored(self) -> Position:
        """Put the learner back to the last checkpoint, if there is one."""
        checkpoint = last_checkpoint(self.folder / "state")
        if checkpoint is None:
            return Position()
        if checkpoint.position.particles != self.train.chosen.fingerprint():
            raise UsageError(
                f"{self.folder}: was begun with other particles (the data set or the split has changed since); "
                "train into another folder"
            )
        self.learner.restore(checkpoint)
        return checkpoint.position


@contextmanager
def _own_threads() -> Iterator[None]:
    """Leave torch's number of threads to the caller as it was."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish that is granted between two steps; the second one stops at once."""
    wished = threading.Event()

    def wish(number: int, frame: object) -> None:
        if wished.is_set():
            raise KeyboardInterrupt
        wished.set()

    if threading.current_thread() is not threading.main_thread():
        yield wished.is_set
        return
    former = signal.signal(signal.SIGINT, wish)
    try:
        yield wished.is_set
    finally:
        signal.signal(signal.SIGINT, former)
