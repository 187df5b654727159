"""Lineages: a taxon as seven names, and which of them two taxa have to share to count as the same at a rank."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from seston.taxonomy import RANKS, Taxon

__all__ = ["NO_LINEAGE", "RULES", "Lineage", "RankKeys", "lineage_of"]

Lineage = tuple[str, ...]
"""Accepted names from kingdom to species (a species as binomial), as long as `RANKS`; empty where a rank is missing."""
RankKeys = tuple[Hashable | None, ...]
"""What a lineage is called at each rank; None where it has no name there."""

NO_LINEAGE: Lineage = ("",) * len(RANKS)
"""What is no organism, or of a kind that nobody knows."""


def lineage_of(taxon: Taxon | None) -> Lineage:
    """Give the lineage of what a label means."""
    return NO_LINEAGE if taxon is None else tuple(taxon.lineage.get(rank, "") for rank in RANKS)


def _by_known_ranks(lineage: Lineage) -> RankKeys:
    """Name each rank that the lineage has, with its kingdom: genera of two kingdoms may share a name."""
    return tuple((lineage[0], name) if name else None for name in lineage)


def _by_first_words(lineage: Lineage) -> RankKeys:
    """Cut the names one after the other to the first 1, 2, …, 7."""
    words = tuple(name for name in lineage if name)
    return tuple(words[: place + 1] for place in range(len(RANKS)))


RULES: Mapping[str, Callable[[Lineage], RankKeys]] = {
    "known-ranks": _by_known_ranks,
    "first-words": _by_first_words,
}
"""Name → how lineages are compared at a rank.

``known-ranks``: a particle counts at a rank only where its truth has that rank; a prediction without it abstains there,
and is wrong. ``first-words``: as Planktonzilla was evaluated (arXiv 2606.00080, its notebook): lineages as strings, cut
to the first k words, of every particle at every rank, so that a truth which ends at the family counts at the species
too, as right where the prediction ends there as well.
"""
