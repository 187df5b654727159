"""Profiles of any length at one length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seston.training.signals import resample


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 400), st.integers(2, 130), st.integers(1, 4))
def test_a_constant_stays_that_constant(samples: int, length: int, channels: int) -> None:
    out = resample(np.full((channels, samples), 3.5, np.float32), length)
    assert out.shape == (channels, length)
    assert out.dtype == np.float32
    assert out == pytest.approx(3.5, rel=1e-5)


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 400), st.integers(2, 130))
def test_averaging_keeps_the_mean_and_interpolating_stays_between_the_samples(samples: int, length: int) -> None:
    signal = np.random.default_rng(samples).gamma(1, 100, (2, samples)).astype(np.float32)
    out = resample(signal, length)
    if samples >= length:
        assert out.mean(axis=1) == pytest.approx(signal.mean(axis=1), rel=1e-4)
    assert (out >= signal.min(axis=1, keepdims=True) - 1e-3).all()
    assert (out <= signal.max(axis=1, keepdims=True) * (1 + 1e-5)).all()


def test_interpolating_equals_numpy_at_the_middles_of_the_new_intervals() -> None:
    signal = np.random.default_rng(0).random((1, 17)).astype(np.float32)
    places = (np.arange(40) + 0.5) * 17 / 40 - 0.5
    assert resample(signal, 40)[0] == pytest.approx(np.interp(places, np.arange(17), signal[0]), abs=1e-6)


def test_averaging_equals_a_slow_average_over_fine_steps() -> None:
    signal = np.random.default_rng(1).random((1, 50)).astype(np.float32)
    fine = np.repeat(signal[0], 12)  # 600 steps: 50 samples and 12 intervals both divide it
    assert resample(signal, 12)[0] == pytest.approx(fine.reshape(12, 50).mean(axis=1), abs=1e-6)


def test_reversing_before_and_after_is_the_same() -> None:
    for samples in (20, 333):
        signal = np.random.default_rng(samples).random((3, samples)).astype(np.float32)
        assert resample(signal[:, ::-1], 64) == pytest.approx(resample(signal, 64)[:, ::-1], abs=1e-5)
