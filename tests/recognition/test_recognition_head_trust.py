"""What held-out particles and strangers teach about the answers of a head, and the nearness to classes."""

from __future__ import annotations

import numpy as np
import pytest

from seston.recognition.caution import Caution
from seston.recognition.class_groups import KnownClass, group_classes
from seston.recognition.discriminants import fit_discriminants
from seston.recognition.head_names import HeadNamer
from seston.recognition.head_trust import HeadTrust, evidence, known_steps, learn_trust, right_steps

CLASSES = tuple(
    KnownClass(label=label, taxon=label, lineage={"kingdom": "Animalia", "order": order, "species": label})
    for label, order in (("Acartia a", "Calanoida"), ("Acartia b", "Calanoida"), ("Oithona c", "Cyclopoida"))
)


def learnt(count: int = 600) -> tuple[HeadTrust, np.ndarray]:
    random = np.random.default_rng(1)
    truth = random.integers(0, 3, count)
    answers = random.normal(0, 1, (count, 3)).astype(np.float32)
    answers[np.arange(count), truth] += random.uniform(0, 8, count).astype(np.float32)
    return learn_trust(answers, truth, group_classes(CLASSES)), answers


def test_nearness_is_the_relative_mahalanobis_distance() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 30)
    vectors = (random.normal(0, 2, (4, 12))[labels] + random.normal(0, 1, (120, 12))).astype(np.float32)
    asked = random.normal(0, 3, (9, 12)).astype(np.float32)
    found = fit_discriminants(vectors, labels, shrinkage=0.1).nearness(asked)

    means = np.stack([vectors[labels == one].mean(axis=0) for one in range(4)]).astype(np.float64)
    within = sum(np.cov(vectors[labels == one].T, bias=True) for one in range(4)) / 4
    within = 0.9 * within + 0.1 * np.trace(within) / 12 * np.eye(12)
    middle = vectors.mean(axis=0)
    whole = within + (means - middle).T @ (means - middle) / 4
    for one, nearness in zip(asked.astype(np.float64), found, strict=True):
        to_class = min((one - mean) @ np.linalg.solve(within, one - mean) for mean in means)
        assert nearness == pytest.approx((one - middle) @ np.linalg.solve(whole, one - middle) - to_class, rel=1e-3)


def test_a_share_of_right_names_never_falls_with_the_score_and_is_never_above_what_was_seen() -> None:
    random = np.random.default_rng(2)
    score = random.uniform(0, 1, 500)
    right = random.uniform(0, 1, 500) < score * 0.6
    steps = right_steps(score, right)
    shares = [share for _, share in steps]
    assert len(steps) == 10
    assert shares == sorted(shares)
    for start, share in steps[1:]:
        assert share <= right[score >= start].mean()
    assert right_steps(score[:19], right[:19]) == ()


def test_half_of_what_looks_as_strangers_do_as_often_is_known() -> None:
    even = np.linspace(0, 0.9999, 1000)
    assert all(share == pytest.approx(0.5, abs=0.02) for _, share in known_steps([even]))
    apart = known_steps([even * 0.05, even * 0.05])
    assert apart[0][1] == pytest.approx(0.05 / 1.05, abs=1e-3)
    assert apart[1][1] == apart[-1][1] == 1.0


def test_a_strange_particle_gets_a_wide_name_with_the_score_that_strange_ones_deserve_or_none() -> None:
    trust, answers = learnt()
    namer = HeadNamer(CLASSES, trust, "the run")
    strange = answers[np.argsort(evidence(answers))[:40]]
    ids, there = [str(number) for number in range(40)], np.ones(40, bool)
    for caution in (Caution(), Caution(precision=0.3), Caution(threshold=0.2)):
        for one in namer.name(ids, there, strange, caution):
            assert one.warning
            assert one.rank in ("", "order", "kingdom")
            assert (one.label == "unknown") == (one.rank == "")
            steps = trust.strange_right["order"]
            assert one.rank_scores[one.ranks.index("order")] <= max(share for _, share in steps) + 1e-4
    strict, loose = (
        [one.rank for one in namer.name(ids, there, strange, Caution(precision=share))] for share in (0.99, 0.5)
    )
    assert strict.count("") > loose.count("")


def test_what_another_instrument_has_seen_is_strange_whatever_it_looks_like() -> None:
    trust, _ = learnt()
    namer = HeadNamer(CLASSES, trust, "the run")
    answers = np.array([[12, 0, 0], [12, 0, 0]], np.float32)
    here, there = namer.name(["a", "b"], np.ones(2, bool), answers, Caution(), foreign=["", "IFCB"])
    assert (here.label, here.warning) == ("Acartia a", "")
    assert there.rank in ("", "order", "kingdom")
    assert "was taken by IFCB" in there.warning


def test_doubts_about_strangers_lower_scores_and_a_threshold_counts_after_them() -> None:
    trust, _ = learnt()
    doubting = HeadTrust(trust.temperature, trust.calibrations, trust.familiarity, {}, ((0.0, 0.25), (0.999, 0.5)))
    answers = np.array([[12, 0, 0]], np.float32)
    plain, doubted = (
        HeadNamer(CLASSES, one, "the run").name(["a"], np.ones(1, bool), answers, Caution())[0]
        for one in (trust, doubting)
    )
    assert plain.score is not None
    assert doubted.label == plain.label
    assert doubted.score == pytest.approx(plain.score / 2)
    (none,) = HeadNamer(CLASSES, doubting, "the run").name(["a"], np.ones(1, bool), answers, Caution(threshold=0.6))
    assert none.label == "unknown"
