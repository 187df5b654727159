"""From the scores of classes to a name: the narrowest that is likely enough, from the label up to the kingdom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.recognition.box_files import BoxClass
from seston.taxonomy import RANKS

__all__ = ["LABEL", "Groups", "group_classes"]

LABEL = "label"
"""The narrowest rank: the classes themselves."""


@dataclass(frozen=True)
class Groups:
    """The groups of one rank, and which classes belong to each."""

    rank: str
    names: tuple[str, ...]
    member: NDArray[np.float64]
    """(classes, groups): 1 where the class belongs to the group."""

    def best(self, shares: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give the likeliest group of each particle, and how likely it is.

        Parameters
        ----------
        shares
            (N, classes) probabilities; those of the classes of a group are added up.
        """
        of_groups = shares @ self.member
        place = of_groups.argmax(axis=1)
        return place, of_groups[np.arange(len(of_groups)), place]

    def of_classes(self) -> NDArray[np.int64]:
        """Give the group of each class; −1 where it has none at this rank."""
        return np.where(self.member.any(axis=1), self.member.argmax(axis=1), -1)


def group_classes(classes: Sequence[BoxClass]) -> tuple[Groups, ...]:
    """Sort classes into groups, from the narrowest rank, the label, to the kingdom.

    A class that means no taxon stands in the group of its kind (``artefact``, ``detritus``) at the rank of kingdom, and
    one that is known to a wide rank only in no group of the narrower ones.
    """
    labels = Groups(LABEL, tuple(one.label for one in classes), np.eye(len(classes)))
    return (labels, *(_of_rank(classes, rank) for rank in reversed(RANKS)))


def _of_rank(classes: Sequence[BoxClass], rank: str) -> Groups:
    found = [one.lineage.get(rank) or (one.kind if rank == RANKS[0] else None) for one in classes]
    names = sorted({name for name in found if name is not None})
    member = np.zeros((len(classes), len(names)))
    for row, name in enumerate(found):
        if name is not None:
            member[row, names.index(name)] = 1
    return Groups(rank, tuple(names), member)
