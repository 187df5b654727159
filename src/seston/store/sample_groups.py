"""Split by sample: whole samples on one side, the classes as even as whole samples allow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError

__all__ = ["check_groups", "describe_groups", "fold_groups", "group_samples"]

_TRAIN, _VALIDATION, _TEST = range(3)
_WEIGHTS_OF_HELD_OUT = (0.25, 0.75)
_WEIGHTS_OF_SINGLE = (0.95, 0.05)


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
    joined = np.arange(len(number), dtype=np.int64)
    for row in np.flatnonzero(codes != codes[twins]).tolist():
        one, other = joined[codes[row]], joined[codes[twins[row]]]
        joined[joined == max(one, other)] = min(one, other)
    groups: NDArray[np.int64] = np.unique(joined[codes], return_inverse=True)[1].astype(np.int64)
    return groups


def check_groups(groups: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
    """Refuse to call a split grouped where samples cannot be kept apart.

    Raises
    ------
    UsageError
        All labelled particles stand in one sample, or each class stands in a sample of its own.
    """
    labelled = labels >= 0
    n_groups = len(np.unique(groups[labelled]))
    if n_groups < 2:
        raise UsageError(
            "all labelled particles are of one sample (or its duplicates), so a split by sample has only one side; "
            "import more samples, or use --by image (its figures are optimistic)"
        )
    pairs = np.unique(np.stack([labels[labelled], groups[labelled]]), axis=1)
    n_classes = len(np.unique(pairs[0]))
    if n_classes > 1 and pairs.shape[1] == n_classes:
        raise UsageError(
            "each class stands in one sample only, so a split by sample would test on classes never seen; "
            "use --by image (its figures are optimistic)"
        )


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


def describe_groups(groups: NDArray[np.int64], labels: NDArray[np.int64], note: str) -> str:
    """Say in words what the split is worth."""
    counts = _class_counts(groups, labels)
    counts = counts[:, counts.sum(axis=0) > 0]
    lonely = int(((counts > 0).sum(axis=0) == 1).sum())
    words = [f"grouped by sample ({int((counts.sum(axis=1) > 0).sum())} groups)"]
    if note:
        words.append(note)
    if lonely and counts.shape[1] > 1:
        words.append(f"{lonely} of {counts.shape[1]} classes stand in one sample only, and so on one side")
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
    for done, group in enumerate(order.tolist()):
        excess = (((filled + relative[group]) ** 2 - filled**2) / share).sum(axis=1)
        empty = np.setdiff1d(np.arange(len(weights)), bins)
        if len(empty) >= len(counts) - done:
            chosen = int(empty[np.argmax(share[empty, 0])])
        else:
            chosen = int(np.argmin(excess))
        bins[group] = chosen
        filled[chosen] += relative[group]
    return bins
