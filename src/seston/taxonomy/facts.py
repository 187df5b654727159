"""The table of taxa: names, ranks, parents and identifiers, and the tree that they make."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from seston.errors import InputError
from seston.taxonomy.taxon import RANKS

__all__ = ["COLUMNS", "RANK_ORDER", "Fact", "Facts", "built_in_facts", "read_facts"]

COLUMNS = ("name", "rank", "parent", "aphia_id", "status", "accepted_name", "source")
"""Columns of a table of taxa, tab-separated, in this order."""

RANK_ORDER = (
    "root",
    "domain",
    "kingdom",
    "subkingdom",
    "infrakingdom",
    "superphylum",
    "phylum",
    "subphylum",
    "infraphylum",
    "parvphylum",
    "gigaclass",
    "megaclass",
    "superclass",
    "class",
    "subclass",
    "infraclass",
    "superorder",
    "order",
    "suborder",
    "infraorder",
    "parvorder",
    "section",
    "superfamily",
    "family",
    "subfamily",
    "tribe",
    "genus",
    "subgenus",
    "species",
    "subspecies",
    "variety",
    "forma",
)
"""Every rank, from the widest to the narrowest."""

_WIDTH = {rank: position for position, rank in enumerate(RANK_ORDER)}
_ID_CEILING = 10_000_000
_STATUSES = ("accepted", "unaccepted")


@dataclass(frozen=True, slots=True)
class Fact:
    """One name of the table."""

    name: str
    rank: str
    parent: str
    """Name of the taxon right above; empty for the root, and for a name that is not accepted."""
    aphia_id: int | None
    status: str
    """``accepted``, or ``unaccepted``: then `accepted_name` is the name to use."""
    accepted_name: str
    source: str
    """Where the fact is from."""


class Facts:
    """The tree of taxa.

    A name may stand for several taxa (homonyms); each of them is a `Fact`.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        by_name: dict[str, list[Fact]] = {}
        for fact in facts:
            by_name.setdefault(fact.name.lower(), []).append(fact)
        self._by_name: Mapping[str, tuple[Fact, ...]] = MappingProxyType(
            {name: tuple(same) for name, same in by_name.items()}
        )
        self._paths: dict[Fact, tuple[Fact, ...]] = {}

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
        """Give the accepted taxon of a fact: itself, or the one that its name is a synonym of."""
        if fact.status == "accepted":
            return fact
        same = [one for one in self.find(fact.accepted_name) if one.status == "accepted"]
        nearest = sorted(same, key=lambda one: abs(_WIDTH[one.rank] - _WIDTH[fact.rank]))
        return nearest[0] if nearest else fact

    def path(self, fact: Fact) -> tuple[Fact, ...]:
        """Give the accepted taxon and all above it, from the widest to itself."""
        known = self._paths.get(fact)
        if known is not None:
            return known
        below: list[Fact] = []
        one: Fact | None = self.accepted(fact)
        while one is not None and one not in below:
            below.append(one)
            one = self._parent(one)
        path = tuple(reversed(below))
        self._paths[fact] = path
        return path

    def lineage(self, fact: Fact) -> dict[str, str]:
        """Give the seven-rank lineage of a fact: rank → name, as far as known."""
        return {one.rank: one.name for one in self.path(fact) if one.rank in RANKS}

    def common_ancestor(self, facts: Iterable[Fact]) -> Fact | None:
        """Give the narrowest taxon that holds all of them; None where only the root does, or for none at all."""
        paths = [self.path(fact) for fact in facts]
        shared: Fact | None = None
        for level in zip(*paths, strict=False):
            if len(set(level)) > 1:
                break
            shared = level[0]
        return shared

    def _parent(self, fact: Fact) -> Fact | None:
        """Among homonyms the parent is the narrowest that is wider than the taxon itself."""
        wider = [
            one for one in self.find(fact.parent) if one.status == "accepted" and _WIDTH[one.rank] < _WIDTH[fact.rank]
        ]
        return max(wider, key=lambda one: _WIDTH[one.rank]) if wider else None


@lru_cache(maxsize=1)
def built_in_facts() -> Facts:
    """Read the table of taxa that comes with Seston."""
    text = resources.files("seston.taxonomy").joinpath("facts.tsv").read_text(encoding="utf-8")
    return Facts(_rows(text.splitlines(), "facts.tsv"))


def read_facts(path: Path) -> list[Fact]:
    """Read a table of taxa in the same form.

    Raises
    ------
    InputError
        If a column is missing, or a row is not of the form.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return list(_rows(file, str(path)))


def _rows(lines: Iterable[str], where: str) -> Iterator[Fact]:
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = tuple(next(rows, ()))
    if header != COLUMNS:
        raise InputError(f"{where}: the first line has to name the columns {', '.join(COLUMNS)}, separated by tabs")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(COLUMNS):
            raise InputError(f"{where}, line {number}: {len(row)} columns where there should be {len(COLUMNS)}")
        name, rank, parent, aphia_id, status, accepted_name, source = row
        if rank not in _WIDTH:
            raise InputError(f"{where}, line {number}: {rank!r} is no rank; there are: {', '.join(RANK_ORDER)}")
        if status not in _STATUSES:
            raise InputError(f"{where}, line {number}: {status!r} is no status; there are: {', '.join(_STATUSES)}")
        if aphia_id and not (aphia_id.isascii() and aphia_id.isdigit() and int(aphia_id[:9]) < _ID_CEILING):
            raise InputError(f"{where}, line {number}: {aphia_id!r} is no AphiaID")
        yield Fact(name, rank, parent, int(aphia_id) if aphia_id else None, status, accepted_name, source)
