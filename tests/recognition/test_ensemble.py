"""Several spaces that vote: each by how well it names inside the gallery."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.models.spaces import unit
from seston.recognition.classifiers import fit_rule
from seston.recognition.embeddings import Embeddings
from seston.recognition.ensemble import fit_ensemble, score_level, votes_of
from seston.recognition.naming import fit_routes, name_particles
from seston.recognition.silent import silent_modalities
from seston.recognition.views import fit_spaces, views_of

_CLASSES, _WIDTH = 6, 40


def _vectors(a_class: int, seed: int, noise: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw unit vectors around one centre a class; the centres are the same for every seed."""
    labels = np.tile(np.arange(_CLASSES), a_class)
    centres = np.random.default_rng(1).normal(size=(_CLASSES, _WIDTH))
    drawn = centres[labels] + noise * np.random.default_rng(seed).normal(size=(len(labels), _WIDTH))
    return unit(drawn).astype(np.float32), labels


def _samples(count: int) -> list[str]:
    return [f"s{number % 4}" for number in range(count)]


@pytest.mark.parametrize("classifier", ["soft-lda", "shrinkage-lda", "knn", "centroid"])
def test_one_space_decides_as_its_rule_does(classifier: str) -> None:
    gallery, labels = _vectors(5, 2, 1.0)
    queries, _ = _vectors(20, 3, 1.0)
    votes = votes_of(classifier, {"I": gallery}, labels, _samples(len(labels)))
    rule = fit_ensemble(classifier, {"I": gallery}, labels, _CLASSES, votes)
    assert votes == (("I", 1.0),)
    assert np.array_equal(rule({"I": queries}), fit_rule(classifier, gallery, labels, _CLASSES)(queries))


def test_scores_are_the_weighted_sum_of_scores_on_one_level() -> None:
    (first, labels), (second, _), (asked, _) = _vectors(5, 2, 1.0), _vectors(5, 9, 2.0), _vectors(7, 3, 1.0)
    gallery = {"IP": first, "I": second}
    rule = fit_ensemble("soft-lda", gallery, labels, _CLASSES, (("IP", 0.75), ("I", 0.25)))
    parts = {view: fit_rule("soft-lda", vectors, labels, _CLASSES) for view, vectors in gallery.items()}
    levels = {}
    for view, vectors in gallery.items():
        scores = parts[view](vectors)
        spreads = [np.delete(row, own).std() for row, own in zip(scores, labels, strict=True)]
        levels[view] = np.mean(spreads)
        assert score_level(scores, labels) == pytest.approx(levels[view])
    expected = 0.75 * parts["IP"](asked) / levels["IP"] + 0.25 * parts["I"](asked) / levels["I"]
    np.testing.assert_allclose(rule({"I": asked, "IP": asked}), expected, rtol=1e-9)


def test_votes_add_up_to_one_and_the_better_space_has_more() -> None:
    (good, labels), (worse, _) = _vectors(8, 2, 0.5), _vectors(8, 3, 2.5)
    votes = dict(votes_of("soft-lda", {"IP": worse, "I": good}, labels, _samples(len(labels))))
    assert sum(votes.values()) == pytest.approx(1)
    assert votes["I"] > votes["IP"] > 0


def test_in_a_gallery_of_one_particle_a_class_spaces_of_all_features_vote() -> None:
    views = ("IP", "IP-learned", "I", "I-learned", "P")
    gallery = {view: _vectors(1, seed, 1.0)[0] for seed, view in enumerate(views)}
    labels = np.arange(_CLASSES)
    votes = votes_of("soft-lda", gallery, labels, _samples(len(labels)))
    assert votes == (("IP", 0.5), ("I", 0.25), ("P", 0.25))
    picture = {view: gallery[view] for view in ("I", "I-learned")}
    assert votes_of("soft-lda", picture, labels, _samples(len(labels))) == (("I", 1.0),)


def test_neighbours_vote_in_one_space_alone() -> None:
    (one, labels), (other, _) = _vectors(8, 2, 1.0), _vectors(8, 3, 1.0)
    assert votes_of("knn", {"IP": one, "I": other}, labels, _samples(len(labels))) == (("IP", 1.0),)


def test_modalities_that_both_tell_labels_apart_are_not_called_silent() -> None:
    (image, labels), (profile, _) = _vectors(8, 2, 1.0), _vectors(8, 3, 1.6)
    there, none = np.ones(len(labels), np.bool_), np.zeros((len(labels), 0), np.float32)
    ids = tuple(f"s{number % 4}/{number}" for number in range(len(labels)))
    pairs = Embeddings(ids, image, profile, none, none, there, there, "test")
    views = views_of(pairs, fit_spaces(pairs))
    routes = fit_routes(views, labels, _samples(len(labels)), "soft-lda")
    assert silent_modalities(routes) == ()
    one = {view: (vectors[:_CLASSES], has[:_CLASSES]) for view, (vectors, has) in views.items()}
    assert silent_modalities(fit_routes(one, labels[:_CLASSES], _samples(_CLASSES), "soft-lda")) == ()


