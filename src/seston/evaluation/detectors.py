"""Scores that tell particles of known classes from others by the features and logits of a linear head.

Each is written from its paper, for features that are given: nothing is trained but the head. Of every score more means
more likely of a known class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DETECTORS", "Detector", "Head", "log_sum_exp", "softmax"]

_KEPT_BY_REACT = 0.9
_NEIGHBOURS = 5
_SMALL = 1e-12

Values = NDArray[np.float64]
Detector = Callable[[Values], Values]
"""Features of queries, shape (N, D) → their scores, shape (N,)."""


@dataclass(frozen=True)
class Head:
    """A linear head with the particles that it was fitted to."""

    features: Values
    """Of the training particles, shape (N, D)."""
    labels: NDArray[np.int64]
    """Class of each, from 0 to C − 1."""
    weights: Values
    """Shape (C, D)."""
    offsets: Values
    """Shape (C,)."""

    def logits(self, features: Values) -> Values:
        """Give the logits of some features, shape (N, C)."""
        return np.asarray(features @ self.weights.T + self.offsets)


def softmax(logits: Values) -> Values:
    """Turn logits into probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def log_sum_exp(logits: Values) -> Values:
    """Give the logarithm of the summed exponentials of each row."""
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))


def _probability(head: Head) -> Detector:
    """Greatest softmax probability (Hendrycks & Gimpel 2017, arXiv 1610.02136)."""
    return lambda features: np.asarray(softmax(head.logits(features)).max(axis=1))


def _logit(head: Head) -> Detector:
    """Greatest logit (Hendrycks et al. 2022, Scaling Out-of-Distribution Detection, arXiv 1911.11132)."""
    return lambda features: np.asarray(head.logits(features).max(axis=1))


def _energy(head: Head) -> Detector:
    """Negative free energy at temperature 1 (Liu et al. 2020, arXiv 2010.03759, equation 4)."""
    return lambda features: log_sum_exp(head.logits(features))


def _mahalanobis(head: Head) -> Detector:
    """Negative squared Mahalanobis distance to the nearest class mean, one covariance for all classes.

    Lee et al. 2018, arXiv 1807.03888, equations 1 and 2, without their changed inputs and other layers. Directions in
    which the training features do not vary within classes are left out.
    """
    classes = np.unique(head.labels)
    means = np.stack([head.features[head.labels == one].mean(axis=0) for one in classes])
    within = head.features - means[np.searchsorted(classes, head.labels)]
    values, directions = np.linalg.eigh(within.T @ within / len(within))
    kept = values > values.max(initial=0) * 1e-6
    whiten = directions[:, kept] / np.sqrt(values[kept])
    centres = means @ whiten

    def score(features: Values) -> Values:
        turned = features @ whiten
        gaps = (turned**2).sum(axis=1)[:, None] - 2 * turned @ centres.T + (centres**2).sum(axis=1)
        return np.asarray(-gaps.min(axis=1))

    return score


def _divergence(head: Head) -> Detector:
    """Negative Kullback–Leibler divergence to the nearest mean posterior of a class.

    Hendrycks et al. 2022, arXiv 1911.11132, section 4.2 (KL matching): posteriors are averaged by the class that the
    head names. They take validation data for that; here it is the training particles.
    """
    posterior = softmax(head.logits(head.features))
    named = posterior.argmax(axis=1)
    typical = np.stack([posterior[named == one].mean(axis=0) for one in np.unique(named)])
    logarithm = np.log(np.maximum(typical, _SMALL))

    def score(features: Values) -> Values:
        probability = softmax(head.logits(features))
        own = (probability * np.log(np.maximum(probability, _SMALL))).sum(axis=1)
        return np.asarray(-(own[:, None] - probability @ logarithm.T).min(axis=1))

    return score


def _react(head: Head) -> Detector:
    """Energy after features are cut at the 90th percentile of all training activations.

    Sun et al. 2021 (ReAct), arXiv 2111.12797, equations 1 and 2.
    """
    limit = np.quantile(head.features, _KEPT_BY_REACT)
    return lambda features: log_sum_exp(head.logits(np.minimum(features, limit)))


def _virtual_logit(head: Head) -> Detector:
    """Energy less a virtual logit: the length of what lies outside of the principal subspace, scaled.

    Wang et al. 2022 (ViM), arXiv 2203.10807, section 4: features from the origin −W⁺b; the subspace has 1000 directions
    for features of 2048 and more, 512 from 768 on, else half of them.
    """
    origin = -np.linalg.pinv(head.weights) @ head.offsets
    from_origin = head.features - origin
    width = head.features.shape[1]
    kept = 1000 if width >= 2048 else 512 if width >= 768 else width // 2
    _, directions = np.linalg.eigh(from_origin.T @ from_origin / len(from_origin))
    rest = directions[:, : width - kept]  # eigenvalues ascend

    def residual(features: Values) -> Values:
        return np.asarray(np.linalg.norm((features - origin) @ rest, axis=1))

    scale = head.logits(head.features).max(axis=1).sum() / max(residual(head.features).sum(), _SMALL)
    return lambda features: log_sum_exp(head.logits(features)) - scale * residual(features)


def _neighbour(head: Head) -> Detector:
    """Negative distance to the fifth nearest training particle, by features of length 1.

    Sun et al. 2022, arXiv 2204.06507, section 3; they take k = 50 and more of tens of thousands.
    """
    known = _unit(head.features)
    place = min(_NEIGHBOURS, len(known)) - 1

    def score(features: Values) -> Values:
        gaps = 2 - 2 * _unit(features) @ known.T
        return np.asarray(-np.sqrt(np.maximum(np.partition(gaps, place, axis=1)[:, place], 0)))

    return score


def _unit(features: Values) -> Values:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), _SMALL))


DETECTORS: Mapping[str, Callable[[Head], Detector]] = {
    "MSP": _probability,
    "max-logit": _logit,
    "head energy": _energy,
    "Mahalanobis": _mahalanobis,
    "KL-matching": _divergence,
    "ReAct": _react,
    "ViM": _virtual_logit,
    "k-NN distance": _neighbour,
}
"""Name → what fits the detector to a head."""
