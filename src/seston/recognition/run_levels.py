"""The level of each run: what all its particles have in common beside what they are, and vectors without it.

Detectors are set anew, the focus drifts, a pump runs faster: all vectors of a run move together. Where to can be told
without a label, by laying the run over others (see `seston.recognition.registration`). `learn_levels` sums up the runs
that a gallery is made of; `RunLevels.correct` takes from the vectors of any run, one of these or a new one, its shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import spread_of
from seston.recognition.embeddings import ARRAYS, Embeddings
from seston.recognition.registration import FEWEST_PARTICLES, Landmarks, find_landmarks

__all__ = ["RunLevels", "Shift", "learn_levels", "rows_of_runs"]

Floats = NDArray[np.float64]
Shift = Mapping[str, NDArray[np.float32]]
"""By matrix of `Embeddings`, three rows: the run's middle, how many times as far apart its particles lie as elsewhere,
and how far it is moved."""

_MATRICES = tuple(name for name in ARRAYS if not name.startswith("has_"))
_SIDES = {"image": ("image", "measured_image"), "profile": ("profile", "measured_profile")}
"""What particles are laid over each other by; the other matrices follow."""
_CLASSICAL, _MEASURED = "classical", "measured_"
"""Hand-made features keep their meaning, so each may be stretched; what a model found is only moved."""
_NO_SHIFT = np.array([[0.0], [1.0], [0.0]])
_CAUTION = 3.0
_MOST_OF_A_RUN = 1000
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class RunLevels:
    """The runs that others are compared with, without their own shifts."""

    landmarks: Landmarks
    mean: Mapping[str, NDArray[np.float32]]
    """By matrix: mean of each feature over the particles of all runs …"""
    spread: Mapping[str, NDArray[np.float32]]
    """… its standard deviation (∞: it never varies) …"""
    at_landmarks: Mapping[str, NDArray[np.float32]]
    """… and shape (landmarks, features): its standardised mean at each landmark."""

    def shift_of(self, run: Embeddings) -> Shift | None:
        """Find the shift of one run from its particles (a thousand will do).

        Returns
        -------
        Shift or None
            For `take_shift`; None for fewer than 50 particles, which cannot tell.
        """
        blocks, has = self._blocks(run)
        registration = self.landmarks.register(blocks, has)
        if registration is None:
            return None
        shift = {}
        for name, means in self.at_landmarks.items():
            values = np.where(_mask_of(run, name)[:, None], self._even(run, name), np.nan)
            moved = registration.shift(values, means.astype(np.float64), caution=_CAUTION)
            middle, factor = np.zeros_like(moved), np.ones_like(moved)
            if run.model_id.startswith(_CLASSICAL) or name.startswith(_MEASURED):
                middle, factor = registration.stretch(values, means.astype(np.float64))
            varies = np.isfinite(self.spread[name])
            spread = np.where(varies, self.spread[name], 0)
            rows = (np.where(varies, middle * spread + self.mean[name], 0), factor, moved * spread)
            shift[name] = np.where(varies, np.stack(rows), _NO_SHIFT).astype(np.float32)
        return shift

    def take_shift(self, embeddings: Embeddings, shift: Shift | None) -> Embeddings:
        """Take a run's shift from vectors of its particles; without a shift they stay."""
        if shift is None:
            return embeddings
        new = {}
        for name, (middle, factor, moved) in shift.items():
            values = getattr(embeddings, name)
            levelled = (values - middle) / factor + middle - moved
            new[name] = np.where(_mask_of(embeddings, name)[:, None], levelled, values).astype(np.float32)
        return replace(embeddings, **new)

    def correct(self, embeddings: Embeddings, samples: Sequence[str]) -> Embeddings:
        """Take from each particle's vectors the shift of its run; runs of fewer than 50 particles stay as they are.

        Parameters
        ----------
        samples
            Of each particle: the name of its run.
        """
        new = {name: getattr(embeddings, name).copy() for name in self.at_landmarks}
        for rows in rows_of_runs(samples).values():
            part = embeddings.take(rows)
            shift = self.shift_of(part.take(_spread_evenly(len(rows), _MOST_OF_A_RUN)))
            moved = self.take_shift(part, shift)
            for name, values in new.items():
                values[rows] = getattr(moved, name)
        return replace(embeddings, **new)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give all arrays by name, to be kept with a gallery; `of_tensors` brings them back."""
        arrays = {"shares": self.landmarks.shares}
        for side, turn, centres in zip(_SIDES, self.landmarks.turns, self.landmarks.centres, strict=True):
            arrays |= {f"turn.{side}": turn, f"centres.{side}": centres}
        for what in ("mean", "spread", "at_landmarks"):
            arrays |= {f"{what}.{name}": values for name, values in getattr(self, what).items()}
        return arrays

    @classmethod
    def of_tensors(cls, arrays: Mapping[str, NDArray[np.float32]]) -> RunLevels:
        """Bring back what `tensors` gave."""
        landmarks = Landmarks(
            turns=tuple(arrays[f"turn.{side}"] for side in _SIDES),
            centres=tuple(arrays[f"centres.{side}"] for side in _SIDES),
            shares=arrays["shares"],
        )
        parts = {
            what: {
                name.removeprefix(f"{what}."): values for name, values in arrays.items() if name.startswith(f"{what}.")
            }
            for what in ("mean", "spread", "at_landmarks")
        }
        return cls(landmarks, parts["mean"], parts["spread"], parts["at_landmarks"])

    def _even(self, embeddings: Embeddings, name: str) -> Floats:
        return _standardised(embeddings, name, self.mean[name], self.spread[name])

    def _blocks(self, embeddings: Embeddings) -> tuple[list[Floats], list[NDArray[np.bool_]]]:
        blocks = [
            np.concatenate(
                [np.zeros((len(embeddings), 0))]
                + [self._even(embeddings, name) for name in names if name in self.mean],
                axis=1,
            )
            for names in _SIDES.values()
        ]
        return blocks, [embeddings.has_image, embeddings.has_profile]


def learn_levels(pool: Embeddings, samples: Sequence[str]) -> RunLevels | None:
    """Sum up the particles of some runs, labelled or not, to compare others with.

    Parameters
    ----------
    pool
        Vectors of particles of one run or several; of a large pool some of each run are used.
    samples
        Of each particle: the name of its run.

    Returns
    -------
    RunLevels or None
        None for fewer than 50 particles.
    """
    places = rows_of_runs(samples)
    each = max(FEWEST_PARTICLES, min(_MOST_OF_A_RUN, _MOST // max(len(places), 1)))
    rows = np.concatenate([of[_spread_evenly(len(of), each)] for of in places.values()] or [np.zeros(0, np.int64)])[
        :_MOST
    ]
    part = pool.take(rows)
    rows_there = part.has_image | part.has_profile
    part, rows = part.take(rows_there), rows[rows_there]
    if len(part) < FEWEST_PARTICLES:
        return None
    used = [name for name in _MATRICES if getattr(part, name).shape[1] and _mask_of(part, name).any()]
    moments = {name: spread_of(getattr(part, name)[_mask_of(part, name)]) for name in used}
    levels = RunLevels(
        Landmarks((), (), np.zeros(0, np.float32)),
        {name: mean for name, (mean, _) in moments.items()},
        {name: spread for name, (_, spread) in moments.items()},
        {},
    )
    blocks, has = levels._blocks(part)
    runs = np.unique(np.asarray(samples)[rows], return_inverse=True)[1].astype(np.int64)
    landmarks, at = find_landmarks(
        blocks,
        has,
        runs,
        also={name: np.where(_mask_of(part, name)[:, None], levels._even(part, name), np.nan) for name in used},
    )
    return replace(
        levels, landmarks=landmarks, at_landmarks={name: means.astype(np.float32) for name, means in at.items()}
    )


def rows_of_runs(samples: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Give the rows of each run."""
    rows: dict[str, list[int]] = {}
    for row, sample in enumerate(samples):
        rows.setdefault(sample, []).append(row)
    return {sample: np.array(of, np.int64) for sample, of in rows.items()}


def _spread_evenly(count: int, most: int) -> NDArray[np.int64]:
    return (
        np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
        if count
        else np.zeros(0, np.int64)
    )


def _standardised(embeddings: Embeddings, name: str, mean: NDArray[np.float32], spread: NDArray[np.float32]) -> Floats:
    return np.asarray((getattr(embeddings, name).astype(np.float64) - mean) / spread)


def _mask_of(embeddings: Embeddings, name: str) -> NDArray[np.bool_]:
    return embeddings.has_image if name.endswith("image") else embeddings.has_profile
