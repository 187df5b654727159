"""A run's shift is found and taken away, and what is no shift of the run stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.recognition.embeddings import Embeddings, join
from seston.recognition.run_levels import RunLevels, learn_levels, rows_of_runs

_KINDS, _WIDTH = 6, 10
_MIDDLES = np.random.default_rng(1).normal(size=(2, _KINDS, _WIDTH)) * 4


def _run(
    name: str, counts: NDArray[np.int64], seed: int, shift: float = 0.0, *, has_image: bool = True
) -> tuple[Embeddings, list[str], NDArray[np.int64]]:
    """Make particles of six kinds; the shift moves their profiles, and their pictures the other way."""
    generator = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(_KINDS), counts)
    image, profile = (_MIDDLES[side][kinds] + generator.normal(size=(len(kinds), _WIDTH)) for side in range(2))
    nothing = np.zeros((len(kinds), 0), np.float32)
    embeddings = Embeddings(
        ids=tuple(f"{name}/{number}" for number in range(len(kinds))),
        image=(image - 0.5 * shift).astype(np.float32) * has_image,
        profile=(profile + shift).astype(np.float32),
        shared_image=nothing,
        shared_profile=(0.5 * profile[:, :3] + shift).astype(np.float32),
        has_image=np.full(len(kinds), has_image),
        has_profile=np.ones(len(kinds), np.bool_),
        model_id="m",
    )
    return embeddings, [name] * len(kinds), kinds


_EVEN = np.full(_KINDS, 40)


@pytest.fixture(scope="module")
def levels() -> RunLevels:
    parts = [_run(f"run{number}", _EVEN, number) for number in range(3)]
    found = learn_levels(join([part[0] for part in parts]), [name for part in parts for name in part[1]])
    assert found is not None
    return found


def _moved(levels: RunLevels, run: Embeddings, name: str = "profile") -> float:
    shift = levels.shift_of(run)
    assert shift is not None
    return float(shift[name][2].mean())


def test_the_shift_of_a_run_is_found_in_every_matrix(levels: RunLevels) -> None:
    run, _, _ = _run("new", _EVEN, 7, shift=2.0)
    assert _moved(levels, run) == pytest.approx(2.0, abs=0.3)
    assert _moved(levels, run, "shared_profile") == pytest.approx(2.0, abs=0.3)
    assert _moved(levels, run, "image") == pytest.approx(-1.0, abs=0.2)


@pytest.mark.parametrize(
    "counts",
    [np.array([120, 120, 0, 0, 0, 0]), np.array([0, 0, 0, 10, 20, 200]), np.array([150, 75, 38, 19, 9, 5])],
)
def test_other_species_are_no_shift(levels: RunLevels, counts: NDArray[np.int64]) -> None:
    plain, _, _ = _run("new", counts, 8)
    mean = float(np.abs(plain.profile.mean(axis=0) - _MIDDLES[1].mean(axis=0)).mean())
    assert mean > 0.7  # the run's own mean is far from that of the others
    shift = levels.shift_of(plain)
    assert shift is not None
    assert float(np.abs(shift["profile"][2]).mean()) < 0.25
    strong, _, _ = _run("new", counts, 8, shift=2.0)
    assert _moved(levels, strong) == pytest.approx(2.0, abs=0.45)


def test_corrected_runs_lie_where_the_others_do(levels: RunLevels) -> None:
    one, first, kinds = _run("one", _EVEN, 9, shift=1.5)
    two, second, _ = _run("two", _EVEN, 10, shift=-1.5)
    both = levels.correct(join([one, two]), [*first, *second])
    for part in (both.take(np.arange(len(one))), both.take(np.arange(len(one), len(both)))):
        middles = np.stack([part.profile[kinds == kind].mean(axis=0) for kind in range(_KINDS)])
        assert np.abs(middles - _MIDDLES[1]).mean() < 0.35
    assert both.ids == one.ids + two.ids


def test_hand_made_features_are_stretched_and_those_of_a_model_are_not(levels: RunLevels) -> None:
    parts = [_run(f"run{number}", _EVEN, number) for number in range(3)]
    pool = join([replace(part[0], model_id="classical-1") for part in parts])
    classical = learn_levels(pool, [name for part in parts for name in part[1]])
    assert classical is not None
    run, samples, kinds = _run("flat", np.array([200, 200, 200, 0, 0, 0]), 20)
    flat = replace(run, profile=(0.6 * run.profile).astype(np.float32))
    stretched, plain = classical.shift_of(replace(flat, model_id="classical-1")), levels.shift_of(flat)
    assert stretched is not None
    assert plain is not None
    assert 0.5 < float(stretched["profile"][1].mean()) < 0.8
    np.testing.assert_array_equal(plain["profile"][1], 1)
    corrected = classical.correct(replace(flat, model_id="classical-1"), samples).profile
    middles = np.stack([corrected[kinds == kind].mean(axis=0) for kind in range(3)])
    assert np.abs(middles - _MIDDLES[1][:3]).mean() < 0.8 * np.abs(0.6 * _MIDDLES[1][:3] - _MIDDLES[1][:3]).mean()


def test_a_run_of_few_particles_stays_as_it_is(levels: RunLevels) -> None:
    few, samples, _ = _run("few", np.full(_KINDS, 8), 11, shift=3.0)
    assert levels.shift_of(few) is None
    np.testing.assert_array_equal(levels.correct(few, samples).profile, few.profile)


def test_profiles_alone_are_enough(levels: RunLevels) -> None:
    run, samples, _ = _run("blind", _EVEN, 12, shift=1.0, has_image=False)
    assert _moved(levels, run) == pytest.approx(1.0, abs=0.3)
    corrected = levels.correct(run, samples)
    assert not corrected.image.any()  # a row of zeros stays one where there is no picture


def test_levels_survive_being_kept(levels: RunLevels) -> None:
    run, _, _ = _run("new", _EVEN, 13, shift=1.0)
    kept = RunLevels.of_tensors(levels.tensors())
    before, after = levels.shift_of(run), kept.shift_of(run)
    assert before is not None
    assert after is not None
    assert before.keys() == after.keys()
    for name, moved in before.items():
        np.testing.assert_array_equal(moved, after[name])


def test_missing_and_constant_features_do_no_harm() -> None:
    run, samples, _ = _run("a", _EVEN, 14)
    run.profile[:, 0] = np.nan
    run.profile[::5, 1] = np.nan
    run.profile[:, 2] = 3.0
    levels = learn_levels(run, samples)
    assert levels is not None
    corrected = levels.correct(run, samples)
    assert np.isnan(corrected.profile[:, 0]).all()
    assert np.isfinite(corrected.profile[:, 3:]).all()
    np.testing.assert_array_equal(corrected.profile[:, 2], run.profile[:, 2])


def test_too_small_a_pool_teaches_nothing() -> None:
    few, samples, _ = _run("few", np.full(_KINDS, 3), 15)
    assert learn_levels(few, samples) is None
    assert learn_levels(few.take([]), []) is None
    assert list(rows_of_runs(["a", "b", "a"])["a"]) == [0, 2]