def test_where_no_space_names_better_than_chance_the_first_decides() -> None:
    same = np.full((48, _WIDTH), _WIDTH**-0.5, np.float32)
    labels = np.repeat(np.arange(_CLASSES), 8)
    assert votes_of("soft-lda", {"IP": same, "I": same}, labels, _samples(48)) == (("IP", 1.0),)


def test_views_are_what_each_space_makes_of_its_own_features(monkeypatch: pytest.MonkeyPatch) -> None:
    random, count = np.random.default_rng(8), 300
    widths = {"image": 5, "profile": 6, "shared_image": 4, "shared_profile": 4, "measured_image": 3}
    parts = {name: random.normal(size=(count, width)).astype(np.float32) for name, width in widths.items()}
    has_image, has_profile = random.random(count) < 0.8, random.random(count) < 0.7
    ids = tuple(f"s{number % 4}/{number}" for number in range(count))
    shared = parts["shared_image"], parts["shared_profile"]
    some = Embeddings(
        ids, parts["image"], parts["profile"], *shared, has_image, has_profile, measured_image=parts["measured_image"]
    )
    spaces = fit_spaces(some)
    blocks = {
        "I": ["image", "shared_image", "measured_image"],
        "I-learned": ["image", "shared_image"],
        "I-measured": ["measured_image"],
        "P": ["profile", "shared_profile"],
        "IP": ["image", "shared_image", "measured_image", "profile", "shared_profile"],
        "IP-learned": ["image", "shared_image", "profile", "shared_profile"],
        "IP-measured": ["measured_image"],
    }
    assert set(spaces) == {*blocks, "SI", "SP"}
    monkeypatch.setattr("seston.recognition.views._ROWS_AT_ONCE", 7)
    views = views_of(some, spaces)
    masks = {"I": has_image, "P": has_profile, "IP": has_image & has_profile}
    for view, names in blocks.items():
        vectors, has = views[view]
        assert np.array_equal(has, masks[view.partition("-")[0]])
        expected = spaces[view]([parts[name][has] for name in names])
        np.testing.assert_allclose(vectors[has], expected, atol=1e-6)
        assert not vectors[~has].any()


def _noise(count: int, seed: int) -> NDArray[np.float32]:
    return unit(np.random.default_rng(seed).normal(size=(count, _WIDTH))).astype(np.float32)


@pytest.mark.parametrize("broken", ["image", "profile"])
def test_a_modality_that_says_nothing_does_not_drown_the_other(broken: str) -> None:
    def world(a_class: int, seed: int) -> tuple[Embeddings, NDArray[np.int64]]:
        told, labels = _vectors(a_class, seed, 1.6)
        told, says_nothing = 3 * told, _noise(len(labels), seed + 50)
        image, profile = (says_nothing, told) if broken == "image" else (told, says_nothing)
        there, none = np.ones(len(labels), np.bool_), np.zeros((len(labels), 0), np.float32)
        ids = tuple(f"s{number % 4}/{number}" for number in range(len(labels)))
        return Embeddings(ids, image, profile, none, none, there, there, "test"), labels

    (pool, _), (gallery, labels), (queries, truth) = world(100, 4), world(6, 5), world(60, 6)
    spaces = fit_spaces(pool)
    routes = fit_routes(views_of(gallery, spaces), labels, _samples(len(labels)), "soft-lda")
    names = [str(number) for number in range(_CLASSES)]

    def right(of: Embeddings) -> float:
        found = name_particles(of.ids, views_of(of, spaces), routes, names, gallery.ids)
        return float(np.mean([one.label == str(label) for one, label in zip(found, truth, strict=True)]))

    gone = np.zeros(len(truth), np.bool_)
    alone = replace(queries, has_image=gone) if broken == "image" else replace(queries, has_profile=gone)
    one_space = fit_rule("soft-lda", routes["IP-IP"].vectors, labels, _CLASSES)
    by_one_space = (one_space(views_of(queries, spaces)["IP"][0]).argmax(axis=1) == truth).mean()
    assert right(queries) > by_one_space + 0.05
    assert right(queries) > right(alone) - 0.05
    words = {"image": ("picture", "profile"), "profile": ("profile", "picture")}[broken]
    (note,) = silent_modalities(routes)
    assert note.startswith(f"by {words[0]} alone only ")
    assert f"names of pairs rest on the {words[1]}" in note
