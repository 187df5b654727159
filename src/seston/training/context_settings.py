"""The part of a recipe that says how a training learns from contexts; readable without torch."""

from __future__ import annotations

import msgspec

__all__ = ["ContextPreparation", "ContextSettings"]


class ContextSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When two contexts contradict each other, and how much a training blurs them; `loss.context` is the weight."""

    apart_km: float = 200.0
    """Positions further apart than this contradict each other."""
    apart_days: float = 20.0
    """So do times of the year, whatever the year."""
    apart_hours: float = 3.0
    """So do times of the day, by the sun."""
    apart_depth: float = 1.0
    """So do depths whose ln(1 + metres) differ by more."""
    jitter: float = 0.25
    """Standard deviation of the noise on each, as a share of these: a context tells no single sample."""
    hide: float = 0.2
    """Probability that a context keeps its position, its season, its hour or its depth to itself in a training."""
    prior: float = 0.0
    """How much place and season weigh when a gallery names particles; 0: not at all, 1: as much as they say."""

    def __post_init__(self) -> None:
        if min(self.apart_km, self.apart_days, self.apart_hours, self.apart_depth) <= 0:
            raise ValueError("apart_km, apart_days, apart_hours and apart_depth must be above 0")
        if self.jitter < 0 or self.prior < 0 or not 0 <= self.hide < 1:
            raise ValueError("jitter and prior must be 0 or more, hide a share from 0 to below 1")


class ContextPreparation(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a run's preparation that is about contexts."""

    parts: tuple[str, ...]
    """What the contexts of the training said: of `seston.models.contexts.PARTS`."""
    particles: int
    """Training particles with a place or a season."""
    samples: int
    """From so many samples."""
