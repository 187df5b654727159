"""How often particles come, and how answers are scored, on numbers that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from seston.training.naming_scores import naming_scores
from seston.training.sampling import sampling_weights

_CLASSES = np.array([0, 0, 0, 0, 2, -1])


def test_plain_sampling_has_no_weights_and_neither_has_a_set_without_classes() -> None:
    assert sampling_weights("plain", _CLASSES) is None
    assert sampling_weights("balanced", np.array([-1, -1])) is None


@pytest.mark.parametrize(("how", "expected"), [("balanced", [1.0, 1.0]), ("square-root", [2.0, 1.0])])
def test_a_class_comes_as_often_as_asked_and_what_has_none_as_often_as_others(how: str, expected: list[float]) -> None:
    weights = sampling_weights(how, _CLASSES)
    assert weights is not None
    assert [weights[:4].sum(), weights[4]] == pytest.approx(expected)
    assert weights[5] == pytest.approx(weights[:5].mean())


def test_scores_are_over_the_classes_that_were_asked_for() -> None:
    scores = naming_scores(np.array([0, 0, 1]), np.array([0, 2, 1]))
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["balanced_accuracy"] == pytest.approx(0.75)
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert naming_scores(np.array([], np.int64), np.array([], np.int64))["macro_f1"] == 0
