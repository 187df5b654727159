"""What the same particle might look like to another instrument: turned, larger, blurred, coarser, brighter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Views"]


@dataclass(frozen=True)
class Views:
    """How far views may lie from the picture as it was; every number is drawn anew for each picture."""

    zoom: tuple[float, float] = (0.75, 1.35)
    """Least and greatest share of the square's side that is seen."""
    stretch: float = 1.2
    shift: float = 0.08
    contrast: tuple[float, float] = (0.45, 1.7)
    gamma: tuple[float, float] = (0.6, 1.6)
    """Power to which the strength of a difference is raised."""
    invert: float = 0.25
    """Probability of changing dark for bright."""
    coarse: float = 0.4
    """Probability of showing it with fewer pixels …"""
    coarsest: float = 0.2
    """… down to this share of them a side."""
    blur: float = 0.3
    noise: float = 0.04
    """Greatest standard deviation of noise, as a share of the range from black to white."""
    slope: float = 0.15
    """Greatest difference of the background from one side to the other, as such a share."""
    bar: float = 0.08
    """Probability of a burned-in bar with marks like writing."""
    hidden: float = 0.15
    """Probability of hiding a box of up to a third of the side behind background."""

    def __call__(self, pictures: Tensor, size: int, random: torch.Generator) -> Tensor:
        """Give a view of each of (B, 1, S, S) differences from the background, as (B, 1, size, size)."""
        seen = functional.grid_sample(
            pictures,
            self._grid(len(pictures), size, random),
            mode="bilinear",
            padding_mode="zeros",
            align_corners=False,
        )
        draw = _Draw(len(pictures), random)
        seen = (
            seen.sign() * seen.abs().pow(draw.between(*self.gamma, log=True)) * draw.between(*self.contrast, log=True)
        )
        seen = self._coarser(seen, draw)
        seen = self._with_marks(seen, draw, random)
        seen = torch.where(draw.chance(self.invert), -seen, seen)
        line = torch.linspace(-1, 1, size)
        slope = draw.between(-self.slope, self.slope) * line[:, None] + draw.between(-self.slope, self.slope) * line
        seen = seen + slope
        seen = seen + torch.randn(seen.shape, generator=random) * draw.between(0, 2 * self.noise)
        return seen.clamp(-2, 2)

    def _grid(self, count: int, size: int, random: torch.Generator) -> Tensor:
        draw = _Draw(count, random)
        angle, zoom = draw.between(-math.pi, math.pi), draw.between(*self.zoom, log=True)
        stretch = draw.between(1 / self.stretch, self.stretch, log=True).sqrt()
        flip = torch.where(draw.chance(0.5), -1.0, 1.0)
        cosine, sine = angle.cos(), angle.sin()
        rows = [
            zoom * stretch * cosine * flip, -zoom * stretch * sine, draw.between(-self.shift, self.shift),
            zoom / stretch * sine * flip, zoom / stretch * cosine, draw.between(-self.shift, self.shift),
        ]  # fmt: skip
        matrix = torch.stack([row[:, 0, 0, 0] for row in rows], dim=1).reshape(count, 2, 3)
        return functional.affine_grid(matrix, [count, 1, size, size], align_corners=False)

    def _coarser(self, seen: Tensor, draw: _Draw) -> Tensor:
        """Show some with fewer pixels, all of those in a part of the batch with the same number; blur others."""
        size = seen.shape[-1]
        rows = torch.nonzero(draw.chance(self.coarse)[:, 0, 0, 0])[:, 0]
        seen = seen.clone()
        for part in rows.tensor_split(4):
            if len(part):
                side = max(8, round(size * float(draw.between(self.coarsest, 1.0, log=True)[0])))
                small = functional.interpolate(seen[part], size=(side, side), mode="area")
                seen[part] = functional.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
        rows = torch.nonzero(draw.chance(self.blur)[:, 0, 0, 0])[:, 0]
        if len(rows):
            soft = functional.avg_pool2d(functional.avg_pool2d(seen[rows], 3, 1, 1), 3, 1, 1)
            seen[rows] = torch.lerp(seen[rows], soft, draw.between(0, 1)[rows])
        return seen

    def _with_marks(self, seen: Tensor, draw: _Draw, random: torch.Generator) -> Tensor:
        """Hide a part of some, and burn bars and marks into others."""
        size = seen.shape[-1]
        hide, bar = (draw.chance(share)[:, 0, 0, 0] for share in (self.hidden, self.bar))
        for row in torch.nonzero(hide)[:, 0].tolist():
            side = int(torch.randint(size // 10, size // 3, (), generator=random))
            top, left = (int(torch.randint(0, size - side, (), generator=random)) for _ in range(2))
            seen[row, :, top : top + side, left : left + side] = 0
        for row in torch.nonzero(bar)[:, 0].tolist():
            length = int(torch.randint(size // 8, size // 2, (), generator=random))
            top = int(torch.randint(int(size * 0.85), size - 4, (), generator=random))
            left = int(torch.randint(0, size - length, (), generator=random))
            tone = -1.5 + 3 * float(torch.rand((), generator=random))
            seen[row, :, top : top + 2, left : left + length] = tone
            marks = torch.rand(5, 14, generator=random) > 0.5
            spot = min(left, size - 14)
            seen[row, 0, top - 8 : top - 3, spot : spot + 14][marks] = tone
        return seen


class _Draw:
    """Numbers of chance, one a picture, as (B, 1, 1, 1)."""

    def __init__(self, count: int, random: torch.Generator) -> None:
        self._count, self._random = count, random

    def between(self, low: float, high: float, *, log: bool = False) -> Tensor:
        share = torch.rand(self._count, 1, 1, 1, generator=self._random)
        return low * (high / low) ** share if log else low + (high - low) * share

    def chance(self, probability: float) -> Tensor:
        return torch.rand(self._count, 1, 1, 1, generator=self._random) < probability
