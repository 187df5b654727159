"""The model: a tower for pictures, a tower for profiles, and heads that compare and join them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from seston.errors import UsageError
from seston.models.batch import Batch
from seston.models.config import (
    ContextTowerConfig,
    ImageTowerConfig,
    Inputs,
    ModelConfig,
    ProfileTowerConfig,
    TextTowerConfig,
)
from seston.models.context_encoder import ContextEncoder
from seston.models.conv_tower import ConvTower
from seston.models.profile_towers import ProfileLstm, ProfileResNet, ProfileTransformer

__all__ = ["CrossModalModel", "Encoded", "TextEncoder", "build_model", "image_tower"]


def build_model(config: ModelConfig, inputs: Inputs) -> CrossModalModel:
    """Build a model; its weights come from torch's global generator, or from where the recipe says.

    Raises
    ------
    MissingExtraError
        A timm tower is asked for and timm is not installed.
    UsageError
        timm knows no tower of that name, or the weights do not fit.
    """
    return CrossModalModel(config, inputs)


def image_tower(config: ImageTowerConfig, inputs: Inputs) -> nn.Module:
    """Build the network that reads pictures; its attribute ``features`` says how many numbers it gives.

    Errors as for `build_model`.
    """
    if config.tower.startswith("timm:"):
        from seston.models.timm_tower import timm_tower

        name, blocks = config.tower.removeprefix("timm:"), config.frozen_blocks or 0
        return timm_tower(name, config.weights, inputs, fixed=config.fixed or (), frozen_blocks=blocks)
    if config.tower.startswith("open_clip:"):
        from seston.models.open_clip_image import open_clip_image

        return open_clip_image(config.tower.removeprefix("open_clip:"), config.weights, inputs)
    size = inputs.picture_size
    return ConvTower(inputs.picture_channels, 2, config.width, config.blocks, config.stem, size, config.features)


@dataclass(frozen=True)
class Encoded:
    """What a model says about a batch; rows of an absent modality are zero."""

    image_features: Tensor
    """(B, F): what the picture alone tells, before any head: tower and size."""
    profile_features: Tensor
    """(B, G): what the profile alone tells."""
    image: Tensor
    """(B, D) unit vectors in the space that both modalities share."""
    profile: Tensor
    """(B, D) unit vectors in the same space."""
    fused: Tensor | None
    """(B, D) unit vectors of both modalities together, or of the one that is there."""
    image_within: Tensor | None
    """(B, W) unit vectors in which views of pictures are compared."""
    profile_within: Tensor | None
    """(B, W) unit vectors in which views of profiles are compared."""


class CrossModalModel(nn.Module):
    """Two towers and their heads.

    `logit_scale` holds the logarithm of the inverse temperature of the cross-modal loss, `logit_bias` the bias of
    SigLIP: they are learned, so they live with the weights.
    """

    def __init__(self, config: ModelConfig, inputs: Inputs) -> None:
        super().__init__()
        self.config, self.inputs = config, inputs
        self.image_tower = image_tower(config.image, inputs)
        self.profile_tower = _profile_tower(config.profile, inputs)
        self.missing_channel = nn.Parameter(torch.zeros(inputs.profile_channels))
        image_width = _features(self.image_tower) + inputs.picture_sizes
        profile_width = _features(self.profile_tower) + inputs.profile_sizes
        self.image_head = _head(config.projection, image_width, config.hidden, config.embedding)
        self.profile_head = _head(config.projection, profile_width, config.hidden, config.embedding)
        self.image_within_head = _head("mlp", image_width, config.hidden, config.within) if config.within else None
        self.profile_within_head = _head("mlp", profile_width, config.hidden, config.within) if config.within else None
        both = image_width + profile_width + 2
        self.fused_head = _head("mlp", both, 2 * config.hidden, config.embedding) if config.fused else None
        self.dropout = nn.Dropout(config.dropout)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.logit_bias = nn.Parameter(torch.tensor(-10.0))
        self.text: TextEncoder | None = None
        if isinstance(config.text, TextTowerConfig):
            self.text = TextEncoder(config.text, config, inputs)
        self.context: ContextEncoder | None = None
        if isinstance(config.context, ContextTowerConfig) and inputs.context:
            self.context = ContextEncoder(config.context, config.embedding)

    def encode_texts(self, tokens: Tensor) -> Tensor:
        """Turn (T, length) tokens into (T, D) unit vectors in the space that pictures and profiles share.

        Raises
        ------
        UsageError
            The model reads no texts.
        """
        if self.text is None:
            raise UsageError("this model was trained without texts; train one by the recipe 'clip-text'")
        return _unit(self.text(tokens))

    def encode_contexts(self, features: Tensor) -> Tensor:
        """Turn (N, F) features of contexts into (N, D) unit vectors in the space that pictures and profiles share.

        Raises
        ------
        UsageError
            The model reads no contexts.
        """
        if self.context is None:
            raise UsageError("this model was trained without contexts; train one by the recipe 'joint'")
        return _unit(self.context(features))

    def weighed_contexts(self, features: Tensor) -> Tensor:
        """Turn (N, F) features of contexts into (N, D) vectors, as long as the scale of their loss.

        The product with the unit vector of a picture or a profile estimates, up to a constant, the logarithm of how
        much likelier the context is for it than for any particle (van den Oord et al. 2018, arXiv 1807.03748).
        """
        assert self.context is not None
        return self.encode_contexts(features) * self.context.logit_scale.exp().clamp(max=100.0)

    def image_features(self, batch: Batch) -> Tensor:
        """Say what the pictures tell: (B, F), zero where there is none."""
        seen = torch.cat([self.tower_features(batch), batch.image_size], dim=1)
        return seen * batch.image_present[:, None]

    def tower_features(self, batch: Batch) -> Tensor:
        """Say what the tower alone finds in pictures, (B, F).

        In the pictures' place may stand what the tower found before, (B, F), or its frozen blocks did, (B, 1, K).
        """
        tower: Any = self.image_tower
        match batch.image.ndim:
            case 2:
                return batch.image.float()
            case 3:
                seen: Tensor = tower.behind(batch.image)
            case _:
                seen = tower(batch.image)
        return seen.float()

    def frozen_features(self, batch: Batch) -> Tensor:
        """Say what a frozen tower finds in pictures, (B, F); or its frozen blocks, and then the tower, (B, K + F)."""
        if not self.config.image.frozen_blocks:
            return self.tower_features(batch)
        tower: Any = self.image_tower
        found: Tensor = tower.before(batch.image)
        return torch.cat([found.float(), tower.behind(found).float()], dim=1)

    @property
    def frozen_numbers(self) -> int:
        """How many numbers the frozen blocks of the picture tower find; 0 where there are none."""
        tower: Any = self.image_tower
        return math.prod(tower.frozen_shape) if self.config.image.frozen_blocks else 0

    def profile_features(self, batch: Batch) -> Tensor:
        """Say what the profiles tell: (B, G), zero where there is none."""
        missing = (~batch.channel_present).to(batch.profile.dtype) * self.missing_channel
        tower = self.profile_tower(batch.profile + missing[:, :, None])
        return torch.cat([tower.float(), batch.profile_size], dim=1) * batch.profile_present[:, None]

    def forward(self, batch: Batch, hide_image: Tensor | None = None, hide_profile: Tensor | None = None) -> Encoded:
        """Encode a batch.

        Parameters
        ----------
        batch
            The particles.
        hide_image, hide_profile
            (B,) bool: particles whose picture or profile the fused vector must do without (training drops some, so
            that the fused vector works with one modality).
        """
        image = _of_those_there(self.image_features, batch, batch.image_present)
        profile = _of_those_there(self.profile_features, batch, batch.profile_present)
        image_in, profile_in = self.dropout(image), self.dropout(profile)
        has_image, has_profile = batch.image_present, batch.profile_present
        fused = None
        if self.fused_head is not None:
            seen = has_image if hide_image is None else has_image & ~hide_image
            heard = has_profile if hide_profile is None else has_profile & ~hide_profile
            fused = self.fuse(image_in, profile_in, seen, heard)
        return Encoded(
            image_features=image,
            profile_features=profile,
            image=_unit(self.image_head(image_in)) * has_image[:, None],
            profile=_unit(self.profile_head(profile_in)) * has_profile[:, None],
            fused=fused,
            image_within=None if self.image_within_head is None else _unit(self.image_within_head(image_in)),
            profile_within=None if self.profile_within_head is None else _unit(self.profile_within_head(profile_in)),
        )

    def fuse(self, image: Tensor, profile: Tensor, has_image: Tensor, has_profile: Tensor) -> Tensor:
        """Join the features of both modalities into one unit vector; an absent one is left out."""
        assert self.fused_head is not None
        seen, heard = has_image[:, None].to(image.dtype), has_profile[:, None].to(image.dtype)
        return _unit(self.fused_head(torch.cat([image * seen, profile * heard, seen, heard], dim=1)))


class TextEncoder(nn.Module):
    """A text tower, a head into the shared space, and the scale and bias of the loss between pictures and texts."""

    def __init__(self, tower: TextTowerConfig, config: ModelConfig, inputs: Inputs) -> None:
        super().__init__()
        from seston.models.text_towers import text_tower

        assert inputs.text is not None
        self.tower = text_tower(tower, inputs.text)
        self.head = _head(config.projection, _features(self.tower), config.hidden, config.embedding)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.logit_bias = nn.Parameter(torch.tensor(-10.0))

    def forward(self, tokens: Tensor) -> Tensor:
        """Turn (T, length) tokens into (T, D)."""
        answer: Tensor = self.head(self.tower(tokens).float())
        return answer


def _of_those_there(features: Callable[[Batch], Tensor], batch: Batch, present: Tensor) -> Tensor:
    """Say what a modality tells; where no particle has it, look at one empty row in place of all.

    The row stays, so that the same weights have a gradient, which is zero, in every process.
    """
    if len(batch) < 2 or bool(present.any()):
        return features(batch)
    return features(batch[:1]).expand(len(batch), -1)


def _profile_tower(config: ProfileTowerConfig, inputs: Inputs) -> nn.Module:
    channels = inputs.profile_channels
    match config.tower:
        case "resnet18":
            return ProfileResNet(channels, config.width, config.blocks)
        case "transformer":
            return ProfileTransformer(
                channels, config.width, config.layers, config.heads, config.feedforward, config.dropout
            )
        case "lstm":
            return ProfileLstm(channels, config.width, config.layers, config.dropout)
        case _:
            length = inputs.profile_length
            return ConvTower(channels, 1, config.width, config.blocks, config.stem, length, config.features)


def _head(kind: str, width_in: int, hidden: int, width_out: int) -> nn.Module:
    if kind == "linear":
        return nn.Linear(width_in, width_out, bias=False)
    return nn.Sequential(
        nn.Linear(width_in, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, width_out, bias=False)
    )


def _features(tower: nn.Module) -> int:
    features = tower.features
    assert isinstance(features, int)
    return features


def _unit(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors.float(), dim=1)
