"""Tables of scores judged as they stream by, against scikit-learn and slow counting on the whole."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from seston.errors import UsageError
from seston.evaluation.lineages import Lineage
from seston.evaluation.rank_tally import RankRow, by_rank
from seston.evaluation.score_tally import ScoreTally
from seston.evaluation.strangers import calibration_error

_CLASSES: list[Lineage] = [
    ("A", "B", "C", "D", "E", "F", "F one"),
    ("A", "B", "C", "D", "E", "F", "F two"),
    ("A", "B", "C", "D", "E", "G", ""),
    ("A", "B", "C", "D", "", "", ""),
    ("A", "H", "", "", "", "", ""),
    ("K", "L", "M", "N", "O", "P", "P one"),
]


def _made(particles: int = 400) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    truth = random.integers(0, 6, particles)
    scores = random.random((particles, 6)).astype(np.float32)
    scores[np.arange(particles), truth] += 0.4
    return scores / scores.sum(axis=1, keepdims=True), truth


def test_the_first_names_equal_scikit_learn_and_blocks_the_whole() -> None:
    scores, truth = _made()
    tally = ScoreTally(_CLASSES, top=(1, 2, 3))
    for start in range(0, 400, 33):
        tally.add(scores[start : start + 33], truth[start : start + 33])
    found = tally.figures(resamples=200)
    for row in found.top:
        assert row.accuracy == pytest.approx(top_k_accuracy_score(truth, scores, k=row.first))
        assert row.low < row.accuracy < row.high
        assert row.particles == 400
    lineages = [_CLASSES[number] for number in truth], [_CLASSES[number] for number in scores.argmax(axis=1)]
    for own, whole in zip(found.ranks, by_rank(*lineages, resamples=5), strict=True):
        assert _figures(own) == pytest.approx(_figures(whole))


def _figures(row: RankRow) -> dict[str, float]:
    return {
        name: value
        for name, value in asdict(row).items()
        if isinstance(value, int | float) and not name.endswith(("_low", "_high"))
    }


def test_calibration_is_that_of_all_scores_at_once() -> None:
    scores, truth = _made()
    tally = ScoreTally(_CLASSES)
    tally.add(scores[:150], truth[:150])
    tally.add(scores[150:], truth[150:])
    found = tally.figures(resamples=20)
    best = scores.max(axis=1).astype(np.float64)
    assert found.calibration_error == pytest.approx(calibration_error(best, scores.argmax(axis=1) == truth))
    assert sum(row.particles for row in found.reliability) == 400
    assert all(row.lower <= row.probability <= row.upper for row in found.reliability)


def test_logits_become_probabilities() -> None:
    scores, truth = _made()
    plain, logits = ScoreTally(_CLASSES), ScoreTally(_CLASSES, logits=True)
    plain.add(scores, truth)
    logits.add(np.log(scores), truth)
    one, other = plain.figures(resamples=20), logits.figures(resamples=20)
    assert one.top == other.top
    assert one.calibration_error == pytest.approx(other.calibration_error, rel=1e-4)


def test_among_equal_scores_the_first_column_wins() -> None:
    tally = ScoreTally(_CLASSES, top=(1, 2))
    tally.add(np.full((2, 6), 1 / 6), np.array([0, 1]))
    assert [row.accuracy for row in tally.figures(resamples=20).top] == [0.5, 1.0]


def test_summed_up_probabilities_choose_each_rank_by_itself() -> None:
    scores = np.array([[0.21, 0.22, 0.24, 0.0, 0.0, 0.33]])
    cut, summed = ScoreTally(_CLASSES), ScoreTally(_CLASSES, sum_up=True)
    for tally in (cut, summed):
        tally.add(scores, np.array([1]))
    assert [row.accuracy for row in cut.figures(resamples=5).ranks] == [0] * 7
    assert [row.accuracy for row in summed.figures(resamples=5).ranks] == [1, 1, 1, 1, 1, 1, 0]


def test_summed_up_classes_that_end_above_a_rank_abstain_there() -> None:
    tally = ScoreTally(_CLASSES, sum_up=True)
    tally.add(np.array([[0.3, 0.1, 0.0, 0.6, 0.0, 0.0]]), np.array([0]))
    assert [row.abstained for row in tally.figures(resamples=5).ranks] == [0, 0, 0, 0, 1, 1, 1]


def test_a_particle_of_no_scored_class_counts_at_its_ranks_alone() -> None:
    tally = ScoreTally(_CLASSES)
    truth: list[Lineage] = [_CLASSES[0], ("A", "B", "C", "D", "E", "X", "X one")]
    tally.add(np.array([[0.9, 0.1, 0, 0, 0, 0]] * 2), np.array([0, -1]), lineages=truth)
    found = tally.figures(resamples=5)
    assert found.top[0].particles == 1
    assert [row.accuracy for row in found.ranks] == [1, 1, 1, 1, 1, 0.5, 0.5]
    with pytest.raises(UsageError, match="need their lineages"):
        tally.add(np.full((1, 6), 1 / 6), np.array([-1]))


def test_samples_that_differ_widen_the_interval_of_the_first_name() -> None:
    tally = ScoreTally(_CLASSES)
    truth = np.repeat([0, 1], 500)
    tally.add(np.tile([[0.9, 0.1, 0, 0, 0, 0]], (1000, 1)), truth, [f"s{number // 100}" for number in range(1000)])
    (row, _) = tally.figures().top
    assert row.accuracy == 0.5
    assert row.high - row.low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(10), rel=0.15)


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(UsageError, match=r"shape \(3, 5\), not \(3, 6\)"):
        ScoreTally(_CLASSES).add(np.zeros((3, 5)), np.array([0, 1, 2]))
