"""Everyday forms of scientific names: amphipods, ctenophore, sergestid."""

from __future__ import annotations

from functools import cached_property

from seston.taxonomy.fact_files import Fact
from seston.taxonomy.tree import TaxonTree

__all__ = ["EverydayForms"]

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


class EverydayForms:
    """Everyday forms of the names above the genus: ``cyclopid`` is no *Cyclops*.

    Parameters
    ----------
    tree
        The taxa.
    """

    def __init__(self, tree: TaxonTree) -> None:
        self._tree = tree

    def find(self, word: str) -> tuple[Fact, ...]:
        """Give the taxa that a form stands for, such as ``amphipods`` for Amphipoda; none if it is no such form."""
        singular = word[:-1] if word.endswith("s") else word
        if len(singular) < _SHORTEST or word.endswith("ides"):  # Calanoides and Scyllarides are genera
            return ()
        return self._formal.get(singular, ())

    @cached_property
    def _formal(self) -> dict[str, tuple[Fact, ...]]:
        above: dict[str, list[Fact]] = {}
        for fact in self._tree:
            if fact.rank not in ("genus", "species"):
                above.setdefault(fact.name.lower(), []).append(fact)
        formal: dict[str, tuple[Fact, ...]] = {}
        for ending, instead in _ENDINGS:
            for name, facts in above.items():
                if name.endswith(instead):
                    formal.setdefault(name.removesuffix(instead) + ending, tuple(facts))
        return formal
