"""The mask of a particle and the measures taken from it."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.instruments.mask import background_of, particle_mask
from seston.instruments.pictures import decode_image
from seston.instruments.scale_bar import find_scale_bar
from seston.instruments.shape import MaskMeasures, mask_measures


def _disc(shape: tuple[int, int], row: float, column: float, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.indices(shape)
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)


def _picture(
    mask: NDArray[np.bool_], *, paper: int = 180, ink: int = 60, noise: float = 2, seed: int = 0
) -> NDArray[np.uint8]:
    values = np.where(mask, ink, paper) + np.random.default_rng(seed).normal(0, noise, mask.shape)
    return np.clip(values, 0, 255).astype(np.uint8)


def _agreement(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def _measures(mask: NDArray[np.bool_]) -> MaskMeasures:
    measures = mask_measures(mask)
    assert measures is not None
    return measures


@pytest.mark.parametrize(("paper", "ink"), [(180, 60), (60, 180), (0, 200), (255, 40), (128, 100)])
@pytest.mark.parametrize("noise", [0.5, 3])
def test_dark_and_light_particles_are_found_on_any_background(paper: int, ink: int, noise: float) -> None:
    truth = _disc((80, 90), 40, 47, 15)
    assert _agreement(particle_mask(_picture(truth, paper=paper, ink=ink, noise=noise)), truth) > 0.97


@settings(max_examples=40, deadline=None)
@given(
    row=st.floats(20, 60),
    column=st.floats(20, 70),
    radius=st.floats(4, 16),
    paper=st.integers(10, 245),
    contrast=st.integers(40, 120),
    darker=st.booleans(),
)
def test_a_disc_is_found_wherever_it_is_and_however_light(
    row: float, column: float, radius: float, paper: int, contrast: int, darker: bool
) -> None:
    ink = paper - contrast if darker else paper + contrast
    if not 0 <= ink <= 255:
        ink = paper + contrast if darker else paper - contrast
    truth = _disc((80, 90), row, column, radius)
    assert _agreement(particle_mask(_picture(truth, paper=paper, ink=ink)), truth) > 0.95


@pytest.mark.parametrize("noise", [0, 1, 4, 12])
@pytest.mark.parametrize("level", [0, 120, 255])
def test_an_empty_picture_has_an_empty_mask(noise: float, level: int) -> None:
    picture = _picture(np.zeros((80, 90), np.bool_), paper=level, noise=noise)
    assert not particle_mask(picture).any()


def test_tiny_pictures_have_empty_masks() -> None:
    for shape in ((1, 1), (2, 50), (50, 2)):
        mask = particle_mask(np.zeros(shape, np.uint8))
        assert mask.shape == shape
        assert not mask.any()


def test_holes_are_filled_even_through_a_gap_in_the_outline() -> None:
    outline = _disc((80, 90), 40, 45, 20) & ~_disc((80, 90), 40, 45, 16)
    for gap in (0, 1, 2):
        broken = outline.copy()
        broken[40 : 40 + gap, 60:] = False
        assert _agreement(particle_mask(_picture(broken)), _disc((80, 90), 40, 45, 20)) > 0.95


def test_the_light_fringe_around_a_dark_particle_is_left_out() -> None:
    body, halo = _disc((80, 90), 40, 45, 12), _disc((80, 90), 40, 45, 15)
    picture = np.where(body, 70, np.where(halo, 215, 150)).astype(np.uint8)
    assert _agreement(particle_mask(picture), body) > 0.95


def test_thin_spines_stay_on_the_body() -> None:
    truth = _disc((80, 90), 40, 45, 10)
    truth[40, 5:85] = True
    picture = _picture(truth, noise=1)
    picture[40, 5:35] = picture[40, 55:85] = 140  # fainter than the body
    mask = particle_mask(picture)
    assert mask[40, 8:82].all()
    assert _agreement(mask, truth) > 0.9


def test_specks_are_dropped_and_cells_of_a_chain_are_kept() -> None:
    cells = _disc((60, 120), 30, 25, 9) | _disc((60, 120), 30, 60, 8) | _disc((60, 120), 30, 95, 9)
    picture = _picture(cells | _disc((60, 120), 8, 40, 2), noise=1)
    mask = particle_mask(picture)
    assert _agreement(mask, cells) > 0.97
    assert _measures(mask).pieces == 3


def test_a_scale_bar_is_no_particle() -> None:
    truth = _disc((90, 120), 60, 60, 10)
    picture = _picture(truth, paper=130, noise=1)
    picture[18:20, 10:60] = 255
    picture[8:18, 66:100:3] = 255
    box = (10, 8, 100, 20)
    assert _agreement(particle_mask(picture, box), truth) > 0.97
    assert _agreement(particle_mask(picture), truth) < 0.7


def test_a_particle_that_touches_the_border_does_not_spoil_the_background() -> None:
    truth = _disc((80, 90), 40, 5, 30)
    picture = _picture(truth)
    level, spread = background_of(picture)
    assert abs(level - 180) <= 2
    assert spread < 6
    assert _agreement(particle_mask(picture), truth) > 0.95


def test_uneven_light_is_levelled() -> None:
    truth = _disc((90, 120), 45, 60, 18)
    slope = np.linspace(-40, 40, 120)[None, :] + np.linspace(-20, 20, 90)[:, None]
    picture = np.clip(_picture(truth, paper=150, ink=60, noise=1) + slope, 0, 255).astype(np.uint8)
    assert _agreement(particle_mask(picture), truth) > 0.95


def test_white_paper_is_the_background_even_if_the_particle_fills_the_border() -> None:
    truth = np.ones((60, 60), np.bool_)
    truth[10:50, 10:30] = False
    picture = np.where(truth, np.random.default_rng(0).integers(40, 140, (60, 60)), 255).astype(np.uint8)
    assert _agreement(particle_mask(picture), truth) > 0.6  # the enclosed paper counts as filled


def test_measures_of_a_rectangle_are_exact() -> None:
    mask = np.zeros((40, 60), np.bool_)
    mask[10:20, 5:45] = True
    found = _measures(mask)
    assert found.area == 400
    assert found.box == (5, 10, 45, 20)
    assert found.center == (24.5, 14.5)
    assert found.convex_area == pytest.approx(400)
    assert found.solidity == pytest.approx(1)
    assert found.feret_width == pytest.approx(10)
    assert found.feret_length == pytest.approx(np.hypot(40, 10))
    assert found.major_axis == pytest.approx(4 * 40 / np.sqrt(12))
    assert found.minor_axis == pytest.approx(4 * 10 / np.sqrt(12))
    assert found.orientation == pytest.approx(0)
    assert found.pieces == 1


@pytest.mark.parametrize("radius", [8, 20, 45])
def test_measures_of_a_disc_are_those_of_a_circle(radius: float) -> None:
    found = _measures(_disc((120, 120), 60, 60, radius))
    assert found.equivalent_diameter == pytest.approx(2 * radius, rel=0.03)
    assert found.major_axis == pytest.approx(2 * radius, rel=0.03)
    assert found.perimeter == pytest.approx(2 * np.pi * radius, rel=0.06)
    assert found.circularity == pytest.approx(1, abs=0.12)
    assert found.eccentricity < 0.1
    assert found.feret_length == pytest.approx(2 * radius + 1, rel=0.06)
    assert found.solidity > 0.89  # the hull goes through the corners of the pixels


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 110, 160])
def test_a_turned_ellipse_keeps_its_measures(degrees: float) -> None:
    angle = np.deg2rad(degrees)
    rows, columns = np.indices((140, 140)) - 70
    along, across = columns * np.cos(angle) + rows * np.sin(angle), -columns * np.sin(angle) + rows * np.cos(angle)
    found = _measures(np.asarray((along / 50) ** 2 + (across / 20) ** 2 <= 1))
    assert found.major_axis == pytest.approx(100, rel=0.02)
    assert found.minor_axis == pytest.approx(40, rel=0.02)
    assert found.feret_length == pytest.approx(100, rel=0.03)
    assert found.feret_width == pytest.approx(40, rel=0.05)
    turned = (found.orientation - angle + np.pi / 2) % np.pi - np.pi / 2
    assert abs(turned) < 0.02


def test_feret_widths_agree_with_a_slow_search_over_all_angles() -> None:
    random = np.random.default_rng(5)
    for _ in range(15):
        mask = np.zeros((40, 40), np.bool_)
        for _ in range(4):
            mask |= _disc((40, 40), random.uniform(10, 30), random.uniform(10, 30), random.uniform(1, 8))
        found = _measures(mask)
        rows, columns = np.nonzero(mask)
        corners = np.concatenate([np.stack([columns + i, rows + j], axis=1) for i in (0, 1) for j in (0, 1)])
        angles = np.linspace(0, np.pi, 3601)
        spans = np.ptp(corners @ np.stack([np.cos(angles), np.sin(angles)]), axis=0)
        assert found.feret_length == pytest.approx(spans.max(), rel=1e-3)
        assert found.feret_width == pytest.approx(spans.min(), rel=1e-2)


def test_a_single_pixel_has_measures_and_an_empty_mask_has_none() -> None:
    mask = np.zeros((5, 5), np.bool_)
    assert mask_measures(mask) is None
    mask[2, 3] = True
    found = _measures(mask)
    assert found.area == 1
    assert found.feret_width == pytest.approx(1)
    assert np.isfinite([found.perimeter, found.circularity, found.eccentricity, found.solidity]).all()


def test_most_real_pictures_have_a_mask_of_sensible_size(real_data: Path) -> None:
    for archive in ("vliz_flowcam", "uvp6_uvpec", "zooscan_ecotaxa"):
        shares = []
        with tarfile.open(real_data / "collections" / f"{archive}.tar") as tar:
            for number, member in enumerate(tar):
                if number % 97 == 0 and (file := tar.extractfile(member)) is not None:
                    grey = decode_image(file.read(), grey=True)
                    shares.append(float(particle_mask(grey, find_scale_bar(grey)).mean()))
        filled = [share for share in shares if 0.003 < share < 0.9]
        assert len(filled) >= 0.97 * len(shares)


def test_the_mask_of_a_real_picture_leaves_its_scale_bar_out(real_data: Path) -> None:
    for path in sorted((real_data / "cytosense" / "rclustool" / "img_example").glob("*.jpg"))[:40]:
        grey = decode_image(path.read_bytes(), grey=True)
        bar = find_scale_bar(grey)
        assert bar is not None
        left, top, right, bottom = bar.box
        mask = particle_mask(grey, bar)
        assert not mask[top:bottom, left:right].any()
        assert 0.002 < mask.mean() < 0.2
