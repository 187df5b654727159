"""Make a split: k folds of 80/5/15, or one of 95/5, or Planktonzilla's 60/20/20; by sample, bin, station or picture.

The first two shapes are those of the cross-modal paper (arXiv 2603.16427): ``StratifiedKFold(5, shuffle, seed 42)``,
whose held-out fifth is parted again into 5 % for validation and 15 % for testing; and 95/5 for learning without labels.
Whole collections, or classes, may be kept for the test.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.store.held_out import hold_out
from seston.store.planktonzilla_split import FEWEST_OF_A_LABEL, planktonzilla_parts
from seston.store.sample_groups import (
    check_groups,
    describe_groups,
    fold_groups,
    group_samples,
    joined_by_content,
)
from seston.store.splits import PARTS, Split, check_name

__all__ = ["SplitRows", "make_split"]

_Value = TypeVar("_Value")
_TEST_SHARE_OF_HELD_OUT = 0.75
_VALIDATION_SHARE = 0.05
_TRAIN, _VALIDATION, _TEST = range(3)
_LEFT_OUT = -1
_BY = ("sample", "bin", "station", "image")
_MODES = ("kfold", "single", "planktonzilla")
_OPTIMISTIC = "image-level, optimistic"


@dataclass(frozen=True, slots=True)
class SplitRows:
    """What a split looks at: one entry a particle, in the order of the data set."""

    ids: Sequence[str]
    samples: Sequence[str]
    """Sample, bin or station of each: what must not be parted."""
    labels: Sequence[str | None]
    contents: Sequence[Sequence[str | None] | pa.ChunkedArray]
    """Columns of content hashes; particles that share one stand on one side."""
    sources: Sequence[str] = ()
    """Import or collection of each; empty where no one asks for it."""


def make_split(
    rows: SplitRows,
    name: str,
    *,
    by: str = "sample",
    folds: int = 5,
    mode: str = "kfold",
    seed: int = 42,
    collections: Sequence[str] = (),
    unseen: int = 0,
    classes: Sequence[str] = (),
) -> Split:
    """Part the particles of a data set; see `DataSet.split`."""
    _check(name, by, folds, mode, collections, unseen, classes)
    if not rows.ids:
        raise UsageError("the data set holds no particles yet; import some before splitting")
    twins = joined_by_content(rows.contents, len(rows.ids))
    sources = rows.sources or [""] * len(rows.ids)
    held = hold_out(
        sources=sources,
        labels=rows.labels,
        twins=twins,
        collections=collections,
        unseen=unseen,
        classes=classes,
        seed=seed,
    )
    kept = np.flatnonzero(~held.test & ~held.left_out)
    rest = _Rest(
        samples=_chosen(rows.samples, kept),
        sources=_chosen(sources, kept),
        labels=_label_of_each(_chosen(rows.labels, kept)),
        twins=np.searchsorted(kept, twins[kept]),  # what repeats one that is held out is not among the rest
    )
    made = _part(rest, by=by, folds=folds, mode="single" if collections else mode, seed=seed)
    apart = by != "image" and bool(unseen or classes)
    parts = [_with_held_out(codes, kept, held.test, rows.samples if apart else None) for codes in made.parts]
    grouped, note = made.grouped, made.note
    if collections:
        grouped = not set(rest.samples) & set(_chosen(rows.samples, np.flatnonzero(held.test)))
        note = note.replace(_OPTIMISTIC, f"validation {_OPTIMISTIC}") if grouped else _OPTIMISTIC
    there = [np.flatnonzero(codes != _LEFT_OUT) for codes in parts]
    ids, names = np.array(rows.ids, object), np.array(PARTS, object)
    return Split(
        name=name,
        grouped=grouped,
        note="; ".join((note, *held.notes)),
        folds=len(parts),
        ids=[text for rows_there in there for text in ids[rows_there]],
        fold=np.repeat(np.arange(len(parts), dtype=np.int64), [len(rows_there) for rows_there in there]),
        part=[name for codes, rows_there in zip(parts, there, strict=True) for name in names[codes[rows_there]]],
        settings={"by": by, "mode": mode, "seed": seed, **made.settings, **held.settings},
    )


def _check(
    name: str, by: str, folds: int, mode: str, collections: Sequence[str], unseen: int, classes: Sequence[str]
) -> None:
    check_name(name)
    if by not in _BY:
        raise UsageError(
            f"a split is made by 'sample', 'bin', 'station' or 'image', not by {by!r}{nearest_word(by, _BY)}"
        )
    if mode not in _MODES:
        raise UsageError(f"a split is 'kfold', 'single' or 'planktonzilla', not {mode!r}{nearest_word(mode, _MODES)}")
    if mode == "kfold" and folds < 2:
        raise UsageError(f"{folds} folds: at least 2 are needed (or mode 'single' for 95/5)")
    if unseen < 0:
        raise UsageError(f"{unseen} unseen classes: say how many, from 1 on")
    if mode == "planktonzilla" and by != "image":
        raise UsageError("Planktonzilla's split is by picture: say --by image (its figures are optimistic)")
    if collections and (unseen or classes or mode == "planktonzilla"):
        raise UsageError(
            "a held-out collection makes a split of its own: leave out unseen classes and --mode planktonzilla"
        )
    if (unseen or classes) and by != "image" and mode == "single":
        raise UsageError("unseen classes with samples kept apart need a test part: say --mode kfold, or --by image")


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is parted as usual, with its own row numbers."""

    samples: Sequence[str]
    sources: Sequence[str]
    labels: NDArray[np.int64]
    twins: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Made:
    parts: list[NDArray[np.int64]]
    grouped: bool
    note: str
    settings: dict[str, str | int | float] = field(default_factory=dict)


