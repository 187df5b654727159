"""What recipes must have in common where they are compared; readable without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from seston.errors import UsageError
from seston.training.recipe import asked_recipe
from seston.training.settings import Recipe

__all__ = ["SHARED", "shared_recipes"]

_WHOLE = ("pictures", "sizes", "labels", "augmentation")
_BUDGET = ("epochs", "minutes", "batch", "validation_share", "precision", "device")
SHARED = (*_WHOLE, "model.image", *(f"training.{name}" for name in _BUDGET))
"""Keys and tables that are no part of the question."""


def shared_recipes(
    recipes: Sequence[str | Path], changes: Sequence[str], minutes: float | None, epochs: int | None
) -> list[Recipe]:
    """Load recipes and give all of them what they are to share with the first one.

    Raises
    ------
    UsageError
        Fewer than two, or one twice; otherwise as for `seston.training.load_recipe`.
    """
    loaded = [asked_recipe(one, changes, minutes, epochs) for one in recipes]
    names = [recipe.name for recipe in loaded]
    if len(loaded) < 2 or len(set(names)) < len(names):
        raise UsageError(f"compare two recipes or more, each once; given: {', '.join(names) or 'none'}")
    first = loaded[0]
    budget = {name: getattr(first.training, name) for name in _BUDGET}
    return [
        msgspec.structs.replace(
            recipe,
            **{name: getattr(first, name) for name in _WHOLE},
            model=msgspec.structs.replace(recipe.model, image=first.model.image),
            training=msgspec.structs.replace(recipe.training, **budget),
        )
        for recipe in loaded
    ]
