"""Pictures find their profiles, and shuffled pairs find nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import UsageError
from seston.evaluation.partners import match_pairs, ranks


def test_partners_that_are_alike_are_found() -> None:
    random = np.random.default_rng(0)
    image = random.normal(size=(200, 16)).astype(np.float32)
    rows = match_pairs("model", image, image + 0.01 * random.normal(size=image.shape).astype(np.float32))
    assert {row.direction for row in rows} == {"image→profile", "profile→image"}
    assert [row.recall for row in rows] == [1.0] * 6


def test_shuffled_pairs_lie_inside_the_interval_of_chance() -> None:
    random = np.random.default_rng(1)
    image = random.normal(size=(500, 16)).astype(np.float32)
    for row in match_pairs("model", image, image, shuffled=True):
        assert row.chance_low <= row.recall <= row.chance_high
        assert row.method == "model, pairs shuffled"


def test_the_interval_of_chance_holds_99_of_100_blind_guesses() -> None:
    random = np.random.default_rng(2)
    (row,) = (
        row for row in match_pairs("m", *random.normal(size=(2, 400, 4)), depths=(5,)) if "image→" in row.direction
    )
    blind = random.binomial(400, 5 / 400, 20_000) / 400
    inside = ((blind >= row.chance_low) & (blind <= row.chance_high)).mean()
    assert 0.99 <= inside <= 0.9995


@given(seed=st.integers(0, 500), count=st.integers(2, 12))
def test_ranks_equal_a_slow_count(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    asked, candidates = random.integers(-1, 2, (2, count, 2)).astype(np.float32)
    asked[(asked == 0).all(axis=1)] = (1, 0)
    candidates[(candidates == 0).all(axis=1)] = (0, 1)
    found = ranks(asked, candidates)
    for row in range(count):
        angles = [
            round(float(asked[row] @ other / np.linalg.norm(asked[row]) / np.linalg.norm(other)), 5)
            for other in candidates
        ]
        assert found[row] >= 1 + sum(angle > angles[row] for angle in angles)
        assert found[row] <= sum(angle >= angles[row] for angle in angles)


def test_vectors_that_are_all_alike_find_nothing() -> None:
    same = np.ones((10, 3), np.float32)
    assert (ranks(same, same) == 10).all()


def test_one_pair_is_too_few() -> None:
    with pytest.raises(UsageError, match="at least two particles"):
        match_pairs("m", np.ones((1, 2), np.float32), np.ones((1, 2), np.float32))
