"""What an evaluation found, with everything that a reader needs to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.grid import Difference, Row, Trial
from seston.evaluation.partners import RetrievalRow
from seston.evaluation.provenance import Provenance
from seston.evaluation.rank_tally import RankRow
from seston.evaluation.strangers import OpenSetRow
from seston.evaluation.zero_shot_rows import ZeroShotRow

__all__ = ["ClassRow", "Confusion", "Evaluation", "Example", "Figure", "class_rows"]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How one class fared, over all gallery draws; figures are fractions of 1."""

    label: str
    queries: int
    precision: float
    recall: float
    f1: float
    taken_for: str
    """The other label that its particles were most often given; empty where there was none."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Names given (columns) to particles of each class (rows), summed over gallery draws."""

    what: str
    """Method, combination and gallery size."""
    labels: tuple[str, ...]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Example:
    """One query with its name, to be looked at."""

    id: str
    truth: str
    name: str
    score: float | None
    modality: str
    picture: bytes | None
    """PNG."""
    profile: NDArray[np.float32] | None
    channels: tuple[str, ...]
    nearest: tuple[tuple[str, str, bytes | None], ...]
    """Id, label and picture of the nearest gallery particles."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing of the report."""

    title: str
    lead: str
    """What one sees."""
    svg: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Rows of an evaluation with what stands behind them."""

    title: str
    protocol: str
    """``seston``, ``paper``, ``retrieval``, ``ood``, ``ranks``, …: how it was measured."""
    rows: tuple[Row, ...] = ()
    main: str = ""
    """The method in question, as ``method (classifier)``."""
    differences: tuple[Difference, ...] = ()
    retrieval: tuple[RetrievalRow, ...] = ()
    open_set: tuple[OpenSetRow, ...] = ()
    ranks: tuple[RankRow, ...] = ()
    zero_shot: tuple[ZeroShotRow, ...] = ()
    confusion: Confusion | None = None
    classes: tuple[ClassRow, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    grouped: bool = False
    notes: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    tables: Mapping[str, tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]] = field(default_factory=dict)
    """Further tables for the report: title → column names and rows."""
    figures: tuple[Figure, ...] = ()
    """Further drawings for the report."""
    simulated: str = ""
    """``simulated``, ``semi-simulated``, or empty for measured data."""
    provenance: Provenance
    report: Path | None = None

    def accuracy(self) -> dict[str, float]:
        """Give the accuracy of the method in question at the largest gallery, by combination (``IP-IP``)."""
        own = [row for row in self.rows if f"{row.method} ({row.classifier})" == self.main]
        largest = max((row.n for row in own), default=0)
        return {f"{row.gallery}-{row.query}": row.accuracy for row in own if row.n == largest}


def class_rows(trial: Trial, labels: tuple[str, ...]) -> tuple[ClassRow, ...]:
    """Sum up one trial class by class; classes without a query are left out."""
    rows = []
    for number, label in enumerate(labels):
        line, column = trial.confusion[number], trial.confusion[:, number]
        right, asked, named = int(line[number]), int(line.sum()), int(column.sum())
        if not asked:
            continue
        wrong = line.copy()
        wrong[number] = 0
        rows.append(
            ClassRow(
                label=label,
                queries=asked // len(trial.scores),
                precision=right / named if named else 0.0,
                recall=right / asked,
                f1=2 * right / (asked + named),
                taken_for=labels[int(wrong.argmax())] if wrong.any() else "",
            )
        )
    return tuple(rows)
