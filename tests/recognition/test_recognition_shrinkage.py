"""Shrinkage LDA as a rule of the gallery."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from seston.models.spaces import unit
from seston.recognition.classifiers import fit_rule


def test_shrinkage_lda_equals_the_formula_with_the_scatter_of_a_peer_library() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 9)
    rows = unit(random.normal(size=(3, 20))[labels] + 0.5 * random.normal(size=(27, 20))).astype(np.float32)
    queries = unit(random.normal(size=(15, 20))).astype(np.float32)
    means = np.stack([rows[labels == number].astype(np.float64).mean(axis=0) for number in range(3)])
    scatter = LedoitWolf(assume_centered=True).fit(rows - means[labels]).covariance_
    inverse = np.linalg.inv(scatter)
    slow = [[query @ inverse @ mean - 0.5 * mean @ inverse @ mean for mean in means] for query in queries]
    assert fit_rule("shrinkage-lda", rows, labels, 3)(queries) == pytest.approx(np.array(slow), rel=1e-3)


def test_shrinkage_lda_with_one_particle_a_class_takes_the_nearest_mean() -> None:
    random = np.random.default_rng(1)
    rows, queries = (unit(random.normal(size=(count, 6))).astype(np.float32) for count in (4, 30))
    named = fit_rule("shrinkage-lda", rows, np.arange(4), 4)(queries).argmax(axis=1)
    assert np.array_equal(named, (queries @ rows.T).argmax(axis=1))
