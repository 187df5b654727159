"""Names by the routes that a particle and a gallery allow, and how sure they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.models.spaces import fit_space, unit
from seston.recognition.calibration import calibrate, probabilities
from seston.recognition.caution import Caution
from seston.recognition.embeddings import Embeddings
from seston.recognition.naming import Identification, fit_routes, name_particles
from seston.recognition.views import fit_spaces, views_of

_NAMES = ["ant", "bee", "cat", "dog"]


def _world(particles: int, seed: int, noise: float = 1.0) -> tuple[Embeddings, NDArray[np.int64]]:
    """Make particles of four classes: pictures tell two pairs apart, profiles the two of each pair."""
    generator = np.random.default_rng(seed)
    labels = np.tile(np.arange(4), particles)
    centres = 3 * np.random.default_rng(7).normal(size=(4, 8))
    image, profile = (
        (centres[code] + noise * generator.normal(size=(len(labels), 8))).astype(np.float32)
        for code in (labels // 2, labels % 2)
    )
    both = unit(centres[labels] + noise * generator.normal(size=(len(labels), 8))).astype(np.float32)
    there = np.ones(len(labels), np.bool_)
    ids = tuple(f"s{number % 3}/{number}" for number in range(len(labels)))
    return Embeddings(ids, image, profile, both, both, there, there, "test"), labels


def _without(embeddings: Embeddings, modality: str, rows: slice = slice(None)) -> Embeddings:
    has_image, has_profile = embeddings.has_image.copy(), embeddings.has_profile.copy()
    (has_image if modality == "image" else has_profile)[rows] = False
    return replace(embeddings, has_image=has_image, has_profile=has_profile)


def _names(
    gallery: Embeddings, labels: NDArray[np.int64], queries: Embeddings, threshold: float | None = None
) -> list[Identification]:
    spaces = fit_spaces(_world(50, 3)[0])
    samples = [name.split("/")[0] for name in gallery.ids]
    routes = fit_routes(views_of(gallery, spaces), labels, samples, "soft-lda")
    return name_particles(
        queries.ids, views_of(queries, spaces), routes, _NAMES, gallery.ids, Caution(threshold=threshold)
    )


def _accuracy(names: list[Identification], labels: NDArray[np.int64]) -> float:
    return float(np.mean([one.label == _NAMES[label] for one, label in zip(names, labels, strict=True)]))


def test_a_pair_is_named_by_both_and_says_so() -> None:
    gallery, labels = _world(8, 0)
    queries, truth = _world(40, 1)
    names = _names(gallery, labels, queries)
    assert {one.modality for one in names} == {"image+profile"}
    assert _accuracy(names, truth) > 0.95
    assert [one.id for one in names] == list(queries.ids)


def test_the_nearest_gallery_particles_are_named_and_mostly_of_the_label() -> None:
    gallery, labels = _world(8, 0)
    of = dict(zip(gallery.ids, labels, strict=True))
    names = _names(gallery, labels, _world(40, 1)[0])
    assert all(len(one.nearest) == 3 and set(one.nearest) <= set(gallery.ids) for one in names)
    assert np.mean([_NAMES[of[one.nearest[0]]] == one.label for one in names]) > 0.7  # chance: 0.25


@pytest.mark.parametrize(("gone", "left"), [("image", "profile"), ("profile", "image")])
def test_a_particle_with_one_modality_is_named_by_it(gone: str, left: str) -> None:
    gallery, labels = _world(8, 0)
    queries, truth = _world(40, 1)
    names = _names(gallery, labels, _without(queries, gone))
    assert {one.modality for one in names} == {left}
    codes = truth // 2 if left == "image" else truth % 2
    named = np.array([_NAMES.index(str(one.label)) for one in names])
    assert ((named // 2 if left == "image" else named % 2) == codes).mean() > 0.95


def test_profiles_are_named_by_a_gallery_of_pictures_through_the_shared_space() -> None:
    gallery, labels = _world(8, 0, noise=0.3)
    queries, truth = _world(40, 1, noise=0.3)
    names = _names(_without(gallery, "profile"), labels, _without(queries, "image"))
    assert {one.modality for one in names} == {"profile"}
    assert _accuracy(names, truth) > 0.95


def test_a_gallery_with_few_pairs_lets_each_modality_speak_for_itself() -> None:
    gallery, labels = _world(20, 0)
    sparse = _without(_without(gallery, "image", slice(8, 40)), "profile", slice(40, None))
    queries, truth = _world(40, 1)
    names = _names(sparse, labels, queries)
    assert {one.modality for one in names} == {"image+profile"}
    assert _accuracy(names, truth) > 0.95


def test_a_class_that_the_gallery_knows_by_picture_alone_can_still_be_named() -> None:
    gallery, labels = _world(12, 0, noise=0.3)
    partly = replace(gallery, has_profile=gallery.has_profile & (labels != 3))
    queries, truth = _world(40, 1, noise=0.3)
    names = _names(partly, labels, _without(queries, "image"))
    assert _accuracy([one for one, label in zip(names, truth, strict=True) if label == 3], truth[truth == 3]) > 0.9


def test_a_particle_with_nothing_to_compare_gets_a_reason_and_no_name() -> None:
    gallery, labels = _world(8, 0)
    queries = _without(_without(_world(2, 1)[0], "image"), "profile")
    for one in _names(gallery, labels, queries):
        assert one.label is None
        assert one.modality == "none"
        assert "nothing that the gallery could be compared with" in one.reason


def test_listmode_alone_names_a_particle_where_the_gallery_has_it() -> None:
    gallery, labels = _world(8, 0)
    queries, truth = _world(40, 1)
    bare = _without(_without(queries, "image"), "profile")
    spaces = fit_spaces(gallery) | {"L": fit_space([np.concatenate([gallery.image, gallery.profile], axis=1)])}
    of_gallery = np.concatenate([gallery.image, gallery.profile], axis=1)
    of_queries = np.concatenate([queries.image, queries.profile], axis=1)
    routes = fit_routes(views_of(gallery, spaces, of_gallery), labels, ["s"] * len(labels), "soft-lda")
    names = name_particles(bare.ids, views_of(bare, spaces, of_queries), routes, _NAMES, gallery.ids)
    assert {one.modality for one in names} == {"listmode"}
    assert _accuracy(names, truth) > 0.9


def test_scores_are_probabilities_and_margins_their_lead() -> None:
    gallery, labels = _world(8, 0, noise=3)
    for one in _names(gallery, labels, _world(20, 1, noise=3)[0]):
        assert one.score is not None
        assert one.margin is not None
        assert 0.25 <= one.score <= 1
        assert 0 <= one.margin <= one.score


def test_below_a_threshold_a_particle_is_unknown() -> None:
    gallery, labels = _world(8, 0, noise=2)
    queries, _ = _world(40, 1, noise=2)
    for one in _names(gallery, labels, queries, threshold=0.8):
        assert (one.label == "unknown") == (one.score is not None and one.score < 0.8)


def test_calibrated_scores_say_how_often_names_are_right() -> None:
    gallery, labels = _world(60, 0, noise=3.5)
    queries, truth = _world(500, 1, noise=3.5)
    names = _names(gallery, labels, queries)
    score = np.array([one.score for one in names], float)
    right = np.array([one.label == _NAMES[label] for one, label in zip(names, truth, strict=True)])
    for rows in np.array_split(np.argsort(score), 4):
        assert score[rows].mean() == pytest.approx(right[rows].mean(), abs=0.1)


def test_a_gallery_of_one_particle_a_class_says_that_its_scores_are_not_calibrated() -> None:
    gallery, labels = _world(1, 0)
    learnt = calibrate({"I": gallery.image}, labels, ["s"] * 4, "soft-lda")
    assert learnt.particles < 10
    assert learnt.unknown_threshold is None


def test_a_gallery_of_several_samples_is_calibrated_by_sample() -> None:
    gallery, labels = _world(12, 0)
    space = fit_space([gallery.image, gallery.profile])([gallery.image, gallery.profile])
    samples = [f"s{number // 16}" for number in range(48)]
    assert calibrate({"IP": space}, labels, samples, "soft-lda").by_sample
    assert not calibrate({"IP": space}, labels, ["s"] * 48, "soft-lda").by_sample


def test_the_score_tells_strangers_from_the_known() -> None:
    gallery, labels = _world(20, 0)
    space = fit_space([gallery.image, gallery.profile])([gallery.image, gallery.profile])
    learnt = calibrate({"IP": space}, labels, ["s"] * 80, "soft-lda")
    assert learnt.unknown_auroc is not None
    assert learnt.unknown_auroc > 0.7
    assert learnt.accuracy == pytest.approx(1, abs=0.05)


def test_shares_add_up_to_one_and_cool_with_the_temperature() -> None:
    scores = np.array([[1.0, 2.0, -np.inf]])
    warm, cool = probabilities(scores, 10), probabilities(scores, 0.1)
    assert warm.sum() == pytest.approx(1)
    assert cool[0, 1] > warm[0, 1] > 0.5
    assert warm[0, 2] == 0
