"""Names by every method on every draw, against slow second implementations."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.evaluation.draws import Draw, nested_draws, paper_draws, sides_of
from seston.evaluation.grid import differences, run_grid, to_rows
from seston.evaluation.methods import chance, classical, learned, paper_rule
from seston.particle import Silence
from seston.recognition.embeddings import Embeddings


def _embeddings(image: NDArray[np.float32], profile: NDArray[np.float32]) -> Embeddings:
    there = np.ones(len(image), np.bool_)
    ids = tuple(f"s/{number}" for number in range(len(image)))
    return Embeddings(ids, image, profile, image, profile, there, there, "test")


def _world(particles: int = 30, classes: int = 4, seed: int = 0) -> tuple[Embeddings, NDArray[np.int64]]:
    """Make particles whose class is half in the picture and half in the profile."""
    generator = np.random.default_rng(seed)
    of = np.repeat(np.arange(classes), particles)
    sides = []
    for code in (of // 2, of % 2):
        centres = 3 * np.random.default_rng(7).normal(size=(classes, 8))
        sides.append((centres[code] + generator.normal(size=(len(of), 8))).astype(np.float32))
    return _embeddings(*sides), of


def _slow_paper_names(
    gallery: list[tuple[str, list[float], int]], queries: list[list[list[float]]], k: int
) -> list[int]:
    """Name queries (each one or two vectors) by the paper's rule, with plain loops."""
    names = []
    for vectors in queries:
        votes: dict[int, float] = defaultdict(float)
        neighbours = []
        for vector in vectors:
            at = []
            for place, (_, row, label) in enumerate(gallery):
                cosine = float(np.float32(np.dot(row, vector)))
                at.append((float(np.float32(1) - np.float32(min(max(cosine, -1), 1))), place, label))
            neighbours += sorted(at)[:k]
        zero = any(distance == 0 for distance, _, _ in neighbours)
        for distance, _, label in neighbours:
            votes[label] += float(distance == 0) if zero else 1 / distance
        names.append(max(sorted(votes), key=lambda label: votes[label]))
    return names


@settings(deadline=None, max_examples=60)
@given(data=st.data(), n=st.sampled_from([1, 2, 4]), k=st.sampled_from([1, 3]))
def test_the_papers_nine_combinations_equal_a_slow_count(data: st.DataObject, n: int, k: int) -> None:
    # Steps along axes: their cosines are exact, so that zero distances and ties are met all the time.
    axis = st.sampled_from([*np.eye(3, dtype=np.float32).tolist(), [-1.0, 0.0, 0.0]])
    count = data.draw(st.integers(6, 14))
    image = data.draw(st.lists(axis, min_size=count, max_size=count))
    profile = data.draw(st.lists(axis, min_size=count, max_size=count))
    labels = data.draw(st.lists(st.sampled_from("abc"), min_size=count, max_size=count))
    numbers = np.array(["abc".index(label) for label in labels])
    (draw, *_) = paper_draws(labels, range(count), None, n, 1, 0)
    if not len(draw.queries):
        return
    method = paper_rule("test", _embeddings(np.array(image, np.float32), np.array(profile, np.float32)), numbers, k)
    rows = {"I": image, "P": profile}
    seen = 0
    for (side, asked), names in method.names(draw):
        gallery = [(letter, rows[letter][row], int(numbers[row])) for letter in side for row in draw.gallery]
        queries = [[rows[letter][row] for letter in asked] for row in draw.queries]
        assert list(names) == _slow_paper_names(gallery, queries, k), (side, asked)
        seen += 1
    assert seen == 9


def _grid_of_the_world() -> tuple[list[Draw], Embeddings, NDArray[np.int64], NDArray[np.int64]]:
    vectors, classes = _world()
    sides = sides_of(classes.astype(np.str_), ["one"] * len(classes), 8)
    return nested_draws(classes.astype(np.str_), sides, (1, 8), 3, 0), vectors, classes, sides.gallery


def test_both_modalities_name_what_neither_can_alone() -> None:
    draws, vectors, classes, pool = _grid_of_the_world()
    rows = to_rows(run_grid([learned("model", vectors, classes, pool)], draws, classes, Silence()))
    accuracy = {(row.gallery, row.query): row.accuracy for row in rows if row.n == 8}
    assert accuracy["IP", "IP"] > 0.95
    assert accuracy["I", "I"] < 0.7
    assert accuracy["P", "P"] < 0.7


def test_chance_is_one_in_the_number_of_classes() -> None:
    draws, _, classes, _ = _grid_of_the_world()
    rows = to_rows(run_grid([chance(classes, [("I", "I")])], draws, classes, Silence()))
    assert [row.accuracy for row in rows] == pytest.approx([0.25, 0.25], abs=0.08)
    assert all(row.low <= row.accuracy <= row.high for row in rows)


@pytest.mark.parametrize("rule", ["shrinkage-lda", "random-forest"])
def test_classical_rules_learn_from_measured_features(rule: str) -> None:
    draws, vectors, classes, pool = _grid_of_the_world()
    both = np.concatenate([vectors.image, vectors.profile], axis=1)
    both[::7, 3] = np.nan
    both = np.concatenate([both, np.full((len(both), 1), np.nan, np.float32)], axis=1)
    (one, eight) = to_rows(
        run_grid([classical("classical", {"IP": both}, classes, pool, rule)], draws, classes, Silence())
    )
    assert eight.accuracy > 0.85
    assert one.accuracy > 0.4
    assert (one.queries, one.repeats) == (len(draws[0].queries), 3)


def test_only_what_the_paired_interval_bears_out_is_claimed() -> None:
    draws, vectors, classes, pool = _grid_of_the_world()
    methods = [learned("model", vectors, classes, pool), learned("twin", vectors, classes, pool)]
    methods.append(chance(classes, methods[0].combinations))
    found = differences(run_grid(methods, draws, classes, Silence()), "model (soft-lda)")
    against = {(one.second, one.n): one for one in found if one.first == "model (soft-lda) IP-IP"}
    assert against["chance (chance) IP-IP", 8].claimed
    assert against["chance (chance) IP-IP", 8].difference > 0.6
    assert against["model (soft-lda) I-I", 8].claimed
    assert not against["twin (soft-lda) IP-IP", 8].claimed
    assert against["twin (soft-lda) IP-IP", 8].difference == 0
