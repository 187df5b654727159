"""The parameters of CytoClus recomputed: against CytoClus' own numbers, a slow second computation, and known shapes."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.features import cytoclus_parameters
from seston.features.listmode_formulas import widths_at
from seston.features.pulses import Pulses

_NAMES = {"Sidewards Scatter": "SWS", "Fl Yellow": "FL Yellow", "Fl Orange": "FL Orange", "Fl Red": "FL Red"}

_KINDS = (
    *("Length", "Total", "Maximum", "Average", "Inertia", "Center of gravity", "Fill factor", "Asymmetry"),
    *("Number of cells", "First", "Last", "Minimum", "SWS covariance"),
)


def _rows(path: Path, separator: str) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _profiles(path: Path, separator: str) -> tuple[list[str], dict[str, NDArray[np.float64]]]:
    """Split a pulse table into profiles: two rows of zeros stand after each."""
    header, *rows = _rows(path, separator)
    channels = [_NAMES.get(name, name) for name in header[1:]]
    found: dict[str, list[list[float]]] = {}
    current = ""
    for row in rows:
        values = [_number(text) for text in row[1:] if text]
        if any(values):
            found.setdefault(row[0], []).append(values)
            current = row[0]
    assert current
    return channels, {name: np.array(values).T for name, values in found.items()}


def _listmode(path: Path, separator: str) -> dict[str, dict[str, float]]:
    header, *rows = _rows(path, separator)
    for old, new in _NAMES.items():
        header = [name.replace(f"{old} ", f"{new} ") for name in header]
    return {
        row[0]: dict(zip(header[1:], map(_number, row[1:]), strict=True)) for row in rows if len(row) == len(header)
    }


@pytest.mark.parametrize(
    ("folder", "separator", "spacing", "beam", "particles"),
    [("cefas_pond", ",", 0.55, 5.5, 817), ("ulco_r4", ";", 0.5, 5.0, 7)],
)
def test_parameters_are_those_that_cytoclus_wrote(
    real_data: Path, folder: str, separator: str, spacing: float, beam: float, particles: int
) -> None:
    (pulses,) = (real_data / "cytosense" / folder).glob("*_Pulses.csv")
    (listmode,) = (real_data / "cytosense" / folder).glob("*_Listmode.csv")
    channels, profiles = _profiles(pulses, separator)
    written = {name: values for name, values in _listmode(listmode, separator).items() if name in profiles}
    assert len(written) == particles
    differences: dict[str, list[float]] = {}
    for name, values in written.items():
        computed = cytoclus_parameters(profiles[name], channels, spacing, beam)
        for parameter, value in computed.items():
            if parameter in values and not parameter.startswith("Curvature"):
                scale = max(abs(values[parameter]), 1e-6)
                kind = next(kind for kind in _KINDS if parameter.endswith(kind))
                differences.setdefault(kind, []).append(abs(value - values[parameter]) / scale)
    assert {kind: len(found) for kind, found in differences.items()} == {
        kind: particles * (1 if kind == "SWS covariance" else 5) for kind in _KINDS
    }
    medians = {parameter: float(np.median(values)) for parameter, values in differences.items()}
    assert max(medians.values()) <= 0.0003
    tails = [float(np.quantile(values, 0.98)) for values in differences.values()]
    assert max(tails) <= 0.01


def _slowly(values: Sequence[float], spacing: float, beam: float) -> dict[str, float]:
    """The definitions written out, one sum after the other."""
    n = len(values)
    head = values[:-1]
    total = sum(values)
    center = sum(i * d for i, d in enumerate(head)) / sum(head)
    second = sum(i * i * d for i, d in enumerate(head))
    squares = sum(d * d for d in values)
    wiggle = sum((b - a) ** 2 for a, b in pairwise(values)) / (squares - total**2 / n)
    level = max(values) / 2
    first = next(i for i, d in enumerate(values) if d > level)
    last = next(i for i in reversed(range(n)) if values[i] > level)
    start, end = float(first), float(last)
    if first > 0:
        start -= (values[first] - level) / (values[first] - values[first - 1])
    if last < n - 1:
        end += (values[last] - level) / (values[last] - values[last + 1])
    t = (end - start) * spacing
    u = (beam / t) ** 2 if t else math.inf
    length = 0.2 if math.isinf(u) else max(t * 70 / (70 + u + u * u / 2 + 1.5 * u**4), 0.2)
    return {
        "Length": length,
        "Total": total,
        "Maximum": max(values),
        "Average": sum(head) / (n - 1),
        "Inertia": abs((second - center**2 * total) / (total * (n - 1) ** 2 / 12)),
        "Center of gravity": center,
        "Fill factor": total**2 / (n * squares),
        "Asymmetry": abs(2 * center / (n - 1) - 1),
        "Number of cells": n / (2 * math.pi) * math.sqrt(wiggle),
        "First": values[0],
        "Last": values[-1],
        "Minimum": min(values),
    }


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.floats(0.5, 5000), min_size=3, max_size=60).filter(
        lambda values: max(values) > 1.01 * min(values)
    ),
    spacing=st.sampled_from([0.3675, 0.5, 0.55]),
    beam=st.sampled_from([5.0, 5.5]),
)
def test_parameters_agree_with_the_definitions_written_out(values: list[float], spacing: float, beam: float) -> None:
    found = cytoclus_parameters(np.array([values]), ["FWS"], spacing, beam)
    for name, expected in _slowly(values, spacing, beam).items():
        assert found[f"FWS {name}"] == pytest.approx(expected, rel=1e-5, abs=1e-6), name


def test_particles_measured_together_and_alone_agree() -> None:
    random = np.random.default_rng(0)
    profiles = [random.gamma(1.0, 100.0, (3, int(random.integers(3, 80)))) for _ in range(30)]
    together = widths_at(Pulses.of(profiles), 0.5)
    for column, profile in enumerate(profiles):
        np.testing.assert_allclose(widths_at(Pulses.of([profile]), 0.5)[:, 0], together[:, column])


def test_length_needs_spacing_and_beam_width() -> None:
    profile = np.array([[1.0, 5.0, 9.0, 5.0, 1.0]])
    assert "FWS Length" in cytoclus_parameters(profile, ["FWS"], 0.5, 5.0)
    assert "FWS Length" not in cytoclus_parameters(profile, ["FWS"], 0.5)
    assert "FWS Length" not in cytoclus_parameters(profile, ["FWS"], None, 5.0)


def test_sideward_covariance_is_given_for_sideward_scatter_alone() -> None:
    profile = np.tile(10 * np.sin(np.pi * (np.arange(40) + 0.5) / 40) ** 2, (3, 1))
    found = cytoclus_parameters(profile, ["FWS", "SWS", "FL Red"])
    assert [name for name in found if name.endswith("SWS covariance")] == ["SWS SWS covariance"]
    assert found["SWS SWS covariance"] == pytest.approx(5, rel=0.01)  # sin² is half a constant less half a cosine


def test_fewer_than_three_samples_give_one_and_dark_channels_give_zero() -> None:
    few = cytoclus_parameters(np.array([[3.0, 4.0]]), ["SWS"], 0.5, 5.0)
    assert set(few.values()) == {1.0}
    dark = cytoclus_parameters(np.zeros((1, 10)), ["FWS"], 0.5, 5.0)
    assert dark.pop("FWS Length") == pytest.approx(0.2)
    assert set(dark.values()) == {0.0}


def test_a_profile_without_samples_has_no_parameters() -> None:
    assert cytoclus_parameters(np.zeros((2, 0)), ["FWS", "SWS"], 0.5, 5.0) == {}
    assert cytoclus_parameters(np.zeros((0, 5)), []) == {}
