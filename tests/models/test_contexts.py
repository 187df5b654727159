"""Contexts as numbers: smooth where the globe and the year close, and silent where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seston.models.config import ContextTowerConfig
from seston.models.context_encoder import ContextEncoder
from seston.models.contexts import Contexts, context_features, context_rows, feature_count, known_parts


def _context(
    latitude: float = 54.0, longitude: float = 8.0, depth: float = 10.0, time: str = "2024-06-01T09"
) -> Contexts:
    here = np.array([[latitude], [longitude], [depth]])
    return context_rows(here[0], here[1], here[2], np.array([time], "datetime64[us]"))


def _apart(one: Contexts, other: Contexts) -> float:
    return float(np.abs(context_features(one, 3, 3) - context_features(other, 3, 3)).max())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"longitude": 179.999}, {"longitude": -179.999}),
        ({"latitude": 89.99, "longitude": 9.0, "time": "NaT"}, {"latitude": 89.99, "longitude": -171.0, "time": "NaT"}),
        ({"time": "2023-12-31T23:59:50"}, {"time": "2024-01-01T00:00:10"}),
        ({"time": "2024-12-31T23:59:50"}, {"time": "2025-01-01T00:00:10"}),
        ({"time": "2024-06-01T23:59:50"}, {"time": "2024-06-02T00:00:10"}),
        ({"depth": -3.0}, {"depth": 0.0}),
    ],
    ids=["date line", "pole", "new year", "end of a leap year", "midnight", "above the surface"],
)  # fmt: skip
def test_neighbours_across_a_seam_are_neighbours_in_features(one: dict[str, float], other: dict[str, float]) -> None:
    assert _apart(_context(**one), _context(**other)) < 0.005  # type: ignore[arg-type]  # times are texts
    assert _apart(_context(), _context(latitude=-54.0)) > 0.5


def test_the_hour_is_that_of_the_sun_and_the_year_does_not_count() -> None:
    east = _context(longitude=90.0, time="2024-06-01T06:00")
    assert east[0, 4] == pytest.approx(0.5)
    assert _context(longitude=-90.0, time="2024-06-01T18:00")[0, 4] == pytest.approx(0.5)
    assert _context(time="2023-03-01")[0, 3] == pytest.approx(_context(time="2021-03-01")[0, 3])
    assert np.isnan(_context(time="2023-03-01")[0, 4])  # a date without a time of day


def test_what_is_unknown_is_zero_and_says_so() -> None:
    rows = np.concatenate([_context(), _context(time="NaT"), _context(latitude=np.nan), _context(depth=np.nan)])
    assert known_parts(rows).tolist() == [
        [True, True, True, True],
        [True, False, False, True],
        [False, True, False, True],
        [True, True, True, False],
    ]
    features = context_features(rows, 2, 1)
    assert features.shape == (4, feature_count(2, 1))
    assert (features[:, -4:] == known_parts(rows)).all()
    assert (features[2, :9] == 0).all()
    assert (features[1, 9:17] == 0).all()
    assert features[3, 17] == 0


def test_a_part_that_was_never_learnt_changes_nothing() -> None:
    learnt = ("position", "season", "hour")
    shallow, deep = (context_features(_context(depth=depth), 2, 1, learnt) for depth in (1.0, 4000.0))
    assert (shallow == deep).all()
    assert (context_features(_context(depth=1.0), 2, 1) != context_features(_context(depth=4000.0), 2, 1)).any()


def test_the_tower_reads_as_many_features_as_there_are() -> None:
    torch.manual_seed(0)
    tower = ContextTowerConfig(width=8, layers=3, harmonics=1, octaves=0)
    rows = np.concatenate([_context(), _context(time="NaT")])
    said = ContextEncoder(tower, 5)(torch.from_numpy(context_features(rows, 1, 0)))
    assert said.shape == (2, 5)
    assert not torch.allclose(said[0], said[1])
