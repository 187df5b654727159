"""Which labelled particles form the gallery and which are asked about."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError

__all__ = ["Draw", "Sides", "nested_draws", "paper_draws", "sides_of"]


@dataclass(frozen=True, slots=True)
class Draw:
    """One gallery and its queries, as row numbers of the labelled particles."""

    n: int
    repeat: int
    gallery: NDArray[np.int64]
    queries: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sides:
    """Particles from which galleries are drawn, and particles to ask about; never both."""

    gallery: NDArray[np.int64]
    queries: NDArray[np.int64]
    grouped: bool
    """Whether both sides come from different samples."""
    note: str
    left_out: dict[str, str]
    """Class → why it takes no part."""


def sides_of(
    labels: NDArray[np.str_],
    samples: Sequence[str],
    largest: int,
    *,
    gallery: NDArray[np.bool_] | None = None,
    queries: NDArray[np.bool_] | None = None,
    grouped: bool = False,
    note: str = "",
    seed: int = 0,
) -> Sides:
    """Decide which particles galleries are drawn from, which are queries, and which classes take part.

    Both sides are given where a saved split says so. Otherwise half of the samples, at random, give galleries and
    the others queries; where that would leave fewer than two classes, half of the particles of each class do, and the
    note says that this is optimistic.

    Parameters
    ----------
    labels, samples
        Of each labelled particle.
    largest
        The largest number of gallery particles a class: classes with no more than that many particles (with a saved
        split or split by sample: fewer on the gallery's side, or none on the queries') are left out, for every n, so
        that all galleries are asked the same queries.

    Raises
    ------
    UsageError
        Where fewer than two classes remain.
    """
    if gallery is None or queries is None:
        gallery, queries, grouped, note = _by_sample(labels, samples, largest, seed)
        if not grouped:
            gallery, queries, note = _by_particle(labels, largest, seed)
    kept, left_out = _classes(labels, gallery, queries, largest)
    if len(kept) < 2:
        reason = next(iter(left_out.values()), "there is no label")
        raise UsageError(
            f"evaluation: fewer than two classes have enough labelled particles for a gallery of {largest} each "
            f"({reason}); take a smaller n, or label more"
        )
    inside = np.isin(labels, kept)
    return Sides(np.flatnonzero(gallery & inside), np.flatnonzero(queries & inside), grouped, note, left_out)


def _classes(
    labels: NDArray[np.str_], gallery: NDArray[np.bool_], queries: NDArray[np.bool_], largest: int
) -> tuple[list[str], dict[str, str]]:
    kept, left_out = [], {}
    for name in np.unique(labels):
        is_class = labels == name
        on_both = int((is_class & gallery).sum()), int((is_class & queries).sum())
        if int(is_class.sum()) <= largest:
            left_out[str(name)] = f"{name} has {int(is_class.sum())} particles in all"
        elif on_both[0] < largest:
            left_out[str(name)] = f"{name} has {on_both[0]} particles on the gallery's side"
        elif not on_both[1]:
            left_out[str(name)] = f"{name} has no particle to ask about"
        else:
            kept.append(str(name))
    return kept, left_out


def _by_sample(
    labels: NDArray[np.str_], samples: Sequence[str], largest: int, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], bool, str]:
    of_particle = np.asarray(samples)
    names = np.unique(of_particle)
    shuffled = np.random.default_rng(seed).permutation(names)
    gallery = np.isin(of_particle, shuffled[: (len(names) + 1) // 2])
    kept, left_out = _classes(labels, gallery, ~gallery, largest)
    fits = len(names) > 1 and len(kept) >= 2 and len(kept) >= len(left_out)
    return gallery, ~gallery, fits, "gallery and queries from different samples, halved at random"


def _by_particle(labels: NDArray[np.str_], largest: int, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], str]:
    generator = np.random.default_rng(seed)
    gallery = np.zeros(len(labels), np.bool_)
    for name in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == name))
        gallery[rows[: max(largest, len(rows) // 2)]] = True
    return gallery, ~gallery, "image-level, optimistic: gallery and queries come from the same samples"


def nested_draws(labels: NDArray[np.str_], sides: Sides, n: Sequence[int], repeats: int, seed: int) -> list[Draw]:
    """Draw galleries of which each holds the smaller ones, all with the same queries.

    In each repeat the particles of a class are shuffled once; a gallery of n takes the first n of each class.
    """
    draws = []
    for repeat in range(repeats):
        generator = np.random.default_rng([seed, repeat])
        orders = [
            generator.permutation(sides.gallery[labels[sides.gallery] == name])
            for name in np.unique(labels[sides.gallery])
        ]
        draws += [
            Draw(number, repeat, np.concatenate([order[:number] for order in orders]), sides.queries) for number in n
        ]
    return draws


def paper_draws(
    labels: Sequence[str],
    gallery_rows: Sequence[int],
    query_rows: Sequence[int] | None,
    n: int,
    repeats: int,
    seed: int,
) -> list[Draw]:
    """Draw galleries as the paper's code does (arXiv 2603.16427; see its section on the benchmark).

    Python's own generator is seeded once for each model, fold and n, and the repeats go on with its stream; classes
    come in sorted order, of each min(n, size) particles are drawn without replacement. Without a test side (one
    pool), all particles that were not drawn are queries.

    Parameters
    ----------
    labels
        Of all particles.
    gallery_rows
        Rows to draw from: the fold's training part, or the whole pool.
    query_rows
        The fold's test part, or None for one pool.
    """
    by_class: Mapping[str, list[int]] = {
        name: [row for row in gallery_rows if labels[row] == name]
        for name in sorted({labels[row] for row in gallery_rows})
    }
    stream = random.Random(seed)
    draws = []
    for repeat in range(repeats):
        drawn = [row for rows in by_class.values() for row in stream.sample(rows, min(n, len(rows)))]
        inside = set(drawn)
        asked = [row for row in gallery_rows if row not in inside] if query_rows is None else query_rows
        draws.append(Draw(n, repeat, np.array(drawn, np.int64), np.array(asked, np.int64)))
    return draws
