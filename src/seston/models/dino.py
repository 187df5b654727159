"""Pictures alone: a tower and a bottleneck, and the head that learns them by self-distillation (DINO).

A student and a teacher are two such networks. Only tower and bottleneck of the teacher outlive the training; the heads,
which come from lightly, do not, so that a trained model is used without lightly.
"""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from seston.errors import MissingExtraError, UsageError
from seston.models.batch import Batch
from seston.models.config import ImageTowerConfig, Inputs, ModelConfig
from seston.models.conv_tower import ConvTower
from seston.models.crossmodal import Encoded
from seston.models.torchvision_shim import mend_torchvision

__all__ = ["DinoNetwork", "ImageModel", "dino_head", "dino_loss", "require_lightly"]

_PARTS = 3
"""Parts of a picture along each side of which Seston's own tower tells apart what it finds where."""


class ImageModel(nn.Module):
    """A tower for pictures of any size, and a bottleneck.

    It looks at pictures alone and can stand wherever a `CrossModalModel` does: what it says of profiles has no columns.

    Parameters
    ----------
    config
        Of which the image tower and the width of the embedding count.
    inputs
        Picture size and channels, and how many size numbers stand beside the tower's answer.
    drop_path
        Share of residual branches that a timm tower leaves out in training mode.
    """

    def __init__(self, config: ModelConfig, inputs: Inputs, drop_path: float = 0.0) -> None:
        super().__init__()
        self.config, self.inputs = config, inputs
        self.image_tower = _tower(config.image, inputs, drop_path)
        features = self.image_tower.features
        assert isinstance(features, int)
        self.bottleneck = nn.Sequential(nn.Linear(features, config.embedding), *_after(self.image_tower, config))

    def compress(self, pictures: Tensor) -> Tensor:
        """Turn pictures of any one size into (B, D): what the head of DINO sees."""
        answer: Tensor = self.bottleneck(self.image_tower(pictures))
        return answer

    def forward(self, batch: Batch, hide_image: Tensor | None = None, hide_profile: Tensor | None = None) -> Encoded:
        """Encode a batch; profiles are not looked at.

        Returns
        -------
        Encoded
            `image_features` are the tower's answer and the size numbers, `image` the bottleneck as unit vectors.
        """
        there = batch.image_present[:, None]
        seen = self.image_tower(batch.image)
        nothing = seen.new_zeros((len(batch), 0), dtype=torch.float32)
        return Encoded(
            image_features=torch.cat([seen.float(), batch.image_size], dim=1) * there,
            profile_features=nothing,
            image=functional.normalize(self.bottleneck(seen).float(), dim=1) * there,
            profile=nothing,
            fused=None,
            image_within=None,
            profile_within=None,
        )


class DinoNetwork(nn.Module):
    """A student or a teacher: the model that is kept, and the head that is not."""

    def __init__(self, model: ImageModel, head: nn.Module) -> None:
        super().__init__()
        self.model, self.head = model, head

    def forward(self, pictures: Tensor) -> Tensor:
        """Turn pictures into (B, prototypes)."""
        answer: Tensor = self.head(self.model.compress(pictures))
        return answer


def require_lightly() -> None:
    """Refuse early, and without loading anything, where lightly is not installed.

    Raises
    ------
    MissingExtraError
        lightly is not installed.
    """
    if importlib.util.find_spec("lightly") is None:
        raise MissingExtraError("learning by DINO", "dino")


def dino_head(
    width: int, hidden: int, narrow: int, prototypes: int, frozen_epochs: int, *, batch_norm: bool = False
) -> Any:
    """Make lightly's projection head: two hidden layers, unit length, a weight-normed layer without bias.

    Parameters
    ----------
    width, hidden, narrow, prototypes
        Of the bottleneck that goes in, of the hidden layers, of the unit vectors, and of the answer.
    frozen_epochs
        First epochs in which `cancel_last_layer_gradients` keeps the last layer still.
    batch_norm
        Normalise the hidden layers over the batch.
    """
    mend_torchvision()
    from lightly.models.modules.heads import DINOProjectionHead

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # lightly uses the older of torch's two weight norms
        return DINOProjectionHead(width, hidden, narrow, prototypes, batch_norm, freeze_last_layer=frozen_epochs)


def dino_loss(prototypes: int, student_temperature: float, centre_momentum: float) -> Any:
    """Make lightly's loss; it is called with the teacher's temperature and holds the centre of the teacher's answers.

    Caron et al. 2021 (arXiv 2104.14294), equations 1 to 4.
    """
    mend_torchvision()
    from lightly.loss.dino_loss import DINOLoss

    return DINOLoss(prototypes, student_temp=student_temperature, center_momentum=centre_momentum)


class _AnySizeTower(nn.Module):
    """Seston's own tower for crops of any size: means over the parts of a coarse grid stand for its last layer.

    Means over all places, which the towers of timm give, did worse than means over 3 × 3 parts.
    """

    def __init__(self, tower: ConvTower) -> None:
        super().__init__()
        self.layers, self.norm = tower.layers, tower.norm
        self.features = tower.norm.num_channels * _PARTS**2

    def forward(self, pictures: Tensor) -> Tensor:
        """Turn (B, channels, S, S) into (B, features)."""
        grid = functional.gelu(self.norm(self.layers(pictures)))
        means = _means_over_parts(int(grid.shape[-1])).to(grid)
        return (means @ grid @ means.T).flatten(1)


def _means_over_parts(places: int) -> Tensor:
    """Give (parts, places): what adaptive pooling does along one side, as a matrix, which ONNX knows for any side."""
    means = torch.zeros(_PARTS, places)
    for part in range(_PARTS):
        first, last = part * places // _PARTS, -(-(part + 1) * places // _PARTS)
        means[part, first:last] = 1 / (last - first)
    return means


def _tower(config: ImageTowerConfig, inputs: Inputs, drop_path: float) -> nn.Module:
    if config.tower.startswith("timm:"):
        from seston.models.timm_tower import timm_tower

        name = config.tower.removeprefix("timm:")
        return timm_tower(name, config.weights, inputs, drop_path=drop_path, any_size=True, fixed=config.fixed or ())
    if config.tower.startswith("open_clip:"):
        raise UsageError(f"DINO shows crops of several sizes, which {config.tower!r} cannot take; use a tower of timm")
    size = inputs.picture_size
    return _AnySizeTower(ConvTower(inputs.picture_channels, 2, config.width, config.blocks, config.stem, size, 1))


def _after(tower: nn.Module, config: ModelConfig) -> list[nn.Module]:
    """Normalise and rectify as the tower itself does."""
    if any(isinstance(module, nn.BatchNorm2d) for module in tower.modules()):
        return [nn.BatchNorm1d(config.embedding), nn.ReLU()]
    return [nn.LayerNorm(config.embedding), nn.GELU()]
