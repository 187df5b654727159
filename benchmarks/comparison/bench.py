"""One set, ready to judge on: which particles take part, which give galleries, which are asked about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.sets import SPLIT
from seston.evaluation.draws import Draw, Sides, nested_draws
from seston.evaluation.subjects import Subjects, choose_subjects, part_sides, split_masks
from seston.recognition.embeddings import Embeddings
from seston.store import DataSet

__all__ = ["FOLD", "MATRICES", "Bench", "bench_of"]

FOLD = 0
MATRICES = tuple(one.name for one in fields(Embeddings) if one.name.endswith(("image", "profile"))
                  and not one.name.startswith("has_"))  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """The same for every method; rows are those of `subjects`."""

    name: str
    data: DataSet
    subjects: Subjects
    sides: Sides
    pool: NDArray[np.int64]
    """Rows of the training part, labelled or not, to learn the spread of features from."""

    @property
    def classes(self) -> NDArray[np.int64]:
        """Class number of each row, 0 where there is no label (such rows are never drawn)."""
        return np.maximum(self.subjects.classes, 0)

    def draws(self, sizes: Sequence[int], repeats: int, seed: int) -> list[Draw]:
        """Draw the galleries of a seed: nested, and the same for every method."""
        return nested_draws(self.subjects.labels, self.sides, sizes, repeats, seed)

    def fingerprint(self, draws: Sequence[Draw]) -> str:
        """Name draws by their content: two methods can be paired only where it is equal."""
        digest = hashlib.blake2b(digest_size=8)
        for draw in draws:
            for rows in (draw.gallery, draw.queries):
                digest.update("\n".join(self.subjects.ids[row] for row in rows.tolist()).encode() + b"\0")
        return digest.hexdigest()

    def vectors(self, found: Embeddings, sees: str) -> Embeddings:
        """Put a method's vectors into the bench's rows.

        What a method does not look at counts as absent. A picture or profile that it could not use is a row without
        values and no reason to leave the particle out: all methods are asked the same.
        """
        mine = found.of(self.subjects.ids)
        here = np.ones(len(mine), np.bool_)
        changed: dict[str, Any] = {"has_image": here & ("I" in sees), "has_profile": here & ("P" in sees)}
        for side in ("image", "profile"):
            absent = ~getattr(mine, f"has_{side}")
            for name in MATRICES:
                if name.endswith(side) and not name.startswith("shared"):
                    changed[name] = np.where(absent[:, None], np.nan, getattr(mine, name)).astype(np.float32)
        return replace(mine, **changed)


def bench_of(name: str, data: DataSet, largest: int) -> Bench:
    """Choose the particles of a set that have a picture and a profile, and part them as the split does."""
    ids: list[str] = []
    pictures: list[bool] = []
    profiles: list[bool] = []
    for batch in data.particles(["id", "image_hash", "profile_hash"], batch_size=8192):
        ids += batch.column(0).to_pylist()
        for column, there in ((1, pictures), (2, profiles)):
            there += [value is not None for value in batch.column(column).to_pylist()]
    nothing = np.zeros((len(ids), 0), np.float32)
    empty: dict[str, Any] = dict.fromkeys(MATRICES, nothing)
    present = Embeddings(
        ids=tuple(ids),
        has_image=np.array(pictures, np.bool_),
        has_profile=np.array(profiles, np.bool_),
        **empty,
    )
    subjects = choose_subjects(data, present)
    split = data.load_split(SPLIT)
    train, _, _ = split_masks(subjects.ids, split, FOLD)
    sides = part_sides(subjects, split, FOLD, largest, seed=0)
    return Bench(name, data, subjects, sides, np.flatnonzero(train))
