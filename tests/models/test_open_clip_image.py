"""Picture encoders of open_clip say what open_clip says, at their own size and interpolated at another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seston.errors import UsageError
from seston.models.config import ImageTowerConfig, Inputs
from seston.models.crossmodal import image_tower
from seston.models.low_rank import add_low_rank, merge_low_rank


def _inputs(size: int, channels: int) -> Inputs:
    return Inputs(picture_size=size, picture_channels=channels, picture_sizes=0, profile_channels=0, profile_length=8,
                  profile_sizes=0)  # fmt: skip


def _pictures(size: int, channels: int) -> torch.Tensor:
    return 2 * torch.rand(3, channels, size, size, generator=torch.Generator().manual_seed(1)) - 1


@pytest.mark.parametrize("channels", [1, 3])
def test_it_says_what_open_clip_says_of_the_same_picture(
    tiny_pair: tuple[Path, torch.nn.Module], channels: int
) -> None:
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    folder, theirs = tiny_pair
    config = ImageTowerConfig(tower="open_clip:tiny-of-tests", weights=str(folder))
    tower = image_tower(config, _inputs(16, channels)).eval()
    pictures = _pictures(16, channels)
    light = ((pictures + 1) / 2).expand(-1, 3, -1, -1)
    mean, deviation = (torch.tensor(one).reshape(3, 1, 1) for one in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    with torch.no_grad():
        expected = theirs.encode_image((light - mean) / deviation)  # type: ignore[operator]
        torch.testing.assert_close(tower(pictures), expected)
    assert tower.features == 12


def test_pictures_of_another_size_are_taken(tiny_pair: tuple[Path, torch.nn.Module]) -> None:
    config = ImageTowerConfig(tower="open_clip:tiny-of-tests", weights=str(tiny_pair[0]))
    assert image_tower(config, _inputs(32, 1))(_pictures(32, 1)).shape == (3, 12)


def test_small_matrices_stand_beside_its_feed_forward_layers(tiny_pair: tuple[Path, torch.nn.Module]) -> None:
    config = ImageTowerConfig(tower="open_clip:tiny-of-tests", weights=str(tiny_pair[0]))
    tower = image_tower(config, _inputs(16, 1)).eval()
    before = tower(_pictures(16, 1))
    added = add_low_rank(tower, ("out_proj", "c_fc", "c_proj"), rank=2, alpha=2)
    assert [name.rpartition(".")[2] for name in added] == ["c_fc", "c_proj"]
    torch.testing.assert_close(tower(_pictures(16, 1)), before)
    merge_low_rank(tower)
    torch.testing.assert_close(tower(_pictures(16, 1)), before)


def test_an_unknown_architecture_and_weights_that_do_not_fit_are_refused(
    tiny_pair: tuple[Path, torch.nn.Module],
) -> None:
    with pytest.raises(UsageError, match="no architecture 'ViT-B-61'; did you mean"):
        image_tower(ImageTowerConfig(tower="open_clip:ViT-B-61"), _inputs(16, 1))
    other = ImageTowerConfig(tower="open_clip:RN50", weights=str(tiny_pair[0]))
    with pytest.raises(UsageError, match="asks for"):
        image_tower(other, _inputs(32, 3))
