"""What naming by texts would give if the texts were those of other classes: a permutation test, rank by rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["macro_f1_of", "permuted_macro_f1"]


def permuted_macro_f1(
    counts: NDArray[np.int64], truth: NDArray[np.int64], named: NDArray[np.int64], permutations: int, seed: int
) -> NDArray[np.float64]:
    """Deal the texts out to the classes anew, many times, and score the names that the same answers then give.

    Parameters
    ----------
    counts
        (K, M): how often a particle of each true class was closest to each text.
    truth
        (K,) taxon of each true class at a rank, -1 where it has none: such particles are not asked about.
    named
        (M,) taxon of each text at that rank, -1 where it has none.
    permutations
        How many times.
    seed
        Of the permutations: the same for all ranks, so that the ranks are permuted together.

    Returns
    -------
    array of float64
        (permutations,) macro-F1.
    """
    random = np.random.default_rng(seed)
    by_taxon, of_truth, of_text = _tables(counts, truth, int(max(truth.max(), named.max(), 0)) + 1)
    return np.array(
        [_macro_f1(by_taxon, of_truth, of_text, named[random.permutation(len(named))]) for _ in range(permutations)]
    )


def macro_f1_of(counts: NDArray[np.int64], truth: NDArray[np.int64], named: NDArray[np.int64]) -> float:
    """Score the answers as they are; parameters as for `permuted_macro_f1`."""
    by_taxon, of_truth, of_text = _tables(counts, truth, int(max(truth.max(), named.max(), 0)) + 1)
    return _macro_f1(by_taxon, of_truth, of_text, named)


def _tables(
    counts: NDArray[np.int64], truth: NDArray[np.int64], taxa: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count particles by true taxon and text, (taxa, M); by true taxon; and by text."""
    there = truth >= 0
    by_taxon = np.zeros((taxa, counts.shape[1]))
    np.add.at(by_taxon, truth[there], counts[there])
    return by_taxon, by_taxon.sum(axis=1), by_taxon.sum(axis=0)


def _macro_f1(
    by_taxon: NDArray[np.float64], of_truth: NDArray[np.float64], of_text: NDArray[np.float64], named: NDArray[np.int64]
) -> float:
    texts = np.flatnonzero(named >= 0)
    of_names = np.bincount(named[texts], of_text[texts], len(of_truth))
    right = np.bincount(named[texts], by_taxon[named[texts], texts], len(of_truth))
    both = of_truth + of_names
    return float((2 * right[both > 0] / both[both > 0]).mean()) if (both > 0).any() else 0.0
