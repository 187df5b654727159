"""Pictures of any shape as squares, and how large the particle is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.training.squares import picture_sizes, to_square


def _sizes(
    pixels: NDArray[np.uint8], um: float = math.nan, size: int = 64, *, whole_picture: bool = False
) -> NDArray[np.float32]:
    square = to_square(pixels, size, whole_picture=whole_picture)
    height, width = pixels.shape[:2]
    numbers = (np.array([number], np.float32) for number in (square.side, width, height, um))
    sizes: NDArray[np.float32] = picture_sizes(square.pixels[None], square.background[None], *numbers)[0]
    return sizes


def _disc(side: int, radius: float, *, stretch: float = 1.0, angle: float = 0.0) -> NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    return np.where((along / stretch) ** 2 + across**2 <= radius**2, 60, 200).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([8, 33, 64]), st.booleans())
def test_every_shape_becomes_a_square_and_its_numbers_are_finite(
    width: int, height: int, size: int, colour: bool
) -> None:
    shape = (height, width, 3) if colour else (height, width)
    pixels = np.random.default_rng(width * height).integers(0, 256, shape, np.uint8)
    for whole_picture in (True, False):
        square = to_square(pixels, size, whole_picture=whole_picture)
        assert square.pixels.shape == (3 if colour else 1, size, size)
        assert np.isfinite(_sizes(pixels, size=size, whole_picture=whole_picture)).all()


def test_what_is_added_is_the_background_of_the_border() -> None:
    pixels = np.full((20, 60), 180, np.uint8)
    pixels[5:15, 20:40] = 30
    square = to_square(pixels, 60, whole_picture=True)
    assert square.background.tolist() == [180]
    assert (square.pixels[0, :20] == 180).all()
    assert (square.pixels[0, 40:] == 180).all()
    assert np.array_equal(square.pixels[0, 20:40], pixels)


def test_the_particle_fills_its_square_wherever_it_lies_in_the_picture() -> None:
    shown = []
    for left, top in ((0, 0), (140, 5), (70, 90)):
        pixels = np.full((120, 200), 200, np.uint8)
        pixels[top : top + 20, left : left + 50] = 40
        square = to_square(pixels, 64)
        assert 60 < square.side < 85
        dark = square.pixels[0] < 120
        shown.append(dark.sum())
        middle = [np.flatnonzero(dark.any(axis=axis)).mean() for axis in (0, 1)]
        assert middle == pytest.approx([31.5, 31.5], abs=2)
    assert max(shown) < 1.15 * min(shown)


def test_where_nothing_stands_out_the_whole_picture_is_shown() -> None:
    pixels = np.random.default_rng(0).integers(198, 203, (50, 90)).astype(np.uint8)
    assert to_square(pixels, 64).side == 90


def test_shrinking_averages_areas() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128), np.uint8)
    square = to_square(pixels, 32, whole_picture=True)
    areas = pixels.reshape(32, 4, 32, 4).mean(axis=(1, 3))
    assert np.abs(square.pixels[0] - areas).max() <= 1.01  # Pillow rounds once along each axis


def test_a_scale_bar_is_painted_over_and_does_not_sway_the_background() -> None:
    pixels = np.full((40, 40), 200, np.uint8)
    pixels[:12, :] = 0
    square = to_square(pixels, 40, (0, 0, 40, 12))
    assert square.background.tolist() == [200]
    assert (square.pixels == 200).all()


def test_a_picture_that_is_all_scale_bar_still_has_a_background() -> None:
    square = to_square(np.full((10, 10), 77, np.uint8), 16, (0, 0, 10, 10))
    assert square.background.tolist() == [77]


def test_dark_and_bright_particles_keep_their_polarity() -> None:
    for grey in (20, 250):
        pixels = np.full((30, 30), 128, np.uint8)
        pixels[10:20, 10:20] = grey
        square = to_square(pixels, 30)
        assert (int(square.pixels[0, 15, 15]) > int(square.background[0])) == (grey > 128)


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2])
def test_length_and_breadth_are_those_of_the_ellipse_in_any_pose(angle: float) -> None:
    sizes = np.exp(_sizes(_disc(120, 12, stretch=3, angle=angle)))
    assert sizes[2] == pytest.approx(math.sqrt(math.pi * 36 * 12), rel=0.05)
    assert sizes[3] == pytest.approx(72, rel=0.05)
    assert sizes[4] == pytest.approx(24, rel=0.12)


def test_the_particle_is_measured_in_pixels_of_the_picture_whatever_the_square() -> None:
    pixels = _disc(150, 30)
    for size in (48, 64, 128):
        assert np.exp(_sizes(pixels, size=size)[3]) == pytest.approx(60, rel=0.06)


def test_pixel_size_is_a_number_of_its_own_and_may_be_unknown() -> None:
    assert _sizes(_disc(30, 8), um=0.5)[5:].tolist() == pytest.approx([math.log(0.5), 1.0])
    assert _sizes(_disc(30, 8))[5:].tolist() == [0.0, 0.0]
