"""Batches that are prepared in a second thread, one ahead of the model that takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from seston.particle import Particle

__all__ = ["prepared_ahead"]

Made = TypeVar("Made")


def prepared_ahead(
    particles: Iterable[Particle], make: Callable[[list[Particle]], Made], at_once: int
) -> Iterator[tuple[tuple[str, ...], Made]]:
    """Give the ids of some particles and what `make` made of them, in order.

    Decoders and the arithmetic of models let other threads run, so on two cores the next batch costs nothing.
    """
    source = iter(particles)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        waiting = None
        while part := list(islice(source, at_once)):
            following = tuple(particle.id for particle in part), pool.submit(make, part)
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = following
        if waiting is not None:
            yield waiting[0], waiting[1].result()
