"""Macro precision, recall, F1 and balanced accuracy out of counts, and their bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.metrics import interval

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Pairs", "RankFigures", "figures_of", "intervals_of"]

_AT_ONCE = 4_000_000

Numbers = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankFigures:
    """Figures of one rank; each an array with one value a resample, or just one."""

    accuracy: Values
    balanced_accuracy: Values
    macro_precision: Values
    macro_recall: Values
    macro_f1: Values
    particles: int = 0
    taxa: int = 0
    abstained: int = 0

    def named(self) -> dict[str, Values]:
        """Give the five figures by name."""
        return {name: getattr(self, name) for name in _FIGURES}


_FIGURES = ("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Truths and names at one rank, and how often they met."""

    truth: Numbers
    """Numbers of taxa, from 0."""
    named: Numbers
    """The same, and -1 where a particle has no name at this rank."""
    counts: Numbers
    units: Numbers
    """What each pair is resampled with."""

    @property
    def taxa(self) -> int:
        """One more than the greatest number of a taxon."""
        return int(max(self.truth.max(), self.named.max())) + 1


def figures_of(pairs: Pairs) -> RankFigures:
    """Compute the figures of one rank."""
    truth, named, counts, taxa = pairs.truth, pairs.named, pairs.counts, pairs.taxa
    weights = counts.astype(np.float64)
    hit, has_name = truth == named, named >= 0
    right, of_truth, of_names = (
        np.bincount(column[rows], weights[rows], taxa).astype(np.float64)
        for column, rows in ((truth, hit), (truth, np.ones_like(hit)), (named, has_name))
    )
    found = _compute(right[None], of_truth[None], of_names[None], weights.sum(keepdims=True))
    return replace(
        found,
        particles=int(counts.sum()),
        taxa=int((of_truth > 0).sum()),
        abstained=int(counts[~has_name].sum()),
    )


def _compute(right: Values, of_truth: Values, of_names: Values, particles: Values) -> RankFigures:
    """Compute figures of tables of shape (resamples, taxa)."""
    there = (of_truth + of_names) > 0
    in_truth = of_truth > 0
    recall = _share(right, of_truth)
    many = np.maximum(there.sum(axis=1), 1)
    return RankFigures(
        accuracy=right.sum(axis=1) / np.maximum(particles, 1),
        balanced_accuracy=recall.sum(axis=1) / np.maximum(in_truth.sum(axis=1), 1),
        macro_precision=_share(right, of_names).sum(axis=1) / many,
        macro_recall=recall.sum(axis=1) / many,
        macro_f1=_share(2 * right, of_truth + of_names).sum(axis=1) / many,
    )


def _share(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def intervals_of(
    pairs: Sequence[Pairs], expected: Numbers, *, grouped: bool, resamples: int, seed: int
) -> list[dict[str, tuple[float, float]]]:
    """Give the 95 % percentile interval of each figure of each rank; the same resamples serve all ranks.

    Parameters
    ----------
    pairs
        The pairs of each rank; `Pairs.units` number what is resampled.
    expected
        Particles of each unit.
    grouped
        Units are samples: draw whole ones, each as often as chance will (multinomial). Else they are pairs: draw each
        one's count from a Poisson distribution around it, which is the bootstrap of its particles but for their sum,
        no longer fixed (Hanley & MacGibbon 2006, Creating non-parametric bootstrap samples using Poisson frequencies).
    """
    tables = [_tables(one, len(expected), grouped) for one in pairs]
    parts: list[list[RankFigures]] = [[] for _ in pairs]
    for weights in _weights(expected, grouped, resamples, seed):
        for place, of_rank in enumerate(tables):
            right, of_truth, of_names = (np.ascontiguousarray((one @ weights).T) for one in of_rank)
            parts[place].append(_compute(right, of_truth, of_names, of_truth.sum(axis=1)))
    return [
        {name: interval(np.concatenate([part.named()[name] for part in of_rank])) for name in _FIGURES}
        for of_rank in parts
    ]


def _tables(pairs: Pairs, units: int, grouped: bool) -> tuple[csr_array, csr_array, csr_array]:
    """Count right names, truths and names of each taxon (rows) in each unit (columns)."""
    from scipy.sparse import csr_array

    share = (pairs.counts if grouped else np.ones_like(pairs.counts)).astype(np.float64)
    hit, has_name = pairs.truth == pairs.named, pairs.named >= 0
    every = np.ones_like(hit)

    def table(rows: NDArray[np.bool_], taxa: Numbers) -> csr_array:
        return csr_array((share[rows], (taxa[rows], pairs.units[rows])), shape=(pairs.taxa, units))

    return table(hit, pairs.truth), table(every, pairs.truth), table(has_name, pairs.named)


def _weights(expected: Numbers, grouped: bool, resamples: int, seed: int) -> Iterator[Values]:
    """Draw how much each unit (row) counts in each resample (column), some resamples at a time."""
    random = np.random.default_rng(seed)
    many = len(expected)
    step = max(1, _AT_ONCE // max(many, 1))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        if grouped:
            drawn = random.multinomial(many, np.full(many, 1 / many), size)
        else:
            drawn = random.poisson(expected, (size, many))
        yield np.ascontiguousarray(drawn.T, np.float64)
