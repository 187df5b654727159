"""Listmode parameters against a real export."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from seston.simulate.listmode import LISTMODE_PARAMETERS, channel_parameters


def _profiles(path: Path) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    table = np.loadtxt(path, delimiter=",", skiprows=1, encoding="utf-8-sig")
    empty = ~table[:, 1:].any(axis=1)
    ends = np.flatnonzero(empty)[::2]
    starts = np.concatenate(([0], ends[:-1] + 2))
    return [table[start:end, 1:6].T for start, end in zip(starts, ends, strict=True)]


def test_parameters_of_a_real_pond_are_recomputed_from_its_pulses(real_data: Path) -> None:
    folder = real_data / "cytosense" / "cefas_pond"
    text = next(folder.glob("*_Listmode.csv")).read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    stated = np.array([[float(field) for field in row[3:]] for row in rows]).reshape(len(rows), 5, 14)
    profiles = _profiles(next(folder.glob("*_Pulses.csv")))
    assert len(profiles) == len(rows) == 817
    computed = np.array([channel_parameters(profile, 1, 0.55, 5.5) for profile in profiles])
    difference = np.abs(computed - stated) / np.maximum(np.abs(stated), 1e-6)
    for place, parameter in enumerate(LISTMODE_PARAMETERS):
        # how the covariance of other channels with sideward scatter is made is not known
        its = difference[:, 1, place] if parameter == "SWS covariance" else difference[:, :, place]
        assert np.median(its) < 2.4e-4, parameter
        assert np.quantile(its, 0.9) < 2e-3, parameter


def test_a_profile_without_light_has_finite_parameters() -> None:
    assert np.isfinite(channel_parameters(np.zeros((2, 12)), 0, 0.55, 5.0)).all()


def test_a_chain_of_three_bumps_counts_three_cells() -> None:
    bumps = 100.0 * (1.0 - np.cos(2.0 * np.pi * 3.0 * np.arange(120) / 120))
    cells = channel_parameters(np.stack((bumps, bumps)), 0, 0.55, 5.0)[0, LISTMODE_PARAMETERS.index("Number of cells")]
    assert cells == pytest.approx(3.0, rel=0.02)
