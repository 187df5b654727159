"""A raw label as words: what separates them, which begin with a capital, and on which level of a path they stand."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

__all__ = ["Word", "levels_of", "pieces_of", "words_of"]


class Word(NamedTuple):
    """A word of a label."""

    text: str
    """In lower case, without accents."""
    raw: str
    """As the label has it."""
    gap: str
    """What stands between it and the word before."""
    piece: bool = False
    """Whether it was written together with the word before or after it, and only capitals part them."""

    @property
    def alternative(self) -> bool:
        """Whether the label offers it as another choice than what stands before."""
        return not _CHOICE.isdisjoint(self.gap)

    @property
    def like_a_name(self) -> bool:
        """Whether it has the form of a scientific name above the species."""
        return self.capital and len(self.text) >= _SHORTEST_NAME and self.text.endswith(_LATIN)

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital letter."""
        return self.raw[:1].isupper()


_CHOICE = frozenset("/+|&")
_LATIN = (
    *("a", "us", "um", "is", "ae", "on", "as", "es", "os", "ops", "ys"),
    *("ales", "yx", "ix", "ax", "ex", "er", "or", "ma", "yle", "oe", "ne", "the", "ele", "ke"),
)
_SHORTEST_NAME = 5
_LONGEST = 500
"""A label longer than this is cut: no real one is, and reading has to stay quick."""

_SHORTEST_PATH = 3
"""Names parted by commas are a path from this number on; two are a list, or an author."""
_AUTHOR = re.compile(r"\s\(?[A-Z][^,<>/+;]*,\s*(?:1[789]|20)\d\d\)?$")
_LAST_OF_A_YEAR = tuple("0123456789)")
_ECOTAXA_ID = re.compile(r"__\d+$")
_UNKNOWN_RANK = re.compile(r"\b(?:Ki|Ph|Cl|Or|Fa|Ge)\._unk(?![a-z])", re.IGNORECASE)
_WORD = re.compile(r"([\W_]*)([^\W\d_]+|\d+)")
_PIECE = re.compile(r"[^\W\d_](?:(?!(?<=[a-z])[A-Z])[^\W\d_])*")


def levels_of(label: str) -> list[list[Word]]:
    """Part a label into the levels of its path, the narrowest first, each a list of words.

    ``child<Parent`` is EcoTaxa's way, ``Class,Order,Family,Genus,Species`` that of the Dual Scripps Plankton Camera and
    of FREPJ; most labels have one level.
    """
    text = label[:_LONGEST].strip()
    if text.endswith(_LAST_OF_A_YEAR):
        text = _ECOTAXA_ID.sub("", _AUTHOR.sub("", text))
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    parts = [text]
    if "<" in text:
        parts = text.split("<")
    elif ">" in text:
        parts = text.split(">")[::-1]
    elif "," in text or ";" in text:
        names = _UNKNOWN_RANK.sub(" ", text).replace(";", ",").split(",")
        parts = names[::-1] if len(names) >= _SHORTEST_PATH else [text]
    return [words for words in (words_of(part) for part in parts) if words]


def words_of(text: str) -> list[Word]:
    """Part a text into words: at every sign, and where letters and digits meet."""
    return [Word(raw.lower(), raw, gap) for gap, raw in _WORD.findall(text)]


def pieces_of(word: Word) -> list[Word]:
    """Part a word where a capital follows a small letter: ``frillyAntennae``."""
    if word.raw[1:].islower():
        return [word]
    found = _PIECE.findall(word.raw)
    if len(found) < 2:
        return [word]
    return [Word(raw.lower(), raw, "" if later else word.gap, True) for later, raw in enumerate(found)]
