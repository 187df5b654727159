"""Hand-made features in a training: which there are, and what they are for the particles that it needs them of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.features import Measures, find_measures
from seston.particle import Progress
from seston.training.particles import Chosen, take_particles
from seston.training.preparation import Preparation

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["measure_rows", "with_measures"]

_LOOKED_AT = 512
_AT_ONCE = 256


def with_measures(preparation: Preparation, data: DataSet, chosen: Chosen) -> Preparation:
    """Add the names of the features that training particles have, found among 512 of them spread evenly."""
    spread = chosen.rows[:: max(1, len(chosen) // _LOOKED_AT)]
    found = find_measures(take_particles(data, spread, listmode=True))
    return msgspec.structs.replace(preparation, measures=found)


def measure_rows(
    data: DataSet, rows: NDArray[np.int64], measures: Measures, say: Progress
) -> tuple[NDArray[np.float32], ...]:
    """Measure particles of a data set by row: tables of picture and of signal, without a table that has no column."""
    say.start("Measuring particles", len(rows))
    parts = []
    for start in range(0, len(rows), _AT_ONCE):
        some = take_particles(data, rows[start : start + _AT_ONCE], listmode=True)
        parts.append(measures(some))
        say.advance(len(some))
    say.finish()
    tables = [np.concatenate(tables) for tables in zip(*parts, strict=True)]
    return tuple(table for table in tables if table.shape[1])
