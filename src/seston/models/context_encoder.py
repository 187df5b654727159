"""The network that reads contexts: where, when and how deep a particle was taken."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seston.models.config import ContextTowerConfig
from seston.models.contexts import feature_count

__all__ = ["ContextEncoder"]


class ContextEncoder(nn.Module):
    """A small perceptron into the shared space, and the scale and bias of the loss between particles and contexts.

    Parameters
    ----------
    tower
        Of the recipe.
    embedding
        Dimensions of the shared space.
    """

    def __init__(self, tower: ContextTowerConfig, embedding: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = feature_count(tower.harmonics, tower.octaves)
        for _ in range(tower.layers):
            layers += [nn.Linear(width, tower.width), nn.LayerNorm(tower.width), nn.GELU()]
            width = tower.width
        self.layers = nn.Sequential(*layers, nn.Linear(width, embedding, bias=False))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.logit_bias = nn.Parameter(torch.tensor(-10.0))

    def forward(self, features: Tensor) -> Tensor:
        """Turn (N, F) features, as `seston.models.contexts.context_features` gives them, into (N, D)."""
        answer: Tensor = self.layers(features)
        return answer
