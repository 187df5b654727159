"""Which particles of a data set a training uses, and how they are brought into memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.particle import CHANNEL_ORDER, Particle
from seston.training.randomness import particle_keys, uniforms
from seston.training.settings import Recipe

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = [
    "COLUMNS",
    "Chosen",
    "channels_of",
    "choose_particles",
    "choose_parts",
    "common_channels",
    "part_of",
    "take_particles",
]

COLUMNS = (
    "id", "sample_id", "source", "image", "pixel_size_um", "scale_bar",
    "profile", "profile_channels", "profile_length", "profile_spacing_um",
)  # fmt: skip
"""Columns of the data set that a preparation looks at; labels are not among them."""

_LISTMODE = ("listmode", "listmode_names")
_RARE_CHANNEL = 0.01


@dataclass(frozen=True)
class Chosen:
    """Particles of a data set, by row."""

    rows: NDArray[np.int64]
    ids: list[str]
    sample: NDArray[np.int64]
    """A number for the sample of each."""
    keys: NDArray[np.uint64]
    channels: Counter[str] = field(default_factory=Counter)
    """In how many of the particles each channel was measured."""
    licences: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.ids)

    def fingerprint(self) -> str:
        """Give a short hash of the ids in their order."""
        return hashlib.sha256("\n".join(self.ids).encode()).hexdigest()[:16]


def choose_parts(
    data: DataSet, split: str | None, fold: int, needs: tuple[bool, bool], validation_share: float, seed: int
) -> tuple[Chosen, Chosen]:
    """Choose training and validation particles.

    Parameters
    ----------
    data
        The data set.
    split, fold
        A saved partition; without it, all particles are training particles.
    needs
        Whether a particle must have a picture, and whether it must have a profile.
    validation_share
        Held out from the training particles (by a hash of their ids) where there is no validation part.
    seed
        Of the recipe.

    Raises
    ------
    UsageError
        Fewer than two particles have what the recipe needs.
    """
    saved = None if split is None else data.load_split(split)
    wanted = None if saved is None else set(saved.ids_of(fold, "train"))
    train = choose_particles(data, needs, wanted)
    if len(train) < 2:
        raise UsageError(_too_few(data, train, needs, split))
    held = set() if saved is None else set(saved.ids_of(fold, "validation"))
    if held:
        return train, choose_particles(data, needs, held)
    drawn = uniforms(train.keys, 1, seed, 0x7A11D)[:, 0] < validation_share
    if drawn.sum() < 2 or (~drawn).sum() < 2:
        drawn[:] = False
    return part_of(train, ~drawn), part_of(train, drawn)


def choose_particles(data: DataSet, needs: tuple[bool, bool], wanted: set[str] | None = None) -> Chosen:
    """Choose the particles that have what is needed, in the order of the data set.

    Parameters
    ----------
    data
        The data set; pictures and profiles themselves are not read.
    needs
        As for `choose_parts`.
    wanted
        Only these ids; None for all.
    """
    columns = ["id", "sample_id", "image_hash", "profile_hash", "profile_channels", "licence", "flags"]
    rows, ids, sample = [], [], []
    numbers: dict[str, int] = {}
    channels, licences, flags = Counter[str](), Counter[str](), Counter[str]()
    start = 0
    for batch in data.particles(columns):
        values = [batch.column(name).to_pylist() for name in columns]
        for place, (name, sample_id, image, profile, measured, licence, marks) in enumerate(zip(*values, strict=True)):
            has = (image is not None, profile is not None)
            if not any(has) or any(need and not there for need, there in zip(needs, has, strict=True)):
                continue
            if wanted is not None and name not in wanted:
                continue
            rows.append(start + place)
            ids.append(name)
            sample.append(numbers.setdefault(sample_id, len(numbers)))
            channels.update(measured or ())
            licences[licence or "unknown"] += 1
            flags.update(marks or ())
        start += batch.num_rows
    return Chosen(
        np.array(rows, np.int64), ids, np.array(sample, np.int64), particle_keys(ids), channels, licences, flags
    )


def channels_of(recipe: Recipe, chosen: Chosen) -> tuple[str, ...]:
    """Name the channels that a model of this recipe listens to: none where it learns from pictures alone."""
    if recipe.pictures_alone:
        return ()
    return recipe.profiles.channels or common_channels(chosen)


def common_channels(chosen: Chosen) -> tuple[str, ...]:
    """Name the channels that at least one particle in a hundred has, in the order in which tables list them.

    Pictures alone have none; their model still gets the first channel, silent, so that it is built like any other.
    """
    profiles = max(chosen.channels.values(), default=0)
    common = [name for name, count in chosen.channels.items() if count >= _RARE_CHANNEL * profiles]
    known = {name: place for place, name in enumerate(CHANNEL_ORDER)}
    return tuple(sorted(common, key=lambda name: (known.get(name, len(known)), name))) or CHANNEL_ORDER[:1]


def part_of(chosen: Chosen, mask: NDArray[np.bool_]) -> Chosen:
    """Give those of the chosen particles for which a mask holds."""
    return Chosen(
        chosen.rows[mask],
        [name for name, kept in zip(chosen.ids, mask, strict=True) if kept],
        chosen.sample[mask],
        chosen.keys[mask],
        chosen.channels,
        chosen.licences,
        chosen.flags,
    )


def take_particles(data: DataSet, rows: NDArray[np.int64], *, listmode: bool = False) -> list[Particle]:
    """Bring particles into memory, in the order of the rows, without their labels."""
    from seston.store import rows_to_particles

    return rows_to_particles(data.take(rows, [*COLUMNS, *(_LISTMODE if listmode else ())]))


def _too_few(data: DataSet, train: Chosen, needs: tuple[bool, bool], split: str | None) -> str:
    what = {(True, True): "both a picture and a profile", (True, False): "a picture", (False, True): "a profile"}
    part = "" if split is None else f" in the training part of split {split!r}"
    hint = (
        "; to learn from one modality alone, use the recipe 'default-pictures' or 'default-profiles'"
        if all(needs)
        else ""
    )
    return f"{data.path}: {len(train)} particles have {what.get(needs, 'anything')}{part}, at least 2 are needed{hint}"
