"""Names by the head of a supervised run, with what its probabilities are worth; probabilities are never kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.rank_naming import Named
from seston.evaluation.rank_tally import RankRow
from seston.evaluation.rank_truth import Truth
from seston.evaluation.score_tally import ScoreTally
from seston.particle import Skipped
from seston.recognition.encoder import stream_particles
from seston.recognition.naming import Identification

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training import Run

__all__ = ["HeadNames", "names_by_head"]

_AT_ONCE = 4096


def names_by_head(data: DataSet, run: Path, truth: Truth, rule: str) -> HeadNames:
    """Name the particles that are asked about by the head of a supervised run.

    Parameters
    ----------
    run
        The folder of the run.
    truth
        Which particles are asked about, and what they are.
    rule
        How lineages are compared: see `seston.evaluation.lineages.RULES`.
    """
    from seston.training import load_run

    return HeadNames(data, load_run(run), truth, rule, f"head of {run.name}")


class HeadNames:
    """Gives names as they come, and counts the probabilities behind them meanwhile.

    What is counted (`rows`, `notes`, `tables`) is there when all names were taken.
    """

    def __init__(self, data: DataSet, run: Run, truth: Truth, rule: str, by: str) -> None:
        from seston.training.classes import numbers_of_labels

        classes = run.classes
        assert classes is not None
        self._data, self._run, self._truth, self._by = data, run, truth, by
        self._classes = classes
        self._taxa = [next((name for name in reversed(path) if name), None) for path in classes.paths]
        self._rows = np.flatnonzero(truth.asked)
        asked = dict.fromkeys(zip(truth.sources.at(self._rows), truth.labels.at(self._rows), strict=True))
        self._class_of = numbers_of_labels(asked, classes, data.path)
        self._tally = ScoreTally([tuple(name or "" for name in path) for path in classes.paths], rule=rule, sum_up=True)
        self._without = self._foreign = 0

    def named(self) -> Named:
        """Give the names, particle by particle in the order of the data set."""
        return Named(self._names(), self._by, self._run.model_id)

    def _names(self) -> Iterator[Identification]:
        from seston.training.classifying import classify_in_parts

        ids = self._data.ids()
        for start in range(0, len(self._rows), _AT_ONCE):
            asked = self._rows[start : start + _AT_ONCE]
            skipped: list[Skipped] = []
            particles = stream_particles(self._data, [ids[row] for row in asked.tolist()])
            place = 0
            for scores in classify_in_parts(self._run, particles, skipped=skipped):
                rows = asked[place : place + len(scores)]
                place += len(scores)
                self._count(rows, scores)
                yield from self._identified([ids[row] for row in rows.tolist()], scores)

    def _identified(self, ids: list[str], scores: NDArray[np.float32]) -> Iterator[Identification]:
        for name, best, score in zip(ids, scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist(), strict=True):
            if score > 0:
                label, taxon = self._classes.names[best], self._taxa[best]
                yield Identification(id=name, label=label, taxon=taxon, score=score, modality="image")
            else:
                yield Identification(id=name, label=None, taxon=None, score=None, modality="none")

    def _count(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        shown = scores.any(axis=1)
        self._without += int((~shown).sum())
        rows, scores = rows[shown], scores[shown]
        pairs = zip(self._truth.sources.at(rows), self._truth.labels.at(rows), strict=True)
        numbers = np.array([self._class_of[pair] for pair in pairs], np.int64)
        self._foreign += int((numbers < 0).sum())
        samples = self._truth.samples.at(rows) if self._truth.grouped else None
        self._tally.add(scores, numbers, samples, lineages=self._truth.lineages(rows))

    def rows(self, seed: int) -> list[RankRow]:
        """Give the figures by rank of names that are summed up: at each rank the taxon of most probability."""
        method = f"{self._by}, summed up"
        return [replace(row, method=method) for row in self._tally.figures(seed=seed).ranks]

    def notes(self) -> list[str]:
        """Say how many could not be named, or are of classes that the head does not know."""
        notes = ["summed up: at each rank the taxon whose classes have the greatest probability together"]
        if self._without:
            notes.append(f"{self._without:,} particles have no picture that can be used; they count as not named")
        if self._foreign:
            notes.append(f"{self._foreign:,} particles are of labels that the run has no class for")
        return notes

    def tables(self, seed: int) -> dict[str, tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]]:
        """Say how often the true class is among the first ones, and how far probabilities can be believed."""
        found = self._tally.figures(seed=seed)
        if not found.top:
            return {}
        first = tuple(
            (row.first, row.particles, _percent(row.accuracy), f"{_percent(row.low)} – {_percent(row.high)}")
            for row in found.top
        )
        bins = tuple(
            (f"{row.lower:.2f} – {row.upper:.2f}", row.particles, _percent(row.probability), _percent(row.accuracy))
            for row in found.reliability
        )
        gap = f"Can its probabilities be believed? Mean gap {100 * found.calibration_error:.1f} %"
        return {
            "Is the class among the first?": (("of the first", "particles", "accuracy, %", "95 %"), first),
            gap: (("probability", "particles", "mean probability, %", "right, %"), bins),
        }


def _percent(share: float) -> float:
    return round(100 * share, 1)
