"""Views: keyed by the particle, physical, and the same for picture and profile where they must be."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from seston.models import Batch
from seston.training import Preparation, augmentation, load_recipe
from seston.training.augmentation import NoiseTable, augmented_batch
from seston.training.prepared import Prepared, empty_prepared, take_prepared
from seston.training.randomness import particle_keys
from seston.training.settings import AugmentationSettings
from seston.training.statistics import blank_preparation
from seston.training.tensors import plain_batch

_NOTHING = AugmentationSettings(
    rotation=0, zoom=(1, 1), stretch=1, shift=0, turn_over=0, reverse=0, brightness=0, contrast=0, blur=0,
    pixel_noise=0, gain=0, channel_gain=0, drop_channels=0, time_stretch=0, time_shift=0, signal_noise=0, size_noise=0,
)  # fmt: skip
_NOISE = NoiseTable(0)
_IDS = [f"s/{number}" for number in range(24)]
_SAMPLE = torch.zeros(24, dtype=torch.int64)


def _preparation() -> Preparation:
    return blank_preparation(load_recipe("tiny"), ("FWS", "SWS", "FL Red", "FL Yellow"))


def _prepared() -> Prepared:
    generator = np.random.default_rng(0)
    prepared = empty_prepared(24, _preparation().inputs)
    prepared.background[:] = 200
    prepared.picture[:] = 200
    prepared.picture[:, :, 8:20, 6:26] = generator.integers(0, 200, (24, 1, 12, 20))
    prepared.profile[:] = generator.gamma(2, 100, prepared.profile.shape)
    prepared.signal_total[:] = prepared.profile.sum(axis=2)
    prepared.signal_maximum[:] = prepared.profile.max(axis=2)
    for array in (prepared.has_picture, prepared.has_profile, prepared.has_channel):
        array[:] = True
    return prepared


def _view(settings: AugmentationSettings, *, rows: slice = slice(None), purpose: tuple[int, ...] = (0, 0, 0)) -> Batch:
    keys = particle_keys(_IDS)[rows]
    prepared = take_prepared(_prepared(), rows)
    return augmented_batch(prepared, keys, _SAMPLE[rows], _preparation(), settings, _NOISE, purpose)


def _same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Batch))


@pytest.mark.parametrize("extreme", [0.0, 1.0 - 2.0**-53])
def test_a_view_can_be_drawn_from_the_least_and_the_greatest_number(
    monkeypatch: pytest.MonkeyPatch, extreme: float
) -> None:
    monkeypatch.setattr(augmentation, "uniforms", lambda keys, count, *_: np.full((len(keys), count), extreme))
    view = _view(load_recipe("default").augmentation)
    assert torch.isfinite(view.image).all()
    assert torch.isfinite(view.profile).all()


def test_there_is_noise_for_pictures_larger_than_the_table() -> None:
    noise = _NOISE.take(torch.tensor([0.0, 0.9]), (3, 640, 640))
    assert noise.shape == (2, 3, 640, 640)
    assert abs(float(noise.std()) - 1) < 0.01
    assert not torch.equal(noise[0], noise[1])


def test_without_any_strength_a_view_is_the_particle_as_measured() -> None:
    plain = plain_batch(_prepared(), _SAMPLE, _preparation())
    view = _view(_NOTHING)
    for field in fields(Batch):
        torch.testing.assert_close(
            getattr(view, field.name).float(), getattr(plain, field.name).float(), atol=1e-4, rtol=1e-4
        )


def test_a_view_depends_on_seed_epoch_view_and_particle_and_on_nothing_else() -> None:
    settings = load_recipe("default").augmentation
    everyone = _view(settings)
    part = _view(settings, rows=slice(5, 9))
    assert torch.equal(everyone.profile[5:9], part.profile)
    torch.testing.assert_close(everyone.image[5:9], part.image, atol=1e-5, rtol=1e-5)
    assert _same(everyone, _view(settings))
    for purpose in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        assert not torch.equal(everyone.image, _view(settings, purpose=purpose).image)
        assert not torch.equal(everyone.profile, _view(settings, purpose=purpose).profile)


def test_a_picture_is_mirrored_exactly_when_its_profile_is_reversed() -> None:
    plain, view = _view(_NOTHING), _view(replace(_NOTHING, reverse=0.5))
    mirrored = [bool(torch.allclose(view.image[row], plain.image[row].flip(2), atol=1e-4)) for row in range(24)]
    reversed_ = [bool(torch.allclose(view.profile[row], plain.profile[row].flip(1), atol=1e-4)) for row in range(24)]
    assert mirrored == reversed_
    assert 4 < sum(mirrored) < 20


def test_turning_over_leaves_the_profile_alone() -> None:
    plain, view = _view(_NOTHING), _view(replace(_NOTHING, turn_over=1.0))
    torch.testing.assert_close(view.image, plain.image.flip(2), atol=1e-4, rtol=0)
    assert torch.equal(view.profile, plain.profile)


def test_a_gain_multiplies_the_light_before_the_logarithm_and_the_maxima_go_with_it() -> None:
    plain, view = _view(_NOTHING), _view(replace(_NOTHING, channel_gain=0.5))
    ratio = view.profile.expm1() / plain.profile.expm1()
    torch.testing.assert_close(ratio, ratio[:, :, :1].expand_as(ratio), atol=1e-3, rtol=1e-3)
    maxima = view.profile_size[:, 7:].expm1() / plain.profile_size[:, 7:].expm1()
    torch.testing.assert_close(maxima, ratio[:, :, 0], atol=1e-3, rtol=1e-3)
    assert ratio[:, :, 0].log().std().item() == pytest.approx(0.5, rel=0.3)


def test_a_dropped_channel_is_dark_and_at_least_one_channel_stays() -> None:
    view = _view(replace(_NOTHING, drop_channels=1.0))
    dark = (view.profile == 0).all(dim=2)
    assert (dark.sum(dim=1) == 1).all()  # of four channels at most a third: one
    assert view.channel_present.all()
    assert (view.profile_size[:, 3:7][dark] == 0).all()


def test_outside_of_a_moved_picture_lies_background() -> None:
    view = _view(replace(_NOTHING, zoom=(2.0, 2.0)))
    assert not view.image[:, :, :7].any()
    assert view.image.any()


def test_blur_and_noise_change_pictures_and_keep_their_mean() -> None:
    plain = _view(_NOTHING)
    blurred = _view(replace(_NOTHING, blur=1.0))
    assert blurred.image.std() < plain.image.std()
    assert blurred.image.mean().item() == pytest.approx(plain.image.mean().item(), rel=0.02)
    noisy = _view(replace(_NOTHING, pixel_noise=0.05))
    difference = noisy.image - plain.image
    assert 0.02 < difference.std() < 0.1
    assert abs(difference.mean()) < 0.01


def test_size_numbers_get_noise_so_that_no_view_is_known_by_them() -> None:
    plain, view = _view(_NOTHING), _view(replace(_NOTHING, size_noise=0.2))
    assert (view.image_size - plain.image_size).std().item() == pytest.approx(0.2, rel=0.3)
    assert (view.profile_size - plain.profile_size).std().item() == pytest.approx(0.2, rel=0.3)
