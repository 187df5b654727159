"""The nearest gallery particles and their votes, against a slow second implementation and scikit-learn."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from seston.models.spaces import unit
from seston.recognition.neighbours import name_by_vote, nearest, vote

# Steps along axes and diagonals: their cosines are exact or far apart, so equal distances and zeros abound.
_PLAIN = st.sampled_from([(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0), (0, 0, 2), (3, 0, 0)])


def _slow_name(gallery: list[tuple[float, ...]], labels: list[int], query: tuple[float, ...], k: int) -> int:
    """Name one query with loops and the standard library alone."""
    distances = []
    for number, row in enumerate(gallery):
        cosine = sum(a * b for a, b in zip(row, query, strict=True)) / (math.hypot(*row) * math.hypot(*query))
        distances.append((max(0.0, min(2.0, 1 - cosine)), number))
    chosen = sorted(distances)[:k]
    votes: dict[int, float] = defaultdict(float)
    at_zero = [number for distance, number in chosen if distance == 0]
    for distance, number in chosen:
        if at_zero:
            votes[labels[number]] += 1.0 if distance == 0 else 0.0
        else:
            votes[labels[number]] += 1 / distance
    best = max(votes.values())
    return min(label for label, weight in votes.items() if weight == best)


def _fast_names(gallery: NDArray[Any], labels: NDArray[np.int64], queries: NDArray[Any], k: int) -> list[int]:
    distances, rows = nearest(gallery, queries, k)
    return [int(name) for name in vote(distances, labels[rows], int(labels.max()) + 1).argmax(axis=1)]


@given(
    gallery=st.lists(st.tuples(_PLAIN, st.integers(0, 3)), min_size=1, max_size=12),
    queries=st.lists(_PLAIN, min_size=1, max_size=5),
    k=st.integers(1, 5),
)
def test_the_vote_equals_a_slow_count_with_zero_distances_and_ties(
    gallery: list[tuple[tuple[int, ...], int]], queries: list[tuple[int, ...]], k: int
) -> None:
    vectors, labels = [row for row, _ in gallery], [label for _, label in gallery]
    fast = _fast_names(np.array(vectors, np.float32), np.array(labels), np.array(queries, np.float32), k)
    assert fast == [_slow_name([*vectors], labels, query, k) for query in queries]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 7))
def test_the_vote_equals_scikit_learn_where_nothing_is_tied(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    gallery, queries = random.normal(size=(40, 6)), random.normal(size=(25, 6))
    labels = random.integers(0, 5, 40)
    labels[:5] = range(5)
    peer = KNeighborsClassifier(k, weights="distance", metric="cosine", algorithm="brute").fit(gallery, labels)
    assert _fast_names(gallery, labels, queries, k) == list(peer.predict(queries))


@given(
    neighbours=st.lists(
        st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 2.0]), st.integers(0, 4)), min_size=6, max_size=6),
        min_size=1,
        max_size=8,
    )
)
def test_winners_are_those_of_counting_all_votes(neighbours: list[list[tuple[float, int]]]) -> None:
    distances = np.array([[distance for distance, _ in row] for row in neighbours], np.float32)
    labels = np.array([[label for _, label in row] for row in neighbours])
    assert name_by_vote(distances, labels).tolist() == vote(distances, labels, 5).argmax(axis=1).tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_what_rounding_alone_sets_apart_counts_as_equally_near(sign: int) -> None:
    random = np.random.default_rng(3)
    for row in random.normal(size=(200, 37)).astype(np.float32):
        twins = np.stack([row, row * 3, row * 7, row * 11])  # their products with the row lie on both sides of 1
        query = sign * row[None, :]
        likeness = np.clip(unit(query) @ unit(twins).T, -1, 1)
        _, rows = nearest(twins, query, 4)
        assert rows.tolist() == np.argsort(-likeness, axis=1, kind="stable").tolist()


def test_more_neighbours_than_particles_means_all_of_them() -> None:
    distances, rows = nearest(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), 10)
    assert distances.shape == rows.shape == (3, 3)
    assert sorted(rows[0]) == [0, 1, 2]


def test_of_equally_near_particles_the_first_comes_first() -> None:
    _, rows = nearest(np.array([[0, 1], [2, 0], [1, 0]], np.float32), np.array([[1, 0]], np.float32), 3)
    assert rows.tolist() == [[1, 2, 0]]


def test_a_row_of_zeros_stays_one() -> None:
    assert unit(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], [0.6, 0.8]]


def test_many_queries_are_searched_in_parts_without_a_seam() -> None:
    random = np.random.default_rng(0)
    gallery, queries = random.normal(size=(9, 4)), random.normal(size=(5000, 4))
    whole = unit(queries) @ unit(gallery).T
    _, rows = nearest(gallery.astype(np.float32), queries.astype(np.float32), 1)
    assert (rows[:, 0] == whole.argmax(axis=1)).mean() > 0.999
