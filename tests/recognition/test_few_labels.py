"""With one labelled particle a class, what neighbours say of how particles differ counts for more."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.models.spaces import unit
from seston.recognition.classifiers import fit_rule
from seston.recognition.embeddings import Embeddings
from seston.recognition.views import few_a_class, fit_spaces, views_of

_CLASSES, _EACH = 20, 60


def _world() -> tuple[Embeddings, NDArray[np.int64]]:
    """Classes that differ in some features, and particles of each that differ much more in a few others."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(_CLASSES), _EACH)
    means = random.normal(size=(_CLASSES, 16))
    noise = random.normal(size=(len(labels), 16)) * np.where(np.arange(16) < 6, 3.0, 0.35)
    seen = (means[labels] + noise) @ random.normal(size=(16, 40))
    nothing = np.zeros((len(labels), 0), np.float32)
    embeddings = Embeddings(
        ids=tuple(f"run{number % 3}/{number}" for number in range(len(labels))),
        image=seen.astype(np.float32),
        profile=nothing,
        shared_image=nothing,
        shared_profile=nothing,
        has_image=np.ones(len(labels), np.bool_),
        has_profile=np.zeros(len(labels), np.bool_),
    )
    return embeddings, labels


def _right(embeddings: Embeddings, labels: NDArray[np.int64], *, few: bool) -> float:
    """Share of names that are right with one particle a class in the gallery, the mean of ten galleries."""
    vectors = views_of(embeddings, fit_spaces(embeddings, few=few))["I"][0]
    right = []
    for start in range(10):
        gallery = np.arange(_CLASSES) * _EACH + start
        rule = fit_rule("soft-lda", vectors[gallery], labels[gallery], _CLASSES)
        asked = np.setdiff1d(np.arange(len(labels)), gallery)
        right.append(float((rule(vectors[asked]).argmax(axis=1) == labels[asked]).mean()))
    return float(np.mean(right))


def test_a_gallery_of_one_particle_a_class_names_better_where_neighbours_count_for_more() -> None:
    embeddings, labels = _world()
    assert _right(embeddings, labels, few=True) > _right(embeddings, labels, few=False) + 0.02


@pytest.mark.parametrize(("particles", "classes", "few"), [(20, 20, True), (39, 20, True), (40, 20, False)])
def test_few_is_fewer_than_two_particles_a_class(particles: int, classes: int, few: bool) -> None:
    assert few_a_class(particles, classes) is few


def test_spaces_still_give_unit_vectors() -> None:
    embeddings, _ = _world()
    vectors = views_of(embeddings, fit_spaces(embeddings, few=True))["I"][0]
    np.testing.assert_allclose(vectors, unit(vectors), atol=1e-6)
