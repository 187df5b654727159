"""How well particles of species that a gallery lacks are told from those that it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.metrics import bootstrap_runs, interval
from seston.recognition.calibration import auroc, familiar_share, probabilities, score_for
from seston.recognition.ensemble import Vectors
from seston.recognition.naming import Route

__all__ = [
    "SCORES",
    "OpenSetRow",
    "Outcome",
    "calibration_error",
    "coverage_curve",
    "false_positive_rate",
    "judge",
    "limits",
    "outcome",
]

_KEPT = 0.95
_LOST = 0.05
_BINS = 15
_PROMISED = 0.95

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OpenSetRow:
    """How one score tells strangers from known particles, over several draws of species to leave out; shares of 1."""

    method: str
    score: str
    gallery: str
    query: str
    n: int
    left_out: int
    """Species that the gallery lacks."""
    auroc: float
    """How often a known particle scores above a stranger."""
    auroc_sd: float
    low: float
    """Lower end of the 95 % bootstrap interval over draws."""
    high: float
    fpr95: float
    """Share of strangers that pass where 95 % of the known particles do."""
    turned_away: float | None
    """Share of strangers called *unknown* by ``--unfamiliar 0.05``; None for other scores."""
    lost: float | None
    """Share of known particles that this calls *unknown* as well."""
    accuracy: float
    """Of the known particles, where all are named."""
    calibration_error: float | None
    """Mean gap between score and share of right names among known particles (15 bins); None where the score is no
    probability."""
    known: int
    """Known queries of a draw, rounded."""
    strangers: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One score on the queries of one draw."""

    scores: Scores
    """Greater means more likely of the gallery's labels."""
    known: NDArray[np.bool_]
    right: NDArray[np.bool_]
    """Whether the likeliest label is the true one; never so for strangers."""
    share: Scores | None = None
    """Share of the gallery's own particles that are less familiar."""
    is_probability: bool = False


def _likeliest(route: Route, queries: Vectors) -> Scores:
    return np.asarray(probabilities(route.rule(queries), route.calibration.temperature).max(axis=1))


def _energy(route: Route, queries: Vectors) -> Scores:
    """Give the logarithm of the summed scores (Liu et al. 2020, Energy-based Out-of-distribution Detection)."""
    scores = route.rule(queries) / route.calibration.temperature
    top = scores.max(axis=1)
    with np.errstate(invalid="ignore"):
        total = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
    return np.asarray(np.nan_to_num(total, neginf=-1e300))


def _nearest(route: Route, queries: Vectors) -> Scores:
    """Give the cosine to the nearest gallery particle (Sun et al. 2022, deep nearest neighbours)."""
    return np.asarray((queries[route.query_view].astype(np.float64) @ route.vectors.T.astype(np.float64)).max(axis=1))


def _familiarity(route: Route, queries: Vectors) -> Scores:
    rule, shown = route.familiarity, queries[route.query_view]
    return np.zeros(len(shown)) if rule is None else rule(shown)


def _both(route: Route, queries: Vectors) -> Scores:
    """Ask for a name that is likely, of a particle that is familiar."""
    return _likeliest(route, queries) * familiar_share(route.calibration, _familiarity(route, queries))


SCORES: Mapping[str, Callable[[Route, Vectors], Scores]] = {
    "familiarity": _familiarity,
    "probability": _likeliest,
    "probability × familiarity": _both,
    "energy": _energy,
    "nearest particle": _nearest,
}
"""Name → score of queries by a route of a gallery."""


def outcome(name: str, route: Route, queries: Vectors, truth: NDArray[np.int64]) -> Outcome:
    """Score the queries of a draw; `truth` holds their class numbers, those of strangers are not in the gallery."""
    scores = SCORES[name](route, queries)
    named = route.classes[route.rule(queries).argmax(axis=1)]
    known = np.isin(truth, route.classes)
    share = familiar_share(route.calibration, scores) if name == "familiarity" else None
    return Outcome(scores, known, (named == truth) & known, share, name == "probability")


