"""Hand-made features beside learned ones: what a run's preparation names is measured on each particle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from seston.features import Measures
from seston.particle import Particle
from seston.recognition.embeddings import Embeddings

if TYPE_CHECKING:
    from seston.training.preparation import Preparation

__all__ = ["measuring"]


@contextmanager
def measuring(particles: Sequence[Particle], preparation: Preparation) -> Iterator[Callable[[Embeddings], Embeddings]]:
    """Measure particles while a model looks at them.

    Gives what puts the features that the preparation names beside the model's embeddings of these particles, in their
    order; it leaves these as they are where the preparation names none.
    """
    measures = preparation.measures
    if not isinstance(measures, Measures):
        yield lambda found: found
        return
    with ThreadPoolExecutor(1, thread_name_prefix="measuring") as pool:
        asked = pool.submit(measures, particles)

        def beside(found: Embeddings) -> Embeddings:
            image, profile = asked.result()
            image[~found.has_image], profile[~found.has_profile] = 0, 0
            return replace(found, measured_image=image, measured_profile=profile)

        yield beside
