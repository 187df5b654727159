"""Fixed parts of a tower stay as they are, a folded tower says what the whole one says, and its norms come back."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from seston.errors import UsageError
from seston.models.config import ImageTowerConfig, Inputs
from seston.models.crossmodal import image_tower
from seston.models.fixed_parts import fix_parts, unfolded

try:
    from seston.models.torchvision_shim import import_timm

    import_timm()
except ImportError:
    pytest.skip("timm is not installed (extra towers)", allow_module_level=True)

_INPUTS = Inputs(
    picture_size=48, picture_channels=1, picture_sizes=0, profile_channels=0, profile_length=8, profile_sizes=0
)
_BOTH = ("norms", "within-channels")


def _network(name: str, *, seed: int = 0) -> Any:
    """Give a tower whose norms have statistics and weights of their own."""
    torch.manual_seed(seed)
    tower = image_tower(ImageTowerConfig(tower=f"timm:{name}"), _INPUTS).get_submodule("network")
    for module in tower.modules():
        if isinstance(module, nn.BatchNorm2d):
            for numbers in (module.weight, module.running_var):
                assert numbers is not None
                nn.init.uniform_(numbers, 0.5, 1.5)
            for numbers in (module.bias, module.running_mean):
                assert numbers is not None
                nn.init.normal_(numbers, std=0.2)
    return tower.eval()


def _pictures(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 1, 48, 48, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ["test_efficientnet", "test_resnet", "mobilenetv2_050", "regnetx_002"])
def test_a_folded_tower_says_what_it_said_with_its_norms_in_training_too(name: str) -> None:
    whole, folded = _network(name), _network(name)
    fix_parts(folded, ("norms",), _pictures(2))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.no_grad():
        wanted = whole(_pictures())
        for mode in (False, True):
            torch.testing.assert_close(folded.train(mode)(_pictures()), wanted, rtol=1e-3, atol=1e-4)


def test_a_folded_networks_norms_come_back_as_ones_that_only_add() -> None:
    whole, folded = _network("test_efficientnet"), _network("test_efficientnet")
    fix_parts(folded, _BOTH, _pictures(2))
    with torch.no_grad():
        for parameter in folded.parameters():
            parameter.mul_(1.1)
    back = _network("test_efficientnet", seed=5)
    back.load_state_dict(unfolded(folded.state_dict(), whole, _pictures(1)))
    with torch.no_grad():
        torch.testing.assert_close(back(_pictures()), folded(_pictures()), rtol=1e-4, atol=1e-5)


def test_convolutions_within_channels_want_no_gradient_and_all_others_do() -> None:
    tower = image_tower(ImageTowerConfig(tower="timm:test_efficientnet", fixed=_BOTH), _INPUTS)
    tower(_pictures()).square().sum().backward()
    within: list[nn.Module] = []
    across: list[nn.Module] = []
    for module in tower.modules():
        if isinstance(module, nn.Conv2d):
            (within if module.groups > 1 else across).append(module)
    assert within
    assert all(parameter.grad is None for module in within for parameter in module.parameters())
    assert all(parameter.grad is not None for module in across for parameter in module.parameters())


def test_what_a_tower_does_not_have_cannot_be_fixed() -> None:
    for part, word in (("norms", "no batch norms"), ("within-channels", "no convolutions within channels")):
        with pytest.raises(UsageError, match=word):
            image_tower(ImageTowerConfig(tower="timm:test_vit", fixed=(part,)), _INPUTS)
    with pytest.raises(ValueError, match="for towers of timm"):
        ImageTowerConfig(tower="conv", fixed=("norms",))
    with pytest.raises(ValueError, match="did you mean 'norms'"):
        ImageTowerConfig(tower="timm:test_efficientnet", fixed=("norm",))


def test_a_norm_that_follows_no_convolution_is_not_folded_in_silence() -> None:
    first = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
    with pytest.raises(UsageError, match="do not all follow"):
        fix_parts(first, ("norms",), _pictures(2))
