"""The rules of the gallery and the spaces that they work in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from seston.errors import UsageError
from seston.models.spaces import fit_block, fit_space, unit
from seston.recognition.classifiers import CLASSIFIERS, fit_rule, soft_lda


def _classes(
    particles: int, seed: int = 0, classes: int = 4, width: int = 6
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(classes, width))
    labels = np.repeat(np.arange(classes), particles)
    rows = centres[labels] + 0.4 * random.normal(size=(len(labels), width))
    return unit(rows).astype(np.float32), labels


def _slow_soft_lda(
    gallery: NDArray[np.float32], labels: NDArray[np.int64], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Score by the textbook: the scatter written out and inverted."""
    rows = gallery.astype(np.float64)
    classes = int(labels.max()) + 1
    means = np.stack([rows[labels == number].mean(axis=0) for number in range(classes)])
    scatter = sum(np.outer(row - means[label], row - means[label]) for row, label in zip(rows, labels, strict=True))
    scatter = np.asarray(scatter) / (len(rows) - classes)
    lean = 100 / (100 + len(rows) - classes)
    scatter = (1 - lean) * scatter + lean * np.trace(scatter) / rows.shape[1] * np.eye(rows.shape[1])
    inverse = np.linalg.inv(scatter)
    return np.array([query @ inverse @ mean - 0.5 * mean @ inverse @ mean for mean in means])


@pytest.mark.parametrize("particles", [2, 8])  # more and fewer dimensions than particles
def test_soft_lda_equals_the_formula_written_out(particles: int) -> None:
    gallery, labels = _classes(particles, width=20)
    queries, _ = _classes(3, seed=1, width=20)
    slow = np.stack([_slow_soft_lda(gallery, labels, query.astype(np.float64)) for query in queries])
    assert soft_lda(gallery, labels, 4)(queries) == pytest.approx(slow, rel=1e-6, abs=1e-6)


def test_soft_lda_comes_near_plain_lda_in_a_large_gallery() -> None:
    gallery, labels = _classes(2000)
    queries, truth = _classes(50, seed=1)
    plain = LinearDiscriminantAnalysis(solver="lsqr", priors=[0.25] * 4).fit(gallery, labels)
    ours = soft_lda(gallery, labels, 4)(queries).argmax(axis=1)
    assert (ours == plain.predict(queries)).mean() > 0.99
    assert (ours == truth).mean() > 0.8


def test_soft_lda_with_one_particle_a_class_takes_the_nearest_by_cosine() -> None:
    gallery, labels = _classes(1)
    queries, _ = _classes(30, seed=1)
    assert (soft_lda(gallery, labels, 4)(queries).argmax(axis=1) == (queries @ gallery.T).argmax(axis=1)).all()


@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_each_rule_names_well_separated_classes(name: str) -> None:
    gallery, labels = _classes(8)
    queries, truth = _classes(50, seed=1)
    assert (fit_rule(name, gallery, labels, 4)(queries).argmax(axis=1) == truth).mean() > 0.8


def test_equal_particles_of_a_class_leave_soft_lda_a_rule() -> None:
    gallery = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    assert soft_lda(gallery, np.repeat(np.arange(3), 4), 3)(np.eye(3, dtype=np.float32)).argmax(axis=1).tolist() == [
        0,
        1,
        2,
    ]


def test_a_class_without_a_particle_is_refused() -> None:
    with pytest.raises(UsageError, match="class 1 has no particle"):
        soft_lda(np.eye(2, dtype=np.float32), np.array([0, 2]), 3)


def test_an_unknown_rule_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'soft-lda'"):
        fit_rule("softlda", np.eye(2, dtype=np.float32), np.array([0, 1]), 2)


def test_a_block_tames_strong_directions_and_keeps_weak_ones_small() -> None:
    random = np.random.default_rng(0)
    strong = random.normal(size=(4000, 1))
    pool = np.concatenate([strong + 0.1 * random.normal(size=(4000, 3)), random.normal(size=(4000, 1))], axis=1)
    spread = fit_block(pool.astype(np.float32))(pool.astype(np.float32)).std(axis=0)
    eigenvalues = np.sort(np.linalg.eigvalsh(np.corrcoef(pool.T)))
    assert np.sort(spread) == pytest.approx(np.sqrt(eigenvalues / (eigenvalues + 2)) / 2, rel=0.02)


def test_features_that_never_vary_or_are_missing_count_for_nothing() -> None:
    random = np.random.default_rng(0)
    useful = random.normal(size=(50, 2)).astype(np.float32)
    useless = np.stack([np.full(50, 7, np.float32), np.full(50, np.nan, np.float32)], axis=1)
    space = fit_space([np.concatenate([useful, useless], axis=1)])
    shifted = np.concatenate([useful, np.full((50, 2), 3, np.float32)], axis=1)
    assert space([shifted]) == pytest.approx(space([np.concatenate([useful, useless], axis=1)]), abs=1e-6)
    assert np.isfinite(space([shifted])).all()


def test_a_missing_feature_counts_as_average() -> None:
    pool = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    block = fit_block(pool)
    with_gap, with_mean = pool[:1].copy(), pool[:1].copy()
    with_gap[0, 1], with_mean[0, 1] = np.nan, pool[:, 1].mean()
    assert block(with_gap) == pytest.approx(block(with_mean), abs=1e-5)


def test_blocks_of_different_width_weigh_the_same() -> None:
    random = np.random.default_rng(0)
    narrow, wide = random.normal(size=(500, 3)).astype(np.float32), random.normal(size=(500, 48)).astype(np.float32)
    lengths = [np.linalg.norm(fit_block(pool)(pool), axis=1).mean() for pool in (narrow, wide)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.15)


def test_a_space_gives_unit_vectors() -> None:
    random = np.random.default_rng(0)
    pool = [random.normal(size=(40, 5)).astype(np.float32), random.normal(size=(40, 3)).astype(np.float32)]
    assert np.linalg.norm(fit_space(pool)(pool), axis=1) == pytest.approx(np.ones(40), abs=1e-5)
