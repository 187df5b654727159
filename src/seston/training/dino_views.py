"""The crops that DINO learns from, made of whole batches of squares.

A crop, its resampling to another size, a mirror image and a blur are all linear and act along one axis at a time. So
each view is one product, ``rows · picture · columnsᵀ``, with two matrices for each particle. The light is changed
afterwards. Every number that chance decides comes from (seed, epoch, view, particle).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.training.dino_settings import DinoViewSettings
from seston.training.prepared import Prepared
from seston.training.randomness import in_single_precision, uniforms
from seston.training.tensors import to_tensor

__all__ = ["large_and_small_views"]

_PURPOSE = 0xD1A0
_CHANCE = (
    "area", "ratio", "left", "top", "mirror", "turn_over", "jitter", "brightness", "contrast", "blur", "blur_width",
    "solarise",
)  # fmt: skip
_NEAR = -0.5
"""Free parameter of the cubic kernel, as in Pillow."""


def large_and_small_views(
    prepared: Prepared,
    keys: NDArray[np.uint64],
    settings: DinoViewSettings,
    centre: str,
    purpose: tuple[int, ...],
    device: torch.device | str = "cpu",
) -> tuple[list[Tensor], list[Tensor]]:
    """Make two large crops of each picture, and as many small ones as the recipe says.

    Parameters
    ----------
    prepared
        The particles; only pictures and backgrounds are looked at.
    keys
        (B,) of `seston.training.randomness.particle_keys`.
    settings
        Of the recipe.
    centre
        `pictures.centre` of the recipe: the scale of the pixels that come out.
    purpose
        Seed and epoch.
    device
        Where the arithmetic is done.

    Returns
    -------
    list of tensors, list of tensors
        Large (B, channels, S, S) and small (B, channels, s, s).
    """
    picture = to_tensor(prepared.picture).to(device).float() / 255
    background = to_tensor(prepared.background).to(device).float()[:, :, None, None] / 255
    side = picture.shape[-1]
    small_side = max(1, round(settings.small_share * side))
    shapes = [(side, settings.large_area, blur) for blur in settings.blur]
    shapes += [(small_side, settings.small_area, settings.small_blur)] * settings.small
    views = []
    for number, (size, area, blur) in enumerate(shapes):
        chance = _draw(keys, (*purpose, _PURPOSE, number), device)
        view = _crop(picture, chance, settings, size, area, blur)
        solarise = settings.solarise if number == 1 else 0.0
        views.append(_relight(view, background, chance, settings, centre, solarise))
    return views[:2], views[2:]


def _draw(keys: NDArray[np.uint64], purpose: tuple[int, ...], device: torch.device | str) -> dict[str, Tensor]:
    """Draw (B,) numbers in [0, 1) for each thing that chance decides."""
    drawn = torch.from_numpy(in_single_precision(uniforms(keys, len(_CHANCE), *purpose))).to(device)
    return {name: drawn[:, column] for column, name in enumerate(_CHANCE)}


def _crop(
    picture: Tensor,
    chance: dict[str, Tensor],
    settings: DinoViewSettings,
    size: int,
    area: tuple[float, float],
    blur: float,
) -> Tensor:
    """Cut a box out, bring it to `size`, mirror and blur it.

    A box that would be wider or higher than the picture is cut to it.
    """
    shown = area[0] + (area[1] - area[0]) * chance["area"]
    ratio = torch.exp(math.log(settings.ratio) * (2 * chance["ratio"] - 1))
    width, height = (shown * ratio).sqrt().clamp(max=1), (shown / ratio).sqrt().clamp(max=1)
    low, high = settings.blur_width
    blurred = (low + (high - low) * chance["blur_width"]) * (chance["blur"] < blur)
    columns = _along(chance["left"], width, chance["mirror"] < settings.mirror, blurred, picture.shape[-1], size)
    rows = _along(chance["top"], height, chance["turn_over"] < settings.turn_over, blurred, picture.shape[-1], size)
    return rows[:, None] @ picture @ columns[:, None].transpose(2, 3)


def _along(place: Tensor, share: Tensor, backwards: Tensor, blurred: Tensor, side: int, size: int) -> Tensor:
    """Give (B, size, side) matrices that crop, resample, reverse and blur along one axis.

    Cubic convolution (Keys 1981), widened where a crop shrinks so that fine patterns do not alias.
    """
    start = place * (1 - share) * side
    step = share * side / size  # pixels of the picture that a pixel of the crop stands for
    targets = torch.arange(size, device=place.device) + 0.5
    targets = torch.where(backwards[:, None], size - targets, targets)
    centres = start[:, None] + targets * step[:, None]
    pixels = torch.arange(side, device=place.device) + 0.5
    weights = _cubic((pixels - centres[:, :, None]) / step.clamp(min=1)[:, None, None])
    weights = weights / weights.sum(dim=2, keepdim=True)
    if not bool(blurred.any()):
        return weights
    apart = torch.arange(size, device=place.device)
    squares = ((apart[:, None] - apart) ** 2).float()
    bell = torch.exp(-squares / (2 * blurred.clamp(min=0.05) ** 2)[:, None, None])  # narrower than 0.05: no blur at all
    return (bell / bell.sum(dim=2, keepdim=True)) @ weights


def _cubic(distance: Tensor) -> Tensor:
    x = distance.abs()
    near = ((_NEAR + 2) * x - (_NEAR + 3)) * x * x + 1
    far = _NEAR * (((x - 5) * x + 8) * x - 4)
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))


def _relight(
    view: Tensor,
    background: Tensor,
    chance: dict[str, Tensor],
    settings: DinoViewSettings,
    centre: str,
    solarise: float,
) -> Tensor:
    """Change brightness and contrast, solarise, and bring black and white to the scale of the recipe."""
    lit = chance["jitter"] < settings.jitter
    brightness = 1 + settings.brightness * (2 * chance["brightness"] - 1) * lit
    contrast = 1 + settings.contrast * (2 * chance["contrast"] - 1) * lit
    view = (view.clamp(0, 1) * brightness[:, None, None, None]).clamp(0, 1)
    pivot = background if centre == "background" else view.mean(dim=(1, 2, 3), keepdim=True)
    view = (pivot + contrast[:, None, None, None] * (view - pivot)).clamp(0, 1)
    if solarise:
        turned = (chance["solarise"] < solarise)[:, None, None, None] & (view >= 0.5)
        view = torch.where(turned, 1 - view, view)
    return 2 * (view - background) if centre == "background" else 2 * view - 1
