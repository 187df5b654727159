"""The learning rate over the budget: up in a line, down along a cosine, at the end where the budget ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seston.training.settings import OptimiserSettings

__all__ = ["Budget", "learning_rate"]


@dataclass(frozen=True)
class Budget:
    """How long a training may last: steps, seconds, or both, whichever ends first."""

    steps: int | None
    seconds: float | None

    def progress(self, steps: int, seconds: float) -> float:
        """Say which share of the budget is used up, from 0 to 1."""
        by_steps = 0.0 if self.steps is None else steps / max(1, self.steps)
        by_seconds = 0.0 if self.seconds is None else seconds / max(1e-9, self.seconds)
        return min(1.0, max(by_steps, by_seconds))


def learning_rate(settings: OptimiserSettings, progress: float) -> float:
    """Give the learning rate at a share of the budget.

    It rises in a line from 1 % of its full value during the warm-up, then falls along half a cosine to `final_share`
    of it.
    """
    if progress < settings.warmup:
        share = 0.01 + 0.99 * progress / settings.warmup
    else:
        through = (progress - settings.warmup) / (1 - settings.warmup)
        share = settings.final_share + (1 - settings.final_share) * (1 + math.cos(math.pi * through)) / 2
    return settings.learning_rate * share
