"""Recipes, the way from particles to batches, and the training of models.

Recipes can be read without torch; everything else loads it when it is first used and needs the extra ``train``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seston.errors import MissingExtraError
from seston.training.recipe import load_recipe, recipe_names
from seston.training.settings import Recipe

if TYPE_CHECKING:
    from seston.training.loop import train
    from seston.training.preparation import Preparation, make_batch
    from seston.training.run import Run, load_run, untrained_run

_WHERE = {
    "Preparation": "preparation",
    "Run": "run",
    "load_run": "run",
    "make_batch": "preparation",
    "train": "loop",
    "untrained_run": "run",
}

__all__ = [
    "Preparation",
    "Recipe",
    "Run",
    "load_recipe",
    "load_run",
    "make_batch",
    "recipe_names",
    "train",
    "untrained_run",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'seston.training' has no attribute {name!r}")
    try:
        module = importlib.import_module(f"seston.training.{_WHERE[name]}")
    except ModuleNotFoundError as error:
        if error.name == "torch":
            raise MissingExtraError("training", "train") from error
        raise
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
