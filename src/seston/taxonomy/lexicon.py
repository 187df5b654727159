"""Every word and phrase that a label may be made of: the names of taxa, and the vocabulary around them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from seston.errors import InputError
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.tree import TaxonTree
from seston.taxonomy.words import words_of

__all__ = ["Entry", "Lexicon", "Role", "name_entry"]

Role = Literal["taxon", "stage", "part", "shape", "state", "qualifier", "kind", "link", "ignore"]
"""What a word does in a label; the page on labels explains each."""

_ROLES: dict[str, Role] = {role: role for role in get_args(Role)}
_VOCABULARY = "vocabulary.tsv"
_COLUMNS = ["words", "role", "value", "taxon", "kind", "case"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a word or phrase means."""

    role: Role
    value: str = ""
    facts: tuple[Fact, ...] = ()
    """The taxon that it names, or that it lets suppose; several for a homonym."""
    kind: str = ""
    genus: str = ""
    """The genus of a scientific name, in lower case, where it is one of a genus or species."""
    informal: bool = False
    """Whether it is a word of the vocabulary and no scientific name."""


def name_entry(facts: tuple[Fact, ...]) -> Entry:
    """Make the entry of a scientific name."""
    name = facts[0].name.lower().partition(" ")[0]
    of_genus = any(fact.rank in ("genus", "species") for fact in facts)
    return Entry("taxon", facts=facts, kind="living", genus=name if of_genus else "")


class Lexicon:
    """Phrases, in lower case with single blanks, and what they mean.

    Parameters
    ----------
    tree
        The taxa.
    """

    def __init__(self, tree: TaxonTree) -> None:
        self.tree = tree
        self.entries: dict[str, Entry] = {}
        self.small: dict[str, Entry] = {}
        """Phrases that mean something else where they begin with a small letter."""
        self.longest: dict[str, int] = {}
        """First word → number of words of the longest phrase that begins with it."""
        self.species_of: dict[str, list[Fact]] = {}
        """Genus → its species, accepted or not, by name."""
        self.short_names: dict[tuple[str, str], list[Fact]] = {}
        """First letter of a genus, and epithet → species."""
        for fact in tree:
            self._add_fact(fact)
        for phrase, entry, small in _vocabulary(tree):
            self._add(phrase, entry, self.small if small else self.entries)
        self.informal = frozenset(phrase for phrase, entry in (self.entries | self.small).items() if entry.informal)
        """Words and phrases of the vocabulary, as they are read where they begin with a small letter."""

    def find(self, phrase: str, *, capital: bool) -> Entry | None:
        """Give what a phrase means; some mean another thing where they begin with a capital letter."""
        if not capital and phrase in self.small:
            return self.small[phrase]
        return self.entries.get(phrase)

    def _add_fact(self, fact: Fact) -> None:
        words = [word.text for word in words_of(fact.name)]
        if not words:
            return
        self._add(" ".join(words), name_entry(self.tree.find(fact.name)), self.entries)
        if "-" in fact.name:
            joined = [word.text for word in words_of(fact.name.replace("-", ""))]
            self.entries.setdefault(" ".join(joined), self.entries[" ".join(words)])
            self.longest[joined[0]] = max(self.longest.get(joined[0], 0), len(joined))
        if fact.rank == "species" and " " in fact.name:
            genus, epithet = fact.name.lower().split(" ", 1)
            self.species_of.setdefault(genus, []).append(fact)
            self.short_names.setdefault((genus[0], epithet), []).append(fact)

    def _add(self, phrase: str, entry: Entry, entries: dict[str, Entry]) -> None:
        entries[phrase] = entry
        first, _, rest = phrase.partition(" ")
        self.longest[first] = max(self.longest.get(first, 0), 1 + (rest.count(" ") + 1 if rest else 0))


def _vocabulary(tree: TaxonTree) -> Iterator[tuple[str, Entry, bool]]:
    """Give each phrase of the vocabulary, what it means, and whether only where it begins with a small letter."""
    text = resources.files("seston.taxonomy").joinpath(_VOCABULARY).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    if rows.fieldnames != _COLUMNS:
        raise InputError(f"{_VOCABULARY}: the columns should be {', '.join(_COLUMNS)}")
    for row in rows:
        role = _ROLES.get(row["role"])
        if role is None:
            raise InputError(f"{_VOCABULARY}: {row['words']}: {row['role']!r} is no role")
        facts = tree.find(row["taxon"])[:1] if row["taxon"] else ()
        if role == "taxon" and not facts:  # a tree of few taxa: the word still tells that something lives
            role = "kind"
        entry = Entry(role, row["value"], facts, row["kind"], informal=True)
        for words in row["words"].split("|"):
            yield words, entry, row["case"] == "lower"
