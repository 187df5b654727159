"""Ranks equal those of scipy."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal
from scipy.stats import rankdata

from seston.recognition.average_ranks import average_ranks


def test_ranks_equal_those_of_scipy_with_ties_and_infinities() -> None:
    drawn = np.random.default_rng(5).normal(size=200)
    for values in (drawn, drawn.round(1), np.full(4, 2.0), np.array([np.inf, -np.inf, 0.0, np.inf]), np.zeros(0)):
        assert_array_equal(average_ranks(values), rankdata(values))
