"""Make a split: k folds of 80/5/15, or one of 95/5; by sample, or by picture.

Both shapes are those of the cross-modal paper (arXiv 2603.16427): ``StratifiedKFold(5, shuffle, seed 42)``, whose
held-out fifth is parted again into 5 % for validation and 15 % for testing; and 95/5 for learning without labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.store.sample_groups import check_groups, describe_groups, fold_groups, group_samples
from seston.store.splits import PARTS, Split, check_name

__all__ = ["SplitRows", "make_split"]

_TEST_SHARE_OF_HELD_OUT = 0.75
_VALIDATION_SHARE = 0.05
_TRAIN, _VALIDATION, _TEST = range(3)


@dataclass(frozen=True, slots=True)
class SplitRows:
    """What a split looks at: one entry a particle, in the order of the data set."""

    ids: Sequence[str]
    samples: Sequence[str]
    labels: Sequence[str | None]
    contents: Sequence[Sequence[str | None]]
    """Columns of content hashes; particles that share one stand on one side."""


def make_split(
    rows: SplitRows, name: str, *, by: str = "sample", folds: int = 5, mode: str = "kfold", seed: int = 42
) -> Split:
    """Part the particles of a data set; see `DataSet.split`."""
    _check(name, by, folds, mode)
    if not rows.ids:
        raise UsageError("the data set holds no particles yet; import some before splitting")
    twins = _twins(rows.contents, len(rows.ids))
    folds = folds if mode == "kfold" else 1
    if by == "sample":
        groups = group_samples(rows.samples, twins)
        labels = _label_of_each(rows.labels)
        check_groups(groups, labels)
        parts, note = fold_groups(groups, labels, folds=folds, mode=mode, seed=seed)
        note = describe_groups(groups, labels, note)
    else:
        parts = _split_pictures(rows, twins, folds=folds, mode=mode, seed=seed)
        note = "image-level, optimistic"
    return Split(
        name=name,
        grouped=by == "sample",
        note=note,
        folds=len(parts),
        ids=list(rows.ids) * len(parts),
        fold=np.repeat(np.arange(len(parts), dtype=np.int64), len(rows.ids)),
        part=[PARTS[code] for codes in parts for code in codes.tolist()],
        settings={"by": by, "mode": mode, "seed": seed},
    )


def _check(name: str, by: str, folds: int, mode: str) -> None:
    check_name(name)
    if by not in ("sample", "image"):
        raise UsageError(
            f"a split is made by 'sample' or by 'image', not by {by!r}{nearest_word(by, ('sample', 'image'))}"
        )
    if mode not in ("kfold", "single"):
        raise UsageError(f"a split is 'kfold' or 'single', not {mode!r}{nearest_word(mode, ('kfold', 'single'))}")
    if mode == "kfold" and folds < 2:
        raise UsageError(f"{folds} folds: at least 2 are needed (or mode 'single' for 95/5)")


def _twins(contents: Sequence[Sequence[str | None]], n: int) -> NDArray[np.int64]:
    """Give each row the first row that it is tied to by equal contents, over any number of steps."""
    first_of = np.arange(n, dtype=np.int64)

    def root(row: int) -> int:
        while first_of[row] != row:
            first_of[row] = first_of[first_of[row]]
            row = int(first_of[row])
        return row

    for column in contents:
        holder: dict[str, int] = {}
        for row, content in enumerate(column):
            if content is not None and (other := holder.setdefault(content, row)) != row:
                low, high = sorted((root(other), root(row)))
                first_of[high] = low
    return np.array([root(row) for row in range(n)], np.int64)


def _label_of_each(labels: Sequence[str | None]) -> NDArray[np.int64]:
    """Number the labels in alphabetical order, -1 for none; without any label all particles are of one class."""
    names = {label: code for code, label in enumerate(sorted({label for label in labels if label is not None}))}
    if not names:
        return np.zeros(len(labels), np.int64)
    return np.array([-1 if label is None else names[label] for label in labels], np.int64)


def _split_pictures(
    rows: SplitRows, twins: NDArray[np.int64], *, folds: int, mode: str, seed: int
) -> list[NDArray[np.int64]]:
    labels = _label_of_each(rows.labels)
    first_labelled: dict[int, int] = {}
    for row in np.flatnonzero(labels >= 0).tolist():
        first_labelled.setdefault(int(twins[row]), row)
    units = np.array(sorted(first_labelled.values()), np.int64)  # one row stands for all its twins
    if len(units) < max(folds, 2):
        raise UsageError(
            f"only {len(units)} different labelled particles: too few for {max(folds, 2)} parts; label more"
        )
    classes = labels[units]
    parts = []
    for held_out in _stratified_folds(classes, folds, seed) if mode == "kfold" else [np.arange(len(units))]:
        codes = np.full(len(units), _TRAIN, np.int64)
        if mode == "kfold":
            codes[held_out] = _VALIDATION
            codes[held_out[_stratified_share(classes[held_out], _TEST_SHARE_OF_HELD_OUT, seed)]] = _TEST
        else:
            codes[_stratified_share(classes, _VALIDATION_SHARE, seed)] = _VALIDATION
        by_twin = np.full(len(twins), _TRAIN, np.int64)
        by_twin[twins[units]] = codes
        parts.append(by_twin[twins])
    return parts


def _stratified_folds(classes: NDArray[np.int64], folds: int, seed: int) -> list[NDArray[np.int64]]:
    from sklearn.model_selection import StratifiedKFold

    if np.bincount(classes).max() < folds:  # every class is smaller than the number of folds
        classes = np.zeros_like(classes)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return [held_out for _, held_out in splitter.split(classes, classes)]


def _stratified_share(classes: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Choose a share of the rows, stratified; where classes are too small for scikit-learn, as evenly as can be."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(classes))
    counts = np.bincount(classes)
    counts = counts[counts > 0]
    chosen = int(np.ceil(share * len(rows)))
    if counts.min() >= 2 and min(chosen, len(rows) - chosen) >= len(counts):
        _, taken = train_test_split(rows, test_size=share, stratify=classes, random_state=seed)
        return np.asarray(taken, np.int64)
    shuffled = np.random.default_rng(seed).permutation(rows)
    in_class_order = shuffled[np.argsort(classes[shuffled], kind="stable")]
    steps = np.floor((rows + 1) * share + 0.5) > np.floor(rows * share + 0.5)
    return np.asarray(in_class_order[steps], np.int64)
