"""Recipes, the way from particles to batches, and the training of models.

Recipes can be read without torch; everything else loads it when it is first used and needs the extra ``train``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names
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


__getattr__ = late_names(__name__, _WHERE, needs_torch_for="training")


def __dir__() -> list[str]:
    return sorted(__all__)
