"""The speller against a slow search through all words."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from seston.taxonomy.spelling import Speller, distance

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
@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_distances_are_those_of_the_definition(left: str, right: str) -> None:
    assert distance(left, right) == _slow_distance(left, right)


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
