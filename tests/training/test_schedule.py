"""The learning rate over the budget."""

from __future__ import annotations

import pytest

from seston.training.schedule import Budget, learning_rate
from seston.training.settings import OptimiserSettings

_SETTINGS = OptimiserSettings(learning_rate=0.1, warmup=0.1, final_share=0.01)


def test_the_rate_rises_in_a_line_and_ends_low_where_the_budget_ends() -> None:
    assert learning_rate(_SETTINGS, 0.0) == pytest.approx(0.001)
    assert learning_rate(_SETTINGS, 0.05) == pytest.approx(0.0505)
    assert learning_rate(_SETTINGS, 0.1) == pytest.approx(0.1)
    assert learning_rate(_SETTINGS, 0.55) == pytest.approx(0.1 * (0.01 + 0.99 / 2))
    assert learning_rate(_SETTINGS, 1.0) == pytest.approx(0.001)


def test_whichever_limit_comes_first_ends_the_budget() -> None:
    both = Budget(steps=100, seconds=60)
    assert both.progress(50, 6) == 0.5
    assert both.progress(5, 45) == 0.75
    assert both.progress(200, 1) == 1.0
    assert Budget(steps=None, seconds=60).progress(10**9, 30) == 0.5
