"""The contexts of a training: found in its data set, judged, and put into its preparation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from seston.errors import UsageError
from seston.models.config import ContextTowerConfig
from seston.models.contexts import PARTS, Contexts, known_parts
from seston.particle import Progress
from seston.training.context_noise import differ, says_enough
from seston.training.context_settings import ContextPreparation
from seston.training.particle_contexts import chosen_contexts
from seston.training.particles import Chosen
from seston.training.preparation import Preparation
from seston.training.settings import Recipe

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training.context_objective import ContextTargets

__all__ = ["context_targets", "find_contexts", "with_contexts"]


def find_contexts(
    data: DataSet, recipe: Recipe, parts: tuple[Chosen, Chosen], say: Progress
) -> tuple[Contexts, Contexts] | None:
    """Find where and when the particles of a training were taken.

    Returns
    -------
    two arrays, or None
        Contexts of training and of held-out particles; None where those of the training particles do not differ, so
        that nothing can be learnt from them. That is noted, and the other terms of the recipe go on without.

    Raises
    ------
    UsageError
        So it is, and the recipe has no other term.
    """
    train, validation = chosen_contexts(data, *parts)
    if differ(train, recipe.context):
        return train, validation
    if not says_enough(train).any():
        why = "no training particle has a position or a time"
    else:
        why = "all training particles were taken at nearly the same place, season and hour"
    if recipe.loss.contexts_alone:
        raise UsageError(
            f"{data.path}: {why}, and contexts are all that this recipe learns from; add samples of other places or "
            "seasons, or use another recipe"
        )
    say.note(f"contexts teach nothing here and are left out: {why}")
    return None


def with_contexts(preparation: Preparation, chosen: Chosen, found: tuple[Contexts, Contexts] | None) -> Preparation:
    """Add to a preparation what the contexts of the training particles say; as it is where they teach nothing."""
    if found is None:
        return preparation
    known = known_parts(found[0])
    enough = says_enough(found[0])
    said = ContextPreparation(
        parts=tuple(name for place, name in enumerate(PARTS) if known[:, place].any()),
        particles=int(enough.sum()),
        samples=len(np.unique(chosen.sample[enough])),
    )
    return msgspec.structs.replace(preparation, context=said)


def context_targets(
    recipe: Recipe, preparation: Preparation, found: tuple[Contexts, Contexts] | None
) -> ContextTargets | None:
    """Make what a learner needs of the contexts; None where there is nothing to learn."""
    if found is None:
        return None
    from seston.training.context_objective import ContextTargets

    assert isinstance(preparation.context, ContextPreparation)
    assert isinstance(recipe.model.context, ContextTowerConfig)
    return ContextTargets(recipe.context, recipe.model.context, preparation.context.parts, recipe.loss.kind, *found)
