"""The split of Planktonzilla: 60/20/20 by picture, within each source, stratified by label.

Rule of Inria-Chile/planktonzilla (``gen_planktonzilla_only_plankton.py``): labels with fewer than five pictures in a
source stay in training; of the others int(0.4 n) are reserved, and int(0.2 n) of those are for validation; where a part
cannot be stratified it is drawn without. Which pictures are drawn depends on the program; sizes and shares do not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_OF_A_LABEL", "planktonzilla_parts"]

FEWEST_OF_A_LABEL = 5
"""Labels with fewer pictures in a source are only trained with."""

_RESERVED, _VALIDATION_SHARE = 0.4, 0.2
_TRAIN, _VALIDATION, _TEST = range(3)


def planktonzilla_parts(sources: Sequence[str], labels: NDArray[np.int64], *, seed: int = 42) -> NDArray[np.int64]:
    """Give the part of each picture: 0 for training, 1 for validation, 2 for the test.

    Parameters
    ----------
    sources
        Of each picture.
    labels
        Class of each picture, -1 for none; those are for training.
    """
    parts = np.full(len(labels), _TRAIN, np.int64)
    rows_of: dict[str, list[int]] = {}
    for row, source in enumerate(sources):
        rows_of.setdefault(source, []).append(row)
    for source in sorted(rows_of):
        rows = np.array(rows_of[source], np.int64)
        rows = rows[labels[rows] >= 0]
        _, place, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
        rows = rows[counts[place] >= FEWEST_OF_A_LABEL]
        n = len(rows)
        if n < FEWEST_OF_A_LABEL:
            continue
        reserved = rows[_drawn(labels[rows], int(n * _RESERVED), seed)]
        validation = _drawn(labels[reserved], int(n * _VALIDATION_SHARE), seed)
        parts[reserved] = _TEST
        parts[reserved[validation]] = _VALIDATION
    return parts


def _drawn(classes: NDArray[np.int64], number: int, seed: int) -> NDArray[np.int64]:
    """Draw some of the rows, stratified where that can be."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(classes))
    number = max(1, min(number, len(rows) - 1))
    try:
        _, drawn = train_test_split(rows, test_size=number, stratify=classes, random_state=seed)
    except ValueError:
        _, drawn = train_test_split(rows, test_size=number, random_state=seed)
    return np.asarray(drawn, np.int64)
