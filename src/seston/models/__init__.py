"""Towers, heads and losses. Names load when they are first used; most of them need the extra ``train``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names
from seston.models.config import ImageTowerConfig, Inputs, ModelConfig, ProfileTowerConfig

if TYPE_CHECKING:
    from seston.models.batch import Batch, join_batches
    from seston.models.crossmodal import CrossModalModel, Encoded, build_model
    from seston.models.gather import gather_rows
    from seston.models.losses import clip_loss, siglip_loss, within_loss

_WHERE = {
    "Batch": "batch",
    "CrossModalModel": "crossmodal",
    "Encoded": "crossmodal",
    "build_model": "crossmodal",
    "clip_loss": "losses",
    "gather_rows": "gather",
    "join_batches": "batch",
    "siglip_loss": "losses",
    "within_loss": "losses",
}

__all__ = [
    "Batch",
    "CrossModalModel",
    "Encoded",
    "ImageTowerConfig",
    "Inputs",
    "ModelConfig",
    "ProfileTowerConfig",
    "build_model",
    "clip_loss",
    "gather_rows",
    "join_batches",
    "siglip_loss",
    "within_loss",
]


__getattr__ = late_names(__name__, _WHERE, needs_torch_for="training")


def __dir__() -> list[str]:
    return sorted(__all__)
