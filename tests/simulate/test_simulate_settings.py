"""Stated settings change what they name, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from seston.errors import UsageError
from seston.instruments import find_sources, image_size, read
from seston.particle import Particle
from seston.simulate import RunSettings, simulate, simulate_settings, species_table

_NAMES = [species.name for species in species_table()][:4]


def _particles(path: Path) -> dict[str, list[Particle]]:
    found: dict[str, list[Particle]] = {}
    for source in find_sources([path])[0]:
        for record in read(source):
            if isinstance(record, Particle):
                found.setdefault(record.sample_id.split(" ", 2)[2].split(" 2026")[0], []).append(record)
    return found


def _signal(particles: list[Particle], channel: str) -> float:
    rows = [one.profile[one.profile_channels.index(channel)] for one in particles if one.profile is not None]
    return float(np.exp(np.mean([np.log(row.max()) for row in rows])))


def test_a_stated_gain_multiplies_the_light_and_a_speed_divides_the_samples(tmp_path: Path) -> None:
    settings = [
        RunSettings("plain"),
        RunSettings("red", channel_gains={"FL Red": 3.0}),
        RunSettings("fast", flow_speed=1.5),
    ]
    simulate_settings(tmp_path, settings, particles=80, seed=1, species=_NAMES)
    plain, red, fast = (_particles(tmp_path)[one.name] for one in settings)
    assert _signal(red, "FL Red") / _signal(plain, "FL Red") == pytest.approx(3.0, rel=0.15)
    assert _signal(red, "SWS") / _signal(plain, "SWS") == pytest.approx(1.0, rel=0.1)
    counts = [np.mean([one.profile.shape[1] for one in part if one.profile is not None]) for part in (plain, fast)]
    assert counts[0] / counts[1] == pytest.approx(1.5, rel=0.15)
    assert fast[0].profile_spacing_um == pytest.approx(1.5 * (plain[0].profile_spacing_um or 0))


def test_a_stated_run_shares_the_conditions_of_the_ordinary_one_that_it_is_like() -> None:
    one, other = RunSettings("a", like=2), RunSettings("b", like=2, draw=5, background=0.8, scale=1.25, blur=2.0)
    first, second = one.conditions(7), other.conditions(7)
    assert (first.gains, first.halo, first.size_shift) == (second.gains, second.halo, second.size_shift)
    assert second.background == pytest.approx(0.8 * first.background)
    assert second.pixel_size_um == pytest.approx(first.pixel_size_um / 1.25)
    assert second.blur_um == pytest.approx(2 * first.blur_um)
    assert RunSettings("c", like=3).conditions(7).gains != first.gains


def test_a_larger_scale_makes_larger_pictures(tmp_path: Path) -> None:
    simulate_settings(tmp_path, [RunSettings("plain"), RunSettings("large", scale=2.0)], particles=40, species=_NAMES)
    areas = {
        name: np.mean([np.prod(image_size(one.image or b"")) for one in part])
        for name, part in _particles(tmp_path).items()
    }
    assert areas["large"] > 1.5 * areas["plain"]


def test_abundances_decide_which_species_there_are(tmp_path: Path) -> None:
    abundances = {_NAMES[0]: 3.0, _NAMES[1]: 1.0}
    simulate_settings(tmp_path, [RunSettings("two", abundances=abundances)], particles=60, species=_NAMES)
    counts = Counter(one.raw_label for one in _particles(tmp_path)["two"])
    assert set(counts) == set(_NAMES[:2])
    assert counts[_NAMES[0]] > counts[_NAMES[1]]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"gain": 0.0}, "gain is 0.0"),
        ({"channel_gains": {"FL Rad": 2.0}}, "FL Red"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        RunSettings("wrong", **settings)  # type: ignore[arg-type]  # wrong on purpose


def test_names_of_stated_runs_differ_and_fit_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name of its own"):
        simulate_settings(tmp_path, [RunSettings("a"), RunSettings("a")], particles=2)
    with pytest.raises(UsageError, match="file's name"):
        simulate_settings(tmp_path, [RunSettings("a/b")], particles=2)
    with pytest.raises(UsageError, match="no species"):
        simulate_settings(tmp_path, [RunSettings("a", abundances={})], particles=2)
    assert simulate(tmp_path, particles=2, runs=1, species=_NAMES[:1]).runs == 1