def _part(rest: _Rest, *, by: str, folds: int, mode: str, seed: int) -> _Made:
    if by == "image":
        units = _units(rest)
        if mode == "planktonzilla":
            of_unit = planktonzilla_parts(_chosen(rest.sources, units), rest.labels[units], seed=seed)
            few = f"Planktonzilla's 60/20/20, labels of fewer than {FEWEST_OF_A_LABEL} pictures in training"
            return _Made([_spread(of_unit, units, rest.twins)], False, f"{_OPTIMISTIC}; {few}")
        parts = _split_pictures(rest, units, folds=folds if mode == "kfold" else 1, mode=mode, seed=seed)
        return _Made(parts, False, _OPTIMISTIC)
    groups = group_samples(rest.samples, rest.twins)
    likeness = check_groups(groups, rest.labels, by)
    parts, less = fold_groups(groups, rest.labels, folds=folds, mode=mode, seed=seed)
    note = describe_groups(groups, rest.labels, less, by=by, likeness=likeness)
    return _Made(parts, True, note, {"cramers_v": round(likeness, 3)})


def _with_held_out(
    codes: NDArray[np.int64], kept: NDArray[np.int64], test: NDArray[np.bool_], samples: Sequence[str] | None
) -> NDArray[np.int64]:
    """Put a fold of the rest and what is held out together.

    Where samples are given, what is held out and stands in a sample that is trained with is left out of this fold.
    """
    whole = np.where(test, _TEST, _LEFT_OUT)
    whole[kept] = codes
    if samples is not None:
        learnt = {samples[row] for row in kept[codes != _TEST].tolist()}
        for row in np.flatnonzero(test).tolist():
            if samples[row] in learnt:
                whole[row] = _LEFT_OUT
    return whole


def _chosen(values: Sequence[_Value], rows: NDArray[np.int64]) -> list[_Value]:
    if len(rows) == len(values):
        return list(values)
    return [values[row] for row in rows.tolist()]


def _label_of_each(labels: Sequence[str | None]) -> NDArray[np.int64]:
    """Number the labels in alphabetical order, -1 for none; without any label all particles are of one class."""
    names = {label: code for code, label in enumerate(sorted({label for label in labels if label is not None}))}
    if not names:
        return np.zeros(len(labels), np.int64)
    return np.array([-1 if label is None else names[label] for label in labels], np.int64)


def _units(rest: _Rest) -> NDArray[np.int64]:
    """Give the rows that are parted: one labelled particle stands for all that repeat it."""
    first_labelled: dict[int, int] = {}
    for row in np.flatnonzero(rest.labels >= 0).tolist():
        first_labelled.setdefault(int(rest.twins[row]), row)
    return np.array(sorted(first_labelled.values()), np.int64)


def _spread(codes: NDArray[np.int64], units: NDArray[np.int64], twins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each row the part of the one that stands for it; rows without a label are for training."""
    by_twin = np.full(len(twins), _TRAIN, np.int64)
    by_twin[twins[units]] = codes
    spread: NDArray[np.int64] = by_twin[twins]
    return spread


def _split_pictures(
    rest: _Rest, units: NDArray[np.int64], *, folds: int, mode: str, seed: int
) -> list[NDArray[np.int64]]:
    if len(units) < max(folds, 2):
        raise UsageError(
            f"only {len(units)} different labelled particles: too few for {max(folds, 2)} parts; label more"
        )
    classes = rest.labels[units]
    parts = []
    for held_out in _stratified_folds(classes, folds, seed) if mode == "kfold" else [np.arange(len(units))]:
        codes = np.full(len(units), _TRAIN, np.int64)
        if mode == "kfold":
            codes[held_out] = _VALIDATION
            codes[held_out[_stratified_share(classes[held_out], _TEST_SHARE_OF_HELD_OUT, seed)]] = _TEST
        else:
            codes[_stratified_share(classes, _VALIDATION_SHARE, seed)] = _VALIDATION
        parts.append(_spread(codes, units, rest.twins))
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
