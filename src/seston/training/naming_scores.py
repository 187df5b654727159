"""How well held-out particles are named in the course of a training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["naming_scores"]


def naming_scores(targets: NDArray[np.int64], answers: NDArray[np.int64]) -> dict[str, float]:
    """Score answers over the classes that occur among the targets.

    Parameters
    ----------
    targets, answers
        (N,) classes, counted from 0: the right ones, and those that were answered.

    Returns
    -------
    dict
        ``accuracy``, ``balanced_accuracy`` and ``macro_f1``, each from 0 to 1; all 0 where there are no targets.
    """
    if not len(targets):
        return {"accuracy": 0.0, "balanced_accuracy": 0.0, "macro_f1": 0.0}
    size = int(max(targets.max(), answers.max())) + 1
    there = np.bincount(targets, minlength=size)
    said = np.bincount(answers, minlength=size)
    right = np.bincount(targets[targets == answers], minlength=size)
    held = there > 0
    return {
        "accuracy": float(right.sum() / len(targets)),
        "balanced_accuracy": float((right[held] / there[held]).mean()),
        "macro_f1": float((2 * right[held] / (there[held] + said[held])).mean()),
    }
