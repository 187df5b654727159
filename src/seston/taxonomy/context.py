"""What the same words mean in different places: homonyms, and children of EcoTaxa whose parent got lost."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from seston.taxonomy.fact_files import Fact
from seston.taxonomy.tree import TaxonTree

__all__ = ["Rule", "rules_for", "traits_of"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a phrase means in sources with a certain trait."""

    phrase: str
    where: str
    """A trait of a source, or ``any``."""
    within: str
    """Where the phrase is a homonym: the taxon that the right one belongs to."""
    taxon: str
    """Else the taxon to take in place of what the words say."""
    note: str

    def choose(self, facts: tuple[Fact, ...], tree: TaxonTree) -> tuple[Fact, ...]:
        """Give the taxon that the phrase means, out of those that bear the name."""
        if self.taxon:
            return tree.find(self.taxon)[:1]
        return tuple(fact for fact in facts if any(one.name == self.within for one in tree.path(fact)))


@lru_cache(maxsize=1024)
def traits_of(source: str) -> frozenset[str]:
    """Say what is known of a source by its name: its instrument, and where that is used."""
    name = source.lower()
    return frozenset(trait for pattern, traits in _sources() if pattern in name for trait in traits) | {"any"}


def rules_for(phrase: str, source: str) -> Iterator[Rule]:
    """Give the rules for a phrase that hold in a source, those of a trait before those of any."""
    same = _rules().get(phrase)
    return iter(()) if same is None else (rule for rule in same if rule.where in traits_of(source))


@lru_cache(maxsize=1)
def _rules() -> dict[str, list[Rule]]:
    rules: dict[str, list[Rule]] = {}
    for row in _rows("context.tsv"):
        rule = Rule(row["phrase"], row["where"], row["within"], row["taxon"], row["note"])
        rules.setdefault(rule.phrase, []).append(rule)
    for same in rules.values():
        same.sort(key=lambda rule: rule.where == "any")
    return rules


@lru_cache(maxsize=1)
def _sources() -> list[tuple[str, frozenset[str]]]:
    return [(row["pattern"], frozenset(row["traits"].split())) for row in _rows("sources.tsv")]


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("seston.taxonomy").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
