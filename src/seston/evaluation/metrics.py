"""How good a set of names is: accuracy, precision, recall, F1, confusion; and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESAMPLES", "Scores", "bootstrap", "bootstrap_runs", "confusion", "interval", "score"]

RESAMPLES = 1000
_RESAMPLES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures of one set of names, as fractions of 1."""

    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float


def score(truth: NDArray[np.int64], named: NDArray[np.int64], classes: int) -> Scores:
    """Score names against the truth.

    Macro figures are means over the classes that occur in the truth or among the names; a precision or recall without
    a denominator counts as 0 (as scikit-learn's with ``zero_division=0``, and the protocol of arXiv 2603.16427).
    """
    table = confusion(truth, named, classes).astype(np.float64)
    right, of_truth, of_names = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    there = (of_truth + of_names) > 0
    precision, recall = _share(right, of_names)[there], _share(right, of_truth)[there]
    f1 = _share(2 * right, of_truth + of_names)[there]
    return Scores(
        accuracy=float(right.sum() / max(len(truth), 1)),
        macro_precision=_mean(precision),
        macro_recall=_mean(recall),
        macro_f1=_mean(f1),
    )


def confusion(truth: NDArray[np.int64], named: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count how often a particle of each true class (rows) was given each name (columns)."""
    return np.bincount(truth * classes + named, minlength=classes * classes).reshape(classes, classes)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0


def bootstrap(
    right: NDArray[np.floating[Any]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    groups: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """Draw means of tables anew by resampling both sides of each: gallery draws (rows) and queries (columns).

    All tables share the resampled rows and columns, so differences between them are paired.

    Parameters
    ----------
    right
        Shape (tables, draws, queries): whether each query was named rightly by each gallery.
    groups
        Group of each draw (the training it belongs to): groups are resampled first, then draws within those chosen,
        so that the interval covers the choice of training seeds too.

    Returns
    -------
    array of shape (tables, resamples)
        Accuracies (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 8: two-sample data).
    """
    tables, draws, queries = right.shape
    random = np.random.default_rng(seed)
    weights = _draw_weights(random, np.zeros(draws, np.int64) if groups is None else np.asarray(groups), resamples)
    values = np.ascontiguousarray(right.reshape(tables * draws, queries).T, np.float32)
    means = np.empty((tables, resamples))
    for start in range(0, resamples, _RESAMPLES_AT_ONCE):
        part = slice(start, min(start + _RESAMPLES_AT_ONCE, resamples))
        chosen = random.integers(0, queries, (part.stop - part.start, queries))
        counts = np.stack([np.bincount(row, minlength=queries) for row in chosen]).astype(np.float32)
        by_draw = (counts @ values).reshape(len(chosen), tables, draws)
        means[:, part] = np.einsum("btd,bd->tb", by_draw, weights[part]) / queries
    return means


def _draw_weights(random: np.random.Generator, groups: NDArray[np.int64], resamples: int) -> NDArray[np.float64]:
    """Draw how much each row counts in each resample, shape (resamples, rows); each resample adds up to 1."""
    names = np.unique(groups)
    chosen = np.ones((resamples, 1), np.int64)
    if len(names) > 1:
        chosen = random.multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
    weights = np.zeros((resamples, len(groups)))
    for place, name in enumerate(names):
        rows = np.flatnonzero(groups == name)
        drawn = random.multinomial(chosen[:, place] * len(rows), np.full(len(rows), 1 / len(rows)))
        weights[:, rows] = drawn / (len(rows) * len(names))
    return weights


def bootstrap_runs(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """Draw the mean of a few numbers, one a gallery draw, anew by resampling them."""
    numbers = np.asarray(values, np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(numbers), (resamples, len(numbers)))
    return np.asarray(numbers[chosen].mean(axis=1))


def interval(means: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Give the range that holds the middle share of resampled means (percentile interval)."""
    edge = (1 - level) / 2
    low, high = np.quantile(means, [edge, 1 - edge])
    return float(low), float(high)
