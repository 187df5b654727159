"""Tables of class scores judged as they stream by: the first and the first five names, each rank, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.lineages import Lineage
from seston.evaluation.metrics import RESAMPLES, interval
from seston.evaluation.rank_tally import RankRow, RankTally
from seston.taxonomy import RANKS

__all__ = ["ReliabilityRow", "ScoreFigures", "ScoreTally", "TopRow"]

_BINS = 15

Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class TopRow:
    """How often the true class is among the best-scored ones."""

    first: int
    """Among the first so many."""
    accuracy: float
    low: float
    high: float
    particles: int


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """Particles whose best class has a probability within one bin."""

    lower: float
    upper: float
    particles: int
    probability: float
    """Mean of the best class."""
    accuracy: float


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """What a table of scores is worth."""

    top: tuple[TopRow, ...]
    ranks: tuple[RankRow, ...]
    calibration_error: float
    """Mean gap between probability and accuracy over 15 bins of equal width (Guo et al. 2017, On Calibration of Modern
    Neural Networks, equation 3); of particles whose class is among the scored ones."""
    reliability: tuple[ReliabilityRow, ...]


class ScoreTally:
    """Counts what tables of scores say, one table after the other; none is kept.

    Parameters
    ----------
    lineages
        Lineage of each class, in the order of the columns.
    top
        Sizes for `TopRow`.
    rule
        How lineages are compared: one of `seston.evaluation.lineages.RULES`.
    sum_up
        At each rank take the taxon with the greatest summed probability of the classes below it; classes that end above
        the rank are summed up too, as *no name*. Else the likeliest class is cut to each rank.
    logits
        Scores are logarithms that have yet to become probabilities (softmax).
    """

    def __init__(
        self,
        lineages: Sequence[Lineage],
        *,
        top: Sequence[int] = (1, 5),
        rule: str = "known-ranks",
        sum_up: bool = False,
        logits: bool = False,
    ) -> None:
        self.ranks = RankTally(rule)
        self._numbers = np.array([self.ranks.number(one) for one in lineages], np.int64)
        self._taxa = np.array([self.ranks.taxa_of(one) for one in lineages], np.int64).reshape(-1, len(RANKS))
        self._logits = logits
        self._members = _memberships(self._taxa) if sum_up else None
        self._hits = _Hits(top)
        self._bins = np.zeros((3, _BINS))

    def add(
        self,
        scores: Scores,
        truth: NDArray[np.integer[Any]],
        samples: Sequence[str] | None = None,
        *,
        lineages: Sequence[Lineage] | None = None,
    ) -> None:
        """Count some particles.

        Parameters
        ----------
        scores
            Shape (particles, classes).
        truth
            The class of each particle; -1 where it is none of them (a coarser label, or a taxon that was never learnt):
            such a particle counts at its ranks alone.
        samples
            The sample of each particle.
        lineages
            True lineage of each particle; needed where `truth` has -1.
        """
        if scores.ndim != 2 or scores.shape != (len(truth), len(self._numbers)):
            raise UsageError(f"scores have the shape {scores.shape}, not ({len(truth)}, {len(self._numbers)})")
        known = truth >= 0
        if lineages is None and not known.all():
            raise UsageError("particles whose class has no column need their lineages")
        probability = _softmax(scores) if self._logits else scores
        best = probability.argmax(axis=1)
        self._count_places(probability[known], truth[known], _some(samples, known))
        self._count_bins(probability[known], best[known], truth[known])
        of_truth = self._numbers[truth]
        if lineages is not None:
            of_truth = np.fromiter(map(self.ranks.number, lineages), np.int64, len(lineages))
        named = self._numbers[best] if self._members is None else self._summed(probability)
        self.ranks.add_numbers(of_truth, named, samples)

    def figures(self, *, part: str = "all", resamples: int = RESAMPLES, seed: int = 0) -> ScoreFigures:
        """Give all figures of what was counted."""
        many, probability, right = self._bins
        gaps = np.abs(probability - right).sum()
        edges = np.arange(_BINS + 1) / _BINS
        return ScoreFigures(
            top=self._hits.rows(resamples, seed),
            ranks=tuple(self.ranks.rows(part=part, resamples=resamples, seed=seed)),
            calibration_error=float(gaps / many.sum()) if many.any() else float("nan"),
            reliability=tuple(
                ReliabilityRow(
                    float(edges[place]),
                    float(edges[place + 1]),
                    int(many[place]),
                    float(probability[place] / many[place]),
                    float(right[place] / many[place]),
                )
                for place in np.flatnonzero(many)
            ),
        )

    def _count_places(self, scores: Scores, truth: NDArray[np.integer[Any]], samples: Sequence[str] | None) -> None:
        """Count at which place of the ordered scores the true class stands; among equals the first column wins."""
        own = scores[np.arange(len(truth)), truth][:, None]
        better = (scores > own).sum(axis=1)
        equal = scores == own
        tied = np.flatnonzero(equal.sum(axis=1) > 1)
        for row in tied.tolist():
            better[row] += int(equal[row, : int(truth[row])].sum())
        self._hits.add(better, samples)

    def _count_bins(self, probability: Scores, best: NDArray[np.int64], truth: NDArray[np.integer[Any]]) -> None:
        top = probability[np.arange(len(best)), best].astype(np.float64)
        place = np.clip((top * _BINS).astype(np.int64), 0, _BINS - 1)
        right = (best == truth).astype(np.float64)
        self._bins += [np.bincount(place, weights, _BINS) for weights in (np.ones(len(top)), top, right)]

    def _summed(self, probability: Scores) -> NDArray[np.int64]:
        assert self._members is not None
        columns = []
        for taxa, members in self._members:
            columns.append(taxa[(probability @ members.astype(probability.dtype, copy=False)).argmax(axis=1)])
        names, places = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        numbers = np.array([self.ranks.number_of_ranks(tuple(name)) for name in names.tolist()], np.int64)
        return numbers[places.ravel()]


def _softmax(scores: Scores) -> Scores:
    shifted: Scores = scores - scores.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def _some(samples: Sequence[str] | None, rows: NDArray[np.bool_]) -> Sequence[str] | None:
    if samples is None or rows.all():
        return samples
    return [name for name, taken in zip(samples, rows.tolist(), strict=True) if taken]


def _memberships(taxa: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Give for each rank its taxa (-1: none), and which class (row) belongs to which of them (column)."""
    found = []
    for column in taxa.T:
        names, places = np.unique(column, return_inverse=True)
        members = np.zeros((len(column), len(names)), np.float32)
        members[np.arange(len(column)), places] = 1
        found.append((names, members))
    return found


