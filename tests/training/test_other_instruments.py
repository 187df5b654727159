"""Polarity, tone, colour, resolution and scale bars: what each does to a picture, and that it is decided by chance."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from seston.training.other_instruments import draw_otherwise, seen_otherwise
from seston.training.settings import AugmentationSettings

KEYS = np.arange(400, dtype=np.uint64)


def _seen(picture: Tensor, background: Tensor, **settings: float) -> tuple[Tensor, Tensor]:
    chosen = msgspec.structs.replace(AugmentationSettings(), **settings)
    chance = draw_otherwise(KEYS[: len(picture)], chosen, (0, 1, 0), "cpu")
    assert chance is not None
    return seen_otherwise(picture, background, chance, chosen)


def _light(picture: Tensor, background: Tensor) -> Tensor:
    """Give the pixels from 0 to 255."""
    return picture * 127.5 + background[:, :, None, None]


def _pictures(count: int = 8, channels: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, channels, 16, 16), generator=generator).float()
    background = torch.randint(0, 256, (count, channels), generator=generator).float()
    return (pixels - background[:, :, None, None]) / 127.5, background


def test_settings_that_leave_pictures_alone_draw_nothing() -> None:
    assert draw_otherwise(KEYS, AugmentationSettings(), (0,), "cpu") is None


def test_inverting_turns_each_pixel_and_the_background_into_its_opposite() -> None:
    picture, background = _pictures()
    seen, level = _seen(picture, background, invert=1.0)
    torch.testing.assert_close(_light(seen, level), 255 - _light(picture, background))
    half, _ = _seen(*_pictures(400), invert=0.5)
    kept = (half == _pictures(400)[0]).all(dim=(1, 2, 3)).float().mean()
    assert 0.4 < kept < 0.6


def test_gamma_raises_light_to_a_power_and_keeps_black_and_white() -> None:
    picture, background = _pictures()
    seen, level = _seen(picture, background, gamma=2.0)
    before, after = _light(picture, background) / 255, _light(seen, level) / 255
    inside = (before > 0.05) & (before < 0.95)
    exponents = torch.where(inside, after.clamp(min=1e-6).log() / before.log(), torch.nan)
    for one in exponents:
        found = one[~one.isnan()]
        assert 0.5 <= float(found.median()) <= 2
        torch.testing.assert_close(found, torch.full_like(found, float(found.median())), rtol=1e-2, atol=1e-2)
    assert float(after.min()) >= -1e-5
    assert float(after.max()) <= 1 + 1e-5


def test_grey_takes_the_colour_out_of_picture_and_background() -> None:
    seen, level = _seen(*_pictures(channels=3), grey=1.0)
    torch.testing.assert_close(seen, seen[:, :1].expand_as(seen))
    torch.testing.assert_close(level, level[:, :1].expand_as(level))


def test_tint_multiplies_each_colour_by_a_factor_of_its_own() -> None:
    picture, background = _pictures(channels=3)
    seen, _ = _seen(picture, background, tint=0.2)
    factors = (seen / picture.where(picture != 0, 1)).flatten(2).median(dim=2).values
    torch.testing.assert_close(seen, picture * factors[:, :, None, None])
    assert len(set(factors.flatten().tolist())) == factors.numel()


def test_coarse_pixels_are_smoother_and_keep_the_mean() -> None:
    picture, background = _pictures()
    seen, _ = _seen(picture, background, coarse=1.0)
    assert float(seen.diff(dim=3).abs().mean()) < 0.6 * float(picture.diff(dim=3).abs().mean())
    torch.testing.assert_close(seen.mean(dim=(1, 2, 3)), picture.mean(dim=(1, 2, 3)), atol=0.05, rtol=0)


def test_a_bar_is_black_or_white_and_lies_near_an_edge() -> None:
    picture, background = torch.zeros(200, 1, 64, 64), torch.full((200, 1), 120.0)
    seen, level = _seen(picture, background, bar=1.0)
    light = _light(seen, level)
    painted = light != 120
    assert set(light[painted].tolist()) == {0.0, 255.0}
    rows = painted.any(dim=3)[:, 0].nonzero()[:, 1]
    assert ((rows < 14) | (rows > 49)).all()
    assert painted.any(dim=(1, 2, 3)).float().mean() > 0.95


@pytest.mark.parametrize("name", ["invert", "background", "coarse", "bar"])
def test_the_same_seed_epoch_and_particle_give_the_same_view_whatever_stands_beside_it(name: str) -> None:
    settings = msgspec.structs.replace(AugmentationSettings(), **{name: 0.5})
    picture, background = _pictures(6)
    whole = draw_otherwise(KEYS[:6], settings, (0, 1, 0), "cpu")
    alone = draw_otherwise(KEYS[3:4], settings, (0, 1, 0), "cpu")
    assert whole is not None
    assert alone is not None
    seen, level = seen_otherwise(picture, background, whole, settings)
    one, of_one = seen_otherwise(picture[3:4], background[3:4], alone, settings)
    torch.testing.assert_close(seen[3:4], one)
    torch.testing.assert_close(level[3:4], of_one)
