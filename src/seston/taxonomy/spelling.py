"""The nearest known word to one that is misspelt, within narrow bounds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

__all__ = ["Speller", "nearest_of", "within"]

_SHORTEST = 7
_SHORTEST_SMALL = 8
_SHORTEST_TWICE = 10
_SAME = 5
"""First letters that two words have to share to differ in two places."""
_SAME_END = 2
"""Last letters that they have to share then: the end tells the rank."""


class Speller:
    """Finds known words that differ from a given one by one letter, or, if both are long, by two.

    Two words within one edit share a string that is left when at most one letter is taken from each: the first index
    is by these. The second, for two edits, is by the letters that have to be the same.

    Parameters
    ----------
    words
        The known words, in lower case.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._once: dict[str, list[str]] = {}
        self._twice: dict[tuple[str, str], list[str]] = {}
        for word in set(words):
            if len(word) >= _SHORTEST - 1:
                for key in _without_one(word):
                    self._once.setdefault(key, []).append(word)
                self._twice.setdefault(_shared(word), []).append(word)

    def nearest(self, word: str, *, capital: bool) -> list[str]:
        """Give the nearest known words, all equally near; none where none is near enough.

        The first letter has to be the same. One edit (a letter changed, left out, added, or two exchanged) is allowed
        from 7 letters on for a word with a capital, from 8 on for one without, two from 10 letters on.
        """
        if len(word) < (_SHORTEST if capital else _SHORTEST_SMALL):
            return []
        alike = set(chain.from_iterable(filter(None, map(self._once.get, _without_one(word)))))
        once = [known for known in alike if known != word and within(word, known, 1)]
        if once or len(word) < _SHORTEST_TWICE:
            return sorted(once)
        return sorted(
            [known for known in self._twice.get(_shared(word), ()) if known != word and within(word, known, 2)]
        )


def nearest_of(word: str, known: Iterable[str]) -> list[str]:
    """Give those of a few known words that differ from a word by one edit, but not in the first letter."""
    if len(word) < _SHORTEST:
        return []
    return [one for one in known if one[0] == word[0] and one != word and within(word, one, 1)]


def within(left: str, right: str, edits: int) -> bool:
    """Say whether so many edits make one word of another: letters changed, left out, added, or neighbours exchanged.

    What stands behind an exchange begins anew: no letter is edited twice (optimal string alignment).
    """
    if abs(len(left) - len(right)) > edits:
        return False
    if not edits or left == right:
        return left == right
    at = _first_difference(left, right)
    left, right, edits = left[at:], right[at:], edits - 1
    return (
        within(left[1:], right[1:], edits)
        or within(left[1:], right, edits)
        or within(left, right[1:], edits)
        or (left[1:2] == right[:1] and left[:1] == right[1:2] and within(left[2:], right[2:], edits))
    )


def _first_difference(left: str, right: str) -> int:
    for at, (letter, other) in enumerate(zip(left, right, strict=False)):
        if letter != other:
            return at
    return min(len(left), len(right))


def _without_one(word: str) -> list[str]:
    """Give a word, and what is left when one letter is taken from it, but not the first."""
    return [word, *[word[:at] + word[at + 1 :] for at in range(1, len(word))]]


def _shared(word: str) -> tuple[str, str]:
    return word[:_SAME], word[-_SAME_END:]
