"""Hand-made features of a picture count less beside a wide tower, which sees by itself most of what they say."""

from __future__ import annotations

import numpy as np
import pytest

from seston.models.spaces import fit_block
from seston.recognition.embeddings import Embeddings
from seston.recognition.views import fit_spaces

_PARTICLES = 400


def _weight(width: int) -> float:
    """How much longer measured features are beside a tower of so many features than by themselves."""
    random = np.random.default_rng(0)
    pool = Embeddings(
        ids=tuple(f"run/{number}" for number in range(_PARTICLES)),
        image=random.normal(size=(_PARTICLES, width)).astype(np.float32),
        profile=np.zeros((_PARTICLES, 0), np.float32),
        shared_image=np.zeros((_PARTICLES, 0), np.float32),
        shared_profile=np.zeros((_PARTICLES, 0), np.float32),
        has_image=np.ones(_PARTICLES, np.bool_),
        has_profile=np.zeros(_PARTICLES, np.bool_),
        measured_image=random.normal(size=(_PARTICLES, 40)).astype(np.float32),
    )
    beside, alone = fit_spaces(pool)["I"].blocks[1], fit_block(pool.measured_image, ranked=True)
    return float(np.linalg.norm(beside(pool.measured_image)) / np.linalg.norm(alone(pool.measured_image)))


@pytest.mark.parametrize(("width", "weight"), [(8, 2.0), (263, 2.0), (600, 2**0.5), (1200, 1.0), (2700, 2 / 3)])
def test_measured_features_count_twice_beside_a_narrow_tower_and_less_beside_a_wide_one(
    width: int, weight: float
) -> None:
    assert _weight(width) == pytest.approx(weight, rel=1e-4)
