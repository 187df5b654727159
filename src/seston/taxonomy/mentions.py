"""What the words of a label mention: taxa by names, everyday forms, short forms and misspellings, and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from seston.taxonomy.fact_files import Fact
from seston.taxonomy.informal import EverydayForms
from seston.taxonomy.lexicon import Entry, Lexicon, name_entry
from seston.taxonomy.near_names import NearNames
from seston.taxonomy.words import Word, pieces_of

__all__ = ["Mention", "Scanner", "Script"]

Script = Literal["exact", "spelling"]

_SURE = 1.0
_EVERYDAY = 0.95
_SHORT = 0.8
_MISSPELT = 0.6
_ABBREVIATED = 0.5

_MARKERS = frozenset({"f", "fo", "forma", "var", "subsp", "ssp"})
_TEMPORARY = Entry("kind", kind="unknown", informal=True)
_SHORTEST_HALF = 3
_SHORTEST_EPITHET = 3
_SHORTEST_BEGINNING = 4
_MOST_BEGINNINGS = 3


class Mention(NamedTuple):
    """A stretch of words that means something."""

    entry: Entry
    phrase: str
    script: Script = "exact"
    sureness: float = _SURE
    plural: bool = False
    joined: bool = False
    """Whether it is written together with another word."""
    choice: bool = False
    """Whether the label offers it as another choice than the taxon before."""


@dataclass(slots=True)
class _Reader:
    """The state of one reading, from the first word on."""

    words: list[Word]
    at: int = 0
    genus: str = ""
    """Genus of the name before, which a following epithet belongs to."""
    genus_script: Script = "exact"
    mentions: list[Mention] = field(default_factory=list)
    leftovers: list[Word] = field(default_factory=list)


class Scanner:
    """Reads words into mentions.

    Parameters
    ----------
    lexicon
        The names and words that are known.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._tree = lexicon.tree
        self._near = NearNames(lexicon)
        self._forms = EverydayForms(lexicon.tree)
        self._steps = (
            self._initial,
            self._temporary,
            self._marker,
            self._code,
            self._epithet,
            self._everyday,
            self._pieces,
            self._compound,
            self._beginning,
            self._misspelt,
            self._leftover,
        )
        """What may be made of a word that begins no known phrase, in this order."""

    def scan(self, words: Iterable[Word]) -> tuple[list[Mention], list[Word]]:
        """Give what the words mention, in their order, and the words that stay unknown."""
        reader = _Reader(list(words))
        while reader.at < len(reader.words):
            if not self._phrase(reader):
                for step in self._steps:
                    if step(reader):
                        break
        return reader.mentions, reader.leftovers

    def _phrase(self, reader: _Reader) -> bool:
        words, at = reader.words, reader.at
        first = words[at]
        longest = self._lexicon.longest.get(first.text)
        if longest is None:
            return False
        for count in range(_joined(words, at, longest), 1, -1):
            phrase = " ".join([word.text for word in words[at : at + count]])
            entry = self._lexicon.find(phrase, capital=first.capital)
            if entry is not None:
                self._mention(reader, entry, count, phrase)
                return True
        entry = self._lexicon.find(first.text, capital=first.capital)
        if entry is None or (entry.role == "taxon" and _behind_unknown_genus(reader)):
            return False
        self._mention(reader, entry, 1, first.text)
        return True

    def _initial(self, reader: _Reader) -> bool:
        """``G. delicatula``: the genus before if it begins so, or else the only known species of that form."""
        words, at = reader.words, reader.at
        word = words[at]
        if len(word.text) != 1 or not word.capital or at + 1 == len(words) or words[at + 1].capital:
            return False
        epithet = words[at + 1].text
        if reader.genus.startswith(word.text):
            reader.words[at + 1] = words[at + 1]._replace(gap=word.gap)
            reader.at += 1
            return self._epithet(reader) or self._go_back(reader)
        species = {self._tree.accepted(fact) for fact in self._lexicon.short_names.get((word.text, epithet), ())}
        if len(species) != 1:
            return False
        self._mention(reader, name_entry(tuple(species)), 2, epithet, sureness=_SHORT)
        return True

    def _go_back(self, reader: _Reader) -> bool:
        reader.at -= 1
        return False

    def _temporary(self, reader: _Reader) -> bool:
        """``t001``: a working category of EcoTaxa."""
        words, at = reader.words, reader.at
        if words[at].text != "t" or len(words) != at + 2 or not words[at + 1].text.isdigit() or words[at + 1].gap:
            return False
        self._mention(reader, _TEMPORARY, 2, "t")
        return True

    def _code(self, reader: _Reader) -> bool:
        """Numbers, and single letters that are no one's initial, say nothing that is kept."""
        word = reader.words[reader.at]
        if word.text.isdigit() or len(word.text) == 1:
            reader.at += 1
            return True
        return False

    def _marker(self, reader: _Reader) -> bool:
        """A variety or form that the table does not hold: the species stands for it."""
        if reader.genus and reader.words[reader.at].text in _MARKERS:
            reader.at += 2
            return True
        return False

    def _epithet(self, reader: _Reader) -> bool:
        """A species of the genus before: as it is known, with another ending, misspelt, or not known."""
        word = reader.words[reader.at]
        if not reader.genus or word.capital or word.piece or len(word.text) < _SHORTEST_EPITHET:
            return False
        names = [reader.genus, *(self._tree.accepted(fact).name.lower() for fact in self._tree.find(reader.genus))]
        for genus in names:
            facts = self._tree.find(f"{genus} {word.text}")
            if facts:
                self._species(reader, facts[0], reader.genus_script)
                return True
        for genus in names:
            similar = self._near.species(genus, word.text)
            if similar is not None:
                self._species(reader, similar, "spelling")
                return True
        return False

    def _species(self, reader: _Reader, fact: Fact, script: Script) -> None:
        sureness = _MISSPELT if script == "spelling" else _SURE
        entry = name_entry((fact,))
        self._mention(reader, entry, 1, fact.name.lower(), script=script, sureness=sureness)

    def _everyday(self, reader: _Reader) -> bool:
        word = reader.words[reader.at]
        facts = self._forms.find(word.text)
        if not facts or _is_epithet(reader) or _behind_unknown_genus(reader):
            return False
        self._mention(reader, Entry("taxon", facts=facts, kind="living", informal=True), 1, word.text)
        return True

    def _pieces(self, reader: _Reader) -> bool:
        word = reader.words[reader.at]
        pieces = pieces_of(word)
        if len(pieces) < 2:
            return False
        reader.words[reader.at : reader.at + 1] = pieces
        return True

    def _compound(self, reader: _Reader) -> bool:
        """Two words of the vocabulary without a sign between them: ``clusterflagellate``."""
        word = reader.words[reader.at]
        if word.like_a_name:
            return False
        informal = self._lexicon.informal
        for cut in range(_SHORTEST_HALF, len(word.text) - _SHORTEST_HALF + 1):
            if word.text[:cut] in informal and word.text[cut:] in informal:
                reader.words[reader.at : reader.at + 1] = [
                    Word(word.text[:cut], word.raw[:cut], word.gap, True),
                    Word(word.text[cut:], word.raw[cut:], "", True),
                ]
                return True
        return False

    def _beginning(self, reader: _Reader) -> bool:
        """The first letters of names that were written together: ``DactFrag``."""
        words, at = reader.words, reader.at
        word = words[at]
        if not (word.piece and word.capital) or len(word.text) < _SHORTEST_BEGINNING:
            return False
        genera = self._near.genera_from(word.text)
        if at + 1 < len(words) and words[at + 1].piece and len(words[at + 1].text) >= _SHORTEST_BEGINNING:
            species = self._near.species_from(genera, words[at + 1].text)
            if len(species) == 1:
                self._abbreviated(reader, species.pop(), 2)
                return True
        taxa = {self._tree.accepted(fact) for genus in genera for fact in self._tree.find(genus)}
        if not 1 <= len(taxa) <= _MOST_BEGINNINGS or len(word.text) <= _SHORTEST_BEGINNING:
            return False
        for fact in sorted(taxa, key=lambda fact: fact.name):
            self._abbreviated(reader, fact, 0)
        reader.at += 1
        return True

    def _abbreviated(self, reader: _Reader, fact: Fact, count: int) -> None:
        entry = name_entry((fact,))
        self._mention(reader, entry, count, fact.name.lower(), script="spelling", sureness=_ABBREVIATED, choice=True)

    def _misspelt(self, reader: _Reader) -> bool:
        found = None if _behind_unknown_genus(reader) else self._near.entry(reader.words[reader.at])
        if found is None:
            return False
        phrase, entry = found
        if entry.role == "taxon" and (_is_epithet(reader) or self._speaks_against(reader, entry)):
            return False
        self._mention(reader, entry, 1, phrase, script="spelling", sureness=_MISSPELT)
        return True

    def _speaks_against(self, reader: _Reader, entry: Entry) -> bool:
        """What follows a misspelt name like the name of a species, but is none of it, shows that another is meant."""
        if reader.at + 1 == len(reader.words):
            return False
        word = reader.words[reader.at + 1]
        if word.capital or word.alternative or len(word.text) < _SHORTEST_EPITHET or word.text.isdigit():
            return False
        if word.text in self._lexicon.informal:
            return False
        genus = entry.genus
        found = self._tree.find(f"{genus} {word.text}") if genus else ()
        return not found and (not genus or self._near.species(genus, word.text) is None)

    def _leftover(self, reader: _Reader) -> bool:
        reader.leftovers.append(reader.words[reader.at])
        reader.at += 1
        return True

    def _mention(
        self,
        reader: _Reader,
        entry: Entry,
        count: int,
        phrase: str,
        *,
        script: Script = "exact",
        sureness: float = _SURE,
        choice: bool = False,
    ) -> None:
        word = reader.words[reader.at]
        if entry.informal:
            sureness = min(sureness, _EVERYDAY)
        elif entry.role == "taxon":
            reader.genus = entry.genus
            reader.genus_script = script
        choice = choice or word.gap == "-" or word.alternative
        plural = phrase.endswith(("s", "ae"))
        reader.mentions.append(Mention(entry, phrase, script, sureness, plural, word.piece, choice))
        reader.at += count


def _joined(words: list[Word], at: int, most: int) -> int:
    """Count the words from a place on, up to so many, that the label does not offer as choices."""
    for count, word in enumerate(words[at + 1 : at + most], start=1):
        if word.alternative:
            return count
    return min(most, len(words) - at)


def _is_epithet(reader: _Reader) -> bool:
    """Say whether the next word stands where the name of a species would, behind its genus."""
    word = reader.words[reader.at]
    follows = bool(reader.mentions) and reader.mentions[-1].entry.role == "taxon"
    return bool(reader.genus) and follows and not word.capital and not word.alternative


def _behind_unknown_genus(reader: _Reader) -> bool:
    """Say whether the next word stands behind one that is not known but looks like a genus: it is a species then."""
    if reader.at == 0 or not reader.leftovers:
        return False
    word, before = reader.words[reader.at], reader.words[reader.at - 1]
    return before is reader.leftovers[-1] and before.like_a_name and not word.capital and not word.alternative
