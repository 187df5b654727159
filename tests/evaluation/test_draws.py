"""Which particles form galleries and which are asked about."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import UsageError
from seston.evaluation.draws import nested_draws, paper_draws, sides_of


def _labels(**counts: int) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.repeat(np.array(list(counts)), list(counts.values()))


@given(seed=st.integers(0, 1000), repeats=st.integers(1, 4))
def test_galleries_are_nested_and_all_are_asked_the_same(seed: int, repeats: int) -> None:
    labels = _labels(ant=12, bee=9, cat=20)
    sides = sides_of(labels, ["one"] * len(labels), 4, seed=seed)
    draws = nested_draws(labels, sides, (1, 2, 4), repeats, seed)
    for repeat in range(repeats):
        small, middle, large = (set(draw.gallery) for draw in draws if draw.repeat == repeat)
        assert small < middle < large
        assert len(large) == 12
    assert len({tuple(draw.queries) for draw in draws}) == 1
    assert not set(sides.gallery) & set(sides.queries)


def test_classes_with_no_more_than_n_particles_are_left_out_and_named() -> None:
    labels = _labels(ant=20, bee=4, cat=5, dog=20)
    sides = sides_of(labels, ["one"] * len(labels), 4)
    assert list(sides.left_out) == ["bee"]
    assert "bee has 4 particles" in sides.left_out["bee"]
    assert "bee" not in labels[sides.queries]
    assert "bee" not in labels[sides.gallery]


def test_gallery_and_queries_come_from_different_samples_where_there_are_several() -> None:
    labels = np.tile(_labels(ant=6, bee=6), 4)
    samples = np.repeat(["a", "b", "c", "d"], 12)
    sides = sides_of(labels, list(samples), 4)
    assert sides.grouped
    assert not set(samples[sides.gallery]) & set(samples[sides.queries])


def test_one_sample_is_divided_by_particle_and_called_optimistic() -> None:
    labels = _labels(ant=9, bee=9)
    sides = sides_of(labels, ["one"] * 18, 4)
    assert not sides.grouped
    assert "optimistic" in sides.note


def test_too_few_labels_are_one_plain_line() -> None:
    with pytest.raises(UsageError, match="take a smaller n, or label more"):
        sides_of(_labels(ant=3, bee=2), ["one"] * 5, 4)


def _galleries_by_the_papers_words(labels: list[str], n: int, repeats: int, seed: int) -> list[list[int]]:
    """Read section "benchmark" once more: seed, then class by class in sorted order, repeat after repeat."""
    random.seed(seed)
    galleries = []
    for _ in range(repeats):
        rows: list[int] = []
        for name in sorted(set(labels)):
            own = [row for row, label in enumerate(labels) if label == name]
            rows.extend(random.sample(own, min(len(own), n)))
        galleries.append(rows)
    return galleries


@given(
    labels=st.lists(st.sampled_from("abcd"), min_size=4, max_size=40),
    n=st.sampled_from([1, 2, 4, 8]),
    seed=st.integers(0, 5),
)
def test_the_papers_draws_follow_its_random_stream(labels: list[str], n: int, seed: int) -> None:
    draws = paper_draws(labels, range(len(labels)), None, n, 3, seed)
    assert [list(draw.gallery) for draw in draws] == _galleries_by_the_papers_words(labels, n, 3, seed)
    for draw in draws:
        assert sorted([*draw.gallery, *draw.queries]) == list(range(len(labels)))


def test_the_papers_draws_ask_the_test_part_where_there_is_one() -> None:
    labels = list("aabbaabb")
    for draw in paper_draws(labels, [0, 1, 2, 3], [4, 5, 6, 7], 1, 5, 0):
        assert list(draw.queries) == [4, 5, 6, 7]
        assert set(draw.gallery) <= {0, 1, 2, 3}
