"""What other instruments would have done to a picture: its polarity, tone, colours, resolution, and a scale bar.

Pictures are differences from their background, as `seston.training.scaling.centred_picture` gives them (0 is
background, ±2 the whole range); backgrounds are levels from 0 to 255. Every number that chance decides comes from
(seed, epoch, view, particle).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from seston.training.randomness import in_single_precision, uniforms
from seston.training.settings import AugmentationSettings

__all__ = ["Otherwise", "draw_otherwise", "seen_otherwise"]

Otherwise = dict[str, Tensor]
"""What chance decides → (B,) numbers in [0, 1)."""

_PURPOSE = 0x07E4
_CHANCE = (
    "invert", "gamma", "background", "red", "green", "blue", "grey", "coarse", "how_coarse", "bar", "bar_left",
    "bar_length", "bar_edge", "bar_top", "bar_light", "bar_thickness",
)  # fmt: skip
_FACTORS = (2, 3, 4)
_HALF_RANGE = 127.5


def draw_otherwise(
    keys: NDArray[np.uint64], settings: AugmentationSettings, purpose: tuple[int, ...], device: torch.device | str
) -> Otherwise | None:
    """Draw what chance decides for each particle; None where the settings leave pictures as they are."""
    asked = (settings.invert, settings.background, settings.tint, settings.grey, settings.coarse, settings.bar)
    if not any(asked) and settings.gamma == 1:
        return None
    drawn = torch.from_numpy(in_single_precision(uniforms(keys, len(_CHANCE), *purpose, _PURPOSE))).to(device)
    return {name: drawn[:, column] for column, name in enumerate(_CHANCE)}


def seen_otherwise(
    picture: Tensor, background: Tensor, chance: Otherwise, settings: AugmentationSettings
) -> tuple[Tensor, Tensor]:
    """Change pictures and their backgrounds.

    Parameters
    ----------
    picture
        (B, channels, S, S), centred.
    background
        (B, channels), from 0 to 255.
    chance
        By `draw_otherwise`.
    settings
        Of the recipe.
    """
    background = background.float()
    if settings.grey and picture.shape[1] > 1:
        grey = chance["grey"] < settings.grey
        picture = torch.where(_spread(grey), picture.mean(dim=1, keepdim=True), picture)
        background = torch.where(grey[:, None], background.mean(dim=1, keepdim=True), background)
    if settings.tint and picture.shape[1] > 1:
        signed = torch.stack([2 * chance[name] - 1 for name in ("red", "green", "blue")], dim=1)
        picture = picture * (math.sqrt(3) * settings.tint * signed).exp()[:, :, None, None]
    if settings.gamma > 1:
        picture, background = _toned(picture, background, settings.gamma ** (2 * chance["gamma"] - 1))
    if settings.invert:
        sign = torch.where(chance["invert"] < settings.invert, -1.0, 1.0)
        picture = picture * _spread(sign)
        background = _HALF_RANGE + sign[:, None] * (background - _HALF_RANGE)
    if settings.background:
        shift = 2 * _HALF_RANGE * settings.background * (2 * chance["background"] - 1)
        background = (background + shift[:, None]).clamp(0, 2 * _HALF_RANGE)
    if settings.coarse:
        picture = _coarser(picture, chance, settings.coarse)
    if settings.bar:
        picture = _with_bar(picture, background, chance, settings.bar)
    return picture, background


def _spread(numbers: Tensor) -> Tensor:
    return numbers[:, None, None, None]


def _toned(picture: Tensor, background: Tensor, exponent: Tensor) -> tuple[Tensor, Tensor]:
    """Raise the light, from 0 to 1, to a power."""
    level = (background / (2 * _HALF_RANGE))[:, :, None, None]
    light = (picture / 2 + level).clamp(0, 1) ** _spread(exponent)
    level = level ** _spread(exponent)
    return 2 * (light - level), 2 * _HALF_RANGE * level[:, :, 0, 0]


def _coarser(picture: Tensor, chance: Otherwise, share: float) -> Tensor:
    """Average over squares of pixels, and enlarge again."""
    picture = picture.clone()
    which = (chance["how_coarse"] * len(_FACTORS)).long()
    for number, factor in enumerate(_FACTORS):
        rows = ((chance["coarse"] < share) & (which == number)).nonzero()[:, 0]
        if len(rows):
            side = picture.shape[-1]
            small = functional.interpolate(picture[rows], size=max(4, side // factor), mode="area")
            picture[rows] = functional.interpolate(small, size=side, mode="bilinear", align_corners=False)
    return picture


def _with_bar(picture: Tensor, background: Tensor, chance: Otherwise, share: float) -> Tensor:
    """Paint a black or white bar near the upper or lower edge."""
    side = picture.shape[-1]
    places = torch.arange(side, device=picture.device)
    length = (0.15 + 0.3 * chance["bar_length"]) * side
    left = chance["bar_left"] * (side - length)
    from_edge = (0.01 + 0.12 * chance["bar_top"]) * side
    thickness = 1 + 3 * chance["bar_thickness"]
    top = torch.where(chance["bar_edge"] < 0.5, from_edge, side - from_edge - thickness)
    across = (places >= left[:, None]) & (places < (left + length)[:, None])
    down = (places >= top[:, None]) & (places < (top + thickness)[:, None])
    drawn = (chance["bar"] < share)[:, None, None] & down[:, :, None] & across[:, None, :]
    level = torch.where(chance["bar_light"] < 0.5, 0.0, 2 * _HALF_RANGE)
    bar = ((level[:, None] - background) / _HALF_RANGE)[:, :, None, None]
    return torch.where(drawn[:, None], bar, picture)
