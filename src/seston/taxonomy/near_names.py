"""Names near to what a label says: with another ending, misspelt, or only begun."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property

from seston.taxonomy.fact_files import Fact
from seston.taxonomy.lexicon import Entry, Lexicon
from seston.taxonomy.spelling import Speller, nearest_of
from seston.taxonomy.words import Word

__all__ = ["NearNames"]

_SHORTEST_SPELT = 7
_SHORTEST_STEM = 3
_MOST_REMEMBERED = 100_000
_AFTER_ALL = "\uffff"
_EPITHET_ENDINGS = ("ensis", "ense", "us", "um", "is", "ii", "a", "e", "i")


@dataclass(slots=True)
class _Epithets:
    """The species of a genus."""

    known: dict[str, Fact]
    by_stem: dict[str, list[Fact]] = field(default_factory=dict)


class NearNames:
    """Looks for known names that resemble a word.

    Parameters
    ----------
    lexicon
        The names and words that are known.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._tree = lexicon.tree
        self._epithets: dict[str, _Epithets] = {}
        self._spelt: dict[tuple[str, bool], list[str]] = {}

    def entry(self, word: Word) -> tuple[str, Entry] | None:
        """Give the one known name or word that a misspelt word may be; None where several mean different things.

        A word in the form of a name is none of the vocabulary.
        """
        key = (word.text, word.capital)
        if key not in self._spelt:
            if len(self._spelt) >= _MOST_REMEMBERED:
                self._spelt.clear()
            self._spelt[key] = self._speller.nearest(word.text, capital=word.capital)
        if not self._spelt[key]:
            return None
        found = [(near, self._lexicon.entries[near]) for near in self._spelt[key] if near in self._lexicon.entries]
        if word.like_a_name:
            found = [(near, entry) for near, entry in found if not entry.informal]
        meanings = {(entry.role, entry.value, tuple(map(self._tree.accepted, entry.facts))) for _, entry in found}
        return found[0] if len(meanings) == 1 else None

    def species(self, genus: str, epithet: str) -> Fact | None:
        """Give the one species of a genus whose epithet differs in its ending or in one letter."""
        facts = self._lexicon.species_of.get(genus)
        if facts is None:
            return None
        epithets = self._epithets.get(genus)
        if epithets is None:
            known = {fact.name.split(" ", 1)[1].lower(): fact for fact in facts}
            epithets = self._epithets[genus] = _Epithets(known)
            for one, fact in known.items():
                epithets.by_stem.setdefault(_stem(one), []).append(fact)
        same = epithets.by_stem.get(_stem(epithet)) or [
            epithets.known[near] for near in nearest_of(epithet, epithets.known)
        ]
        return same[0] if len({self._tree.accepted(fact) for fact in same}) == 1 else None

    def genera_from(self, beginning: str) -> list[str]:
        """Give the genera whose names begin so, in lower case."""
        start = bisect_left(self._genera, beginning)
        return self._genera[start : bisect_left(self._genera, beginning + _AFTER_ALL)]

    def species_from(self, genera: list[str], beginning: str) -> set[Fact]:
        """Give the accepted species of some genera whose epithets begin so."""
        return {
            self._tree.accepted(fact)
            for genus in genera
            for fact in self._lexicon.species_of.get(genus, ())
            if fact.name.split(" ", 1)[1].startswith(beginning)
        }

    @cached_property
    def _genera(self) -> list[str]:
        return sorted({fact.name.lower() for fact in self._tree if fact.rank == "genus"})

    @cached_property
    def _speller(self) -> Speller:
        names = {fact.name.lower() for fact in self._tree if " " not in fact.name and "-" not in fact.name}
        words = {
            phrase
            for phrase, entry in self._lexicon.entries.items()
            if entry.informal and " " not in phrase and len(phrase) >= _SHORTEST_SPELT
        }
        return Speller(names | words)


def _stem(epithet: str) -> str:
    """What is left of an epithet without the ending that follows the gender of its genus."""
    for ending in _EPITHET_ENDINGS:
        if epithet.endswith(ending) and len(epithet) - len(ending) >= _SHORTEST_STEM:
            return epithet[: -len(ending)]
    return epithet
