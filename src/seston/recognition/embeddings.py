"""Vectors of particles: what an encoder says about each picture and each profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError

__all__ = ["ARRAYS", "Embeddings", "join"]

_PLAIN = ("image", "profile", "shared_image", "shared_profile")
_BESIDE = ("within_image", "within_profile", "measured_image", "measured_profile")
_MATRICES = (*_PLAIN, *_BESIDE)
_MASKS = ("has_image", "has_profile")
ARRAYS = (*_MATRICES, *_MASKS)
"""All arrays of embeddings, by name."""


def _no_columns() -> NDArray[np.float32]:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of N particles; a row of zeros where a particle lacks that modality.

    `image` and `profile` are what each tower found, and hold what only that modality knows; `shared_image` and
    `shared_profile` are unit vectors in the one space in which a picture can be compared with a profile. Encoders
    without such a space (hand-made features) leave both with no columns. `within_image` and `within_profile` are unit
    vectors in which a modality is compared with itself, of models that learned from neighbours. `measured_image` and
    `measured_profile` are hand-made features that stand beside what a model learned: NaN where a single one is missing.
    These four have no columns where a model has none.
    """

    ids: tuple[str, ...]
    image: NDArray[np.float32]
    profile: NDArray[np.float32]
    shared_image: NDArray[np.float32]
    shared_profile: NDArray[np.float32]
    has_image: NDArray[np.bool_]
    has_profile: NDArray[np.bool_]
    model_id: str = ""
    """Hash of the weights that made them, or ``classical``."""
    within_image: NDArray[np.float32] = field(default_factory=_no_columns)
    within_profile: NDArray[np.float32] = field(default_factory=_no_columns)
    measured_image: NDArray[np.float32] = field(default_factory=_no_columns)
    measured_profile: NDArray[np.float32] = field(default_factory=_no_columns)

    def __post_init__(self) -> None:
        for name in _BESIDE:
            if not getattr(self, name).size:
                object.__setattr__(self, name, np.zeros((len(self.ids), 0), np.float32))
        for name in _MATRICES:
            if getattr(self, name).ndim != 2:
                raise UsageError(f"embeddings: {name} has to be a table, one row a particle")
        for name in ARRAYS:
            if len(getattr(self, name)) != len(self.ids):
                raise UsageError(f"embeddings: {name} has {len(getattr(self, name))} rows for {len(self.ids)} ids")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def has_both(self) -> NDArray[np.bool_]:
        """Which particles have a picture and a profile."""
        return self.has_image & self.has_profile

    @property
    def crosses(self) -> bool:
        """Whether pictures and profiles share a space."""
        return bool(self.shared_image.shape[1])

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | Sequence[int]) -> Embeddings:
        """Give the embeddings of some rows, in that order."""
        index = np.arange(len(self))[np.asarray(rows)] if len(rows) else np.zeros(0, np.int64)
        chosen = {name: getattr(self, name)[index] for name in ARRAYS}
        return replace(self, ids=tuple(self.ids[row] for row in index), **chosen)

    def of(self, ids: Sequence[str]) -> Embeddings:
        """Give the embeddings of some particles by id, in that order.

        Raises
        ------
        UsageError
            Where an id has no embedding.
        """
        rows = {particle: row for row, particle in enumerate(self.ids)}
        missing = next((particle for particle in ids if particle not in rows), None)
        if missing is not None:
            raise UsageError(f"particle {missing}: has no embedding; run  seston embed  again")
        return self.take([rows[particle] for particle in ids])


def join(parts: Sequence[Embeddings]) -> Embeddings:
    """Put embeddings of one encoder below each other.

    Raises
    ------
    UsageError
        Where there is nothing to join, or the parts come from different encoders.
    """
    if not parts:
        raise UsageError("there are no embeddings to join")
    if len({part.model_id for part in parts}) > 1:
        raise UsageError("embeddings of different models cannot be joined: embed everything with one model")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    return Embeddings(ids=tuple(name for part in parts for name in part.ids), model_id=parts[0].model_id, **columns)
