"""What place, season, hour and depth say of a particle's label before it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.particle import Particle
from seston.recognition.embeddings import Embeddings

if TYPE_CHECKING:
    from seston.recognition.encoder import Encoder

__all__ = ["context_prior", "label_scores"]


def context_prior(
    encoder: Encoder | None, particles: Sequence[Particle], gallery: Embeddings, labels: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Weigh the labels of a gallery by where and when particles were taken.

    Parameters
    ----------
    encoder
        Of the gallery; its recipe says how much the context weighs (`context.prior`).
    particles
        To be named, with what their samples say of place and time.
    gallery, labels
        Vectors and class numbers of the gallery's particles.

    Returns
    -------
    array of float64, or None
        (particles, classes) logarithms, times that weight; 0 throughout for a particle of unknown place and season.
        None where the weight is 0 or the model learnt from no contexts.
    """
    from seston.models.config import ContextTowerConfig
    from seston.models.contexts import context_features
    from seston.recognition.encoder import Model
    from seston.recognition.onnx_model import OnnxModel
    from seston.training.context_noise import says_enough
    from seston.training.context_settings import ContextPreparation
    from seston.training.particle_contexts import contexts_of

    if not isinstance(encoder, Model | OnnxModel) or encoder.recipe is None:
        return None
    weight, tower = encoder.recipe.context.prior, encoder.recipe.model.context
    known = encoder.preparation.context
    if not weight or not isinstance(tower, ContextTowerConfig) or not isinstance(known, ContextPreparation):
        return None
    contexts = contexts_of(particles)
    weighed = encoder.weighed_contexts(context_features(contexts, tower.harmonics, tower.octaves, known.parts))
    if weighed is None:
        return None
    learnt = encoder.recipe.loss  # what never was compared with contexts says nothing of them
    gallery = replace(
        gallery,
        has_image=gallery.has_image & bool(learnt.context),
        has_profile=gallery.has_profile & bool(learnt.context_profile),
    )
    return weight * label_scores(weighed, gallery, labels) * says_enough(contexts)[:, None]


def label_scores(weighed: NDArray[np.float32], gallery: Embeddings, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Say how well each label goes with each context.

    The product of a context's vector and a particle's estimates ln p(context | particle) − ln p(context). The mean of
    its exponential over the particles of a label is therefore in proportion to p(context | label), and by Bayes' rule
    to p(label | context) where all labels are alike before. How many particles a label has in the gallery does not
    matter.

    Parameters
    ----------
    weighed
        (N, D): what the model makes of the contexts, as long as the scale of their loss.
    gallery, labels
        Vectors of the gallery's particles, and the class number of each, from 0 on without gaps.

    Returns
    -------
    array of float64
        (N, classes), at most 0: ln p(label | context); 0 throughout where no particle has such a vector.
    """
    classes = int(labels.max()) + 1
    total, count = np.zeros((len(weighed), classes)), np.zeros(classes)
    for vectors, has in ((gallery.shared_image, gallery.has_image), (gallery.shared_profile, gallery.has_profile)):
        if vectors.shape[1]:
            there, start, each = np.unique(np.sort(labels[has]), return_index=True, return_counts=True)
            by_label = vectors[has][np.argsort(labels[has], kind="stable")].astype(np.float64)
            if len(there):
                total[:, there] += np.add.reduceat(np.exp(weighed @ by_label.T), start, axis=1)
                count[there] += each
    if not count.any():
        return total
    mean = total / np.maximum(count, 1)
    mean[:, count == 0] = mean[:, count > 0].mean(axis=1, keepdims=True)  # of such a label the context says nothing
    scores: NDArray[np.float64] = np.log(mean / mean.sum(axis=1, keepdims=True))
    return scores
