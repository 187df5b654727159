"""Word pieces: texts as numbers, by merges learnt from the names of a training; no word is unknown to them.

Byte-pair encoding on the bytes of UTF-8 (Sennrich, Haddow & Birch 2016, arXiv 1508.07909, sections 3.2 and 3.3). Two
pieces merge only where at least two different words hold the pair, so what is learnt are the parts that scientific
names share (*-aceae*, *chaeto-*), and a name that no training has seen is cut by the same parts as one that it has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["PADDING", "Tokenizer", "learn_merges"]

PADDING = 0
_BYTES = 256
_FEWEST_WORDS = 2
_SPACE = b" "


class Tokenizer:
    """Cut texts into pieces and number them.

    Parameters
    ----------
    merges
        Pairs of pieces in the order in which they merge, as `learn_merges` gives them.
    length
        Tokens of the longest text; longer ones are cut.
    """

    def __init__(self, merges: Sequence[tuple[str, str]], length: int) -> None:
        self.length = length
        self._place = {(_bytes(left), _bytes(right)): place for place, (left, right) in enumerate(merges)}
        pieces = [bytes([value]) for value in range(_BYTES)]
        pieces += [left + right for left, right in self._place]
        self._number: dict[bytes, int] = {}
        for piece in pieces:
            self._number.setdefault(piece, len(self._number) + 1)
        self._known: dict[bytes, tuple[int, ...]] = {}

    @property
    def vocabulary(self) -> int:
        """How many tokens there are, padding included."""
        return len(self._number) + 1

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Turn texts into (texts, length) numbers, `PADDING` behind each."""
        table = np.full((len(texts), self.length), PADDING, np.int64)
        for row, text in enumerate(texts):
            numbers = [number for word in _words(text) for number in self._pieces(word)][: self.length]
            table[row, : len(numbers)] = numbers
        return table

    def _pieces(self, word: bytes) -> tuple[int, ...]:
        known = self._known.get(word)
        if known is None:
            pieces = tuple(word[place : place + 1] for place in range(len(word)))
            while True:
                found = [(self._place[pair], pair) for pair in _pairs(pieces) if pair in self._place]
                if not found:
                    break
                pieces = _merged(pieces, min(found)[1])
            known = self._known[word] = tuple(self._number[piece] for piece in pieces)
        return known


def learn_merges(texts: Iterable[str], limit: int) -> list[tuple[str, str]]:
    """Learn which pieces merge: always the pair that most different words hold.

    Parameters
    ----------
    texts
        Of a training.
    limit
        Greatest number of merges.

    Returns
    -------
    list of pairs
        Written in Latin-1, one character a byte, so that they can be kept as JSON.
    """
    words = [tuple(word[place : place + 1] for place in range(len(word))) for word in sorted(_distinct_words(texts))]
    counts = Counter(pair for word in words for pair in _pairs(word))
    where: dict[tuple[bytes, bytes], set[int]] = {}
    for number, word in enumerate(words):
        for pair in _pairs(word):
            where.setdefault(pair, set()).add(number)
    merges: list[tuple[str, str]] = []
    while len(merges) < limit and counts:
        pair = max(counts, key=lambda one: (len(where[one]), counts[one], one))
        if len(where[pair]) < _FEWEST_WORDS:
            break
        merges.append((pair[0].decode("latin-1"), pair[1].decode("latin-1")))
        for number in sorted(where[pair]):
            _replace(words, number, pair, counts, where)
        counts.pop(pair, None)
    return merges


def _replace(
    words: list[tuple[bytes, ...]],
    number: int,
    pair: tuple[bytes, bytes],
    counts: Counter[tuple[bytes, bytes]],
    where: dict[tuple[bytes, bytes], set[int]],
) -> None:
    """Merge a pair in one word, and keep the books."""
    for old in _pairs(words[number]):
        counts[old] -= 1
        if not counts[old]:
            del counts[old]
        if old != pair:
            where[old].discard(number)
    words[number] = _merged(words[number], pair)
    for new in _pairs(words[number]):
        counts[new] += 1
        where.setdefault(new, set()).add(number)


def _distinct_words(texts: Iterable[str]) -> set[bytes]:
    return {word for text in texts for word in _words(text)}


def _words(text: str) -> list[bytes]:
    """Cut a text at its blanks; a word keeps the blank before it, so that its beginning is told from its middle."""
    return [_SPACE + word.encode() for word in text.casefold().split()]


def _pairs(pieces: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    return list(pairwise(pieces))


def _merged(pieces: tuple[bytes, ...], pair: tuple[bytes, bytes]) -> tuple[bytes, ...]:
    merged: list[bytes] = []
    place = 0
    while place < len(pieces):
        if pieces[place : place + 2] == pair:
            merged.append(pair[0] + pair[1])
            place += 2
        else:
            merged.append(pieces[place])
            place += 1
    return tuple(merged)


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
