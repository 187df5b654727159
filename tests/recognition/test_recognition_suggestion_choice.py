"""Which unlabelled particles are asked about, told from vectors alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.recognition.asking import Asked, Known, ask
from seston.recognition.views import Views

_WIDTH = 24
Rows = NDArray[np.float32]


def _clusters(sizes: Sequence[int], spread: float = 0.25, seed: int = 0) -> tuple[Rows, NDArray[np.int64]]:
    """Make clusters in directions that are square to each other, and say which each vector belongs to."""
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(sizes)), sizes)
    vectors = np.eye(_WIDTH)[of] + spread * random.normal(size=(len(of), _WIDTH)) / np.sqrt(_WIDTH)
    return _unit(vectors), of


def _unit(vectors: NDArray[np.float64]) -> Rows:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _pairs(vectors: Rows) -> Views:
    return {"IP": (vectors, np.ones(len(vectors), np.bool_))}


def _known(vectors: Rows, numbers: Sequence[int] | NDArray[np.int64]) -> Known:
    names = [f"class {number}" for number in range(int(max(numbers, default=-1)) + 1)]
    return Known(_pairs(vectors), np.asarray(numbers, np.int64), names)


_NOTHING = _known(np.zeros((0, _WIDTH), np.float32), [])


def _ask(vectors: Rows, known: Known, n: int) -> list[Asked]:
    return ask(_pairs(vectors), len(vectors), known, n)


def test_without_labels_each_cluster_is_asked_about_once_however_small_it_is() -> None:
    vectors, of = _clusters([300, 120, 40, 15, 12])
    asked = _ask(vectors, _NOTHING, 5)
    assert sorted(of[one.row] for one in asked) == [0, 1, 2, 3, 4]
    assert all(not one.names for one in asked)


def test_a_suggestion_says_for_how_many_particles_it_stands() -> None:
    vectors, of = _clusters([200, 50, 20])
    asked = _ask(vectors, _NOTHING, 3)
    assert {int(of[one.row]): one.stands_for for one in asked} == {0: 200, 1: 50, 2: 20}


def test_a_cluster_far_from_all_labels_is_asked_about_first() -> None:
    vectors, of = _clusters([200, 200, 14])
    labelled = np.concatenate([np.flatnonzero(of == number)[:5] for number in (0, 1)])
    rest = np.setdiff1d(np.arange(len(vectors)), labelled)
    first = _ask(vectors[rest], _known(vectors[labelled], of[labelled]), 10)[0]
    assert of[rest[first.row]] == 2
    assert first.like < 0.5
    assert first.density > 0.8


def test_a_single_odd_particle_comes_after_a_cluster() -> None:
    vectors, of = _clusters([200, 200, 20])
    odd = _unit(-np.eye(_WIDTH)[:1] - np.eye(_WIDTH)[1:2])  # opposite to both labelled clusters: nothing lies farther
    labelled = np.concatenate([np.flatnonzero(of == number)[:5] for number in (0, 1)])
    everything = np.concatenate([vectors, odd])
    rest = np.setdiff1d(np.arange(len(everything)), labelled)
    first = _ask(everything[rest], _known(vectors[labelled], of[labelled]), 1)[0]
    assert rest[first.row] < len(vectors)
    assert of[rest[first.row]] == 2


def test_particles_without_neighbours_come_after_those_that_are_typical_of_something() -> None:
    scattered = _unit(np.random.default_rng(2).normal(size=(40, _WIDTH)))
    vectors, of = _clusters([30, 30])
    asked = _ask(np.concatenate([scattered, vectors]), _NOTHING, 2)
    assert sorted(of[one.row - 40] for one in asked if one.row >= 40) == [0, 1]


def test_what_shows_nearly_the_same_is_asked_about_once() -> None:
    once, _ = _clusters([30, 30])
    random = np.random.default_rng(1)
    thrice = _unit(np.repeat(once, 3, axis=0) + 1e-4 * random.normal(size=(180, _WIDTH)))
    asked = _ask(thrice, _NOTHING, 60)
    origins = [one.row // 3 for one in asked]
    assert len(set(origins)) == len(origins) > 50


def test_what_shows_nearly_the_same_as_a_labelled_one_is_not_asked_about() -> None:
    vectors, of = _clusters([40, 40])
    labelled = [0, 1, 2, 40, 41]
    asked = _ask(vectors, _known(vectors[labelled], of[labelled]), 200)
    assert not {one.row for one in asked} & set(labelled)
    assert 60 < len(asked) <= 75


def test_between_two_classes_is_named_as_such_and_preferred_when_there_are_labels_enough() -> None:
    random = np.random.default_rng(3)
    vectors, of = _clusters([150, 150], seed=3)
    between = _unit(np.eye(_WIDTH)[[0] * 30] + np.eye(_WIDTH)[[1] * 30] + 0.05 * random.normal(size=(30, _WIDTH)))
    labelled = np.concatenate([np.flatnonzero(of == number)[:20] for number in (0, 1)])
    rest = np.setdiff1d(np.arange(300), labelled)
    asked = _ask(np.concatenate([vectors[rest], between]), _known(vectors[labelled], of[labelled]), 5)
    assert sum(one.row >= len(rest) for one in asked) >= 3
    first = asked[0]
    assert set(first.names) == {0, 1}
    assert first.margin is not None
    assert first.margin < 0.5


def test_of_two_classes_alike_in_all_else_the_one_with_fewer_labels_is_asked_about_more() -> None:
    one, _ = _clusters([80], spread=0.6)
    other = one[:, ::-1]  # the mirror image: every distance is the same
    pool = np.concatenate([one[1:], other[1:]])
    labelled = np.concatenate([one[[0] * 9], other[:1]])
    asked = _ask(pool, _known(labelled, [0] * 9 + [1]), 8)
    assert sum(found.row >= len(one) - 1 for found in asked) >= 6


def _mixed(vectors: Rows, shows: Sequence[str]) -> Views:
    """Let each vector be seen by picture (I), profile (P), or both (IP), in the same place."""
    marks = np.array(shows)
    image, profile = marks != "P", marks != "I"
    return {"I": (vectors, image), "P": (vectors, profile), "IP": (vectors, image & profile)}


def test_particles_that_lack_picture_or_profile_are_asked_about_too() -> None:
    vectors, of = _clusters([60, 60, 60])
    shows = np.array(["IP", "I", "P"])[of].tolist()
    asked = ask(_mixed(vectors, shows), len(vectors), _NOTHING, 3)
    assert sorted(of[one.row] for one in asked) == [0, 1, 2]


def test_a_labelled_pair_speaks_for_pictures_without_a_profile() -> None:
    vectors, of = _clusters([60, 60, 60])
    labelled = np.flatnonzero(of < 2)[::10]
    rest = np.setdiff1d(np.arange(len(vectors)), labelled)
    known = Known(_mixed(vectors[labelled], ["IP"] * len(labelled)), of[labelled], ["a", "b"])
    first = ask(_mixed(vectors[rest], ["I"] * len(rest)), len(rest), known, 1)[0]
    assert of[rest[first.row]] == 2
    likeness = vectors[labelled] @ vectors[rest[first.row]]
    assert first.like == pytest.approx(likeness.max(), abs=1e-5)


def test_particles_with_nothing_to_compare_are_never_asked_about() -> None:
    vectors, _ = _clusters([20])
    blind = {"IP": (np.zeros_like(vectors), np.zeros(20, np.bool_))}
    assert ask(blind, 20, _NOTHING, 5) == []
    half = {"IP": (vectors, np.arange(20) < 10)}
    asked = ask(half, 20, _NOTHING, 20)
    assert {one.row for one in asked} == set(range(10))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_one_particle_or_none_is_enough(count: int) -> None:
    vectors, _ = _clusters([2])
    assert [one.row for one in _ask(vectors[:count], _NOTHING, 5)] == list(range(count))


def test_labels_of_one_class_alone_do_no_harm() -> None:
    vectors, of = _clusters([50, 50])
    asked = _ask(vectors[5:], _known(vectors[:5], of[:5]), 1)
    assert of[5:][asked[0].row] == 1
    assert asked[0].names == ()


def test_the_same_question_gets_the_same_answer() -> None:
    vectors, of = _clusters([80, 80, 80], spread=0.8)
    known = _known(vectors[::12], of[::12])
    rest = np.setdiff1d(np.arange(len(vectors)), np.arange(0, len(vectors), 12))
    assert _ask(vectors[rest], known, 20) == _ask(vectors[rest], known, 20)
