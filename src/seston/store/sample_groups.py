"""Split by sample: whole samples on one side, the classes as even as whole samples allow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.errors import UsageError

__all__ = ["check_groups", "cramers_v", "describe_groups", "fold_groups", "group_samples", "joined_by_content"]

_TRAIN, _VALIDATION, _TEST = range(3)
_WEIGHTS_OF_HELD_OUT = (0.25, 0.75)
_WEIGHTS_OF_SINGLE = (0.95, 0.05)
_NEARLY_ALL = 0.9
"""Where this share of the particles is of classes that stand in one sample only, samples cannot be kept apart."""


def joined_by_content(contents: Sequence[Sequence[str | None] | pa.ChunkedArray], n: int) -> NDArray[np.int64]:
    """Give each row the first row that it is tied to by equal contents, over any number of steps.

    Parameters
    ----------
    contents
        Columns of `n` content hashes; None ties nothing.
    """
    tied = _Tied(n)
    for column in contents:
        texts = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else pa.array(column, pa.string())
        codes = texts.dictionary_encode().indices.fill_null(-1).to_numpy()
        _, first, place = np.unique(codes, return_index=True, return_inverse=True)
        first_row = first[place]  # of each row's content
        for row in np.flatnonzero((first_row != np.arange(n)) & (codes >= 0)).tolist():
            tied.join(int(first_row[row]), row)
    return tied.firsts()


def group_samples(samples: Sequence[str], twins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the groups that must not be parted: samples, joined where they share a particle of the same content.

    Parameters
    ----------
    samples
        Sample id of each particle.
    twins
        For each particle the row of the first particle that it is tied to.
    """
    number = {sample: code for code, sample in enumerate(dict.fromkeys(samples))}
    codes = np.array([number[sample] for sample in samples], np.int64)
    tied = _Tied(len(number))
    for row in np.flatnonzero(codes != codes[twins]).tolist():
        tied.join(int(codes[row]), int(codes[twins[row]]))
    groups: NDArray[np.int64] = np.unique(tied.firsts()[codes], return_inverse=True)[1].astype(np.int64)
    return groups


def check_groups(groups: NDArray[np.int64], labels: NDArray[np.int64], by: str = "sample") -> float:
    """Refuse to call a split grouped where samples cannot be kept apart.

    Returns
    -------
    float
        Cramér's V between class and group: 1 where the group tells the class, 0 where it says nothing.

    Raises
    ------
    UsageError
        All labelled particles stand in one sample, or nearly all are of classes that stand in one sample only.
    """
    labelled = labels >= 0
    n_groups = len(np.unique(groups[labelled]))
    if n_groups < 2:
        raise UsageError(
            f"all labelled particles are of one {by} (or its duplicates), so a split by {by} has only one side; "
            f"import more {by}s, or use --by image (its figures are optimistic)"
        )
    classes, _, counts = _pair_counts(labels[labelled], groups[labelled])
    likeness = cramers_v(labels[labelled], groups[labelled])
    groups_of_class = np.bincount(classes)
    lonely = counts[groups_of_class[classes] == 1].sum() / counts.sum()
    if len(np.unique(classes)) > 1 and lonely >= _NEARLY_ALL:
        whole = "each class stands" if lonely == 1 else f"{lonely:.0%} of the particles are of classes that stand"
        raise UsageError(
            f"{whole} in one {by} only (Cramér's V between class and {by} {likeness:.2f}), so a split by {by} would "
            "test on classes never seen; use --by image (its figures are optimistic)"
        )
    return likeness


