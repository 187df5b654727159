"""Any image tower of timm, for grey or colour pictures of any size, from random or given weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seston.errors import NotFoundError, UsageError, nearest_word
from seston.models.config import Inputs
from seston.models.fixed_parts import fix_parts
from seston.models.torchvision_shim import import_timm

__all__ = ["timm_tower"]

_PACKAGE = "package:"


def timm_tower(
    name: str,
    weights: str,
    inputs: Inputs,
    *,
    drop_path: float = 0.0,
    any_size: bool = False,
    fixed: Sequence[str] = (),
) -> nn.Module:
    """Build a tower of timm without its classifier.

    Parameters
    ----------
    name
        timm's own name, with or without the tag of its weights (``convnext_femto.d1_in1k``).
    weights
        ``random``, ``hub`` (fetched by timm), the path of a safetensors file with timm's names, or
        ``package:efficientnet-lite0`` (ImageNet weights that a Python package carries; for `tf_efficientnet_lite0`).
    inputs
        Picture size and channels. Weights for colour are summed over red, green and blue where pictures are grey.
    drop_path
        Share of residual branches that are left out in training mode, where the tower knows this.
    any_size
        Take pictures of other sizes too; a tower with learned places then interpolates between them.
    fixed
        Parts that keep the weights they begin with, as of `seston.models.fixed_parts.fix_parts`.

    Raises
    ------
    MissingExtraError
        timm, or the package with the weights, is not installed.
    UsageError
        No such tower, no such file, weights that do not fit, or no such parts to fix.
    """
    timm = import_timm()
    if not timm.is_model(name.split(".")[0]):
        raise UsageError(f"timm has no tower {name!r}{nearest_word(name, timm.list_models())}")
    settings = timm.models.get_pretrained_cfg(name)
    options: dict[str, Any] = {"num_classes": 0, "in_chans": inputs.picture_channels}
    if settings is not None and settings.fixed_input_size:
        options["img_size"] = inputs.picture_size
        if any_size:
            options["dynamic_img_size"] = True
    if drop_path:
        options["drop_path_rate"] = drop_path
    if weights == "hub":
        options["pretrained"] = True
    elif weights != "random" and not weights.startswith(_PACKAGE):
        options |= {"pretrained": True, "pretrained_cfg_overlay": {"file": str(_weights_file(weights))}}
    try:
        network = timm.create_model(name, **options)
    except TypeError as error:
        raise UsageError(f"timm's {name} cannot be built for this recipe: {error}") from error
    except (RuntimeError, KeyError, OSError) as error:
        raise UsageError(f"the weights {weights!r} cannot be put into {name}: {str(error).splitlines()[0]}") from error
    if weights.startswith(_PACKAGE):
        _load_package_weights(network, name, weights.removeprefix(_PACKAGE))
    if fixed:
        fix_parts(
            network,
            fixed,
            torch.linspace(-2, 2, 2 * inputs.picture_channels * inputs.picture_size**2).reshape(
                2, inputs.picture_channels, inputs.picture_size, inputs.picture_size
            ),
        )
    mean, deviation = (settings.mean, settings.std) if settings is not None else ((0.5,), (0.5,))
    return _TimmTower(network, mean, deviation, inputs.picture_channels)


class _TimmTower(nn.Module):
    """Give a network the pixel scale that its weights expect, and take its pooled features."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: Any, mean: tuple[float, ...], deviation: tuple[float, ...], channels: int) -> None:
        super().__init__()
        # Pixels of all channels side by side: convolutions take half the time on a CPU, and no more on a GPU.
        self.network = network.to(memory_format=torch.channels_last)
        self.features = int(getattr(network, "head_hidden_size", None) or network.num_features)
        self.register_buffer("mean", _per_channel(mean, channels), persistent=False)
        self.register_buffer("deviation", _per_channel(deviation, channels), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Turn pictures in [-1, 1] into (B, features)."""
        scaled = ((pictures + 1) / 2 - self.mean) / self.deviation
        features: Tensor = self.network(scaled.contiguous(memory_format=torch.channels_last))
        return features


def _per_channel(values: tuple[float, ...], channels: int) -> Tensor:
    """Shape numbers a colour as (1, channels, 1, 1); for grey, their mean."""
    numbers = torch.tensor(values, dtype=torch.float32)
    return (numbers if len(numbers) == channels else numbers.mean().expand(channels)).reshape(1, channels, 1, 1).clone()


def _weights_file(weights: str) -> Path:
    path = Path(weights)
    if not path.is_file():
        raise NotFoundError(f"weights {weights!r}: no such file; use 'random', 'hub' or the path of a safetensors file")
    if path.suffix != ".safetensors":
        raise UsageError(f"weights {weights!r}: only safetensors files are read")
    return path


def _load_package_weights(network: nn.Module, name: str, package: str) -> None:
    from seston.models.package_weights import PACKAGES, package_weights

    if package not in PACKAGES:
        raise UsageError(f"no package weights {package!r}{nearest_word(package, PACKAGES)}")
    tower = PACKAGES[package].tower
    if name.split(".")[0] != tower:
        raise UsageError(f"the weights {package!r} fit 'timm:{tower}', not 'timm:{name}'")
    own = network.state_dict()
    given = list(package_weights(package).values())  # parameters come in timm's order, so they pair by order
    state = {}
    for (key, tensor), array in zip(own.items(), given, strict=False):
        value = torch.from_numpy(array.copy())
        if value.ndim == 4 and value.shape[1] == 3 and tensor.shape[1] == 1:
            value = value.sum(dim=1, keepdim=True)
        if value.shape != tensor.shape:
            raise UsageError(f"the weights {package!r} do not fit {name}: {key} is {tuple(tensor.shape)} there")
        state[key] = value
    network.load_state_dict(state)
