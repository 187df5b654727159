"""Physics of the simulated instrument, against independent calculations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.simulate import species_table
from seston.simulate.across import Tubes, arrange
from seston.simulate.along import draw_slices
from seston.simulate.companion import Companion, add_to_emission, add_to_tubes
from seston.simulate.conditions import PIXEL_SIZE_UM, Conditions, draw_conditions
from seston.simulate.detector import TRIGGER_MV, curvature, record, smooth
from seston.simulate.optics import LAYOUTS, PIGMENTS, Emission, emit
from seston.simulate.particle import draw_particle
from seston.simulate.picture import Camera, make_camera, take_picture
from seston.simulate.species import Species

Array = NDArray[np.float64]
SPECIES = {species.name.split(" (")[0]: species for species in species_table()}


def _calm(**changes: object) -> Conditions:
    """Give conditions without noise, shifts, specks or companions."""
    drawn = draw_conditions(species_table(), np.random.default_rng(0))
    calm = replace(
        drawn,
        gains=(1.0,) * 6,
        dark_noise_mv=0.0,
        offset_mv=0.0,
        halo=0.0,
        background=180.0,
        contrast=1.0,
        gradient=(0.0, 0.0),
        camera_noise=0.5,
        specks=0.0,
        companions=0.0,
        size_shift=dict.fromkeys(drawn.size_shift, 0.0),
        pigment_shift=dict.fromkeys(drawn.pigment_shift, 0.0),
    )
    return replace(calm, **changes)  # type: ignore[arg-type]  # field names of the dataclass


def _sphere(radius_um: float, spacing_um: float = PIXEL_SIZE_UM) -> Array:
    """Give the slice areas of a sphere."""
    x = np.arange(-radius_um, radius_um, spacing_um) + 0.5 * spacing_um
    return np.asarray(np.pi * np.maximum(radius_um**2 - x**2, 0.0))


def _tubes_of(radius_um: float, density: float = 1.0) -> Tubes:
    radius = np.sqrt(_sphere(radius_um) / np.pi)[None]
    nothing = np.zeros_like(radius)
    return Tubes(nothing, nothing, radius, radius, nothing + density)


def _camera(**changes: object) -> Camera:
    return make_camera(_calm(**changes), np.random.default_rng(1))


def _width_at_half(signal: Array) -> float:
    """Give the full width at half maximum in samples, both ends interpolated."""
    half = 0.5 * signal.max()
    over = np.flatnonzero(signal >= half)
    first, last = int(over[0]), int(over[-1])
    left = first - (signal[first] - half) / (signal[first] - signal[first - 1])
    right = last + (signal[last] - half) / (signal[last] - signal[last + 1])
    return float(right - left)


@pytest.mark.parametrize("name", sorted(SPECIES))
def test_every_arrangement_keeps_the_matter_of_each_slice(name: str) -> None:
    species = SPECIES[name]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        slices = draw_slices(species.along, rng, PIXEL_SIZE_UM)
        tubes = arrange(species.across, slices, rng)
        np.testing.assert_allclose(tubes.area(), slices.area, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_layout_holds_the_same_pigment(layout: str) -> None:
    species = SPECIES["Fictonavis centralis"]
    totals = []
    for other in (layout, "even"):
        slices = draw_slices(species.along, np.random.default_rng(4), PIXEL_SIZE_UM)
        emission = emit(replace(species.optics, layout=other), slices, np.random.default_rng(7))
        totals.append(emission.fluorescence.sum(axis=1))
    np.testing.assert_allclose(totals[0], totals[1])


def test_a_speck_of_matter_draws_the_beams_own_profile() -> None:
    speck = np.array([0.0, 600.0, 0.0])
    emission = Emission(speck, speck, np.zeros((3, 3)))
    widths = []
    for seed in range(30):
        stored = record(emission, PIXEL_SIZE_UM, 0.0, _calm(), np.random.default_rng(seed))
        assert stored is not None
        widths.append(_width_at_half(stored[2]) * 0.55)
    beam = 5.0 / 4.0 * 2.0 * np.sqrt(2.0 * np.log(2.0))  # 1/e² width of 5 µm: 2.94 µm at half maximum
    delay = 2.2 / (2.0 * np.pi)  # one-pole filter of 1 MHz, as a length
    expected = beam * np.sqrt(1.0 + (delay / (5.0 / 4.0)) ** 2)
    assert np.median(widths) == pytest.approx(expected, rel=0.05)


def test_total_sideward_light_is_the_light_of_the_slices() -> None:
    for radius in (4.0, 6.0, 9.0):
        area = _sphere(radius)
        emission = Emission(area, area, np.zeros((3, area.size)))
        stored = record(emission, PIXEL_SIZE_UM, 0.0, _calm(), np.random.default_rng(2))
        assert stored is not None
        volume = 4.0 / 3.0 * np.pi * radius**3
        # Σ signal · sample length / beam integral of 1 = 5 mV a unit · volume
        assert (stored[2] - 0.5).sum() * 0.55 == pytest.approx(5.0 * volume, rel=0.04)


def test_twice_the_pigment_gives_twice_the_red_light() -> None:
    area = _sphere(6.0)
    totals = []
    for amount in (1.0, 2.0):
        emission = Emission(area, area, np.array(PIGMENTS["chlorophyll b"])[:, None] * area * amount)
        stored = record(emission, PIXEL_SIZE_UM, 0.0, _calm(), np.random.default_rng(3))
        assert stored is not None
        totals.append(stored[5].sum())
    assert totals[1] / totals[0] == pytest.approx(2.0, rel=0.05)


def test_phycoerythrin_shines_orange_and_a_cell_without_chloroplasts_yellow() -> None:
    ratios = {name: (orange / red, yellow / red) for name, (yellow, orange, red) in PIGMENTS.items()}
    assert max(ratios, key=lambda name: ratios[name][1]) == "none"
    assert ratios["phycoerythrin"][0] > 10 * ratios["chlorophyll b"][0]


def test_a_record_begins_and_ends_four_samples_beside_the_trigger() -> None:
    area = _sphere(7.0)
    emission = Emission(area, area, np.zeros((3, area.size)))
    for seed in range(10):
        stored = record(emission, PIXEL_SIZE_UM, 0.0, _calm(dark_noise_mv=0.4), np.random.default_rng(seed))
        assert stored is not None
        over = np.flatnonzero(stored[2] >= TRIGGER_MV)
        assert over[0] == 4
        assert 4 <= stored.shape[1] - 1 - over[-1] <= 7
        assert stored.shape[1] % 4 == 0


def test_what_never_reaches_the_trigger_is_not_recorded() -> None:
    area = 1e-3 * _sphere(2.0)
    emission = Emission(area, area, np.zeros((3, area.size)))
    assert record(emission, PIXEL_SIZE_UM, 0.0, _calm(), np.random.default_rng(0)) is None


def test_stored_values_are_those_of_the_logarithmic_byte_and_stop_at_its_top() -> None:
    area = 60.0 * _sphere(9.0)
    stored = record(
        Emission(area, area, np.zeros((3, area.size))), PIXEL_SIZE_UM, 0.0, _calm(), np.random.default_rng(0)
    )
    assert stored is not None
    number = 63.75 * np.log10(stored / 0.5)
    np.testing.assert_allclose(number, np.rint(number), atol=1e-6)
    assert stored.max() == pytest.approx(5000.0)


@given(st.lists(st.floats(0.5, 5000.0), min_size=3, max_size=40), st.floats(0.1, 3.0))
@settings(max_examples=50, deadline=None)
def test_curvature_has_mean_zero_and_smoothing_keeps_a_level(signal: list[float], factor: float) -> None:
    left = np.array(signal)
    assert abs(curvature(left, left * factor).mean()) < 1e-9
    np.testing.assert_allclose(smooth(np.full((2, left.size), left[0])), left[0])


def test_tilt_in_depth_shows_in_the_curvature_and_in_nothing_else() -> None:
    area = np.full(100, 50.0)
    emission = Emission(area, area, np.zeros((3, 100)))
    flat, tilted = (record(emission, PIXEL_SIZE_UM, tilt, _calm(), np.random.default_rng(5)) for tilt in (0.0, 0.3))
    assert flat is not None
    assert tilted is not None
    np.testing.assert_array_equal(flat[2], tilted[2])
    assert np.ptp(curvature(tilted[0], tilted[1])) > 5 * np.ptp(curvature(flat[0], flat[1])[8:-8])


def test_a_sphere_is_a_dark_disc_of_its_own_diameter_on_an_even_background() -> None:
    for radius in (5.0, 9.0):
        picture = take_picture(_tubes_of(radius), _camera(blur_um=0.35), np.random.default_rng(3)).astype(float)
        background = np.median(picture)
        assert background == pytest.approx(180.0, abs=6.0)
        dark = picture < 0.5 * (background + picture.min())  # half way to the outline's darkest
        rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
        for spread in (np.ptp(rows) + 1, np.ptp(columns) + 1):
            assert spread * PIXEL_SIZE_UM == pytest.approx(2 * radius, abs=1.6)


def test_a_denser_body_takes_more_light_and_its_outline_is_darkest() -> None:
    middles = []
    for density in (0.5, 1.0, 2.0):
        picture = take_picture(_tubes_of(9.0, density), _camera(blur_um=0.35), np.random.default_rng(3)).astype(float)
        rows, columns = np.nonzero(picture < np.median(picture) - 20)
        row, column = round(rows.mean()), round(columns.mean())
        middles.append(picture[row - 3 : row + 4, column - 3 : column + 4].mean())
        assert picture.min() < middles[-1] - 10
    assert middles[0] > middles[1] + 8
    assert middles[1] > middles[2] + 8


def test_a_longer_body_has_a_longer_pulse_and_a_longer_picture() -> None:
    species = SPECIES["Fictonema clarum"]
    conditions = _calm()
    camera = _camera()
    lengths: list[tuple[float, float]] = []
    for seed in range(40):
        drawn = draw_particle(species, conditions, camera, np.random.default_rng(seed))
        picture = drawn.picture.astype(float)
        columns = np.flatnonzero((picture < np.median(picture) - 15).any(axis=0))
        lengths.append((_width_at_half(drawn.profile[1]) * 0.55, (np.ptp(columns) + 1) * PIXEL_SIZE_UM))
    pulse, seen = np.array(lengths).T
    assert np.corrcoef(pulse, seen)[0, 1] > 0.98
    assert np.median(seen - pulse) == pytest.approx(4.0, abs=2.0)  # the dark outline blurs out to both sides


def test_head_and_tail_of_picture_and_profile_lie_on_the_same_side() -> None:
    species: Species = SPECIES["Fictobryon nudum"]
    conditions, camera = _calm(), _camera()
    sides = []
    for seed in range(30):
        drawn = draw_particle(species, conditions, camera, np.random.default_rng(seed))
        light = drawn.profile[1]
        darkness = np.maximum(np.median(drawn.picture) - drawn.picture.astype(float) - 8, 0.0).sum(axis=0)
        places = np.arange(light.size) @ light / light.sum(), np.arange(darkness.size) @ darkness / darkness.sum()
        over = np.flatnonzero(darkness > 0.02 * darkness.max())
        sides.append((places[0] - 0.5 * light.size, places[1] - 0.5 * (over[0] + over[-1])))
    agree = [one * other > 0 for one, other in sides]
    assert np.mean(agree) > 0.9
    assert 5 < sum(one > 0 for one, _ in sides) < 25  # either end may come first


def test_a_companion_stands_in_picture_and_profile_at_the_same_place() -> None:
    companion = Companion(before=True, gap=10, area=_sphere(1.5), aside_um=3.0, red=0.0)
    body = _sphere(6.0)
    emission = add_to_emission(Emission(body, body, np.zeros((3, body.size))), companion)
    tubes = add_to_tubes(_tubes_of(6.0), companion)
    np.testing.assert_allclose(tubes.area(), emission.matter, atol=1e-9)
    assert emission.matter[: companion.area.size].sum() == pytest.approx(companion.area.sum())
    assert not emission.matter[companion.area.size : companion.area.size + 10].any()
