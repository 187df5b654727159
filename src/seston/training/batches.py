"""Which particles make which batch, and how batches are gathered ahead of the step that needs them.

The plan is a function of the seed alone: batch number m of a training always holds the same particles, so a training
can begin at any batch. Each epoch is a new order of all particles, cut into parts of nearly equal size, so that none is
left over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.training.prepared import Prepared
from seston.training.randomness import shuffled
from seston.training.sources import PreparedSource

__all__ = ["Gathered", "Plan", "drawn_by_weight", "gather", "gathered_batches"]


@dataclass(frozen=True)
class Plan:
    """The batches of a training, of which one process of several takes its share."""

    particles: int
    batch: int
    seed: int
    rank: int = 0
    processes: int = 1
    weights: NDArray[np.float64] | None = None
    """How often each particle comes, relative to the others; without it, each once an epoch."""

    @property
    def batches_per_epoch(self) -> int:
        """How many parts an epoch is cut into."""
        return -(-self.particles // self.batch)

    def rows(self, number: int) -> NDArray[np.int64]:
        """Give the particles of batch `number`, counted from the beginning of the training, of all processes."""
        epoch, place = divmod(number, self.batches_per_epoch)
        return np.array_split(self._order(epoch), self.batches_per_epoch)[place]

    def share(self, number: int) -> NDArray[np.int64]:
        """Give this process's consecutive share of batch `number`."""
        return np.array_split(self.rows(number), self.processes)[self.rank]

    def epoch(self, number: int) -> int:
        """Give the epoch that batch `number` belongs to."""
        return number // self.batches_per_epoch

    def _order(self, epoch: int) -> NDArray[np.int64]:
        order = _order(self.particles, self.seed, epoch)
        return order if self.weights is None else drawn_by_weight(order, self.weights)


def drawn_by_weight(order: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw as many particles as there are, each as often as its weight says, to the nearest whole number.

    Systematic sampling along a random order (Madow 1949): of n draws a particle of share w gets ⌊n w⌋ or ⌈n w⌉.

    Parameters
    ----------
    order
        All particles, shuffled.
    weights
        One a particle, none below 0.

    Returns
    -------
    array of int64
        As long as `order`, and shuffled by it.
    """
    reached = np.cumsum(weights[order])
    ticks = (np.arange(len(order)) + 0.5) * (reached[-1] / len(order))
    drawn: NDArray[np.int64] = order[np.minimum(np.searchsorted(reached, ticks, side="right"), len(order) - 1)]
    return drawn[order]


@dataclass(frozen=True)
class Gathered:
    """Particles of one batch, on their way to becoming views."""

    number: int
    ids: list[str]
    """For messages; no model sees them."""
    rows: NDArray[np.int64]
    """Numbers within the source."""
    prepared: Prepared
    keys: NDArray[np.uint64]
    sample: Tensor


def gathered_batches(source: PreparedSource, plan: Plan, start: int, workers: int) -> Generator[Gathered]:
    """Give the batches from number `start` on, without end, gathered by threads ahead of time and in order.

    Threads suffice: mapped files, decoders and tensor arithmetic all let other threads run, and unlike processes they
    need no copy of the data set and no start-up.
    """

    def share(number: int) -> Gathered:
        return gather(source, plan.share(number), number)

    waiting: deque[Future[Gathered]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="batches") as pool:
        try:
            while True:
                while len(waiting) <= workers:
                    waiting.append(pool.submit(share, start))
                    start += 1
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def gather(source: PreparedSource, rows: NDArray[np.int64], number: int) -> Gathered:
    """Take the particles of one batch."""
    chosen = source.chosen
    return Gathered(
        number=number,
        ids=[chosen.ids[row] for row in rows],
        rows=rows,
        prepared=source.take(rows),
        keys=chosen.keys[rows],
        sample=torch.from_numpy(chosen.sample[rows]),
    )


@lru_cache(maxsize=4)
def _order(particles: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return shuffled(particles, seed, epoch)
