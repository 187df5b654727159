"""The tree of taxa that tables of facts make: names, synonyms, homonyms, lineages, common ancestors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from seston.taxonomy.fact_files import Fact
from seston.taxonomy.ranks import RANK_ORDER
from seston.taxonomy.taxon import RANKS

__all__ = ["TaxonTree", "width"]

_WIDTH = {rank: position for position, rank in enumerate(RANK_ORDER)}
_ROOT = "root"


class TaxonTree:
    """Taxa by name, and what stands above each.

    A name may stand for several taxa (homonyms): each of them is a `Fact`.

    Parameters
    ----------
    facts
        What is known; a name that comes later does not replace an earlier one.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        by_name: dict[str, list[Fact]] = {}
        for fact in facts:
            by_name.setdefault(fact.name.lower(), []).append(fact)
        self._by_name: Mapping[str, tuple[Fact, ...]] = MappingProxyType(
            {name: tuple(same) for name, same in by_name.items()}
        )
        self._paths: dict[Fact, tuple[Fact, ...]] = {}
        self._lineages: dict[Fact, Mapping[str, str]] = {}

    def __iter__(self) -> Iterator[Fact]:
        for same in self._by_name.values():
            yield from same

    def __len__(self) -> int:
        return sum(len(same) for same in self._by_name.values())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name

    def find(self, name: str) -> tuple[Fact, ...]:
        """Give the facts of that name, case aside, accepted or not: several for a homonym, none for an unknown one."""
        return self._by_name.get(name.lower(), ())

    def accepted(self, fact: Fact) -> Fact:
        """Give the accepted taxon of a fact: itself, or the one that its name is a synonym of.

        A fact that is neither accepted nor leads to an accepted one stands for itself.
        """
        if fact.status == "accepted" or not fact.accepted_name:
            return fact
        same = [one for one in self.find(fact.accepted_name) if one.status == "accepted"]
        return min(same, key=lambda one: abs(width(one) - width(fact)), default=fact)

    def path(self, fact: Fact) -> tuple[Fact, ...]:
        """Give the accepted taxon and all above it, from the widest to itself."""
        known = self._paths.get(fact)
        return self._walk(fact) if known is None else known

    def lineage(self, fact: Fact) -> Mapping[str, str]:
        """Give the seven-rank lineage of a fact: rank → name, as far as known."""
        known = self._lineages.get(fact)
        if known is None:
            known = MappingProxyType({one.rank: one.name for one in self.path(fact) if one.rank in RANKS})
            self._lineages[fact] = known
        return known

    def holds(self, wider: Fact, narrower: Fact) -> bool:
        """Say whether the first is the second, or stands above it."""
        return self.accepted(wider) in self.path(narrower)

    def common_ancestor(self, facts: Iterable[Fact]) -> Fact | None:
        """Give the narrowest taxon that holds all of them; None where only the root does, or for none at all."""
        shared: Fact | None = None
        for level in zip(*(self.path(fact) for fact in facts), strict=False):
            if len(set(level)) > 1:
                break
            shared = level[0]
        return None if shared is None or shared.rank == _ROOT else shared

    def _walk(self, fact: Fact) -> tuple[Fact, ...]:
        """Go up from a fact to the first whose path is known, and keep the paths of all on the way."""
        one: Fact | None = self.accepted(fact)
        upwards: list[Fact] = []
        above: tuple[Fact, ...] = ()
        while one is not None and one not in upwards:
            above = self._paths.get(one, ())
            if above:
                break
            upwards.append(one)
            one = self._above(one)
        path = (*above, *reversed(upwards))
        if one is None or above:  # in a ring of parents each has a path of its own
            self._paths.update((each, path[: len(path) - below]) for below, each in enumerate(upwards))
            self._paths[fact] = path
        return path

    def _above(self, fact: Fact) -> Fact | None:
        """Among homonyms the parent is the narrowest that is no narrower than the taxon itself."""
        wider = [
            one
            for one in self.find(fact.parent)
            if one.status == "accepted" and one is not fact and width(one) <= width(fact)
        ]
        return max(wider, key=width, default=None)


def width(fact: Fact) -> int:
    """Place of the rank of a fact in `RANK_ORDER`; behind all of them where the rank is none of these."""
    return _WIDTH.get(fact.rank, len(RANK_ORDER))
