"""Scores against scikit-learn's, and intervals against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from seston.evaluation.metrics import bootstrap, bootstrap_runs, confusion, interval, score


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40))
def test_scores_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, named = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    ours = score(truth, named, 6)
    precision, recall, f1, _ = precision_recall_fscore_support(truth, named, average="macro", zero_division=0)
    assert ours.accuracy == pytest.approx(accuracy_score(truth, named))
    assert (ours.macro_precision, ours.macro_recall, ours.macro_f1) == pytest.approx((precision, recall, f1))


@given(pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_confusion_equals_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, named = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    assert (confusion(truth, named, 4) == confusion_matrix(truth, named, labels=range(4))).all()


def test_the_interval_has_the_width_that_theory_gives() -> None:
    right = (np.random.default_rng(0).random((1, 1, 2000)) < 0.7).astype(np.float32)
    low, high = interval(bootstrap(right)[0])
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 2000), rel=0.1)
    assert low < right.mean() < high


def test_draws_that_differ_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    alike = random.random((5, 4000)) < 0.7
    apart = random.random((5, 4000)) < np.array([0.5, 0.6, 0.7, 0.8, 0.9])[:, None]
    means = bootstrap(np.stack([alike, apart]).astype(np.float32))
    (low, high), (lower, higher) = (interval(one) for one in means)
    assert higher - lower > 3 * (high - low)


def test_methods_that_always_agree_differ_by_nothing() -> None:
    right = np.random.default_rng(0).random((1, 3, 50)) < 0.5
    means = bootstrap(np.concatenate([right, right]).astype(np.float32))
    assert (means[0] == means[1]).all()


def test_trainings_that_differ_widen_the_interval_more_than_their_galleries_say() -> None:
    random = np.random.default_rng(0)
    right = random.random((1, 6, 4000)) < np.array([0.6, 0.6, 0.6, 0.8, 0.8, 0.8])[None, :, None]
    low, high = interval(bootstrap(right.astype(np.float32))[0])
    lower, higher = interval(bootstrap(right.astype(np.float32), groups=[0, 0, 0, 1, 1, 1])[0])
    assert (lower, higher) == pytest.approx((0.6, 0.8), abs=0.02)
    assert higher - lower > 1.2 * (high - low)


def test_one_group_of_draws_is_no_group() -> None:
    right = (np.random.default_rng(0).random((2, 3, 50)) < 0.5).astype(np.float32)
    assert (bootstrap(right, groups=[7, 7, 7]) == bootstrap(right)).all()


def test_resampled_runs_lie_between_the_least_and_the_greatest() -> None:
    means = bootstrap_runs([0.2, 0.4, 0.9])
    assert means.min() >= 0.2
    assert means.max() <= 0.9
    assert means.mean() == pytest.approx(0.5, abs=0.03)