def cramers_v(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Give Cramér's V between two codes: how much one tells of the other, from 0 to 1.

    Cramér, "Mathematical Methods of Statistics" (1946), section 21.9: sqrt(χ² / (n (k - 1))), with k the smaller number
    of different codes; 0 where one of the two has a single code.
    """
    first, second, counts = _pair_counts(one, other)
    of_first, of_second = np.bincount(first, counts), np.bincount(second, counts)
    smaller = min(np.count_nonzero(of_first), np.count_nonzero(of_second))
    if smaller < 2:
        return 0.0
    share = float((counts**2 / (of_first[first] * of_second[second])).sum())  # χ² / n + 1
    return float(np.sqrt(max(share - 1, 0.0) / (smaller - 1)))


def _pair_counts(
    one: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Give the pairs of codes that occur, and how often each does."""
    width = int(other.max()) + 1
    pairs, counts = np.unique(one * width + other, return_counts=True)
    return pairs // width, pairs % width, counts.astype(np.float64)


def fold_groups(
    groups: NDArray[np.int64], labels: NDArray[np.int64], *, folds: int, mode: str, seed: int
) -> tuple[list[NDArray[np.int64]], str]:
    """Give the part of each particle in each fold, and what was less than was asked for."""
    counts = _class_counts(groups, labels)
    eligible = np.flatnonzero(counts.sum(axis=1))
    generator = np.random.default_rng(seed)
    if mode == "single":
        side = _share_out(counts[eligible], _WEIGHTS_OF_SINGLE, generator)
        codes = np.full(len(counts), _TRAIN, np.int64)
        codes[eligible[side == 1]] = _VALIDATION
        return [codes[groups]], ""
    used = min(folds, len(eligible))
    fold_of = _share_out(counts[eligible], (1 / used,) * used, generator)
    parts = [_parts_of_fold(counts, eligible, fold_of == fold, generator)[groups] for fold in range(used)]
    notes = []
    if used < folds:
        notes.append(f"{used} folds instead of {folds}, as there are only {used} samples with labels")
    if not all((codes == _VALIDATION).any() for codes in parts):
        notes.append("no validation part, as there are too few samples")
    return parts, "; ".join(notes)


def describe_groups(
    groups: NDArray[np.int64], labels: NDArray[np.int64], note: str, *, by: str, likeness: float
) -> str:
    """Say in words what the split is worth."""
    counts = _class_counts(groups, labels)
    counts = counts[:, counts.sum(axis=0) > 0]
    lonely = int(((counts > 0).sum(axis=0) == 1).sum())
    words = [f"grouped by {by} ({int((counts.sum(axis=1) > 0).sum())} groups)"]
    if note:
        words.append(note)
    if lonely and counts.shape[1] > 1:
        words.append(f"{lonely} of {counts.shape[1]} classes stand in one {by} only, and so on one side")
    if counts.shape[1] > 1:
        words.append(f"Cramér's V between class and {by} {likeness:.2f}")
    return "; ".join(words)


def _class_counts(groups: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Shape (groups, classes): labelled particles."""
    counts = np.zeros((int(groups.max()) + 1, int(labels.max()) + 1), np.int64)
    labelled = labels >= 0
    np.add.at(counts, (groups[labelled], labels[labelled]), 1)
    return counts


def _parts_of_fold(
    counts: NDArray[np.int64],
    eligible: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Part the held-out groups into validation and test; borrow a validation group where only one is held out."""
    codes = np.full(len(counts), _TRAIN, np.int64)
    held, rest = eligible[held_out], eligible[~held_out]
    codes[held] = _TEST
    if len(held) >= 2:
        side = _share_out(counts[held], _WEIGHTS_OF_HELD_OUT, generator)
        codes[held[side == 0]] = _VALIDATION
    elif len(rest) >= 2:
        sizes = counts.sum(axis=1)
        codes[rest[np.argmin(np.abs(sizes[rest] - 0.05 * sizes.sum()))]] = _VALIDATION
    return codes


def _share_out(
    counts: NDArray[np.int64], weights: Sequence[float], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Put groups into bins so that each bin gets its weight of every class; no bin stays empty.

    The largest group goes first, each where it brings the least squared excess, relative to the size of each class:
    the greedy rule of scikit-learn's ``StratifiedGroupKFold``, with weights and without empty bins.
    """
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    relative = counts / np.maximum(counts.sum(axis=0), 1)
    share = np.asarray(weights)[:, None]
    filled = np.zeros((len(weights), counts.shape[1]))
    bins = np.full(len(counts), -1, np.int64)
    unused = np.ones(len(weights), np.bool_)
    for done, group in enumerate(order.tolist()):
        excess = (((filled + relative[group]) ** 2 - filled**2) / share).sum(axis=1)
        empty = np.flatnonzero(unused)
        if len(empty) >= len(counts) - done:
            chosen = int(empty[np.argmax(share[empty, 0])])
        else:
            chosen = int(np.argmin(excess))
        bins[group] = chosen
        unused[chosen] = False
        filled[chosen] += relative[group]
    return bins


class _Tied:
    """Things that are tied together, over any number of steps (union-find)."""

    def __init__(self, n: int) -> None:
        self._above = list(range(n))

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self._first(one), self._first(other)))
        self._above[high] = low

    def firsts(self) -> NDArray[np.int64]:
        """Give each thing the first one that it is tied to."""
        for thing, above in enumerate(self._above):  # what stands above comes before, and is settled
            self._above[thing] = self._above[above]
        return np.array(self._above, np.int64)

    def _first(self, thing: int) -> int:
        while self._above[thing] != thing:
            self._above[thing] = self._above[self._above[thing]]
            thing = self._above[thing]
        return thing
