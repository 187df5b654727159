"""Which features a set of particles has, and how others are measured by the same ones in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from seston.features.table import FeatureTable, feature_blocks
from seston.particle import Particle

__all__ = ["Measures", "find_measures"]

_AT_ONCE = 256
_PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Measures:
    """Names of features, each with its block before it: ``pulse: FL Red total``."""

    picture: tuple[str, ...]
    """Measured on the picture."""
    signal: tuple[str, ...]
    """Measured on profile and listmode."""

    def __call__(self, particles: Sequence[Particle]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Measure particles.

        Returns
        -------
        (picture, signal)
            One row a particle, one column a feature; NaN where a particle does not have it.
        """
        table = feature_blocks(particles)
        columns = {name: values for (_, name), values in zip(_columns(table), table.values.T, strict=True)}
        return (
            _in_order(columns, self.picture, len(particles)),
            _in_order(columns, self.signal, len(particles)),
        )


def find_measures(particles: Iterable[Particle]) -> Measures:
    """Learn from some particles which features there are, in the order in which they are met."""
    picture: dict[str, None] = {}
    signal: dict[str, None] = {}
    source = iter(particles)
    while part := list(islice(source, _AT_ONCE)):
        for block, name in _columns(feature_blocks(part)):
            (picture if block == _PICTURE else signal)[name] = None
    return Measures(tuple(picture), tuple(signal))


def _columns(table: FeatureTable) -> list[tuple[str, str]]:
    """Name each column with its block, as a name may stand in two."""
    return [(block, f"{block}: {name}") for block, name in zip(table.blocks, table.names, strict=True)]


def _in_order(columns: Mapping[str, NDArray[np.float32]], names: Sequence[str], particles: int) -> NDArray[np.float32]:
    table = np.full((particles, len(names)), np.nan, np.float32)
    for place, name in enumerate(names):
        if name in columns:
            table[:, place] = columns[name]
    return table
