"""Numbers that depend on what they are for."""

from __future__ import annotations

import numpy as np

from seston.training.randomness import in_single_precision, normals, particle_keys, seed_of, shuffled, uniforms

_IDS = [f"sample/{number}" for number in range(500)]


def test_a_particle_gets_the_same_numbers_in_any_company_and_order() -> None:
    keys = particle_keys(_IDS)
    order = np.random.default_rng(0).permutation(len(keys))
    assert np.array_equal(uniforms(keys, 5, 1, 2)[order], uniforms(keys[order], 5, 1, 2))
    assert np.array_equal(uniforms(keys[:1], 5, 1, 2), uniforms(keys, 5, 1, 2)[:1])


def test_each_purpose_gives_other_numbers() -> None:
    keys = particle_keys(_IDS)
    drawn = [uniforms(keys, 4, *purpose) for purpose in ((0,), (1,), (0, 0), (0, 1), (1, 0))]
    for first in range(len(drawn)):
        for second in range(first):
            assert abs(np.corrcoef(drawn[first].ravel(), drawn[second].ravel())[0, 1]) < 0.1


def test_the_numbers_are_spread_evenly_and_independent() -> None:
    drawn = uniforms(particle_keys(_IDS), 200, 7)
    counts, _ = np.histogram(drawn, bins=100, range=(0, 1))
    expected = drawn.size / 100
    assert ((counts - expected) ** 2 / expected).sum() < 160  # chi square, 99 degrees: 1 in 10,000
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]) < 0.2
    assert drawn.min() >= 0
    assert drawn.max() < 1


def test_numbers_stay_below_one_in_single_precision() -> None:
    greatest = in_single_precision(np.array([0.0, 0.5, 1.0 - 2.0**-24, 1.0 - 2.0**-53]))
    assert greatest.dtype == np.float32
    assert greatest.tolist() == [0.0, 0.5, 1.0 - 2.0**-24, 1.0 - 2.0**-24]
    drawn = uniforms(particle_keys(_IDS), 5, 1, 2)
    assert np.array_equal(in_single_precision(drawn), drawn.astype(np.float32))


def test_normal_numbers_have_mean_0_and_deviation_1() -> None:
    drawn = normals(uniforms(particle_keys(_IDS), 200, 3))
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert np.isfinite(drawn).all()


def test_orders_and_seeds_are_a_function_of_their_purpose() -> None:
    assert np.array_equal(np.sort(shuffled(50, 1, 2)), np.arange(50))
    assert np.array_equal(shuffled(50, 1, 2), shuffled(50, 1, 2))
    assert not np.array_equal(shuffled(50, 1, 2), shuffled(50, 1, 3))
    assert seed_of(1, 2) != seed_of(2, 1)
    assert 0 <= seed_of(-1, 5) < 2**63
