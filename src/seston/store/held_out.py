"""What a split keeps for the test on purpose: whole collections, or classes that are never learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word

__all__ = ["HeldOut", "hold_out"]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Particles that are tested with in every fold, and those that must then be left out."""

    test: NDArray[np.bool_]
    left_out: NDArray[np.bool_]
    """Particles elsewhere that repeat one of the test's, byte for byte."""
    notes: tuple[str, ...] = ()
    settings: dict[str, str | int | float] = field(default_factory=dict)


def hold_out(
    *,
    sources: Sequence[str],
    labels: Sequence[str | None],
    twins: NDArray[np.int64],
    collections: Sequence[str] = (),
    unseen: int = 0,
    classes: Sequence[str] = (),
    seed: int = 42,
) -> HeldOut:
    """Choose what is for the test alone.

    Parameters
    ----------
    sources, labels
        Of each particle.
    twins
        For each particle the row of the first particle that it is tied to by equal content.
    collections
        Sources of which all particles are for the test: a test on another instrument, or on other hands.
    unseen
        How many classes are for the test, drawn at random from all that have a label.
    classes
        Further classes that are for the test, by their labels.
    seed
        For that draw.

    Raises
    ------
    UsageError
        A source or class that there is not, with the nearest name; all sources; or more classes than can be spared.
    """
    test = np.zeros(len(sources), np.bool_)
    notes: list[str] = []
    settings: dict[str, str | int | float] = {}
    if collections:
        test |= _of_collections(sources, collections)
        notes.append(f"test is the collection {', '.join(dict.fromkeys(collections))}")
        settings["hold_out"] = "; ".join(dict.fromkeys(collections))
    if unseen or classes:
        names = _unseen_classes(labels, unseen, classes, seed)
        chosen = set(names)
        test |= np.array([label in chosen for label in labels], np.bool_)
        notes.append(f"{len(names)} classes are in the test only (the card names them)")
        settings["unseen"] = "\n".join(names)
    repeated = np.zeros(len(test), np.bool_)
    repeated[twins[test]] = True
    left_out = repeated[twins] & ~test
    if number := int(left_out.sum()):
        notes.append(f"{number:,} particles that repeat one of the test are left out")
    return HeldOut(test, left_out, tuple(notes), settings)


def _of_collections(sources: Sequence[str], collections: Sequence[str]) -> NDArray[np.bool_]:
    known = set(sources)
    for name in collections:
        if name not in known:
            raise UsageError(f"no particle came with a source {name!r}{nearest_word(name, known)}")
    if not known - set(collections):
        raise UsageError("all sources of the data set are held out, so nothing is left to train with; hold out fewer")
    wanted = set(collections)
    return np.array([source in wanted for source in sources], np.bool_)


def _unseen_classes(labels: Sequence[str | None], number: int, classes: Sequence[str], seed: int) -> list[str]:
    names = sorted({label for label in labels if label is not None})
    for label in classes:
        if label not in names:
            raise UsageError(f"no particle has the label {label!r}{nearest_word(label, names)}")
    named = set(classes)
    others = [name for name in names if name not in named]
    if number > len(others) - 2 or not others:
        wanted = f"{number + len(named)} unseen classes"
        raise UsageError(f"{wanted}: the data set has {len(names)}, of which two at least must be seen")
    drawn = np.random.default_rng(seed).choice(len(others), number, replace=False).tolist() if number else []
    return sorted([*named, *(others[place] for place in drawn)])
