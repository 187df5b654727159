"""Everyday forms of scientific names: amphipods, ctenophore, sergestid."""

from __future__ import annotations

from seston.taxonomy.fact_files import Fact
from seston.taxonomy.tree import TaxonTree

__all__ = ["formal_names"]

_ENDINGS = (
    ("", "a"),  # amphipod, ostracod, cydippid: Amphipoda, Ostracoda, Cydippida
    ("e", "a"),  # ctenophore, lobate: Ctenophora, Lobata
    ("e", "ae"),  # siphonophore: Siphonophorae
    ("an", "a"),  # crustacean, caridean: Crustacea, Caridea
    ("n", ""),  # hydrozoan: Hydrozoa
    ("n", "e"),  # calycophoran: Calycophorae
    ("", "ae"),  # sergestid: Sergestidae
    ("id", "aceae"),  # rhizosolenid: Rhizosoleniaceae
    ("id", "iaceae"),
    ("yte", "yta"),  # charophyte: Charophyta
    ("yte", "yceae"),  # xanthophyte: Xanthophyceae
    ("", "ea"),
)
"""What an everyday form ends in, and what the name ends in instead; the first that gives a name counts."""

_SHORTEST = 5


def formal_names(word: str, tree: TaxonTree) -> tuple[Fact, ...]:
    """Give the taxa that an everyday form stands for, such as ``amphipods`` for Amphipoda; none if it is no such form.

    Only names above the genus are given: ``cyclopid`` is no *Cyclops*.
    """
    singular = word[:-1] if word.endswith("s") else word
    if len(singular) < _SHORTEST or word.endswith("ides"):  # Calanoides and Scyllarides are genera
        return ()
    for ending, instead in _ENDINGS:
        if singular.endswith(ending):
            found = tree.find(singular[: len(singular) - len(ending)] + instead)
            above = tuple(fact for fact in found if fact.rank not in ("genus", "species"))
            if above:
                return above
    return ()
