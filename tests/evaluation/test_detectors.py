"""Each detector against a slow second implementation of its paper's formula, particle by particle."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from seston.evaluation.detectors import DETECTORS, Head

_RANDOM = np.random.default_rng(0)
_LABELS = np.repeat([0, 1, 2], 20)
_CENTRES = _RANDOM.normal(0, 2, (3, 8))
_KNOWN = _CENTRES[_LABELS] + _RANDOM.normal(size=(60, 8)) * np.linspace(0.3, 1.5, 8)
_HEAD = Head(_KNOWN, _LABELS, _RANDOM.normal(size=(3, 8)), _RANDOM.normal(size=3))
_QUERIES = np.concatenate([_KNOWN[::5] + 0.1, _RANDOM.normal(0, 5, (10, 8))])


def _logits(x: np.ndarray) -> list[float]:
    return [
        float(sum(w * v for w, v in zip(row, x, strict=True)) + b)
        for row, b in zip(_HEAD.weights, _HEAD.offsets, strict=True)
    ]


def _softmax(x: np.ndarray) -> list[float]:
    raised = [math.exp(value) for value in _logits(x)]
    return [value / sum(raised) for value in raised]


def _msp(x: np.ndarray) -> float:
    return max(_softmax(x))


def _max_logit(x: np.ndarray) -> float:
    return max(_logits(x))


def _energy(x: np.ndarray) -> float:
    return math.log(sum(math.exp(value) for value in _logits(x)))


def _mahalanobis(x: np.ndarray) -> float:
    means = [_KNOWN[one].mean(axis=0) for one in (_LABELS == 0, _LABELS == 1, _LABELS == 2)]
    covariance = sum(np.outer(f - means[c], f - means[c]) for f, c in zip(_KNOWN, _LABELS, strict=True)) / len(_KNOWN)
    inverse = np.linalg.inv(covariance)
    return max(-float((x - mean) @ inverse @ (x - mean)) for mean in means)


def _kl_matching(x: np.ndarray) -> float:
    posteriors = [_softmax(f) for f in _KNOWN]
    gaps = []
    for named in range(3):
        own = [p for p in posteriors if p.index(max(p)) == named]
        if own:
            mean = [sum(column) / len(own) for column in zip(*own, strict=True)]
            gaps.append(sum(p * math.log(p / q) for p, q in zip(_softmax(x), mean, strict=True)))
    return -min(gaps)


def _react(x: np.ndarray) -> float:
    ordered = sorted(_KNOWN.ravel())
    place = 0.9 * (len(ordered) - 1)
    low = int(place)
    limit = ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])
    return _energy(np.array([min(value, limit) for value in x]))


def _vim(x: np.ndarray) -> float:
    origin = np.linalg.lstsq(_HEAD.weights, -_HEAD.offsets, rcond=None)[0]
    _, _, turned = np.linalg.svd(_KNOWN - origin)  # principal directions in its rows, the strongest first
    project = sum(np.outer(row, row) for row in turned[4:])

    def residual(f: np.ndarray) -> float:
        return float(np.linalg.norm(project @ (f - origin)))

    alpha = sum(_max_logit(f) for f in _KNOWN) / sum(residual(f) for f in _KNOWN)
    return _energy(x) - alpha * residual(x)


def _fifth_neighbour(x: np.ndarray) -> float:
    def unit(f: np.ndarray) -> np.ndarray:
        return np.asarray(f / math.sqrt(sum(value * value for value in f)))

    return -sorted(math.dist(unit(x), unit(f)) for f in _KNOWN)[4]


_SLOW: dict[str, Callable[[np.ndarray], float]] = {
    "MSP": _msp,
    "max-logit": _max_logit,
    "head energy": _energy,
    "Mahalanobis": _mahalanobis,
    "KL-matching": _kl_matching,
    "ReAct": _react,
    "ViM": _vim,
    "k-NN distance": _fifth_neighbour,
}


def test_every_detector_has_a_second_implementation() -> None:
    assert set(_SLOW) == set(DETECTORS)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_is_that_of_its_paper(name: str) -> None:
    found = DETECTORS[name](_HEAD)(_QUERIES)
    assert found == pytest.approx([_SLOW[name](x) for x in _QUERIES], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["Mahalanobis", "k-NN distance"])
def test_features_tell_what_is_far_away(name: str) -> None:
    score = DETECTORS[name](_HEAD)
    assert score(_KNOWN).mean() > score(_RANDOM.normal(0, 5, (60, 8))).mean()


def test_directions_without_spread_do_no_harm() -> None:
    flat = Head(np.pad(_KNOWN, ((0, 0), (0, 3))), _LABELS, np.pad(_HEAD.weights, ((0, 0), (0, 3))), _HEAD.offsets)
    wider = np.pad(_QUERIES, ((0, 0), (0, 3)))
    assert DETECTORS["Mahalanobis"](flat)(wider) == pytest.approx(DETECTORS["Mahalanobis"](_HEAD)(_QUERIES))
    assert all(np.isfinite(fit(flat)(wider)).all() for fit in DETECTORS.values())
