"""The nearest known word to one that is misspelt, within narrow bounds."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Speller", "distance", "nearest_of"]

_PREFIX = 7
"""Letters of a word that take part in the index; what lies behind them is compared in full."""
_SHORTEST = 7
_SHORTEST_SMALL = 8
_SHORTEST_TWICE = 10
_SAME = 5
"""First letters that two words have to share to differ in two places."""


class Speller:
    """Finds known words that differ from a given one by one letter, or, if both are long, by two.

    The index is that of symmetric deletion: two words within two edits share a string that is left when up to two
    letters are taken from the first letters of each.

    Parameters
    ----------
    words
        The known words, in lower case.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._index: dict[str, list[str]] = {}
        for word in words:
            if len(word) >= _SHORTEST - 1:
                for key in _deletions(word[:_PREFIX]):
                    self._index.setdefault(key, []).append(word)

    def nearest(self, word: str, *, capital: bool) -> list[str]:
        """Give the nearest known words, all equally near; none where none is near enough.

        The first letter has to be the same. One edit (a letter changed, left out, added, or two exchanged) is allowed
        from 7 letters on for a word with a capital, from 8 on for one without, two from 10 letters on.
        """
        if len(word) < (_SHORTEST if capital else _SHORTEST_SMALL):
            return []
        found: dict[int, set[str]] = {}
        seen = set()
        for key in _deletions(word[:_PREFIX]):
            for known in self._index.get(key, ()):
                if known in seen or known[0] != word[0] or abs(len(known) - len(word)) > 2:
                    continue
                seen.add(known)
                edits = distance(word, known)
                if edits == 1 or (edits == 2 and _may_differ_twice(word, known)):
                    found.setdefault(edits, set()).add(known)
        return sorted(found[min(found)]) if found else []


def nearest_of(word: str, known: Iterable[str]) -> list[str]:
    """Give those of a few known words that differ from a word by one edit, but not in the first letter."""
    if len(word) < _SHORTEST:
        return []
    near = (one for one in known if one[0] == word[0] and abs(len(one) - len(word)) <= 1)
    return [one for one in near if distance(word, one) == 1]


def distance(left: str, right: str) -> int:
    """Count the edits between two words: letters changed, left out, added, or neighbours exchanged."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, start=1):
        above, row = row, [i]
        for j, other in enumerate(right, start=1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before = above
    return row[-1]


def _may_differ_twice(word: str, known: str) -> bool:
    """Long words only that begin and end alike: the end tells the rank."""
    return len(word) >= _SHORTEST_TWICE and word[:_SAME] == known[:_SAME] and word[-2:] == known[-2:]


def _deletions(word: str) -> set[str]:
    once = {word[:i] + word[i + 1 :] for i in range(len(word))}
    return {word} | once | {one[:i] + one[i + 1 :] for one in once for i in range(len(one))}
