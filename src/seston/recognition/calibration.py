"""How far the scores of a gallery can be trusted: each of its particles is named by the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seston.recognition.average_ranks import average_ranks
from seston.recognition.ensemble import Vectors, Votes, fit_ensemble, score_level, votes_of
from seston.recognition.familiarity import Surroundings, held_out_familiarity
from seston.recognition.held_out import Fold, as_from_outside, leave_out

__all__ = ["Calibration", "auroc", "calibrate", "familiar_share", "probabilities", "score_for"]

_TEMPERATURES = np.geomspace(0.02, 1000, 161)
_FEWEST = 10
_KEPT = 0.95
_STEPS = 100
_FIRST_TEMPERATURE = 0.8
_ENOUGH_FOR_FAMILIARITY = 2.0


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
    """How well the familiarity tells a particle of the gallery's classes from one of a class that was taken out of it
    (of the score, where no familiarity was measured)."""
    right_above: tuple[tuple[float, float], ...] = ()
    """Scores from high to low, and the share of right names among held-out particles that reach each."""
    familiar_above: tuple[float, ...] = ()
    """Familiarity that the least familiar hundredth of the held-out particles stays below, then two hundredths, …"""
    votes: Votes = ()
    """Spaces whose votes name particles, and the weight of each; none where one space alone does."""


def probabilities(scores: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Turn scores into shares that add up to 1 for each particle."""
    if not scores.shape[1]:
        return scores
    even = (scores - scores.max(axis=1, keepdims=True)) / temperature
    shares = np.exp(even)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def calibrate(
    gallery: Vectors,
    labels: NDArray[np.int64],
    samples: Sequence[str],
    classifier: str,
    around: Surroundings | None = None,
    *,
    across: Vectors | None = None,
) -> Calibration:
    """Learn the temperature of a rule, and how its scores behave, from the gallery alone.

    Each particle is left out once (see `seston.recognition.held_out.leave_out`) and named by the others: with whole
    samples left out where the gallery is large enough, so that the scores are those of a new measurement.

    Parameters
    ----------
    gallery
        Vectors of the gallery particles. Where there are several, their votes are weighed first
        (`seston.recognition.ensemble.votes_of`); the familiarity is that in the first.
    labels
        Class numbers, 0 … without gaps.
    samples
        Sample of each particle.
    around
        Unlabelled particles, for the familiarity.
    across
        Vectors of the same particles as queries, where those differ (pictures asked about profiles).
    """
    votes = votes_of(classifier, gallery, labels, samples)
    rule = fit_ensemble(classifier, gallery, labels, int(labels.max()) + 1, votes)
    level = score_level(rule(gallery), labels)
    folds, by_sample = leave_out(labels, samples)
    if not folds:
        return Calibration(temperature=1.0 if across else _FIRST_TEMPERATURE * level, votes=votes)
    scores, truth = _held_out(gallery, across, labels, folds, classifier, votes)
    coolest = _coolest(scores, truth)
    shares = probabilities(scores, coolest)
    best, named = shares.max(axis=1), shares.argmax(axis=1)
    learnt = Calibration(
        temperature=coolest * level,
        particles=len(truth),
        by_sample=by_sample,
        accuracy=float((named == truth).mean()),
        calibration_error=_calibration_error(best, named == truth),
        unknown_threshold=float(np.quantile(best, 1 - _KEPT)),
        right_above=_right_above(best, named == truth),
        votes=votes,
    )
    if across:
        return replace(learnt, unknown_auroc=_by_score_alone(scores, truth, coolest))
    folds, by_sample = leave_out(labels, samples, _ENOUGH_FOR_FAMILIARITY)
    shown = next(iter(gallery.values()))
    known, _ = held_out_familiarity(shown, labels, samples, around, folds, by_sample=by_sample)
    beside, strangers = held_out_familiarity(
        shown, labels, samples, around, folds, by_sample=by_sample, with_strangers=True
    )
    return replace(
        learnt,
        unknown_auroc=auroc(beside, strangers) if len(beside) and len(strangers) else None,
        familiar_above=tuple(np.quantile(known, np.linspace(0, 1, _STEPS + 1)).tolist()),
    )


def score_for(calibration: Calibration, precision: float) -> float | None:
    """Give the lowest score from which on at least that share of names was right among held-out particles.

    The share has to be above the target by its own standard error, so that the target is met more often than not
    elsewhere.

    Returns
    -------
    float or None
        None where no score, held by ten particles or more, comes with that share: the target cannot be promised.
    """
    count = calibration.particles
    steps = len(calibration.right_above)
    reached = None
    for place, (score, share) in enumerate(calibration.right_above, start=1):
        particles = round(count * place / steps)
        margin = float(np.sqrt(precision * (1 - precision) / max(particles, 1)))
        if particles >= _FEWEST and share - margin >= precision:
            reached = score
    return reached


def familiar_share(calibration: Calibration, familiarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say which share of the gallery's own held-out particles is less familiar than each of these (0 to 1)."""
    edges = np.asarray(calibration.familiar_above)
    if not len(edges):
        return np.full(len(familiarity), np.nan)
    return np.asarray(np.interp(familiarity, edges, np.linspace(0, 1, len(edges))))


def auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Give the share of pairs of one inside and one outside in which the one inside is greater; ties count half."""
    ranks = average_ranks(np.concatenate([inside, outside]))
    above = ranks[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2
    return float(above / (len(inside) * len(outside)))


def _held_out(
    gallery: Vectors,
    across: Vectors | None,
    labels: NDArray[np.int64],
    folds: Sequence[Fold],
    classifier: str,
    votes: Votes,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Score each particle by the rest of the gallery, on the level of that rule; absent classes score −∞."""
    scores = []
    for fold in folds:
        there, numbers = np.unique(labels[fold.rest], return_inverse=True)
        numbers = numbers.astype(np.int64)
        rest = {view: vectors[fold.rest] for view, vectors in gallery.items()}
        rule = fit_ensemble(classifier, rest, numbers, len(there), votes)
        of_fold = np.full((len(fold.asked), int(labels.max()) + 1), -np.inf)
        # Where pictures are asked about profiles, the mean of the gallery is not that of the particles asked about.
        asked = (
            {view: vectors[fold.asked] for view, vectors in across.items()}
            if across
            else {view: as_from_outside(vectors, labels, fold) for view, vectors in gallery.items()}
        )
        of_fold[:, there] = rule(asked) / score_level(rule(rest), numbers)
        scores.append(of_fold)
    return np.concatenate(scores), labels[np.concatenate([fold.asked for fold in folds])]


def _by_score_alone(scores: NDArray[np.float64], truth: NDArray[np.int64], temperature: float) -> float | None:
    """Take each particle's own class away and see how far its score falls."""
    if scores.shape[1] < 3:
        return None
    others = scores.copy()
    others[np.arange(len(truth)), truth] = -np.inf
    best, stranger = (probabilities(one, temperature).max(axis=1) for one in (scores, others))
    return auroc(best, stranger)


def _right_above(best: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    order = np.argsort(-best, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    steps = min(_STEPS, len(order))
    places = [round(len(order) * step / steps) - 1 for step in range(1, steps + 1)]
    return tuple((float(best[order[place]]), float(share[place])) for place in places)


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
