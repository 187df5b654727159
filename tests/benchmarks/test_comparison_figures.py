"""Differences between methods, and what counts as ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from comparison.contenders import CONTENDERS, choose, recipe_of
from comparison.figures import figures_of
from comparison.judging import Answer, Judgement, load_judgement

from seston.errors import UsageError


def _judged(method: str, seed: int, rates: dict[str, float], sees: str = "IP") -> Judgement:
    """Make up a method that is right as often as said: 4 galleries, 500 queries."""
    random = np.random.default_rng([seed, len(method)])
    right = {
        Answer("soft-lda", combination, combination, 4): random.random((4, 500)) < rate
        for combination, rate in rates.items()
    }
    return Judgement({"set": "made-up", "method": method, "seed": seed, "sees": sees, "queries": 500}, right, {})


def test_a_better_method_is_ahead_and_an_equal_one_level() -> None:
    judged = [
        _judged(name, seed, {"I": rate})
        for name, rate in (("default", 0.7), ("worse", 0.6), ("same-as-it", 0.7), ("far-better", 0.8))
        for seed in (0, 1, 2)
    ]
    gains = {cell.method: cell.gain for cell in figures_of(judged).names}
    assert gains["default"] is None
    verdicts = {name: gain.verdict for name, gain in gains.items() if gain is not None}
    assert verdicts == {"worse": "ahead", "same-as-it": "level", "far-better": "behind"}


def test_only_common_seeds_are_compared() -> None:
    judged = [_judged("default", seed, {"I": 0.7}) for seed in (0, 1)] + [_judged("rival", 1, {"I": 0.5})]
    rival = next(cell for cell in figures_of(judged).names if cell.method == "rival")
    assert rival.gain is not None
    assert rival.gain.seeds == 1


def test_a_method_that_sees_pictures_alone_answers_by_them_where_both_are_there() -> None:
    judged = [_judged("default", 0, {"I": 0.5, "IP": 0.9}), _judged("blind", 0, {"I": 0.6}, sees="I")]
    cells = {(cell.method, cell.what): cell for cell in figures_of(judged).names}
    assert cells["blind", "IP-IP"].accuracy == cells["blind", "I-I"].accuracy
    assert ("blind", "P-P") not in cells


def test_both_modalities_are_held_against_the_better_single_one() -> None:
    single, gain = figures_of([_judged("default", 0, {"I": 0.4, "P": 0.6, "IP": 0.8})]).fusion["made-up", 4]
    assert single == "P-P"
    assert gain.value == pytest.approx(0.2, abs=0.05)
    assert gain.low > 0


def test_methods_that_were_asked_other_things_are_not_compared() -> None:
    one, other = _judged("default", 0, {"I": 0.5}), _judged("rival", 0, {"I": 0.5})
    judged = [
        Judgement({**one.card, "draws": "a"}, one.right, {}),
        Judgement({**other.card, "draws": "b"}, other.right, {}),
    ]
    with pytest.raises(UsageError, match="different galleries"):
        figures_of(judged)


def test_a_judgement_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    judged = _judged("default", 3, {"I": 0.5, "P": 0.25})
    judged = Judgement(judged.card, judged.right, {"cosine|image→profile": np.array([1, 5, 3])})
    judged.save(tmp_path / "one.npz")
    back = load_judgement(tmp_path / "one.npz")
    assert back.card == judged.card
    assert back.right.keys() == judged.right.keys()
    assert all((back.right[answer] == judged.right[answer]).all() for answer in judged.right)
    assert back.ranks["cosine|image→profile"].tolist() == [1, 5, 3]


def test_every_recipe_sees_pictures_of_at_most_112_pixels_and_starts_from_random_weights() -> None:
    for contender in choose([], "random")[0]:
        if contender.recipe:
            recipe = recipe_of(contender, 5)
            assert recipe.pictures.size <= 112
            assert recipe.model.image.weights == "random"
            assert recipe.seed == 5


def test_from_imagenet_both_sides_have_the_same_tower() -> None:
    towers = {recipe_of(one, 0).model.image for one in choose(["default", "paper", "paper-10x"], "imagenet")[0]}
    assert {(tower.tower, tower.weights) for tower in towers} == {
        ("timm:tf_efficientnet_lite0", "package:efficientnet-lite0")
    }
    assert [recipe_of(one, 0).name for one in choose(["default", "untrained"], "imagenet")[0]] == [
        "default-imagenet", "default",
    ]  # fmt: skip


def test_an_unknown_method_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'classical'"):
        choose(["clasical"], "random")
    assert len({one.name for one in CONTENDERS}) == len(CONTENDERS)
