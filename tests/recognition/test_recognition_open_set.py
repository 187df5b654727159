"""Telling strangers from the labels of a gallery, and scores that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.models.spaces import unit
from seston.recognition.calibration import Calibration, auroc, calibrate, familiar_share, score_for
from seston.recognition.caution import Caution
from seston.recognition.familiarity import Surroundings, fit_familiarity, held_out_familiarity
from seston.recognition.held_out import as_from_outside, leave_out
from seston.recognition.naming import fit_routes, name_particles

_WIDTH, _CLASSES = 12, 8


def _particles(of_each: int, seed: int, noise: float = 0.6) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Make unit vectors of eight classes around centres that are the same for every seed."""
    centres = np.random.default_rng(99).normal(size=(_CLASSES, _WIDTH))
    labels = np.repeat(np.arange(_CLASSES), of_each)
    vectors = centres[labels] + noise * np.random.default_rng(seed).normal(size=(len(labels), _WIDTH))
    return unit(vectors).astype(np.float32), labels


def _pairs_above(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Count pairs one by one: the meaning of AUROC, slowly."""
    wins = sum(float(a > b) + 0.5 * float(a == b) for a in inside for b in outside)
    return wins / (len(inside) * len(outside))


@settings(deadline=None)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=12),
    st.lists(st.integers(-5, 5), min_size=1, max_size=12),
)
def test_auroc_is_the_share_of_pairs_in_the_right_order(inside: list[int], outside: list[int]) -> None:
    known, strangers = np.array(inside, float), np.array(outside, float)
    assert auroc(known, strangers) == pytest.approx(_pairs_above(known, strangers))


@given(st.lists(st.integers(0, 4), min_size=12, max_size=60), st.integers(1, 5))
def test_each_particle_is_left_out_at_most_once_and_never_names_itself(labels: list[int], samples: int) -> None:
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    folds, by_sample = leave_out(numbers, [f"s{row % samples}" for row in range(len(numbers))])
    asked = np.concatenate([fold.asked for fold in folds]) if folds else np.zeros(0, np.int64)
    assert len(asked) == len(set(asked.tolist()))
    for fold in folds:
        assert not set(fold.asked.tolist()) & set(fold.rest.tolist())
        assert set(numbers[fold.asked].tolist()) <= set(numbers[fold.rest].tolist())
        if by_sample:
            assert not {row % samples for row in fold.asked.tolist()} & {row % samples for row in fold.rest.tolist()}


def test_whole_samples_are_left_out_only_where_classes_stay_large() -> None:
    labels = np.repeat(np.arange(4), 16)
    samples = [f"s{row % 4}" for row in range(len(labels))]
    assert leave_out(labels, samples)[1]
    assert not leave_out(labels[::4], samples[::4])[1]
    assert not leave_out(labels, ["s"] * len(labels))[1]


def test_particles_left_out_are_as_far_from_their_class_as_new_ones_would_be() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 4)
    left_out, drawn, new = [], [], []
    for _ in range(400):
        vectors = generator.normal(size=(12, 30)).astype(np.float32)
        fold = leave_out(labels, ["s"] * 12)[0][0]
        rest = vectors[fold.rest[labels[fold.rest] == labels[fold.asked[0]]]].mean(axis=0)
        whole = vectors[labels == labels[fold.asked[0]]].mean(axis=0)
        left_out.append(((vectors[fold.asked[0]] - rest) ** 2).sum())
        drawn.append(((as_from_outside(vectors, labels, fold)[0] - rest) ** 2).sum())
        new.append(((generator.normal(size=30) - whole) ** 2).sum())
    assert abs(np.mean(drawn) / np.mean(new) - 1) < 0.03
    assert np.mean(left_out) / np.mean(new) - 1 > 0.03  # (1 + 1/3) / (1 + 1/4) is 1.067


@pytest.mark.parametrize(("of_each", "gap"), [(1, 0.25), (2, 0.1), (4, 0.05), (16, 0.05)])
def test_scores_of_galleries_of_any_size_are_neither_timid_nor_bold(of_each: int, gap: float) -> None:
    gaps = []
    for seed in range(6):
        vectors, labels = _particles(of_each, seed, noise=0.9)
        samples = [f"s{row % 3}" for row in range(len(labels))]
        views = {"P": (vectors, np.ones(len(labels), np.bool_))}
        routes = fit_routes(views, labels, samples, "soft-lda")
        asked, truth = _particles(60, 100 + seed, noise=0.9)
        ids = [str(row) for row in range(len(asked))]
        there = {"P": (asked, np.ones(len(asked), np.bool_))}
        names = name_particles(ids, there, routes, list("abcdefgh"), [str(row) for row in range(len(labels))])
        score = np.array([one.score for one in names], float)
        right = np.array([one.label == "abcdefgh"[label] for one, label in zip(names, truth, strict=True)])
        gaps.append(score.mean() - right.mean())
    assert abs(np.mean(gaps)) < gap  # of one particle a class nothing can be left out: its scores only rank


def _strange_world(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
    """Make a gallery that lacks the last two of eight classes, and particles of all."""
    vectors, labels = _particles(12, seed)
    known = labels < 6
    asked, truth = _particles(40, 50 + seed)
    return vectors[known], labels[known], asked, truth < 6


def test_a_pool_that_holds_strangers_tells_them_better_than_none() -> None:
    alone: list[float] = []
    with_pool: list[float] = []
    for seed in range(3):
        vectors, labels, asked, known = _strange_world(seed)
        pool, _ = _particles(40, 200 + seed)
        for found, rule in (
            (alone, fit_familiarity(vectors, labels)),
            (with_pool, fit_familiarity(vectors, labels, pool)),
        ):
            score = rule(asked)
            found.append(auroc(score[known], score[~known]))
    assert np.mean(alone) > 0.8
    assert np.mean(with_pool) > np.mean(alone)


def test_what_is_far_from_everything_is_a_stranger_though_no_pool_holds_its_like() -> None:
    vectors, labels, asked, known = _strange_world(0)
    pool, of_pool = _particles(40, 200)
    rule = fit_familiarity(vectors, labels, pool[of_pool < 6])
    far = unit(-asked[known].mean(axis=0) + 0.3 * np.random.default_rng(1).normal(size=(60, _WIDTH))).astype(np.float32)
    assert auroc(rule(asked[known]), rule(far)) > 0.9


def test_familiarity_does_not_depend_on_what_is_asked_beside() -> None:
    vectors, labels, asked, _ = _strange_world(1)
    rule = fit_familiarity(vectors, labels, _particles(40, 5)[0])
    assert np.allclose(rule(asked)[7:9], rule(asked[7:9]))
    assert rule(asked[:0]).shape == (0,)


def test_a_share_of_familiarity_is_the_share_of_known_particles_below_it() -> None:
    lost, caught = [], []
    for seed in range(8):
        vectors, labels, asked, known = _strange_world(seed)
        around = Surroundings(_particles(40, 300 + seed)[0], ("pool",) * 320)
        learnt = calibrate({"IP": vectors}, labels, ["s"] * len(labels), "soft-lda", around)
        share = familiar_share(learnt, fit_familiarity(vectors, labels, around.vectors)(asked))
        lost.append((share[known] <= 0.1).mean())
        caught.append((share[~known] <= 0.1).mean())
        assert learnt.unknown_auroc is not None
        assert learnt.unknown_auroc > 0.8
    assert 0.05 < np.mean(lost) < 0.17  # 0.1, give or take the few that were held out
    assert np.mean(caught) > 0.8


def test_unlabelled_particles_of_a_sample_asked_about_take_no_part() -> None:
    around = Surroundings(_particles(40, 6)[0], tuple(f"s{row % 4}" for row in range(320)))
    assert len(around.without({"s1", "s2"})) == 160
    assert len(around.without({"s0", "s1", "s2", "s3"})) == 320  # too few would be left


def test_strangers_are_played_by_classes_that_are_taken_out() -> None:
    vectors, labels = _particles(12, 0)
    folds, by_sample = leave_out(labels, ["s"] * len(labels))
    known, strangers = held_out_familiarity(
        vectors, labels, ["s"] * len(labels), None, folds, by_sample=by_sample, with_strangers=True
    )
    assert len(strangers) == len(labels)  # each class once
    assert auroc(known, strangers) > 0.8
    two = labels < 2
    folds, _ = leave_out(labels[two], ["s"] * 24)
    assert not len(
        held_out_familiarity(vectors[two], labels[two], ["s"] * 24, None, folds, by_sample=False, with_strangers=True)[
            1
        ]
    )


def test_a_target_precision_is_met_by_the_names_that_are_given() -> None:
    reached = []
    for seed in range(6):
        vectors, labels = _particles(20, seed, noise=1.2)
        learnt = calibrate({"IP": vectors}, labels, ["s"] * len(labels), "soft-lda")
        lowest = score_for(learnt, 0.9)
        assert lowest is not None
        routes = fit_routes({"P": (vectors, np.ones(len(labels), np.bool_))}, labels, ["s"] * len(labels), "soft-lda")
        asked, truth = _particles(80, 100 + seed, noise=1.2)
        there = {"P": (asked, np.ones(len(asked), np.bool_))}
        ids = [str(row) for row in range(len(asked))]
        names = name_particles(ids, there, routes, list("abcdefgh"), ids, Caution(precision=0.9))
        given = [
            (one.label, "abcdefgh"[label]) for one, label in zip(names, truth, strict=True) if one.label != "unknown"
        ]
        assert 0.1 < len(given) / len(names) < 1
        reached.append(np.mean([label == right for label, right in given]))
    assert np.mean(reached) >= 0.9


def test_the_lowest_score_that_keeps_a_promise_is_found_by_sorting() -> None:
    steps = tuple((1 - place / 100, 1.0 if place <= 60 else 60 / place) for place in range(1, 101))
    learnt = Calibration(particles=100, right_above=steps)
    expected = max(place for place in range(10, 101) if min(1.0, 60 / place) - np.sqrt(0.8 * 0.2 / place) >= 0.8)
    assert score_for(learnt, 0.8) == pytest.approx(1 - expected / 100)
    assert score_for(learnt, 0.999) == pytest.approx(1 - 0.6) or score_for(learnt, 0.999) is None
    assert score_for(Calibration(), 0.5) is None


def test_where_no_score_keeps_the_promise_nothing_is_named() -> None:
    vectors, labels = _particles(4, 0, noise=30)
    views = {"P": (vectors, np.ones(len(labels), np.bool_))}
    routes = fit_routes(views, labels, ["s"] * len(labels), "soft-lda")
    ids = [str(row) for row in range(len(labels))]
    names = name_particles(ids, views, routes, list("abcdefgh"), ids, Caution(precision=0.95))
    assert {one.label for one in names} == {"unknown"}


def test_unfamiliar_particles_are_unknown_and_only_those() -> None:
    vectors, labels, asked, _ = _strange_world(3)
    pool = {"P": (_particles(40, 7)[0], np.ones(320, np.bool_))}
    views = {"P": (vectors, np.ones(len(labels), np.bool_))}
    routes = fit_routes(views, labels, ["s"] * len(labels), "soft-lda", pool=pool, pool_samples=["p"] * 320)
    there = {"P": (asked, np.ones(len(asked), np.bool_))}
    ids = [str(row) for row in range(len(asked))]
    for one in name_particles(ids, there, routes, list("abcdefgh"), ids, Caution(unfamiliar=0.2)):
        assert one.familiarity is not None
        assert (one.label == "unknown") == (one.familiarity <= 0.2)
        assert len(one.nearest) == len(one.nearest_labels) == len(one.nearest_likeness) == 3
        assert list(one.nearest_likeness) == sorted(one.nearest_likeness, reverse=True)


@pytest.mark.parametrize("wrong", [{"threshold": 1.2}, {"precision": -0.1}, {"unfamiliar": 1.0}])
def test_a_share_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="give a share"):
        Caution(**wrong)
