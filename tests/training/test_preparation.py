"""From particles to a batch: the one preparation for training, embedding and identifying."""

from __future__ import annotations

import io
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from seston.errors import InputError
from seston.models import Batch
from seston.particle import Particle, Skipped
from seston.training import Preparation, load_recipe, make_batch
from seston.training.preparation import read_preparation, write_preparation
from seston.training.statistics import blank_preparation

_CHANNELS = ("FWS", "SWS", "FL Red")


def _preparation(*overrides: str) -> Preparation:
    blank = blank_preparation(load_recipe("tiny", overrides), _CHANNELS)
    return replace_scale(blank)


def replace_scale(blank: Preparation) -> Preparation:
    from msgspec.structs import replace as changed

    return changed(blank, channel_scale=(2.0, 3.0, 4.0))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _particle(**changes: object) -> Particle:
    pixels = np.full((30, 50), 200, np.uint8)
    pixels[10:20, 15:35] = 40
    profile = np.random.default_rng(0).gamma(2, 50, (3, 40)).astype(np.float32)
    particle = Particle(
        id="s/1", sample_id="s", image=_png(pixels), profile=profile, profile_channels=_CHANNELS, raw_label="a secret"
    )
    return replace(particle, **changes)  # type: ignore[arg-type]  # the fields vary by test


def test_a_batch_has_the_shapes_that_the_preparation_promises() -> None:
    preparation = _preparation()
    batch = make_batch([_particle(), _particle(id="t/1", sample_id="t")], preparation)
    inputs = preparation.inputs
    assert batch.image.shape == (2, 1, inputs.picture_size, inputs.picture_size)
    assert batch.image_size.shape == (2, inputs.picture_sizes)
    assert batch.profile.shape == (2, inputs.profile_channels, inputs.profile_length)
    assert batch.profile_size.shape == (2, inputs.profile_sizes)
    assert batch.sample.tolist() == [0, 1]
    assert len(batch) == 2


def test_nothing_but_tensors_of_numbers_reaches_a_model() -> None:
    batch = make_batch([_particle()], _preparation())
    assert all(isinstance(getattr(batch, field.name), torch.Tensor) for field in fields(Batch))


def test_id_label_source_and_sample_name_change_nothing() -> None:
    one = make_batch([_particle()], _preparation())
    named = _particle(id="copepod/9", sample_id="copepods", source="/copepod", raw_label="copepod")
    other = make_batch([named], _preparation())
    assert all(torch.equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Batch))


def test_an_absent_modality_is_marked_and_its_tensors_are_finite() -> None:
    batch = make_batch([_particle(image=None), _particle(profile=None, profile_channels=())], _preparation())
    assert batch.image_present.tolist() == [False, True]
    assert batch.profile_present.tolist() == [True, False]
    assert all(torch.isfinite(getattr(batch, field.name).float()).all() for field in fields(Batch))
    assert not batch.image[0].any()


def test_channels_are_found_by_name_whatever_their_order_and_unknown_ones_are_left_out() -> None:
    particle = _particle()
    assert particle.profile is not None
    shuffled = replace(
        particle,
        profile=np.concatenate([particle.profile[[2, 0, 1]], np.ones((1, 40), np.float32)]),
        profile_channels=("FL Red", "FWS", "SWS", "Unheard of"),
    )
    one, other = make_batch([particle], _preparation()), make_batch([shuffled], _preparation())
    assert torch.equal(one.profile, other.profile)
    assert torch.equal(one.profile_size, other.profile_size)


def test_a_missing_channel_is_marked_and_looks_like_no_light() -> None:
    particle = _particle()
    assert particle.profile is not None
    without = replace(particle, profile=particle.profile[:2], profile_channels=_CHANNELS[:2])
    dark = replace(particle, profile=particle.profile * np.array([[1], [1], [0]], np.float32))
    batch = make_batch([without, dark], _preparation())
    assert batch.channel_present.tolist() == [[True, True, False], [True, True, True]]
    assert torch.equal(batch.profile[0], batch.profile[1])