class _Hits:
    """How many particles of each sample have their class among the first of the scores."""

    def __init__(self, top: Sequence[int]) -> None:
        self._top = np.array(top, np.int64)
        self._samples: dict[str, int] = {}
        self._counts = np.zeros((1, len(top) + 1), np.int64)

    def add(self, places: NDArray[np.int64], samples: Sequence[str] | None) -> None:
        """Count particles by the place of their class, 0 for the first."""
        of = np.zeros(len(places), np.int64)
        if samples is not None:
            seen = self._samples
            of = np.fromiter((seen.setdefault(name, len(seen)) for name in samples), np.int64, len(samples))
        short = len(self._samples) - len(self._counts)
        if short > 0:
            self._counts = np.pad(self._counts, ((0, short), (0, 0)))
        many = len(self._counts)
        hits = [np.bincount(of[places < size], minlength=many) for size in self._top.tolist()]
        self._counts += np.stack([*hits, np.bincount(of, minlength=many)], axis=1)

    def rows(self, resamples: int, seed: int) -> tuple[TopRow, ...]:
        total = int(self._counts[:, -1].sum())
        if not total:
            return ()
        random, units = np.random.default_rng(seed), len(self._counts)
        shares = self._counts[:, :-1].sum(axis=0) / total
        if units > 1:
            drawn = random.multinomial(units, np.full(units, 1 / units), resamples) @ self._counts
            means = drawn[:, :-1] / np.maximum(drawn[:, -1:], 1)
        else:
            means = random.binomial(total, shares, (resamples, len(shares))) / total
        ends = [interval(column) for column in means.T]
        return tuple(
            TopRow(int(size), float(share), low, high, total)
            for size, share, (low, high) in zip(self._top, shares, ends, strict=True)
        )
