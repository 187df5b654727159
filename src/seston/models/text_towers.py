"""Networks that read texts: a small transformer for lineages, and the text encoders of open_clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seston.models.config import TextInputs, TextTowerConfig
from seston.models.tokens import PADDING

__all__ = ["LineageTransformer", "text_tower"]

_SHORT = 3
"""Texts of at most a third of the longest one's tokens are short."""


def text_tower(config: TextTowerConfig, inputs: TextInputs) -> nn.Module:
    """Build a text tower; it turns (T, length) tokens into (T, features), and says how many these are.

    Raises
    ------
    MissingExtraError
        ``open-clip`` is asked for and open_clip is not installed.
    UsageError
        The weights do not fit.
    """
    if config.tower == "open-clip":
        from seston.models.open_clip_text import open_clip_text

        tower = open_clip_text(config.weights, inputs)
    else:
        tower = LineageTransformer(inputs, config.width, config.layers, config.heads, config.dropout)
    return tower.requires_grad_(not config.frozen)


class LineageTransformer(nn.Module):
    """A few layers of self-attention over word pieces, and the mean over those that are there.

    Parameters
    ----------
    inputs
        Size of the vocabulary and length of a text.
    width, layers, heads
        Of the transformer (pre-norm, feed-forward layers four times as wide).
    dropout
        In training.
    """

    def __init__(self, inputs: TextInputs, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.features = width
        self.pieces = nn.Embedding(inputs.vocabulary, width, padding_idx=PADDING)
        self.places = nn.Parameter(torch.empty(inputs.length, width))
        nn.init.normal_(self.pieces.weight, std=0.02)
        nn.init.normal_(self.places, std=0.01)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Turn (T, length) tokens into (T, features); a text without any token gives zeros before the norm.

        Names are several times shorter than lineages, so short and long texts are read apart.
        """
        if not len(tokens):
            return self._read(tokens)
        lengths = (tokens != PADDING).sum(dim=1)
        short = lengths <= lengths.max() // _SHORT
        order = torch.cat([short.nonzero(), (~short).nonzero()])[:, 0]
        parts = [self._read(tokens[part]) for part in torch.split(order, [int(short.sum()), int((~short).sum())])]
        return torch.cat(parts)[order.argsort()]

    def _read(self, tokens: Tensor) -> Tensor:
        """Read texts of about one length."""
        if not len(tokens):
            return self.places.new_zeros((0, self.features))
        there = tokens != PADDING
        longest = max(1, int(there.sum(dim=1).max()))
        tokens, there = tokens[:, :longest], there[:, :longest]
        closed = ~there
        closed[:, 0] = False  # attention needs one place that is open
        seen = self.layers(self.pieces(tokens) + self.places[:longest], src_key_padding_mask=closed)
        there_too = there[:, :, None].to(seen.dtype)
        mean = (seen * there_too).sum(dim=1) / there_too.sum(dim=1).clamp(min=1)
        answer: Tensor = self.norm(mean)
        return answer
