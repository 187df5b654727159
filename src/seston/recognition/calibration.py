"""How far the scores of a gallery can be trusted: each of its particles is named by the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.recognition.classifiers import fit_rule

__all__ = ["Calibration", "calibrate", "probabilities"]

_FOLDS = 5
_TEMPERATURES = np.geomspace(0.02, 50, 81)
_FEWEST = 10
_KEPT = 0.95


@dataclass(frozen=True, slots=True)
class Calibration:
    """What naming the gallery's own particles by the rest of it taught about the scores."""

    temperature: float = 1.0
    """Scores of the rule are divided by it before they become probabilities."""
    particles: int = 0
    """Gallery particles that could be held out; with fewer than 10 nothing was learnt."""
    by_sample: bool = False
    """Whether each was named by particles of other samples."""
    accuracy: float | None = None
    calibration_error: float | None = None
    """Mean gap between score and share of right names (expected calibration error, 10 bins of equal size)."""
    unknown_threshold: float | None = None
    """Score that 95 % of the held-out particles reach."""
    unknown_auroc: float | None = None
    """How well the score tells a particle of the gallery's classes from one of a class that was taken out of it."""


def probabilities(scores: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Turn scores into shares that add up to 1 for each particle."""
    if not scores.shape[1]:
        return scores
    even = (scores - scores.max(axis=1, keepdims=True)) / temperature
    shares = np.exp(even)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def calibrate(
    gallery: NDArray[np.float32],
    queries: NDArray[np.float32],
    labels: NDArray[np.int64],
    samples: Sequence[str],
    classifier: str,
) -> Calibration:
    """Learn the temperature of a rule, and how its scores behave, from the gallery alone.

    The gallery is divided in five: by sample where it holds several, so that the scores are those of a new
    measurement, else at random within classes.

    Parameters
    ----------
    gallery, queries
        Vectors of the same particles as gallery and as query (they differ where pictures are asked about profiles).
    labels
        Class numbers, 0 … without gaps.
    samples
        Sample of each particle.
    """
    scores, truth, by_sample = _held_out(gallery, queries, labels, samples, classifier)
    if len(truth) < _FEWEST:
        return Calibration(particles=len(truth))
    temperature = _coolest(scores, truth)
    shares = probabilities(scores, temperature)
    best, named = shares.max(axis=1), shares.argmax(axis=1)
    others = scores.copy()
    others[np.arange(len(truth)), truth] = -np.inf
    stranger = probabilities(others, temperature).max(axis=1)
    return Calibration(
        temperature=temperature,
        particles=len(truth),
        by_sample=by_sample,
        accuracy=float((named == truth).mean()),
        calibration_error=_calibration_error(best, named == truth),
        unknown_threshold=float(np.quantile(best, 1 - _KEPT)),
        unknown_auroc=_auroc(best, stranger),
    )


def _held_out(
    gallery: NDArray[np.float32],
    queries: NDArray[np.float32],
    labels: NDArray[np.int64],
    samples: Sequence[str],
    classifier: str,
) -> tuple[NDArray[np.float64], NDArray[np.int64], bool]:
    """Score each particle that can be held out by the rest of the gallery; absent classes score −∞."""
    classes = int(labels.max()) + 1
    for by_sample in (True, False):
        folds = _folds_by_sample(samples) if by_sample else _folds_by_class(labels)
        scores, rows = [], []
        for asked, rest in folds:
            there, numbers = np.unique(labels[rest], return_inverse=True)
            asked = asked[np.isin(labels[asked], there)]
            if len(there) < 3 or not len(asked):
                continue
            rule = fit_rule(classifier, gallery[rest], numbers.astype(np.int64), len(there))
            of_fold = np.full((len(asked), classes), -np.inf)
            of_fold[:, there] = rule(queries[asked])
            scores.append(of_fold)
            rows.append(asked)
        enough = sum(map(len, rows)) >= max(_FEWEST, len(labels) // 2)
        if enough:
            return np.concatenate(scores), labels[np.concatenate(rows)], by_sample
    return np.zeros((0, classes)), np.zeros(0, np.int64), False


_Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def _folds_by_sample(samples: Sequence[str]) -> Iterator[_Fold]:
    names, of_particle = np.unique(np.asarray(samples), return_inverse=True)
    if len(names) > 1:
        yield from _folds(of_particle % _FOLDS)


def _folds_by_class(labels: NDArray[np.int64]) -> Iterator[_Fold]:
    place = np.zeros(len(labels), np.int64)
    for name in np.unique(labels):
        rows = np.random.default_rng(int(name)).permutation(np.flatnonzero(labels == name))
        place[rows] = np.arange(len(rows)) % _FOLDS
    yield from _folds(place)


def _folds(place: NDArray[np.int64]) -> Iterator[_Fold]:
    for fold in np.unique(place):
        yield np.flatnonzero(place == fold), np.flatnonzero(place != fold)


def _coolest(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Find the temperature under which the held-out truth is likeliest (Guo et al. 2017, On Calibration…)."""
    every = np.arange(len(truth))
    likelihoods = [
        np.log(np.maximum(probabilities(scores, float(warmth))[every, truth], 1e-12)).mean() for warmth in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmax(likelihoods))])


def _calibration_error(best: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    order = np.argsort(best)
    bins = np.array_split(order, min(10, len(order)))
    gaps = [len(rows) * abs(best[rows].mean() - right[rows].mean()) for rows in bins]
    return float(sum(gaps) / len(order))


def _auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([inside, outside]))
    above = ranks[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2
    return float(above / (len(inside) * len(outside)))
