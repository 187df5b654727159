"""Strangers told by the usual detectors: those of a logistic regression on the gallery of a draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.detectors import DETECTORS, Head
from seston.evaluation.draws import Draw
from seston.evaluation.probing import fit_rule
from seston.evaluation.strangers import Outcome

__all__ = ["HEAD", "ask_head"]

HEAD = "logistic head"
"""What the rows say beside the name of the encoder."""

_STRENGTH = 0.1
_PROBABILITY = "MSP"


def ask_head(
    features: Mapping[str, NDArray[np.float32]], truth: NDArray[np.int64], draw: Draw, absent: NDArray[np.int64]
) -> Iterator[tuple[tuple[str, str], Outcome]]:
    """Ask every detector about the queries of a draw, of classes in the gallery and of others.

    Parameters
    ----------
    features
        By what they show, standardised; a row a subject.
    truth
        Class of each subject.
    absent
        Classes that the gallery lacks.

    Yields
    ------
    (detector, view), outcome
    """
    gallery = draw.gallery[~np.isin(truth[draw.gallery], absent)]
    classes, labels = np.unique(truth[gallery], return_inverse=True)
    asked = truth[draw.queries]
    known = np.isin(asked, classes)
    for view, part in features.items():
        learnt, queries = part[gallery].astype(np.float64), part[draw.queries].astype(np.float64)
        rule = fit_rule(part[gallery], labels.astype(np.int64), _STRENGTH)
        head = Head(learnt, labels.astype(np.int64), rule.weights, rule.offsets)
        right = known & (classes[head.logits(queries).argmax(axis=1)] == asked)
        for name, fit in DETECTORS.items():
            yield (name, view), Outcome(fit(head)(queries), known, right, is_probability=name == _PROBABILITY)