def test_a_profile_of_only_unknown_channels_counts_as_absent() -> None:
    particle = _particle(profile=np.ones((1, 9), np.float32), profile_channels=("Unheard of",))
    assert make_batch([particle], _preparation()).profile_present.tolist() == [False]


def test_light_is_scaled_as_logarithm_by_the_channel_and_zero_stays_zero() -> None:
    profile = np.zeros((3, 32), np.float32)
    profile[1] = 99.0
    batch = make_batch([_particle(profile=profile)], _preparation())
    assert batch.profile[0, 1].tolist() == pytest.approx([math.log(100) / 3] * 32)
    assert not batch.profile[0, 0].any()


def test_the_papers_scaling_and_sizes_are_the_papers() -> None:
    preparation = _preparation("profiles.scaling=paper", "sizes=paper", "pictures.centre=range")
    profile = np.full((3, 56), math.expm1(8.9211), np.float32)
    batch = make_batch([_particle(profile=profile), _particle(profile=profile * 0)], preparation)
    assert batch.profile[0].flatten().tolist() == pytest.approx([1.0] * 96, abs=1e-5)
    assert batch.profile[1].flatten().tolist() == pytest.approx([-1.0] * 96)
    assert batch.image_size[0].tolist() == pytest.approx([30 / 224, 50 / 224])
    assert batch.profile_size[0].tolist() == pytest.approx([56 / 224])
    assert batch.image.max().item() == pytest.approx(200 / 127.5 - 1, abs=0.01)


def test_length_and_totals_survive_as_size_numbers() -> None:
    particle = _particle()
    assert particle.profile is not None
    long = replace(particle, profile=np.repeat(particle.profile, 3, axis=1))
    short_sizes, long_sizes = make_batch([particle, long], _preparation()).profile_size
    grown = (long_sizes - short_sizes).tolist()
    assert grown[0] == pytest.approx(math.log(3), abs=1e-5)
    assert grown[3:6] == pytest.approx([math.log(3)] * 3, abs=1e-3)
    assert grown[6:9] == pytest.approx([0, 0, 0], abs=1e-5)


def test_a_scale_bar_is_hidden_from_the_model() -> None:
    pixels = np.full((40, 40), 200, np.uint8)
    pixels[:9] = 0
    particle = _particle(image=_png(pixels), scale_bar=(0, 0, 40, 9))
    assert not make_batch([particle], _preparation()).image.any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": b"not a picture"}, "particle s/1: not a picture"),
        ({"profile": np.full((3, 5), np.nan, np.float32)}, "particle s/1: profile has no samples or values"),
        ({"profile": np.zeros((3, 0), np.float32)}, "particle s/1: profile has no samples or values"),
    ],
)
def test_what_cannot_be_used_is_named_or_collected_as_absent(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_batch([_particle(**changes)], _preparation())
    skipped: list[Skipped] = []
    batch = make_batch([_particle(**changes), _particle()], _preparation(), skipped=skipped)
    assert [item.item for item in skipped] == ["s/1"]
    assert (batch.image_present & batch.profile_present).tolist() == [False, True]


def test_colour_pictures_keep_their_colours_and_grey_ones_are_repeated() -> None:
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[5:15, 5:15, 0] = 255
    preparation = _preparation("pictures.colour=true")
    batch = make_batch([_particle(image=_png(pixels)), _particle()], preparation)
    assert batch.image.shape[1] == 3
    assert batch.image[0, 0].max() > 1.5
    assert not batch.image[0, 1:].any()
    assert torch.equal(batch.image[1, 0], batch.image[1, 2])


def test_a_preparation_comes_back_from_its_file(tmp_path: Path) -> None:
    preparation = _preparation()
    write_preparation(preparation, tmp_path / "preparation.json")
    assert read_preparation(tmp_path / "preparation.json") == preparation
    (tmp_path / "preparation.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match=r"preparation\.json"):
        read_preparation(tmp_path / "preparation.json")
