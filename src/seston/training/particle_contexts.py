"""The contexts of particles: of records, and of those that a training chose from a data set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.models.contexts import Contexts, context_rows
from seston.particle import Particle
from seston.particle.placing import PLACE_COLUMNS, placed

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training.particles import Chosen

__all__ = ["chosen_contexts", "contexts_of"]

_AT_ONCE = 8192


def contexts_of(particles: Sequence[Particle]) -> Contexts:
    """Give the context of each particle, by what it says itself: see `seston.particle.placing.placed` for the rest.

    A value that cannot be true (flags ``position``, ``depth``, ``future``, ``clock``) counts as unknown. The depth is
    the middle of the two that are known, or the one.
    """
    latitude, longitude, depth = (np.full(len(particles), np.nan) for _ in range(3))
    time = np.full(len(particles), "NaT", "datetime64[us]")
    for row, particle in enumerate(particles):
        flags = particle.flags
        if particle.latitude is not None and particle.longitude is not None and "position" not in flags:
            latitude[row], longitude[row] = particle.latitude, particle.longitude
        depths = [metres for metres in (particle.depth_min_m, particle.depth_max_m) if metres is not None]
        if depths and "depth" not in flags:
            depth[row] = sum(depths) / len(depths)
        if particle.time is not None and "future" not in flags and "clock" not in flags:
            moment = particle.time if particle.time.tzinfo is None else particle.time.astimezone(UTC)
            time[row] = np.datetime64(moment.replace(tzinfo=None), "us")
    return context_rows(latitude, longitude, depth, time)


def chosen_contexts(data: DataSet, *parts: Chosen) -> list[Contexts]:
    """Give the contexts of the particles that a training chose, for each of its parts."""
    from seston.store import rows_to_particles

    samples = {sample.id: sample for sample in data.samples()}
    found = []
    for batch in data.particles(["id", "sample_id", *PLACE_COLUMNS], batch_size=_AT_ONCE):
        particles = rows_to_particles(batch)
        found.append(contexts_of([placed(one, samples.get(one.sample_id)) for one in particles]))
    every: NDArray[np.float64] = np.concatenate(found) if found else np.zeros((0, 6))
    return [every[part.rows] for part in parts]
