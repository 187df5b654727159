"""A model as it is before the first step, with what teaches it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.features import Measures
from seston.models import CrossModalModel
from seston.models.classifier import ClassifierModel
from seston.models.dino import ImageModel
from seston.particle import Progress
from seston.training.context_targets import context_targets
from seston.training.dino_learner import DinoLearner, make_dino_learner
from seston.training.discriminants import begin_with_discriminants
from seston.training.frozen_features import FrozenFeatures, frozen_features, standardise
from seston.training.job import Job
from seston.training.learner import Learner, make_learner
from seston.training.measured import measure_rows
from seston.training.neighbourhood import Neighbourhood, searched_rows
from seston.training.processes import Processes
from seston.training.run import new_model
from seston.training.sampling import sampling_weights
from seston.training.sources import without_pixels
from seston.training.supervised_learner import SupervisedLearner, make_supervised_learner
from seston.training.texts import text_targets

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["AnyLearner", "new_learner"]

AnyLearner = Learner | DinoLearner | SupervisedLearner


def new_learner(
    data: DataSet, job: Job, features: Path, processes: Processes, say: Progress
) -> tuple[AnyLearner, NDArray[np.float64] | None]:
    """Make what the recipe of a job learns by.

    Parameters
    ----------
    features
        Folder for what a tower finds in all particles, where the recipe asks for that.

    Returns
    -------
    learner, weights
        And (N,) how often each training particle is shown, relative to the others; None for all alike.

    Raises
    ------
    UsageError
        A tower that is not there, or that lacks the parts that the recipe names.
    """
    recipe = job.recipe
    if recipe.supervised is not None:
        return _classifier(job, features, processes, say)
    model = new_model(recipe, job.preparation, recipe.seed)
    if isinstance(model, ImageModel):
        return make_dino_learner(recipe, job.preparation, model, processes), None
    assert isinstance(model, CrossModalModel)
    texts, frozen, weights = None, None, None
    if recipe.text is not None and job.said is not None:
        texts = text_targets(recipe, job.preparation, *job.said)
        weights = sampling_weights(recipe.text.sampling, job.said[1])
    if recipe.model.image.frozen is True or recipe.model.image.frozen_blocks:
        parts, look, views = (job.train, job.validation), model.frozen_features, recipe.training.frozen_views
        blocks = model.frozen_numbers
        frozen = frozen_features(
            model, look, views, recipe, job.preparation, *parts, features, processes, say, blocks=blocks
        )
    neighbourhood = _neighbourhood(data, job, frozen, say) if recipe.uses_neighbours else None
    contexts = context_targets(recipe, job.preparation, job.contexts)
    learner = make_learner(recipe, job.preparation, model, processes, neighbourhood, texts, frozen, contexts)
    return learner, weights


def _classifier(
    job: Job, features: Path, processes: Processes, say: Progress
) -> tuple[SupervisedLearner, NDArray[np.float64] | None]:
    recipe, settings, labelled = job.recipe, job.recipe.supervised, job.labelled
    assert settings is not None
    assert labelled is not None
    model = new_model(recipe, job.preparation, recipe.seed, labelled.classes)
    assert isinstance(model, ClassifierModel)
    weights = sampling_weights(settings.sampling, labelled.train)
    stays, discriminants = recipe.model.image.frozen is True, settings.begin == "discriminants"
    found = None
    if stays or discriminants:
        parts, views = (job.train, job.validation), recipe.training.frozen_views if stays else 1
        found = frozen_features(model, model.features, views, recipe, job.preparation, *parts, features, processes, say)
        standardise(model, found)
        if discriminants:
            begin_with_discriminants(model, found, labelled.train, labelled.validation, weights)
    learner = make_supervised_learner(recipe, job.preparation, model, processes, labelled, found if stays else None)
    return learner, weights


def _neighbourhood(data: DataSet, job: Job, frozen: FrozenFeatures | None, say: Progress) -> Neighbourhood:
    rows = searched_rows(len(job.train), job.recipe.seed)
    measured: tuple[NDArray[np.float32], ...] = ()
    if isinstance(job.preparation.measures, Measures):
        measured = measure_rows(data, job.train.chosen.rows[rows], job.preparation.measures, say)
    source = job.train if frozen is None else without_pixels(job.train)
    return Neighbourhood(job.recipe.neighbours, source, rows, measured, frozen)
