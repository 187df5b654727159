"""A picture tower that learnt names: tower, embedding, and the head that tells classes apart.

It looks at pictures alone and can stand wherever a `CrossModalModel` does: what it says of profiles has no columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from seston.models.batch import Batch
from seston.models.config import Inputs, ModelConfig
from seston.models.crossmodal import Encoded, image_tower

__all__ = ["ClassifierModel", "CosineHead"]


class ClassifierModel(nn.Module):
    """A tower for pictures, an embedding, and a head with one answer a class.

    Parameters
    ----------
    config
        Of which the image tower, the width of the embedding and the dropout count.
    inputs
        Picture size and channels, and how many size numbers stand beside the tower's answer.
    classes
        How many there are.
    cosine
        By what the head multiplies the cosine of unit vectors; 0 for a linear head.
    bottleneck
        Whether the head sees the embedding, or what the tower found itself.
    """

    feature_mean: Tensor
    """(F,) taken from the features before they go on; zeros unless the training measured it."""
    feature_scale: Tensor
    """(F,) by which they are then divided; ones unless the training measured it."""

    def __init__(
        self, config: ModelConfig, inputs: Inputs, classes: int, *, cosine: float = 0.0, bottleneck: bool = True
    ) -> None:
        super().__init__()
        self.config, self.inputs, self.classes = config, inputs, classes
        self.image_tower = image_tower(config.image, inputs)
        features = self.image_tower.features
        assert isinstance(features, int)
        width = features + inputs.picture_sizes
        self.register_buffer("feature_mean", torch.zeros(width))
        self.register_buffer("feature_scale", torch.ones(width))
        self.bottleneck: nn.Module = nn.Identity()
        if bottleneck:
            self.bottleneck = nn.Sequential(nn.Linear(width, config.embedding), nn.LayerNorm(config.embedding))
        seen = config.embedding if bottleneck else width
        self.dropout = nn.Dropout(config.dropout)
        self.head: nn.Module = CosineHead(seen, classes, cosine) if cosine else nn.Linear(seen, classes)

    def features(self, batch: Batch) -> Tensor:
        """Give (B, F): what the tower finds in pictures, and the size numbers; zero where there is no picture."""
        seen = self.image_tower(batch.image)
        return torch.cat([seen.float(), batch.image_size], dim=1) * batch.image_present[:, None]

    def vectors(self, features: Tensor) -> Tensor:
        """Turn (B, F) features into (B, D): what the head sees."""
        answer: Tensor = self.bottleneck((features - self.feature_mean) / self.feature_scale)
        return answer

    def logits(self, features: Tensor) -> Tensor:
        """Turn (B, F) features into (B, K) answers."""
        answer: Tensor = self.head(self.dropout(self.vectors(features)))
        return answer

    def forward(self, batch: Batch, hide_image: Tensor | None = None, hide_profile: Tensor | None = None) -> Encoded:
        """Encode a batch; profiles are not looked at.

        Returns
        -------
        Encoded
            `image_features` are the tower's answer and the size numbers, `image` the embedding as unit vectors.
        """
        features = self.features(batch)
        nothing = features.new_zeros((len(batch), 0))
        return Encoded(
            image_features=features,
            profile_features=nothing,
            image=functional.normalize(self.vectors(features).float(), dim=1) * batch.image_present[:, None],
            profile=nothing,
            fused=None,
            image_within=None,
            profile_within=None,
        )


class CosineHead(nn.Module):
    """Answers s cos(v, w) for each class; Gidaris and Komodakis 2018, section 3.1 (arXiv 1804.09458)."""

    def __init__(self, width: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(classes, width))
        nn.init.normal_(self.weight, std=width**-0.5)

    def forward(self, vectors: Tensor) -> Tensor:
        """Turn (B, D) into (B, classes)."""
        vectors, weight = functional.normalize(vectors, dim=1), functional.normalize(self.weight, dim=1)
        return self.scale * functional.linear(vectors, weight)
