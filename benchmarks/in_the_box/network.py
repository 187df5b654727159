"""The network in the box: EfficientNet-Lite0 with its norms folded into its convolutions, and a layer of classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seston.models.config import Inputs
from seston.models.timm_tower import timm_tower

__all__ = ["FEATURES", "Encoder", "one_polarity"]

FEATURES = 1280
_TOWER, _WEIGHTS = "timm:tf_efficientnet_lite0", "package:efficientnet-lite0"


def one_polarity(pictures: Tensor) -> Tensor:
    """Show particles that are brighter than their background as if they were darker.

    Parameters
    ----------
    pictures
        (B, 1, S, S) differences from the background.
    """
    brighter = pictures.mean(dim=(1, 2, 3), keepdim=True) > 0
    return torch.where(brighter, -pictures, pictures)


class Encoder(nn.Module):
    """Differences from the background, (B, 1, S, S), to features, (B, 1280).

    Batch norms stay as ImageNet left them and are folded into the convolutions before the training: a step then takes
    two thirds of the time on a CPU, and one picture says the same in any batch. A grey picture goes in through one
    channel, whose weights are the sum of those for red, green and blue.
    """

    def __init__(self) -> None:
        super().__init__()
        inputs = Inputs(
            picture_size=128, picture_channels=1, picture_sizes=0, profile_channels=0, profile_length=8, profile_sizes=0
        )
        network = timm_tower(_TOWER.removeprefix("timm:"), _WEIGHTS, inputs, fixed=("norms",)).network.eval()
        self.network = network.to(memory_format=torch.channels_last)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give the features of pictures."""
        features: Tensor = self.network(one_polarity(pictures).contiguous(memory_format=torch.channels_last))
        return features

    def freeze(self, blocks: int) -> None:
        """Leave the stem, the first blocks, and everywhere the convolutions within channels as they are.

        On a CPU the gradient of those last takes as long as all the rest; they hold 3 % of the weights.
        """
        for part in (self.network.conv_stem, *list(self.network.blocks)[:blocks]):
            part.requires_grad_(False)
        for part in self.network.modules():
            if isinstance(part, nn.Conv2d) and part.groups > 1:
                part.requires_grad_(False)
