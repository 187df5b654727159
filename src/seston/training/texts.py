"""The texts of a training: made of the labels of its particles, and put into its preparation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.models.config import TextTowerConfig
from seston.taxonomy import Taxon
from seston.training.particle_taxa import particle_taxa
from seston.training.particles import Chosen
from seston.training.preparation import Preparation
from seston.training.settings import Recipe
from seston.training.taxon_texts import is_known, said_of
from seston.training.text_preparation import make_text_preparation, tokenizer_of
from seston.training.text_table import Levels, make_text_table

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training.text_objective import TextTargets

__all__ = ["said_of_parts", "text_targets", "with_texts"]


def said_of_parts(
    data: DataSet, recipe: Recipe, parts: tuple[Chosen, Chosen]
) -> tuple[list[Levels], NDArray[np.int64], NDArray[np.int64]]:
    """Find what can be said of the particles of a training.

    Returns
    -------
    list of Levels
        What can be said of each different taxon; those of training particles come first.
    two arrays of int64
        Number of the taxon of each training and of each held-out particle, -1 where the label says nothing.

    Raises
    ------
    UsageError
        The labels of the training particles mean fewer than two different things.
    """
    assert recipe.text is not None
    taxa, (train, validation) = particle_taxa(data, *parts)
    numbers: dict[Levels, int] = {}
    of = np.array([_number(taxon, recipe.text.templates, numbers) for taxon in taxa] + [-1], np.int64)
    if len(np.unique(of[train[train >= 0]])) < 2:
        raise UsageError(
            f"{data.path}: the labels of the training particles say fewer than two different things; texts need more "
            "(seston annotate, or train without labels: --recipe default-pictures)"
        )
    return list(numbers), of[train], of[validation]


def with_texts(preparation: Preparation, recipe: Recipe, said: list[Levels], train: NDArray[np.int64]) -> Preparation:
    """Add to a preparation what a model must know to read texts, learnt from what is said of training particles."""
    assert recipe.text is not None
    assert isinstance(recipe.model.text, TextTowerConfig)
    seen = sorted(set(train[train >= 0].tolist()))
    every = [one for number in seen for level in said[number] for one in level]
    texts, named = [one.text for one in every], [one.path for one in every]
    found = make_text_preparation(recipe.text, recipe.model.text, texts, named)
    return msgspec.structs.replace(preparation, text=found)


def text_targets(
    recipe: Recipe,
    preparation: Preparation,
    said: list[Levels],
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
) -> TextTargets:
    """Make what a learner needs of the texts."""
    from seston.training.text_objective import TextTargets

    assert recipe.text is not None
    assert not isinstance(preparation.text, msgspec.UnsetType)
    table = make_text_table(said, tokenizer_of(preparation.text))
    return TextTargets(recipe.text, recipe.loss.kind, table, train, validation)


def _number(taxon: Taxon, templates: tuple[str, ...], numbers: dict[Levels, int]) -> int:
    if not is_known(taxon):
        return -1
    return numbers.setdefault(said_of(taxon, templates), len(numbers))
