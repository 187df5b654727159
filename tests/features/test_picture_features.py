"""Features of pictures."""

from __future__ import annotations

import math
import tarfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.features import picture_features
from seston.features.picture import PICTURE_FEATURES
from seston.instruments import decode_image


def _ellipse(
    long: float,
    short: float,
    degrees: float = 0,
    *,
    shape: tuple[int, int] = (130, 130),
    paper: int = 180,
    ink: int = 60,
) -> NDArray[np.uint8]:
    angle = np.deg2rad(degrees)
    rows, columns = np.indices(shape)
    down, across = rows - shape[0] / 2, columns - shape[1] / 2
    along, athwart = across * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - across * np.sin(angle)
    radius = np.sqrt((along / long) ** 2 + (athwart / short) ** 2)
    stripes = 20 * np.sin(along / 2)
    return np.where(radius <= 1, ink + stripes, paper).clip(0, 255).astype(np.uint8)


_SIZE = ("log area", "log diameter", "log major", "log minor", "log length", "log width", "log thickness")


def test_names_are_the_same_for_every_picture() -> None:
    full = picture_features(_ellipse(40, 20))
    empty = picture_features(np.full((40, 40), 128, np.uint8))
    assert tuple(full) == tuple(empty) == PICTURE_FEATURES
    assert all(math.isfinite(value) for value in full.values())
    assert all(math.isnan(value) for value in empty.values())


def test_sizes_are_logarithms_of_pixels_and_of_micrometres() -> None:
    found = picture_features(_ellipse(40, 20), None, 0.5)
    assert found["log area"] == pytest.approx(np.log(np.pi * 40 * 20), rel=0.01)
    assert found["log major"] == pytest.approx(np.log(80), rel=0.01)
    assert found["log width"] == pytest.approx(np.log(41), rel=0.02)
    for name in _SIZE[1:]:
        assert found[f"{name} µm"] == pytest.approx(found[name] + np.log(0.5))
    assert found["log area µm"] == pytest.approx(found["log area"] + 2 * np.log(0.5))


@pytest.mark.parametrize("degrees", [30, 77, 120])
def test_turning_a_particle_changes_little(degrees: float) -> None:
    straight, turned = picture_features(_ellipse(45, 18)), picture_features(_ellipse(45, 18, degrees))
    loose = {"elongation": 0.1, **{f"along {k}": 0.1 for k in range(1, 5)}}
    for name, value in straight.items():
        if not name.startswith(("pattern", "coarse", "grey skew")):
            assert turned[name] == pytest.approx(value, rel=0.1, abs=loose.get(name, 0.06)), name


def test_mirroring_a_particle_changes_nothing() -> None:
    picture = _ellipse(45, 18, 25)
    picture[60:64, 30:50] = 30
    one, other = picture_features(picture), picture_features(np.ascontiguousarray(picture[:, ::-1]))
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=1e-3, abs=2e-3), name


def test_a_weaker_lamp_or_gain_changes_little() -> None:
    bright = _ellipse(40, 20, 30)
    dim = (bright * 0.6).astype(np.uint8)
    one, other = picture_features(bright), picture_features(dim)
    for name, value in one.items():
        if not name.startswith("pattern"):
            assert other[name] == pytest.approx(value, rel=0.05, abs=0.03), name


def test_gain_matters_little_in_dark_field_too() -> None:
    bright = _ellipse(40, 20, 30, paper=2, ink=180)
    dim = (bright * 0.5).astype(np.uint8)
    one, other = picture_features(bright), picture_features(dim)
    for name in ("contrast", "deepest", "grey sd", "inside 3", "log area", "edges"):
        assert other[name] == pytest.approx(one[name], rel=0.08, abs=0.02), name


def test_discs_needles_and_stars_have_their_shapes() -> None:
    disc, needle = picture_features(_ellipse(30, 30)), picture_features(_ellipse(60, 4))
    rows, columns = np.indices((130, 130)) - 65
    star = np.hypot(rows, columns) <= 30 * (1 + 0.6 * np.cos(5 * np.arctan2(rows, columns)))
    starry = picture_features(np.where(star, 60, 180).astype(np.uint8))
    assert disc["eccentricity"] < 0.15 < 0.9 < needle["eccentricity"]
    assert disc["solidity"] > 0.95 > 0.8 > starry["solidity"]
    assert disc["roundness"] > 0.9 > starry["roundness"]
    assert needle["slimness"] > disc["slimness"] + 1
    assert disc["log pieces"] == 0


def test_hu_moments_agree_with_sums_over_pixels() -> None:
    picture = np.full((60, 80), 200, np.uint8)
    picture[20:40, 20:60] = 50
    picture[40:50, 20:30] = 50
    rows, columns = np.nonzero(picture == 50)
    x, y = columns - columns.mean(), rows - rows.mean()
    area = len(rows)

    def moment(p: int, q: int) -> float:
        return float((x**p * y**q).sum() / area ** ((p + q) / 2 + 1))

    found = picture_features(picture)
    assert found["Hu 1"] == pytest.approx(np.log1p(10 * (moment(2, 0) + moment(0, 2))))
    difference = (moment(2, 0) - moment(0, 2)) ** 2 + 4 * moment(1, 1) ** 2
    assert found["Hu 2"] == pytest.approx(np.log1p(100 * difference))
    third = (moment(3, 0) + moment(1, 2)) ** 2 + (moment(2, 1) + moment(0, 3)) ** 2
    assert found["Hu 4"] == pytest.approx(np.log1p(1000 * third))


def test_rings_show_a_dark_core() -> None:
    picture = _ellipse(30, 30, ink=130)
    rows, columns = np.indices(picture.shape) - 65
    picture[np.hypot(rows, columns) < 10] = 20
    found = picture_features(picture)
    assert found["inside 1"] < found["inside 4"] - 0.3


def test_edges_lie_across_stripes() -> None:
    found = picture_features(_ellipse(50, 30, 40))  # stripes across the major axis: gradients along it
    assert found["along 1"] > 0.5
    assert sum(found[f"along {k}"] for k in range(1, 5)) == pytest.approx(1)
    assert sum(found[f"pattern {k}"] for k in range(10)) == pytest.approx(1)
    assert sum(found[f"outline {k}"] for k in range(1, 7)) == pytest.approx(1)


def test_a_scale_bar_is_left_out() -> None:
    picture = _ellipse(40, 20)
    with_bar = picture.copy()
    with_bar[8:10, 10:70] = 255
    one, other = picture_features(picture), picture_features(with_bar, (10, 8, 70, 10))
    for name, value in one.items():
        assert other[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (5, 200), (200, 5)])
def test_tiny_and_thin_pictures_are_finite_or_nan(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for picture in (random.integers(0, 256, shape, dtype=np.uint8), np.zeros(shape, np.uint8)):
        picture[0, 0] = 255
        assert not any(math.isinf(value) for value in picture_features(picture, None, 0.3).values())


def test_real_pictures_have_finite_features(real_data: Path) -> None:
    for archive in ("vliz_flowcam", "uvp6_uvpec", "lake_eawag_dspc"):
        complete = total = 0
        with tarfile.open(real_data / "collections" / f"{archive}.tar") as tar:
            for number, member in enumerate(tar):
                if number % 151 == 0 and (file := tar.extractfile(member)) is not None:
                    found = picture_features(decode_image(file.read(), grey=True))
                    assert not any(math.isinf(value) for value in found.values())
                    values = [value for name, value in found.items() if not name.startswith("inside")]
                    complete += all(math.isfinite(value) for value in values)
                    total += 1
        assert complete >= 0.95 * total
