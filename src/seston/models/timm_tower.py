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
from seston.models.full_precision import keep_full_precision
from seston.models.torchvision_shim import import_timm

__all__ = ["TimmTower", "timm_tower"]

_PACKAGE = "package:"
_IN_A_ROW = ("conv_stem", "bn1", "blocks", "conv_head", "bn2", "forward_head")


def timm_tower(
    name: str,
    weights: str,
    inputs: Inputs,
    *,
    drop_path: float = 0.0,
    any_size: bool = False,
    fixed: Sequence[str] = (),
    frozen_blocks: int = 0,
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
    frozen_blocks
        So many first blocks stay as they are. The tower then also works in two parts, ``before`` (pictures to a row of
        numbers each) and ``behind`` (from there to features).

    Raises
    ------
    MissingExtraError
        timm, or the package with the weights, is not installed.
    UsageError
        No such tower, no such file, weights that do not fit, no such parts to fix, or no such blocks to freeze.
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
    tower = TimmTower(network, mean, deviation, inputs.picture_channels)
    if frozen_blocks:
        tower.freeze(frozen_blocks, inputs)
    return tower


class TimmTower(nn.Module):
    """Give a network the pixel scale that its weights expect, and take its pooled features.

    Of a network whose first blocks are frozen, `behind` takes up what `before` found.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: Any, mean: tuple[float, ...], deviation: tuple[float, ...], channels: int) -> None:
        super().__init__()
        # Pixels of all channels side by side: convolutions take half the time on a CPU, and no more on a GPU.
        self.network = network.to(memory_format=torch.channels_last)
        keep_full_precision(self.network)
        self.features = int(getattr(network, "head_hidden_size", None) or network.num_features)
        self.frozen_blocks, self.frozen_shape = 0, ()
        self.register_buffer("mean", _per_channel(mean, channels), persistent=False)
        self.register_buffer("deviation", _per_channel(deviation, channels), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Turn pictures in [-1, 1] into (B, features)."""
        features: Tensor = self.network(self.scaled(pictures))
        return features

    def before(self, pictures: Tensor) -> Tensor:
        """Say what the frozen blocks find in pictures: (B, numbers)."""
        found = self.network.bn1(self.network.conv_stem(self.scaled(pictures)))
        for block in self.network.blocks[: self.frozen_blocks]:
            found = block(found)
        flat: Tensor = found.flatten(1)
        return flat

    def behind(self, found: Tensor) -> Tensor:
        """Turn what the frozen blocks found, (B, numbers) or (B, 1, numbers), into (B, features)."""
        maps = found.reshape(-1, *self.frozen_shape).contiguous(memory_format=torch.channels_last)
        for block in self.network.blocks[self.frozen_blocks :]:
            maps = block(maps)
        features: Tensor = self.network.forward_head(self.network.bn2(self.network.conv_head(maps)))
        return features

    def freeze(self, blocks: int, inputs: Inputs) -> None:
        """Leave the stem and the first blocks as they are.

        Raises
        ------
        UsageError
            The network has no blocks in a row, or not more than these.
        """
        missing = [one for one in _IN_A_ROW if not hasattr(self.network, one)]
        if missing or blocks >= len(self.network.blocks):
            has = f"has {len(self.network.blocks)} blocks" if not missing else "is not of the EfficientNet family"
            raise UsageError(f"model.image.frozen_blocks is {blocks}; the tower {has}: some have to be left to learn")
        for part in (self.network.conv_stem, self.network.bn1, *self.network.blocks[:blocks]):
            part.requires_grad_(False)
        self.frozen_blocks = blocks
        with torch.no_grad():
            maps = self.network.eval().conv_stem(torch.zeros(1, inputs.picture_channels, *[inputs.picture_size] * 2))
            for block in self.network.blocks[:blocks]:
                maps = block(maps)
        self.frozen_shape = tuple(maps.shape[1:])

    def scaled(self, pictures: Tensor) -> Tensor:
        """Turn pictures in [-1, 1] into what the network expects."""
        return (((pictures + 1) / 2 - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)


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
