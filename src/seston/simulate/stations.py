"""Made-up stations: where and when runs are measured, and how common each species is there and then."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from seston.errors import UsageError

__all__ = ["Station", "draw_stations"]

_FIRST = datetime(2025, 1, 1)
_YEAR_DAYS = 365
_NORTHMOST = 75.0
_REACH = 25.0
"""Degrees of latitude from its home at which a species is down to 61 % (e^-½), where the contrast is 1."""
_SEASON = 1.5
"""ln of how much commoner a species is on its best day than half a year later, halved, where the contrast is 1."""


@dataclass(frozen=True, slots=True)
class Station:
    """One place and moment of sampling."""

    name: str
    latitude: float
    longitude: float
    start: datetime
    """UTC."""

    def abundances(self, labels: Iterable[str], *, seed: int, contrast: float = 1.0) -> dict[str, float]:
        """Give the share of each label here and now.

        Each label has a latitude at which it is at home and a season in which it blooms, drawn from the seed and the
        label alone; neither says anything of what it looks like. Seasons turn round at the equator.

        Parameters
        ----------
        labels
            Species, or classes of pictures.
        seed
            The same seed gives a label the same home and bloom at all stations.
        contrast
            0: all labels are equally common everywhere and always; the larger, the more place and season matter.

        Returns
        -------
        dict
            Label → share; they add up to 1.
        """
        shares = {label: float(np.exp(contrast * self._fitness(label, seed))) for label in labels}
        if not shares:
            raise UsageError("stations: there is no label to say how common it is")
        total = sum(shares.values())
        return {label: share / total for label, share in shares.items()}

    def _fitness(self, label: str, seed: int) -> float:
        chance = np.random.default_rng((seed, zlib.crc32(label.encode("utf-8")), 1))
        home, bloom = chance.uniform(-_NORTHMOST, _NORTHMOST), chance.uniform()
        passed = (self.start - datetime(self.start.year, 1, 1)) / timedelta(days=_YEAR_DAYS)
        season = passed + (0.5 if self.latitude < 0 else 0.0)
        away = (self.latitude - home) / _REACH
        return float(_SEASON * np.cos(2 * np.pi * (season - bloom)) - away**2 / 2)


def draw_stations(count: int, *, seed: int) -> list[Station]:
    """Draw stations all over the globe and the year 2025, whatever lies there: the coasts do not matter here."""
    if count < 1:
        raise UsageError(f"stations is {count}: give 1 or more")
    chance = np.random.default_rng((seed, 0x57A7))
    return [
        Station(
            name=f"station{number:02d}",
            latitude=round(float(chance.uniform(-_NORTHMOST, _NORTHMOST)), 3),
            longitude=round(float(chance.uniform(-180, 180)), 3),
            start=_FIRST + timedelta(minutes=int(chance.integers(_YEAR_DAYS * 24 * 60))),
        )
        for number in range(1, count + 1)
    ]
