"""Classes as a tree: which of them make up each taxon at each rank, and which are coarse names of finer ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.taxonomy import RANKS
from seston.training.classes import Classes

__all__ = ["ClassTree", "RankProbabilities", "class_tree", "rank_probabilities"]


@dataclass(frozen=True)
class ClassTree:
    """The taxa of some classes, rank by rank."""

    taxa: tuple[tuple[str, ...], ...]
    """For each of the seven ranks, the names of the taxa, in alphabetical order of their paths."""
    members: NDArray[np.int64]
    """(7, K): the number of the taxon that each class belongs to at each rank, -1 where it has none."""
    coarse: NDArray[np.bool_]
    """(K,): whether a class is the whole of a taxon of which other classes are parts."""


@dataclass(frozen=True)
class RankProbabilities:
    """What a classifier says at one rank."""

    rank: str
    names: tuple[str, ...]
    probabilities: NDArray[np.float32]
    """(N, taxa): what is left to 1 belongs to classes that have no taxon at this rank."""


def class_tree(classes: Classes) -> ClassTree:
    """Arrange classes by the paths of their taxa; two taxa are one where all names above them agree too."""
    taxa, members = [], np.full((len(RANKS), len(classes)), -1, np.int64)
    for rank in range(len(RANKS)):
        paths = [path[: rank + 1] if path[rank] is not None else None for path in classes.paths]
        known = sorted({path for path in paths if path is not None}, key=lambda path: [name or "" for name in path])
        number_of = {path: number for number, path in enumerate(known)}
        taxa.append(tuple(str(path[-1]) for path in known))
        members[rank] = [-1 if path is None else number_of[path] for path in paths]
    return ClassTree(tuple(taxa), members, np.array([_is_coarse(classes, k) for k in range(len(classes))], np.bool_))


def rank_probabilities(
    probabilities: NDArray[np.floating], classes: Classes, tree: ClassTree | None = None
) -> list[RankProbabilities]:
    """Add the probabilities of classes up to those of taxa, at each rank.

    Parameters
    ----------
    probabilities
        (N, K).
    classes
        The K classes.
    tree
        Of the classes, where it is at hand.
    """
    tree = tree or class_tree(classes)
    made = []
    for rank, names, members in zip(RANKS, tree.taxa, tree.members, strict=True):
        belongs = (members[:, None] == np.arange(len(names))[None, :]).astype(np.float32)
        made.append(RankProbabilities(rank, names, np.asarray(probabilities, np.float32) @ belongs))
    return made


def _is_coarse(classes: Classes, number: int) -> bool:
    """Tell whether a class is just a taxon, no stage or part of it, and another class stands below it."""
    path = [name for name in classes.paths[number] if name is not None]
    if not path or classes.stages[number] or classes.parts[number] or classes.kinds[number] != "living":
        return False
    depth = max(rank for rank, name in enumerate(classes.paths[number]) if name is not None)
    return any(
        other != number
        and path_of_other[: depth + 1] == classes.paths[number][: depth + 1]
        and any(name is not None for name in path_of_other[depth + 1 :])
        for other, path_of_other in enumerate(classes.paths)
    )
