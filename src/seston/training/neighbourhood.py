"""Neighbours as second views: once a model knows a little, the particles most like each other teach it the rest.

A view of the same particle teaches which changes do not matter as far as we can make them up: turned, blurred, fainter.
A particle that looks *and* shines like it, but was measured in another sample, also differs in what nobody can make
up: size, stage, orientation, another chain of the same species. Neighbours are looked for with picture and profile
together, so each modality learns from what the other one knows. (After nearest-neighbour contrastive learning, Dwibedi
et al., arXiv 2104.14548; here across two modalities and across samples, in the space in which galleries name.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.models import CrossModalModel
from seston.models.spaces import fit_space, nearest_elsewhere
from seston.training.batches import Gathered, gather
from seston.training.frozen_features import FrozenFeatures
from seston.training.preparation import Preparation
from seston.training.randomness import shuffled, uniforms
from seston.training.settings import NeighbourSettings
from seston.training.sources import PreparedSource
from seston.training.tensors import plain_batch

__all__ = ["Neighbourhood", "searched_rows"]

_AT_MOST = 8000
_AT_ONCE = 256
_PARTNER = 0x9A127
_CHOSEN = 0xC05E
_NOBODY = -1


@dataclass
class Neighbourhood:
    """Who is like whom among the particles of a training, as far as it is known by now."""

    settings: NeighbourSettings
    source: PreparedSource
    rows: NDArray[np.int64]
    """Particles among which neighbours are looked for: all, or 8,000 of them."""
    measured: tuple[NDArray[np.float32], ...] = ()
    """Hand-made features of these, of picture and of profile, where the recipe wants them."""
    frozen: FrozenFeatures | None = None
    """What a frozen tower found in all pictures, instead of the tower."""
    near: NDArray[np.int64] | None = None
    """(all particles, neighbours): rows, nearest first, -1 where none are known; None before the first search."""
    searches: int = field(default=0)

    def search_if_due(
        self, model: CrossModalModel, preparation: Preparation, used: float, device: torch.device
    ) -> None:
        """Look for neighbours by what the model says now, where the share of the budget that is used up asks for it."""
        if used < self.settings.start + self.searches * self.settings.every:
            return
        self.searches += 1
        blocks = [*self._blocks(model, preparation, device), *self.measured]
        sample = self.source.chosen.sample[self.rows]
        vectors = fit_space(blocks, sample)(blocks)
        kept = max(self.settings.nearest, self.settings.spared)
        found = nearest_elsewhere(vectors, sample, min(kept, len(self.rows) - 1))
        self.near = np.full((len(self.source), found.shape[1]), _NOBODY, np.int64)
        self.near[self.rows] = self.rows[found]

    def second(self, gathered: Gathered, purpose: tuple[int, int]) -> Gathered:
        """Give the particles whose views stand beside those of a batch: a neighbour of each, or the particle itself."""
        if self.near is None:
            return gathered
        draw = uniforms(gathered.keys, 2, *purpose, _PARTNER)
        nearest = min(self.settings.nearest, self.near.shape[1])
        picked = self.near[gathered.rows, (draw[:, 0] * nearest).astype(np.int64)]
        stands_in = (draw[:, 1] < self.settings.share) & (picked != _NOBODY)
        return gather(self.source, np.where(stands_in, picked, gathered.rows), gathered.number)

    def alike(self, rows: Tensor) -> Tensor:
        """Tell which of some particles are neighbours of each other, or the same: (B, B) bool."""
        same = rows[:, None] == rows[None, :]
        if self.near is None or not self.settings.spared:
            return same
        near = torch.from_numpy(self.near[:, : self.settings.spared]).to(rows.device)[rows]
        found = (near[:, :, None] == rows[None, None, :]).any(dim=1)
        return same | found | found.T

    def tensors(self) -> dict[str, Tensor]:
        """Give what a checkpoint needs."""
        known = {} if self.near is None else {"near": torch.from_numpy(self.near)}
        return {"searches": torch.tensor(self.searches), **known}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go back to a checkpoint."""
        self.searches = int(tensors["searches"])
        self.near = tensors["near"].numpy() if "near" in tensors else None

    @torch.inference_mode()
    def _blocks(
        self, model: CrossModalModel, preparation: Preparation, device: torch.device
    ) -> list[NDArray[np.float32]]:
        """Embed particles: features and shared vectors of each modality that any of them has."""
        model.eval()
        parts = []
        for start in range(0, len(self.rows), _AT_ONCE):
            some = self.rows[start : start + _AT_ONCE]
            batch = plain_batch(self.source.take(some), torch.zeros(len(some), dtype=torch.int64), preparation)
            if self.frozen is not None:
                batch = replace(batch, image=self.frozen.as_measured(some))
            seen = model(batch.to(device))
            of_part = (seen.image_features, seen.image, seen.profile_features, seen.profile)
            parts.append([part.float().cpu().numpy() for part in of_part])
        blocks = [np.concatenate(block) for block in zip(*parts, strict=True)]
        return [block for block in blocks if block.any()]


def searched_rows(particles: int, seed: int) -> NDArray[np.int64]:
    """Choose among which particles of a training neighbours are looked for."""
    if particles <= _AT_MOST:
        return np.arange(particles)
    return np.sort(shuffled(particles, seed, _CHOSEN)[:_AT_MOST])