def judge(
    method: str, score: str, view: str, n: int, left_out: int, outcomes: Sequence[Outcome], seed: int = 0
) -> OpenSetRow:
    """Sum up one score over all draws."""
    values = [auroc(one.scores[one.known], one.scores[~one.known]) for one in outcomes]
    low, high = interval(bootstrap_runs(values, seed=seed))
    shares = [(one.share, one.known) for one in outcomes if one.share is not None]
    errors = [calibration_error(one.scores[one.known], one.right[one.known]) for one in outcomes if one.is_probability]
    return OpenSetRow(
        method=method,
        score=score,
        gallery=view,
        query=view,
        n=n,
        left_out=left_out,
        auroc=float(np.mean(values)),
        auroc_sd=float(np.std(values)),
        low=low,
        high=high,
        fpr95=_mean(false_positive_rate(one.scores[one.known], one.scores[~one.known]) for one in outcomes),
        turned_away=_mean((share[~known] <= _LOST).mean() for share, known in shares) if shares else None,
        lost=_mean((share[known] <= _LOST).mean() for share, known in shares) if shares else None,
        accuracy=_mean(one.right[one.known].mean() for one in outcomes),
        calibration_error=_mean(errors) if errors else None,
        known=round(_mean(one.known.sum() for one in outcomes)),
        strangers=round(_mean((~one.known).sum() for one in outcomes)),
        repeats=len(outcomes),
    )


def false_positive_rate(known: Scores, strangers: Scores, kept: float = _KEPT) -> float:
    """Give the share of strangers that score at least as high as what the given share of known particles reaches."""
    ordered = np.sort(known)[::-1]
    reached = ordered[int(np.ceil(kept * len(ordered))) - 1]
    return float((strangers >= reached).mean())


def coverage_curve(outcomes: Sequence[Outcome], points: int = 20) -> list[tuple[float, float]]:
    """Give the share of right names among the best-scored particles, strangers among them, as more and more are named.

    Returns
    -------
    list of (coverage, accuracy)
        Of all draws together; coverage is the share of particles that get a name.
    """
    curves = []
    for one in outcomes:
        right = one.right[np.argsort(-one.scores, kind="stable")]
        ends = [max(1, round(len(right) * step / points)) for step in range(1, points + 1)]
        curves.append([float(right[:end].mean()) for end in ends])
    return [((step + 1) / points, float(value)) for step, value in enumerate(np.mean(curves, axis=0))]


def limits(routes: Mapping[str, Route]) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    """Put into a table what a gallery learned about itself from its own particles, each left out; routes a line."""

    def percent(share: float | None) -> float | str:
        return "–" if share is None else round(100 * share, 1)

    rows = []
    for name, route in routes.items():
        learnt = route.calibration
        promised = score_for(learnt, _PROMISED)
        told = "–" if learnt.unknown_auroc is None else round(learnt.unknown_auroc, 3)
        lowest = "none" if promised is None else round(promised, 3)
        rows.append((name, learnt.particles, percent(learnt.accuracy), percent(learnt.calibration_error), told, lowest))
    columns = (
        "gallery – query",
        "particles left out and named",
        "named rightly, %",
        "calibration error, %",
        "strangers told (AUROC)",
        f"score that promises {_PROMISED:.0%} right",
    )
    return columns, tuple(rows)


def calibration_error(score: Scores, right: NDArray[np.bool_], bins: int = _BINS) -> float:
    """Give the mean gap between score and share of right names, by bins of equal width (Guo et al. 2017)."""
    place = np.minimum((score * bins).astype(np.int64), bins - 1)
    gaps = [abs(score[place == one].sum() - right[place == one].sum()) for one in range(bins)]
    return float(sum(gaps) / len(score))


def _mean(values: Iterable[float]) -> float:
    return float(np.mean([float(value) for value in values]))
