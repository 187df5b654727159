"""Picture encoders of open_clip say what open_clip says, at their own size and interpolated at another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from seston.errors import UsageError
from seston.models.config import ImageTowerConfig, Inputs
from seston.models.crossmodal import image_tower
from seston.models.low_rank import add_low_rank, merge_low_rank
from seston.models.torchvision_shim import mend_torchvision

_CONFIG = {
    "embed_dim": 12,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    """Give a tiny model, known to open_clip as ``tiny-of-tests``, and a folder in the layout of the Hub."""
    mend_torchvision()
    open_clip = pytest.importorskip("open_clip")
    folder = tmp_path_factory.mktemp("open_clip")
    (folder / "tiny-of-tests.json").write_text(json.dumps(_CONFIG))
    open_clip.add_model_config(folder / "tiny-of-tests.json")
    torch.manual_seed(3)
    made = open_clip.create_model("tiny-of-tests").eval()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": _CONFIG, "preprocess_cfg": {}}))
    save_file(made.state_dict(), folder / "open_clip_model.safetensors")
    return folder, made


def _inputs(size: int, channels: int) -> Inputs:
    return Inputs(picture_size=size, picture_channels=channels, picture_sizes=0, profile_channels=0, profile_length=8,
                  profile_sizes=0)  # fmt: skip


def _pictures(size: int, channels: int) -> torch.Tensor:
    return 2 * torch.rand(3, channels, size, size, generator=torch.Generator().manual_seed(1)) - 1


@pytest.mark.parametrize("channels", [1, 3])
def test_it_says_what_open_clip_says_of_the_same_picture(model: tuple[Path, torch.nn.Module], channels: int) -> None:
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    folder, theirs = model
    config = ImageTowerConfig(tower="open_clip:tiny-of-tests", weights=str(folder))
    tower = image_tower(config, _inputs(16, channels)).eval()
    pictures = _pictures(16, channels)
    light = ((pictures + 1) / 2).expand(-1, 3, -1, -1)
    mean, deviation = (torch.tensor(one).reshape(3, 1, 1) for one in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    with torch.no_grad():
        expected = theirs.encode_image((light - mean) / deviation)  # type: ignore[operator]
        torch.testing.assert_close(tower(pictures), expected)
    assert tower.features == 12


def test_pictures_of_another_size_are_taken(model: tuple[Path, torch.nn.Module]) -> None:
    config = ImageTowerConfig(tower="open_clip:tiny-of-tests", weights=str(model[0]))
    assert image_tower(config, _inputs(32, 1))(_pictures(32, 1)).shape == (3, 12)


def test_small_matrices_stand_beside_its_feed_forward_layers(model: tuple[Path, torch.nn.Module]) -> None:
    config = ImageTowerConfig(tower="open_clip:tiny-of-tests", weights=str(model[0]))
    tower = image_tower(config, _inputs(16, 1)).eval()
    before = tower(_pictures(16, 1))
    added = add_low_rank(tower, ("out_proj", "c_fc", "c_proj"), rank=2, alpha=2)
    assert [name.rpartition(".")[2] for name in added] == ["c_fc", "c_proj"]
    torch.testing.assert_close(tower(_pictures(16, 1)), before)
    merge_low_rank(tower)
    torch.testing.assert_close(tower(_pictures(16, 1)), before)


def test_an_unknown_architecture_and_weights_that_do_not_fit_are_refused(model: tuple[Path, torch.nn.Module]) -> None:
    with pytest.raises(UsageError, match="no architecture 'ViT-B-61'; did you mean"):
        image_tower(ImageTowerConfig(tower="open_clip:ViT-B-61"), _inputs(16, 1))
    other = ImageTowerConfig(tower="open_clip:RN50", weights=str(model[0]))
    with pytest.raises(UsageError, match="asks for"):
        image_tower(other, _inputs(32, 3))
