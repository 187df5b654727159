"""The space in which particles are compared: what neighbours differ in counts for less."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.models.spaces import fit_block, fit_space, nearest_elsewhere, unit


def _species(seed: int, each: int = 60) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Make 8 species that differ in 3 quiet directions, while 6 loud ones and the sample's offset say nothing."""
    random = np.random.default_rng(seed)
    species = np.repeat(np.arange(8), each)
    sample = random.integers(0, 4, len(species))
    centres = np.random.default_rng(1).normal(size=(8, 3))
    quiet = centres[species] + random.normal(size=(len(species), 3)) * 0.1
    loud = random.normal(size=(len(species), 6)) @ np.random.default_rng(2).normal(size=(6, 6))
    return np.concatenate([quiet, loud], axis=1).astype(np.float32), species, sample.astype(np.int64)


def _right(space_of: list[NDArray[np.float32]], vectors: NDArray[np.float32], species: NDArray[np.int64]) -> float:
    """Share of particles whose nearest other is of their species."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    return float((species[likeness.argmax(axis=1)] == species).mean())


def test_a_turned_space_brings_species_together_without_their_labels() -> None:
    features, species, sample = _species(0)
    turned = fit_space([features], sample)
    plain = type(turned)(turned.blocks, turned.centre)
    assert _right([features], turned([features]), species) > _right([features], plain([features]), species) + 0.02


def test_few_particles_leave_the_space_unturned() -> None:
    features, _, sample = _species(0, each=20)
    assert fit_space([features], sample).turns == ()


def test_vectors_have_length_one_and_the_width_that_the_space_says() -> None:
    features, _, sample = _species(0)
    for space in (fit_space([features], sample), fit_space([features[:50]], sample[:50])):
        vectors = space([features])
        assert vectors.shape == (len(features), space.width)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(features)), abs=1e-5)


def test_a_space_is_the_same_whatever_the_order_of_calls_and_missing_numbers_do_no_harm() -> None:
    features, _, sample = _species(0)
    holes = features.copy()
    holes[::7, 2] = np.nan
    first, second = (fit_space([holes], sample)([holes]) for _ in range(2))
    assert np.isfinite(first).all()
    assert (first == second).all()


def test_a_heavier_block_decides_more() -> None:
    features, species, sample = _species(0)
    noise = np.random.default_rng(5).normal(size=(len(features), 9)).astype(np.float32)
    heavy, even = (fit_space([features, noise], sample, weights) for weights in ([4.0, 1.0], None))
    assert _right([], heavy([features, noise]), species) > _right([], even([features, noise]), species)


def test_nearest_elsewhere_equals_a_slow_search_and_leaves_the_own_sample_out() -> None:
    random = np.random.default_rng(0)
    vectors = unit(random.normal(size=(40, 5))).astype(np.float32)
    sample = random.integers(0, 3, 40)
    found = nearest_elsewhere(vectors, sample, 3)
    for row in range(40):
        others = [other for other in range(40) if sample[other] != sample[row]]
        others.sort(key=lambda other: -float(vectors[row] @ vectors[other]))
        assert found[row].tolist() == others[:3]


def test_with_a_single_sample_its_own_particles_are_the_neighbours_and_never_the_particle_itself() -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(20, 4))).astype(np.float32)
    for sample in (None, np.zeros(20, np.int64)):
        found = nearest_elsewhere(vectors, sample, 2)
        assert (found != np.arange(20)[:, None]).all()
        assert (found >= 0).all()


def test_a_ranked_block_does_not_mind_how_a_feature_is_bent_or_how_far_out_a_particle_lies() -> None:
    features, _, _ = _species(0)
    plain, bent = fit_block(features, ranked=True), fit_block(np.exp(features), ranked=True)
    scores = plain(features)
    assert np.abs(np.abs(scores) - np.abs(bent(np.exp(features)))).max() < 0.1 * np.abs(scores).max()
    far, farthest = features[:1].copy(), features[:1].copy()
    far[0, 0], farthest[0, 0] = 1e9, features[:, 0].max()
    assert plain(far) == pytest.approx(plain(farthest), abs=1e-6)


def test_values_that_many_particles_share_stand_in_the_middle_of_their_ranks() -> None:
    values = np.concatenate([np.zeros(60), np.linspace(1, 2, 40)]).astype(np.float32)[:, None]
    up, down = fit_block(values, ranked=True)(values), fit_block(-values, ranked=True)(-values)
    assert np.abs(up) == pytest.approx(np.abs(down), abs=0.02)


def test_missing_features_of_a_ranked_block_count_as_average() -> None:
    features, _, _ = _species(0)
    holes = features.copy()
    holes[:, 1] = np.nan
    assert np.isfinite(fit_block(holes, ranked=True)(holes)).all()
