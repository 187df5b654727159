"""The three profile encoders of the paper, layer for layer (arXiv 2603.16427; sizes checked by parameter counts)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ProfileLstm", "ProfileResNet", "ProfileTransformer"]

_POSITIONS = 2048


class ProfileResNet(nn.Module):
    """ResNet-18's shape in one dimension, with kernels of 3 and the maximum over time at the end.

    With 6 channels, width 32 and blocks (2, 2, 2, 2): 963,840 parameters, 256 features, time 224 → 7.
    """

    def __init__(self, channels: int, width: int = 32, blocks: tuple[int, ...] = (2, 2, 2, 2)) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(channels, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool1d(3, stride=2, padding=1),
        )
        layers: list[nn.Module] = []
        before = width
        for stage, count in enumerate(blocks):
            after = width * 2**stage
            for block in range(count):
                layers.append(_BasicBlock(before, after, stride=2 if stage and not block else 1))
                before = after
        self.layers = nn.Sequential(*layers)
        self.features = before

    def forward(self, profile: Tensor) -> Tensor:
        """Turn (B, C, T) into (B, features)."""
        grid: Tensor = self.layers(self.stem(profile))
        return grid.amax(dim=2)


class _BasicBlock(nn.Module):
    """Two convolutions with batch norm, and a shortcut that is a convolution of 1 where the shape changes."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(before, after, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm1d(after)
        self.second = nn.Conv1d(after, after, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm1d(after)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv1d(before, after, 1, stride=stride, bias=False), nn.BatchNorm1d(after))

    def forward(self, grid: Tensor) -> Tensor:
        inner = functional.relu(self.first_norm(self.first(grid)))
        return functional.relu(self.second_norm(self.second(inner)) + self.shortcut(grid))


class ProfileTransformer(nn.Module):
    """One token a sample, a learned first token that is the answer, post-norm layers.

    With 6 channels, width 128, 6 layers, 4 heads and feed-forward 256: 1,057,920 parameters, of which 262,144 are
    the table of 2,048 positions (0 is padding, 1 the first token, the samples begin at 2).
    """

    def __init__(
        self, channels: int, width: int = 128, layers: int = 6, heads: int = 4, feedforward: int = 256,
        dropout: float = 0.2,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embed = nn.Linear(channels, width, bias=False)
        self.answer = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Embedding(_POSITIONS, width, padding_idx=0)
        layer = nn.TransformerEncoderLayer(
            width, heads, feedforward, dropout, activation="gelu", batch_first=True, norm_first=False
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.features = width

    def forward(self, profile: Tensor) -> Tensor:
        """Turn (B, C, T) into (B, features)."""
        tokens = self.embed(profile.transpose(1, 2))
        tokens = torch.cat([self.answer.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
        answered: Tensor = self.layers(tokens + self.positions(places))
        return answered[:, 0]


class ProfileLstm(nn.Module):
    """A bidirectional LSTM: the last state forwards beside the last state backwards (which saw the first sample).

    With 6 channels, width 128 and one layer: 264,960 parameters, 256 features.
    """

    def __init__(self, channels: int, width: int = 128, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, width, bias=False)
        self.lstm = nn.LSTM(
            width, width, layers, batch_first=True, bidirectional=True, dropout=dropout if layers > 1 else 0.0
        )
        self.features = 2 * width

    def forward(self, profile: Tensor) -> Tensor:
        """Turn (B, C, T) into (B, features)."""
        _, (states, _) = self.lstm(self.embed(profile.transpose(1, 2)))
        return torch.cat([states[-2], states[-1]], dim=1)
