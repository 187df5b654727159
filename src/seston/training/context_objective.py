"""The term of a training that brings particles and their contexts (place, season, hour, depth) together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.models.config import ContextTowerConfig
from seston.models.contexts import Contexts, context_features
from seston.models.crossmodal import CrossModalModel
from seston.models.gather import gather_rows
from seston.models.text_losses import statement_loss
from seston.training.context_noise import contradictions, disturbed, says_enough
from seston.training.context_settings import ContextSettings

__all__ = ["ContextTargets", "context_loss", "context_relations"]


@dataclass(frozen=True)
class ContextTargets:
    """What is known of the particles of a training."""

    settings: ContextSettings
    tower: ContextTowerConfig
    parts: tuple[str, ...]
    """What the contexts of the training say: see `seston.models.contexts.PARTS`."""
    kind: str
    """``clip`` or ``siglip``."""
    train: Contexts
    """Of each training particle."""
    validation: Contexts
    """Of each held-out particle."""


def context_loss(
    model: CrossModalModel,
    vectors: Tensor,
    present: Tensor,
    known: Contexts,
    sample: Tensor,
    keys: NDArray[np.uint64],
    targets: ContextTargets,
    purpose: tuple[int, ...],
) -> Tensor:
    """Compute the loss between what particles are seen to be and where and when they were taken, over all processes.

    Parameters
    ----------
    model
        Reads the contexts; holds scale and bias of this term.
    vectors
        (B, D) unit vectors of pictures (or profiles).
    present
        (B,) bool: which of them there are.
    known
        Of the particles.
    sample
        (B,) number of the sample of each.
    keys
        (B,) of the particles.
    targets
        Of the training.
    purpose
        Seed and epoch, on which the noise depends.

    Returns
    -------
    Tensor
        The same number in every process; 0 where no particle has both.
    """
    assert model.context is not None
    device = vectors.device
    placed = torch.from_numpy(says_enough(known)).to(device) & present
    mine = placed.cpu().numpy()
    shown = disturbed(known[mine], keys[mine], targets.settings, purpose)
    features = context_features(shown, targets.tower.harmonics, targets.tower.octaves, targets.parts)
    said = model.encode_contexts(torch.from_numpy(features).to(device))

    def relations() -> tuple[Tensor, Tensor]:
        numbers = (torch.from_numpy(rows.astype(np.float32)).to(device) for rows in (known[mine], shown))
        of_sample, true, told = map(gather_rows, (sample.to(device)[placed], *numbers))
        return context_relations(of_sample, true, told, targets.settings)

    learned = model.context.logit_scale, model.context.logit_bias
    return statement_loss(targets.kind, learned, vectors[placed], said, relations)


def context_relations(sample: Tensor, true: Tensor, told: Tensor, settings: ContextSettings) -> tuple[Tensor, Tensor]:
    """Tell which pairs of a particle and a context belong together, and which contradict each other.

    Parameters
    ----------
    sample
        (B,) sample of each particle.
    true
        (B, 6) context of each, as it is known.
    told
        (B, 6) context of each, as the model is told it.
    settings
        Of the recipe.

    Returns
    -------
    positive, negative
        (B, B) bool, particles by contexts. A pair is positive where the context is the particle's own, or that of
        another particle of its sample that it does not contradict; negative where it contradicts what is known of the
        particle and is of another sample; any other pair is neither. So the particles of a sample are never negatives
        of each other.
    """
    apart = contradictions(true, told, settings)
    same = sample[:, None] == sample[None, :]
    own = torch.eye(len(sample), dtype=torch.bool, device=sample.device)
    return own | (same & ~apart), apart & ~same
