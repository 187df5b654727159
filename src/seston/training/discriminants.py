"""A linear head that begins as the linear discriminants of what its tower finds, before the first step."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from seston.errors import UsageError
from seston.models.classifier import ClassifierModel
from seston.training.frozen_features import FrozenFeatures

__all__ = ["begin_with_discriminants"]

_AT_ONCE = 4096
_SHRINK = 1.0
"""Added to the variances within classes, in units of their mean."""
_FEWEST_HELD_OUT = 10
_SHARPNESS = np.geomspace(0.02, 5.0, 40)


def begin_with_discriminants(
    model: ClassifierModel,
    found: FrozenFeatures,
    targets: NDArray[np.int64],
    held_out: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
) -> None:
    """Set the head of a classifier so that it names by linear discriminant analysis.

    A head that begins at random turns the tower about in the first epochs, while it has nothing to teach yet (Kumar et
    al. 2022, arXiv 2202.10054). Answers are (x - (m_c + m) / 2) · (S + s I)⁻¹ (m_c - m) for class means m_c, their mean
    m, the scatter within classes S and its mean variance s; times one number, the one of the least cross-entropy
    on held-out particles; plus the logarithm of how often each class is shown.

    Parameters
    ----------
    model
        Whose head is a linear one on the features of its tower, and takes their mean and deviation off already.
    found
        Those features of all particles.
    targets, held_out
        (N,) and (M,) classes of training particles, of which each class has one, and of held-out ones; -1 for a
        held-out one of none of them.
    weights
        (N,) how often each particle is shown, as a share; None for all alike.

    Raises
    ------
    UsageError
        The tower has batch norms, which say something else in training than they did when the features were found.
    """
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.image_tower.modules()):
        raise UsageError(
            "supervised.begin 'discriminants': the tower has batch norms, which do something else in training than "
            'before it; fix them (model.image.fixed = ["norms"]) or begin at random'
        )
    head = model.head
    assert isinstance(head, nn.Linear)
    features = _standardised(model, found.train[0])
    shown = np.bincount(targets, weights, minlength=model.classes)
    means = np.zeros((model.classes, features.shape[1]))
    np.add.at(means, targets, features)
    means /= np.bincount(targets, minlength=model.classes)[:, None]
    middle = means.mean(axis=0)
    scatter = np.zeros((features.shape[1], features.shape[1]))
    for start in range(0, len(features), _AT_ONCE):
        apart = features[start : start + _AT_ONCE] - means[targets[start : start + _AT_ONCE]]
        scatter += apart.T @ apart
    scatter /= len(features)
    scatter += _SHRINK * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    directions = np.linalg.solve(scatter, (means - middle).T).T
    offsets = -((means + middle) / 2 * directions).sum(axis=1)
    prior = np.log(shown / shown.sum())
    known = held_out >= 0
    asked, truth = (features, targets)
    if known.sum() >= _FEWEST_HELD_OUT:
        asked, truth = _standardised(model, found.validation[known]), held_out[known]
    sharpness = _sharpest(asked @ directions.T + offsets, prior, truth)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(sharpness * directions))
        head.bias.copy_(torch.from_numpy(sharpness * offsets + prior))


def _standardised(model: ClassifierModel, seen: NDArray[np.float16]) -> NDArray[np.float32]:
    """Give (N, F) features as the head will see them."""
    features = np.asarray(seen, np.float32)
    features -= model.feature_mean.cpu().numpy()
    features /= model.feature_scale.cpu().numpy()
    return features


def _sharpest(answers: NDArray[np.float64], prior: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    """Find the number by which answers are multiplied for the least cross-entropy."""
    scores, offsets = torch.from_numpy(answers).float(), torch.from_numpy(prior).float()
    truth = torch.from_numpy(targets)
    losses = [float(functional.cross_entropy(scores * sharpness + offsets, truth)) for sharpness in _SHARPNESS]
    return float(_SHARPNESS[int(np.argmin(losses))])
