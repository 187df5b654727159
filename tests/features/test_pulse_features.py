"""Features of pulse shapes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from seston.features import pulse_features, pulse_table
from seston.instruments import find_sources, read
from seston.particle import Particle

_CHANNELS = ("FWS", "SWS", "FL Yellow", "FL Red", "Curvature")


def _bump(count: int, center: float, width: float, height: float = 100.0) -> NDArray[np.float64]:
    return np.asarray(height * np.exp(-0.5 * ((np.arange(count) - center) / width) ** 2))


def _profile(count: int = 60) -> NDArray[np.float64]:
    rows = [
        _bump(count, 30, 8),
        _bump(count, 30, 6, 40),
        _bump(count, 18, 5, 10),
        _bump(count, 20, 4, 900) + _bump(count, 42, 3, 700),
        np.sin(np.arange(count) / 5) - np.sin(np.arange(count) / 5).mean(),
    ]
    return np.array(rows)


def test_totals_and_lengths_are_logarithms_of_what_they_say() -> None:
    profile = _profile()
    found = pulse_features(profile, _CHANNELS, 0.5, 5.0)
    assert found["FWS log total"] == pytest.approx(np.log1p(profile[0].sum()))
    assert found["FWS log maximum"] == pytest.approx(np.log1p(100))
    assert found["FWS log width"] == pytest.approx(np.log1p(8 * 2.3548), rel=0.01)
    assert found["log samples"] == pytest.approx(np.log(60))
    assert found["log µm"] == pytest.approx(np.log(29.5))
    assert found["SWS / FWS log total"] == pytest.approx(found["SWS log total"] - found["FWS log total"])


def test_two_cells_show_as_two_peaks_and_parts() -> None:
    found = pulse_features(_profile(), _CHANNELS)
    assert found["FL Red peaks"] == pytest.approx(np.log1p(2))
    assert found["FL Red parts"] == pytest.approx(np.log1p(2))
    assert found["FWS peaks"] == pytest.approx(np.log1p(1))


def test_gain_changes_sizes_but_no_shape() -> None:
    profile = _profile()
    louder = profile.copy()
    louder[:4] *= 7
    one, other = (pulse_features(values, _CHANNELS, 0.5, 5.0) for values in (profile, louder))
    sizes = ("log total", "log maximum")
    for name, value in one.items():
        if not name.endswith(sizes):
            assert other[name] == pytest.approx(value, abs=1e-9), name
    assert other["FWS log total"] > one["FWS log total"] + 1


def test_a_turned_particle_changes_only_what_says_so() -> None:
    profile = _profile()
    one, other = (pulse_features(values, _CHANNELS, 0.5, 5.0) for values in (profile, profile[:, ::-1]))
    # CytoClus leaves the last sample out of some sums, so that a few of its own parameters change a little.
    turning = ("signed lean", "skew", "first", "last")
    for name, value in one.items():
        if not name.endswith(turning):
            assert other[name] == pytest.approx(value, rel=2e-3, abs=2e-3), name
    assert other["FL Yellow signed lean"] == pytest.approx(-one["FL Yellow signed lean"])
    assert other["FL Yellow skew"] == pytest.approx(-one["FL Yellow skew"], abs=1e-9)


def test_light_that_comes_early_leans_to_the_negative() -> None:
    found = pulse_features(_profile(), _CHANNELS)
    assert found["FL Yellow signed lean"] < -0.2
    assert abs(found["FWS signed lean"]) < 0.03


def test_outlines_that_agree_correlate() -> None:
    found = pulse_features(_profile(), _CHANNELS)
    assert found["SWS ~ FWS outline"] > 0.9
    assert found["FL Red ~ FWS outline"] < 0.5
    assert "FL Yellow ~ FL Red outline" in found


def test_cosines_are_those_of_a_slow_transform() -> None:
    values = np.random.default_rng(1).gamma(2.0, 10.0, 37)
    found = pulse_features(values[None, :], ["FWS"])
    for k in range(1, 9):
        term = (
            sum(value * np.cos(np.pi * k * (i + 0.5) / 37) for i, value in enumerate(values)) * 2 / 37 / values.mean()
        )
        expected = abs(term) if k % 2 else term
        assert found[f"FWS cosine {k}"] == pytest.approx(expected)


def test_names_that_need_an_unknown_length_are_absent() -> None:
    found = pulse_features(_profile(), _CHANNELS)
    assert not [name for name in found if "µm" in name or "log length" in name]
    assert "FWS log length" in pulse_features(_profile(), _CHANNELS, 0.5, 5.0)
    assert "FWS log length" not in pulse_features(_profile(), _CHANNELS, 0.5)


def test_dark_channels_have_sizes_and_no_shape() -> None:
    profile = _profile()
    profile[3] = 0
    found = pulse_features(profile, _CHANNELS)
    assert found["FL Red log total"] == 0
    assert np.isnan(found["FL Red fill"])
    assert np.isnan(found["FL Red cosine 3"])
    assert np.isfinite(found["FWS fill"])


def test_triggers_are_left_out_and_nothing_gives_nothing() -> None:
    profile = _profile()[:2]
    assert pulse_features(profile, ["FWS", "Trigger1"]) == pulse_features(profile[:1], ["FWS"])
    assert pulse_features(profile, ["DSP", "Dummy"]) == {}
    assert all(np.isnan(value) for value in pulse_features(np.zeros((1, 0)), ["FWS"]).values())


@settings(max_examples=80, deadline=None)
@given(
    profile=arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
        elements=st.floats(-1e4, 1e4, width=32),
    ),
    spacing=st.none() | st.floats(0.1, 2),
)
def test_every_feature_is_finite_or_nan(profile: NDArray[np.float32], spacing: float | None) -> None:
    channels = ["FWS", "SWS", "Curvature", "FL Red", "FL Orange", "FL Yellow", "2 FL Red", "FWS L", "FWS R", "FL Blue"]
    channels = [*channels, "FL Green", "FL Purple"][: len(profile)]
    found = pulse_features(profile, channels, spacing, 5.0)
    assert not any(np.isinf(value) for value in found.values())


def test_particles_measured_together_and_alone_agree() -> None:
    random = np.random.default_rng(2)
    profiles = [random.gamma(1.0, 100.0, (5, int(random.integers(1, 90)))) for _ in range(40)]
    names, table = pulse_table(profiles, _CHANNELS, [0.5] * 40, [5.0] * 40)
    for row, profile in enumerate(profiles):
        alone = pulse_features(profile, _CHANNELS, 0.5, 5.0)
        np.testing.assert_allclose(table[row], [alone[name] for name in names], rtol=1e-9, atol=1e-9)


def test_a_bad_sample_spoils_its_own_particle_alone() -> None:
    profiles = [_profile(), _profile(), _profile()]
    profiles[1] = profiles[1].copy()
    profiles[1][0, 5] = np.nan
    names, table = pulse_table(profiles, _CHANNELS, [None] * 3, [None] * 3)
    known = np.array([name != "log µm" and not name.endswith("log length") for name in names])
    assert np.isfinite(table[[0, 2]][:, known]).all()
    assert np.isnan(table[1, names.index("FWS log total")])
    assert np.isfinite(table[1, names.index("SWS log total")])


def test_two_thousand_particles_a_second_are_measured(real_data: Path) -> None:
    sources, _ = find_sources([real_data / "cytosense" / "cefas_pond"])
    particles = [record for source in sources for record in read(source) if isinstance(record, Particle)]
    profiles = [particle.profile for particle in particles if particle.profile is not None]
    assert len(profiles) == 817
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        names, table = pulse_table(profiles, particles[0].profile_channels, [0.55] * 817, [5.5] * 817)
        best = min(best, time.perf_counter() - start)
    assert table.shape == (817, len(names))
    assert np.isfinite(table).mean() > 0.99
    assert 817 / best > 1000  # some 10,000 on an idle machine
