"""The classes of a head sorted into groups, rank by rank, so that their probabilities can be added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.taxonomy import RANKS

__all__ = ["LABEL", "Groups", "KnownClass", "group_classes"]

LABEL = "label"
"""The narrowest rank: the classes themselves."""


class KnownClass(msgspec.Struct, frozen=True, kw_only=True):
    """A class that a head knows."""

    label: str
    """As its collection, or whoever labelled the training particles, writes it."""
    source: str = ""
    """The collection."""
    taxon: str | None = None
    """Accepted name of what it means; None where it means no taxon."""
    kind: str = "living"
    lineage: dict[str, str] = {}
    """Rank → name, from kingdom to species, as far as the label goes."""


@dataclass(frozen=True)
class Groups:
    """The groups of one rank, and which classes belong to each."""

    rank: str
    names: tuple[str, ...]
    member: NDArray[np.float64]
    """(classes, groups): 1 where the class belongs to the group."""
    taxa: tuple[str | None, ...]
    """Accepted name of each group; None for a kind (``artefact``) and for a label that means no taxon."""

    def best(self, shares: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give the likeliest group of each particle, and how likely it is.

        Parameters
        ----------
        shares
            (N, classes) probabilities; those of the classes of a group are added up.
        """
        of_groups = np.minimum(shares @ self.member, 1.0)
        place = of_groups.argmax(axis=1)
        return place, of_groups[np.arange(len(of_groups)), place]

    def of_classes(self) -> NDArray[np.int64]:
        """Give the group of each class; −1 where it has none at this rank."""
        return np.where(self.member.any(axis=1), self.member.argmax(axis=1), -1)


def group_classes(classes: Sequence[KnownClass]) -> tuple[Groups, ...]:
    """Sort classes into groups, from the narrowest rank, the label, to the kingdom.

    A class that means no taxon stands in the group of its kind (``artefact``, ``detritus``) at the rank of kingdom, and
    one that is known to a wide rank only in no group of the narrower ones. Ranks at which no class has a group are left
    out.
    """
    labels = Groups(
        LABEL, tuple(one.label for one in classes), np.eye(len(classes)), tuple(one.taxon for one in classes)
    )
    ranks = (_of_rank(classes, rank) for rank in reversed(RANKS))
    return (labels, *(groups for groups in ranks if groups.names))


def _of_rank(classes: Sequence[KnownClass], rank: str) -> Groups:
    found = [one.lineage.get(rank) or (one.kind if rank == RANKS[0] else None) for one in classes]
    taxa = {one.lineage[rank] for one in classes if one.lineage.get(rank)}
    names = sorted({name for name in found if name is not None})
    member = np.zeros((len(classes), len(names)))
    for row, name in enumerate(found):
        if name is not None:
            member[row, names.index(name)] = 1
    return Groups(rank, tuple(names), member, tuple(name if name in taxa else None for name in names))
