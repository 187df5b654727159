"""The second simulator: rays through simple bodies against geometry, twins, and repeatability."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from second_simulator import simulate_measurements
from second_simulator.bodies import Matter, box, ellipsoid, moved, rotation, sphere, tube
from second_simulator.conditions import CHANNELS, draw_conditions
from second_simulator.measurements import draw_particle
from second_simulator.rays import trace
from second_simulator.species import SPECIES, Cell, Species, build

from seston.store import open_data_set

_GRID = np.arange(-30, 30.01, 0.25)


def _volume(part_index: float, seen: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(seen.sum()) * 0.25**2 / part_index


def test_a_sphere_is_as_thick_as_geometry_says() -> None:
    seen = trace([sphere((1.0, -2.0, 5.0), 6.0, Matter(index=1.0))], _GRID, _GRID).index
    beside = np.hypot(_GRID[None, :] - 1, _GRID[:, None] + 2)
    assert seen == pytest.approx(2 * np.sqrt(np.maximum(36 - beside**2, 0)), abs=1e-3)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.3])
def test_bodies_keep_their_volume_however_they_are_turned(angle: float) -> None:
    matter = Matter(index=0.5)
    turn = rotation(2, angle) @ rotation(1, 0.7 * angle) @ rotation(0, angle)
    for part, volume in (
        (ellipsoid((0, 0, 0), (12, 5, 7), matter), 4 / 3 * np.pi * 12 * 5 * 7),
        (tube((0, 0, 0), 10, 6, matter), np.pi * 6 * 6 * 20),
        (box((0, 0, 0), (9, 5, 4), matter), 18 * 10 * 8),
    ):
        seen = trace(moved([part], turn), _GRID, _GRID).index
        assert _volume(0.5, seen) == pytest.approx(volume, rel=0.02)


def _cell() -> Cell:
    return Cell(1.0, 1.0, np.ones(4), 1.0, np.random.default_rng(3))


def _twins(kind: str) -> list[tuple[Species, Species]]:
    of_kind = [one for one in SPECIES if one.twin == kind]
    return list(zip(of_kind[::2], of_kind[1::2], strict=True))


def test_twins_that_profiles_tell_apart_look_alike_and_shine_differently() -> None:
    for first, second in _twins("profile"):
        one, other = (trace(build(species, _cell()), _GRID, _GRID) for species in (first, second))
        assert one.index == pytest.approx(other.index, abs=0.06 * float(one.index.max())), first.name
        assert not np.allclose(one.light.sum(axis=1), other.light.sum(axis=1), rtol=0.05), first.name


def test_there_are_look_alikes_both_ways() -> None:
    assert len(SPECIES) >= 24
    assert len(_twins("picture")) >= 5
    assert len(_twins("profile")) >= 5


def test_a_particle_has_a_picture_and_a_profile_above_the_trigger() -> None:
    rng = np.random.default_rng(0)
    conditions = draw_conditions([one.name for one in SPECIES], rng)
    for species in SPECIES[::5]:
        profile, picture = draw_particle(species, 0.5, conditions, rng)
        assert profile.shape[0] == len(CHANNELS)
        assert profile[0].max() > 25
        assert profile.min() >= 0
        grey = np.asarray(Image.open(io.BytesIO(picture)))
        assert grey.ndim == 2
        assert grey.std() > 1


def test_runs_can_be_read_and_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        simulate_measurements(tmp_path / name, runs=2, particles=8, seed=4, species=4)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes() for path in files)
    data = open_data_set(tmp_path / "data", create=True)
    report = data.import_([tmp_path / "one"])
    info = data.info()
    assert not report.skipped
    assert (info.pairs, info.simulated, info.samples, len(info.labels)) == (16, 16, 2, 4)
    sample = data.samples()[0]
    assert sample.core_speed_m_s is not None
    assert "2 FL Red" in sample.detector_levels
