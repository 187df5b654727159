"""Hand-made features beside learned ones: what a run's preparation names is measured on each particle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from seston.features import Measures
from seston.particle import Particle
from seston.recognition.embeddings import Embeddings

if TYPE_CHECKING:
    from seston.training.preparation import Preparation

__all__ = ["beside_measured"]


def beside_measured(found: Embeddings, particles: Sequence[Particle], preparation: Preparation) -> Embeddings:
    """Give embeddings with the features that the preparation names; as they are where it names none.

    Parameters
    ----------
    found
        Of the particles, in their order.
    """
    if not isinstance(preparation.measures, Measures):
        return found
    image, profile = preparation.measures(particles)
    image[~found.has_image], profile[~found.has_profile] = 0, 0
    return replace(found, measured_image=image, measured_profile=profile)
