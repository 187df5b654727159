"""When a particle is called *unknown* instead of by the likeliest label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seston.errors import UsageError
from seston.recognition.calibration import Calibration, score_for

__all__ = ["NONE", "UNKNOWN", "Caution"]

UNKNOWN = "unknown"
"""The name of a particle that looks like none of the gallery's labels, or like several."""


@dataclass(frozen=True, slots=True)
class Caution:
    """When a particle is to be called ``unknown`` instead of by the likeliest label."""

    threshold: float | None = None
    """Where its score is lower."""
    precision: float | None = None
    """Where its score is one from which on fewer than this share of names was right within the gallery."""
    unfamiliar: float | None = None
    """Where it is less familiar than all but this share of the gallery's own particles."""

    def __post_init__(self) -> None:
        for what, value in (("threshold", self.threshold), ("precision", self.precision)):
            if value is not None and not 0 <= value <= 1:
                raise UsageError(f"{what} is {value}: give a share from 0 to 1")
        if self.unfamiliar is not None and not 0 <= self.unfamiliar < 1:
            raise UsageError(f"unfamiliar is {self.unfamiliar}: give a share from 0 to below 1, such as 0.05")

    def lowest(self, calibrations: Sequence[Calibration]) -> float:
        """Give the score below which particles of some routes are unknown; infinite where none keeps the promise."""
        lowest = self.threshold or 0.0
        if self.precision is None:
            return lowest
        scores = [score_for(learnt, self.precision) for learnt in calibrations]
        return max(lowest, *(float("inf") if score is None else score for score in scores))


NONE = Caution()
"""Every particle gets a name."""
