"""Pictures and profiles are brought together by their unlabelled pairs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cross_decomposition import CCA

from seston.evaluation.partners import ranks
from seston.recognition.alignment import align, keep_shared
from seston.recognition.embeddings import Embeddings
from seston.recognition.views import fit_spaces, views_of


def _pairs(count: int, seed: int, noise: float = 0.3) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mix what both sides know of a particle into the features of each, in another way on each side."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(99)
    common = generator.normal(size=(count, 5))
    sides = [
        common @ mixing.normal(size=(5, width)) + noise * generator.normal(size=(count, width)) for width in (12, 20)
    ]
    return sides[0].astype(np.float32), sides[1].astype(np.float32)


def test_partners_that_were_never_seen_are_found() -> None:
    image, profile = align(*_pairs(600, 0))
    asked = _pairs(200, 1)
    found = ranks(image([asked[0]]), profile([asked[1]]))
    assert (found == 1).mean() > 0.8
    assert (ranks(asked[0][:, :12], asked[1][:, :12]) == 1).mean() < 0.05


def test_the_first_directions_are_those_of_canonical_correlation() -> None:
    left, right = _pairs(5000, 0)
    image, profile = align(left, right)
    peer = CCA(n_components=3, max_iter=2000, tol=1e-9).fit(left.astype(np.float64), right.astype(np.float64))
    theirs = [np.corrcoef(*pair)[0, 1] for pair in zip(*(side.T for side in peer.transform(left, right)), strict=True)]
    placed = image.blocks[0](left), profile.blocks[0](right)
    ours = [np.corrcoef(placed[0][:, place], placed[1][:, place])[0, 1] for place in range(3)]
    assert ours == pytest.approx(theirs, abs=0.01)


def test_few_pairs_are_not_overfitted() -> None:
    generator = np.random.default_rng(0)
    image, profile = align(*(generator.normal(size=(60, 200)).astype(np.float32) for _ in range(2)))
    fresh = [generator.normal(size=(300, 200)).astype(np.float32) for _ in range(2)]
    assert (ranks(image([fresh[0]]), profile([fresh[1]])) <= 3).mean() < 0.05


def test_missing_features_and_constant_ones_do_no_harm() -> None:
    left, right = _pairs(300, 0)
    left[::5, 2] = np.nan
    left = np.concatenate([left, np.full((300, 1), 4, np.float32), np.full((300, 1), np.nan, np.float32)], axis=1)
    image, profile = align(left, right)
    assert (ranks(image([left]), profile([right])) == 1).mean() > 0.8


def test_with_too_few_pairs_the_encoders_own_space_is_kept() -> None:
    left, right = _pairs(30, 0)
    shared = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 8)))[0].astype(np.float32)
    there = np.ones(30, np.bool_)
    few = Embeddings(tuple(f"s/{n}" for n in range(30)), left, right, shared, shared + 0.5, there, there, "test")
    views = views_of(few, fit_spaces(few))
    assert views["SI"][0] == pytest.approx(views["SP"][0], abs=1e-5)
    assert keep_shared(12, shared)([np.concatenate([left, shared], axis=1)]) == pytest.approx(views["SI"][0])
