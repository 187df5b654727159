"""Answers of the head of a run that learnt names: pictures in, a probability for each class out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.particle import Particle, Skipped
from seston.training.class_tree import class_tree
from seston.training.preparation import make_batch
from seston.training.settings import Recipe

if TYPE_CHECKING:
    from seston.models.classifier import ClassifierModel
    from seston.training.classes import Classes
    from seston.training.run import Run

__all__ = ["answered_classes", "classify", "classify_in_parts", "logits_in_parts"]

_AT_ONCE = 256


def classify(run: Run, particles: Iterable[Particle], *, skipped: list[Skipped] | None = None) -> NDArray[np.float32]:
    """Give the probability of each class for particles, a few hundred of them in memory at a time.

    Parameters
    ----------
    run
        That learnt from labels; its `classes` name the columns.
    particles
        With pictures. The pixels are all that is looked at, and sizes where the recipe wants them.
    skipped
        Collects pictures that cannot be used; without it, these raise.

    Returns
    -------
    array of float32
        (N, K); a row of zeros for a particle without a usable picture.

    Raises
    ------
    UsageError
        The run learnt without labels.
    InputError
        A picture that cannot be decoded, where `skipped` is not given.
    """
    parts = list(classify_in_parts(run, particles, skipped=skipped))
    return np.concatenate(parts) if parts else np.zeros((0, len(run.classes or ())), np.float32)


def classify_in_parts(
    run: Run, particles: Iterable[Particle], *, skipped: list[Skipped] | None = None
) -> Iterator[NDArray[np.float32]]:
    """Give what `classify` gives, a few hundred rows at a time: for more particles than probabilities fit in memory.

    Parameters, rows and errors are those of `classify`; a run without names is refused at once.
    """
    return map(_probabilities, logits_in_parts(run, particles, skipped=skipped))


def logits_in_parts(
    run: Run, particles: Iterable[Particle], *, skipped: list[Skipped] | None = None
) -> Iterator[NDArray[np.float32]]:
    """Give the (n, K) logits of the head, −∞ for classes that are no answer; NaN for a particle without a picture.

    Parameters and errors are those of `classify_in_parts`.
    """
    from seston.models.classifier import ClassifierModel

    if run.classes is None or not isinstance(run.model, ClassifierModel):
        raise UsageError(
            f"{run.path or 'this run'}: learnt without labels and has no head for names; use a gallery, "
            "or train one by the recipe 'supervised'"
        )
    return _parts(run, run.model, ~answered_classes(run.recipe, run.classes), particles, skipped)


def _parts(
    run: Run,
    model: ClassifierModel,
    away: NDArray[np.bool_],
    particles: Iterable[Particle],
    skipped: list[Skipped] | None,
) -> Iterator[NDArray[np.float32]]:
    import torch

    unanswered, source = torch.from_numpy(away), iter(particles)
    while part := list(islice(source, _AT_ONCE)):
        batch = make_batch(part, run.preparation, skipped=skipped)
        with torch.inference_mode():
            logits = model.logits(model.features(batch)).masked_fill(unanswered, -torch.inf)
            rows: NDArray[np.float32] = logits.masked_fill(~batch.image_present[:, None], torch.nan).numpy()
        yield rows


def _probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the softmax of each row; zeros for rows of NaN."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(np.nan_to_num(shares), np.float32)


def answered_classes(recipe: Recipe, classes: Classes) -> NDArray[np.bool_]:
    """Tell which (K,) classes the head has an answer for: all but coarse names that were trained at their ranks."""
    settings = recipe.supervised
    if settings is not None and settings.head == "ranks" and settings.coarse == "ranks":
        return ~class_tree(classes).coarse
    return np.ones(len(classes), np.bool_)
