"""Towers, heads and losses. Names load when they are first used; most of them need the extra ``train``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seston.errors import MissingExtraError
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


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'seston.models' has no attribute {name!r}")
    try:
        module = importlib.import_module(f"seston.models.{_WHERE[name]}")
    except ModuleNotFoundError as error:
        if error.name == "torch":
            raise MissingExtraError("training", "train") from error
        raise
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
