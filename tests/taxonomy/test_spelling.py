"""The speller against a slow search through all words."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from seston.taxonomy.spelling import Speller, within

_KNOWN = ["calanoida", "calanidae", "copepoda", "cladocera", "cyclopoida", "acartiidae", "engraulidae", "metridinidae"]
_SPELLER = Speller(_KNOWN)


def _slow_distance(left: str, right: str) -> int:
    """Edits by recursion, as they are defined."""
    if not left or not right:
        return len(left) + len(right)
    best = min(
        _slow_distance(left[1:], right) + 1,
        _slow_distance(left, right[1:]) + 1,
        _slow_distance(left[1:], right[1:]) + (left[0] != right[0]),
    )
    if len(left) > 1 and len(right) > 1 and left[:2] == right[1::-1]:
        best = min(best, _slow_distance(left[2:], right[2:]) + 1)
    return best


@settings(deadline=None)
@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(0, 3))
def test_edits_are_counted_as_the_definition_does(left: str, right: str, edits: int) -> None:
    assert within(left, right, edits) == (_slow_distance(left, right) <= edits)


_LETTERS = st.text("abc", max_size=3)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from("ac"), st.booleans())
def test_the_nearest_words_are_those_of_a_slow_search(data: st.DataObject, first: str, capital: bool) -> None:
    alike = st.builds(lambda middle, end: f"{first}calan{middle}oid{end}", _LETTERS, _LETTERS)
    known, word = data.draw(st.sets(alike, min_size=1, max_size=8)), data.draw(alike)
    once = {one for one in known if within(word, one, 1) and one != word}
    twice = {one for one in known if within(word, one, 2) and one != word and one[-2:] == word[-2:]}
    enough = len(word) >= (7 if capital else 8)
    expected = (once or (twice if len(word) >= 10 else set())) if enough else set()
    assert Speller(known).nearest(word, capital=capital) == sorted(expected)


@settings(deadline=None)
@given(st.sampled_from(_KNOWN), st.integers(1, 12), st.sampled_from("abcdefghij"))
def test_one_changed_letter_is_found(word: str, at: int, letter: str) -> None:
    at = 1 + at % (len(word) - 1)
    changed = word[:at] + letter + word[at + 1 :]
    assert word in _SPELLER.nearest(changed, capital=True) or changed in _KNOWN or changed == word


def test_short_words_and_other_first_letters_are_left_alone() -> None:
    assert _SPELLER.nearest("copep", capital=True) == []
    assert _SPELLER.nearest("xopepoda", capital=True) == []
    assert _SPELLER.nearest("copepda", capital=False) == []
