"""What is known of the particles of a data set: lineage, sample, source and instrument, as numbers by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.lineages import Lineage, lineage_of
from seston.evaluation.subjects import split_masks
from seston.store.sample_groups import check_groups
from seston.taxonomy import taxa_of

if TYPE_CHECKING:
    from seston.store import DataSet, Split

__all__ = ["Coded", "Truth", "read_truth"]

_IMAGE_LEVEL = "image-level, optimistic"


@dataclass(frozen=True)
class Coded:
    """A word for each row, by its number."""

    words: list[str]
    numbers: NDArray[np.int32]
    """Place in `words` of each row; -1 where there is none."""

    @classmethod
    def of(cls, words: Iterable[str | None], rows: int) -> Coded:
        """Number words in the order in which they come."""
        place: dict[str, int] = {}
        numbers = (-1 if word is None else place.setdefault(word, len(place)) for word in words)
        return cls(numbers=np.fromiter(numbers, np.int32, rows), words=list(place))

    def at(self, rows: NDArray[np.int64]) -> list[str]:
        """Give the words of some rows, an empty one where there is none."""
        words = [*self.words, ""]
        return [words[number] for number in self.numbers[rows].tolist()]


@dataclass(frozen=True)
class Truth:
    """All particles of a data set, by row."""

    labels: Coded
    sources: Coded
    instruments: Coded
    samples: Coded
    asked: NDArray[np.bool_]
    """Labelled particles of the part that is asked about."""
    grouped: bool
    """Whether samples can be resampled: no sample stands on both sides of the split."""
    note: str
    made_up: str
    """``simulated`` or ``semi-simulated``; empty for measured particles."""
    data: DataSet

    @cached_property
    def _lineages(self) -> dict[tuple[str, str], Lineage]:
        rows = np.flatnonzero(self.labels.numbers >= 0)
        codes = self.sources.numbers[rows].astype(np.int64) << 32 | self.labels.numbers[rows]
        pairs = [
            (self.sources.words[code >> 32], self.labels.words[code & 0xFFFFFFFF]) for code in np.unique(codes).tolist()
        ]
        return {pair: lineage_of(taxon) for pair, taxon in taxa_of(pairs, self.data.path).items()}

    def lineages(self, rows: NDArray[np.int64]) -> list[Lineage]:
        """Give the true lineage of some labelled particles."""
        known = self._lineages
        return [known[pair] for pair in zip(self.sources.at(rows), self.labels.at(rows), strict=True)]


def read_truth(data: DataSet, split: Split | None, fold: int) -> Truth:
    """Read what is known of all particles.

    Parameters
    ----------
    split, fold
        Ask about the test part of this fold (its validation part, where it has no test part); about all labelled
        particles where there is no split.

    Raises
    ------
    UsageError
        Where no particle that is asked about has a label.
    """
    labels = data.labels(trusted=True)
    ids: list[str] = []
    columns: tuple[list[str], list[str]] = ([], [])
    marks: set[str] = set()
    for batch in data.particles(["id", "sample_id", "source", "flags"], batch_size=8192):
        names, samples, sources, flags = (batch.column(place).to_pylist() for place in range(4))
        ids += names
        columns[0].extend(samples)
        columns[1].extend(sources)
        marks.update(flag for row in flags for flag in row or ())
    coded = Coded.of((labels.get(name) for name in ids), len(ids))
    samples_coded, sources_coded = (Coded.of(column, len(ids)) for column in columns)
    instrument_of = {sample.id: sample.instrument for sample in data.samples()}
    asked, grouped, note = _part(ids, coded, samples_coded, split, fold)
    if not asked.any():
        raise UsageError(f"{data.path}: no particle that is asked about has a label ({note})")
    return Truth(
        labels=coded,
        sources=sources_coded,
        instruments=Coded.of((instrument_of.get(sample) for sample in columns[0]), len(ids)),
        samples=samples_coded,
        asked=asked,
        grouped=grouped,
        note=note,
        made_up=next((word for word in ("simulated", "semi-simulated") if word in marks), ""),
        data=data,
    )


def _part(
    ids: Sequence[str], labels: Coded, samples: Coded, split: Split | None, fold: int
) -> tuple[NDArray[np.bool_], bool, str]:
    labelled = labels.numbers >= 0
    if split is None:
        grouped = labelled.any() and _can_be_grouped(samples.numbers, labels.numbers)
        note = "all labelled particles, whatever the model learnt from"
        return labelled, bool(grouped), note if grouped else f"{note}; intervals are {_IMAGE_LEVEL}"
    _, asked, part = split_masks(ids, split, fold)
    note = f"the {part} part of split {split.name!r}, fold {fold}"
    note = f"{note}; {split.note}" if split.note else note
    if not split.grouped and _IMAGE_LEVEL not in note:
        note = f"{note}; {_IMAGE_LEVEL}"
    return asked & labelled, split.grouped, note


def _can_be_grouped(samples: NDArray[np.int32], labels: NDArray[np.int32]) -> bool:
    try:
        check_groups(samples.astype(np.int64), labels.astype(np.int64))
    except UsageError:
        return False
    return True
