"""Graphs of every kind of tower say what torch says, for any number of particles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seston.errors import MissingExtraError
from seston.models import Batch, CrossModalModel, ImageTowerConfig, Inputs, ModelConfig, ProfileTowerConfig, build_model
from seston.models.dino import ImageModel
from seston.models.export import write_graphs
from seston.models.torchvision_shim import mend_torchvision

_INPUTS = Inputs(
    picture_size=32, picture_channels=1, picture_sizes=2, profile_channels=3, profile_length=32, profile_sizes=1
)
_SMALL = ImageTowerConfig(width=8, features=16)


def _model(image: ImageTowerConfig = _SMALL, profile: str = "conv", **changes: Any) -> CrossModalModel:
    torch.set_num_threads(1)
    torch.manual_seed(4)
    tower = ProfileTowerConfig(tower=profile, width=16, blocks=(1, 1), layers=2, heads=2, features=16, dropout=0.5)
    config = ModelConfig(image=image, profile=tower, embedding=12, hidden=16, dropout=0.5, **changes)
    model = build_model(config, _INPUTS)
    with torch.no_grad():
        model.missing_channel.normal_()
        for module in model.modules():  # norms that have learnt something
            if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 2)
    return model.eval()


def _batch(count: int) -> Batch:
    generator = torch.Generator().manual_seed(count)
    every = torch.ones(count, dtype=torch.bool)
    return Batch(
        image=torch.randn(count, 1, 32, 32, generator=generator),
        image_size=torch.randn(count, 2, generator=generator),
        image_present=every,
        profile=torch.randn(count, 3, 32, generator=generator),
        channel_present=torch.rand(count, 3, generator=generator) > 0.3,
        profile_size=torch.randn(count, 1, generator=generator),
        profile_present=every,
        sample=torch.zeros(count, dtype=torch.int64),
    )


def _run(path: Path, **inputs: torch.Tensor) -> list[NDArray[np.float32]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: list[NDArray[np.float32]] = session.run(None, {name: part.float().numpy() for name, part in inputs.items()})
    return found


def _check(model: CrossModalModel, folder: Path, count: int) -> None:
    batch = _batch(count)
    with torch.inference_mode():
        said = model(batch)
    image = _run(folder / "image.onnx", picture=batch.image, sizes=batch.image_size)
    profile = _run(
        folder / "profile.onnx", profile=batch.profile, channels=batch.channel_present, sizes=batch.profile_size
    )
    of_image = [said.image_features, said.image, said.image_within]
    of_profile = [said.profile_features, said.profile, said.profile_within]
    for found, wanted in (*zip(image, of_image, strict=False), *zip(profile, of_profile, strict=False)):
        assert wanted is not None
        np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("profile", ["conv", "resnet18", "transformer", "lstm"])
def test_graphs_say_what_the_model_says_for_any_number_of_particles(profile: str, tmp_path: Path) -> None:
    model = _model(profile=profile)
    assert write_graphs(model, tmp_path) == ("image", "profile", "fused")
    for count in (1, 5):
        _check(model, tmp_path, count)


@pytest.mark.parametrize("name", ["convnext_atto", "mobilenetv3_small_050"])
def test_towers_of_timm_become_graphs_too(name: str, tmp_path: Path) -> None:
    mend_torchvision()
    pytest.importorskip("timm")
    model = _model(ImageTowerConfig(tower=f"timm:{name}"), within=0, fused=False, projection="linear")
    assert write_graphs(model, tmp_path) == ("image", "profile")
    _check(model, tmp_path, 3)


def test_a_model_of_pictures_alone_has_one_graph(tmp_path: Path) -> None:
    model = ImageModel(ModelConfig(image=_SMALL, embedding=12), _INPUTS).eval()
    assert write_graphs(model, tmp_path) == ("image",)
    batch = _batch(3)
    with torch.inference_mode():
        said = model(batch)
    features, shared = _run(tmp_path / "image.onnx", picture=batch.image, sizes=batch.image_size)
    np.testing.assert_allclose(features, said.image_features.numpy(), atol=1e-4)
    np.testing.assert_allclose(shared, said.image.numpy(), atol=1e-4)


def test_the_fused_graph_leaves_out_what_is_absent(tmp_path: Path) -> None:
    model = _model()
    write_graphs(model, tmp_path)
    image, profile = torch.randn(4, 18), torch.randn(4, 17)
    has_image, has_profile = torch.tensor([True, True, False, False]), torch.tensor([True, False, True, False])
    with torch.inference_mode():
        expected = model.fuse(image, profile, has_image, has_profile)
    (found,) = _run(
        tmp_path / "fused.onnx",
        image=image,
        profile=profile,
        has_image=has_image[:, None],
        has_profile=has_profile[:, None],
    )
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_writing_graphs_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    model = _model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    write_graphs(model, tmp_path)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_without_the_package_onnx_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"seston\[onnx\]"):
        write_graphs(_model(), tmp_path)
