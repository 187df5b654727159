"""The crops of DINO: what they show, in which scale, and that chance depends on the particle alone."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from seston.models import Inputs
from seston.training.dino_settings import DinoViewSettings
from seston.training.dino_views import large_and_small_views
from seston.training.prepared import Prepared, empty_prepared, take_prepared
from seston.training.randomness import particle_keys

STILL = DinoViewSettings(
    small=2, large_area=(1.0, 1.0), small_area=(1.0, 1.0), ratio=1.0, mirror=0.0, turn_over=0.0, jitter=0.0,
    blur=(0.0, 0.0), small_blur=0.0,
)  # fmt: skip
KEYS = particle_keys([f"particle {number}" for number in range(6)])


def prepared(side: int = 32, count: int = 6) -> Prepared:
    made = empty_prepared(
        count,
        Inputs(
            picture_size=side,
            picture_channels=1,
            picture_sizes=7,
            profile_channels=0,
            profile_length=8,
            profile_sizes=3,
        ),
    )
    made.picture[:] = np.random.default_rng(0).integers(0, 256, made.picture.shape)
    made.background[:] = 200
    made.has_picture[:] = True
    return made


def views(settings: DinoViewSettings, centre: str = "range", purpose: tuple[int, ...] = (0, 0)) -> list[torch.Tensor]:
    large, small = large_and_small_views(prepared(), KEYS, settings, centre, purpose)
    return [*large, *small]


def change(**values: object) -> DinoViewSettings:
    return msgspec.structs.replace(STILL, **values)


def test_a_crop_of_everything_without_changes_is_the_picture() -> None:
    whole = torch.from_numpy(prepared().picture).float() / 127.5 - 1
    first, second, *small = views(STILL)
    assert torch.allclose(first, whole, atol=1e-5)
    assert torch.allclose(second, whole, atol=1e-5)
    assert [tuple(view.shape) for view in small] == [(6, 1, 16, 16)] * 2


def test_pixels_are_differences_from_the_background_where_the_recipe_wants_it() -> None:
    expected = (torch.from_numpy(prepared().picture).float() - 200) / 127.5
    assert torch.allclose(views(STILL, "background")[0], expected, atol=1e-5)


def test_a_shrunk_picture_is_that_of_pillow() -> None:
    pixels: NDArray[np.uint8] = prepared().picture[0, 0]
    theirs = np.asarray(Image.fromarray(pixels).resize((16, 16), Image.Resampling.BICUBIC), np.float32) / 127.5 - 1
    ours = views(STILL)[2][0, 0].numpy()
    assert np.abs(ours - theirs).max() < 0.02  # Pillow rounds to whole numbers


def test_mirrored_and_turned_over_pictures_are_exactly_that() -> None:
    plain = views(STILL)[0]
    assert torch.allclose(views(change(mirror=1.0))[0], plain.flip(3), atol=1e-5)
    assert torch.allclose(views(change(turn_over=1.0))[0], plain.flip(2), atol=1e-5)


def test_a_crop_shows_the_share_of_the_area_that_it_is_told_to_and_stays_inside() -> None:
    made = prepared(64, 200)
    ramp = np.linspace(0, 255, 64)
    made.picture[:] = ramp.round().astype(np.uint8)
    keys = particle_keys([str(number) for number in range(200)])
    settings = change(large_area=(0.25, 0.25))
    (first, second), _ = large_and_small_views(made, keys, settings, "range", (0, 0))
    left, right = first[:, 0, 0, 0], first[:, 0, 0, -1]
    assert ((right - left) / 2).mean() == pytest.approx(0.5 * 63 / 64, abs=0.02)
    assert float(left.min()) >= -1.001
    assert float(left.min()) < -0.95
    assert float(right.max()) <= 1.001
    assert float(right.max()) > 0.95
    assert not torch.allclose(first, second)


def test_light_changes_about_the_background_and_solarising_meets_the_second_large_crop_alone() -> None:
    flat = prepared()
    flat.picture[:] = 200
    strong = change(jitter=1.0, brightness=0.0, contrast=0.9)
    (first, _), _ = large_and_small_views(flat, KEYS, strong, "background", (0, 0))
    assert first.abs().max() < 1e-5
    plain, turned = views(change(solarise=1.0))[:2]
    assert torch.allclose(plain, views(STILL)[0])
    assert float(turned.max()) <= 0
    brighter = views(change(jitter=1.0, brightness=0.4, contrast=0.0))[0]
    factors = ((brighter + 1) / (plain + 1).clamp(min=0.2))[:, 0, 5:9, 5:9].amax(dim=(1, 2))
    assert len({round(float(factor), 3) for factor in factors}) == 6


def test_a_blur_smooths_the_crop_that_it_meets() -> None:
    plain = views(STILL)
    blurred = views(change(blur=(1.0, 0.0), blur_width=(1.5, 1.5)))
    assert blurred[0].diff(dim=3).abs().mean() < 0.3 * plain[0].diff(dim=3).abs().mean()
    assert torch.allclose(blurred[0].mean(), plain[0].mean(), atol=0.05)
    assert torch.allclose(blurred[1], plain[1])


def test_chance_depends_on_particle_seed_and_epoch_and_not_on_the_batch() -> None:
    settings = DinoViewSettings(small=3)
    rows = np.array([4, 1])
    whole = views(settings, purpose=(3, 7))
    large, small = large_and_small_views(
        take_prepared(prepared(), rows), KEYS[rows], settings, "range", (3, 7)
    )  # fmt: skip
    assert len(whole) == 2 + settings.small
    for one, other in zip(whole, [*large, *small], strict=True):
        assert torch.allclose(one[rows], other, atol=1e-5)
    assert not torch.allclose(whole[0], views(settings, purpose=(3, 8))[0])
    assert not torch.allclose(whole[0], views(settings, purpose=(4, 7))[0])
    assert not torch.allclose(whole[2], whole[3])
