"""One spelling for each channel and parameter."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.particle import CHANNEL_ORDER, canonical_channel, canonical_parameter, is_signal, split_parameter


@pytest.mark.parametrize(
    ("seen", "canonical"),
    [
        ("Sidewards Scatter", "SWS"),
        ("Forward Scatter Left", "FWS L"),
        ("Fl Yellow", "FL Yellow"),
        ("FL.Orange.HS", "FL Orange HS"),
        ("X2.FL.Red.LS", "2 FL Red LS"),
        ("\ufeffFWS", "FWS"),
        ("FLRed", "FL Red"),
        ("My  own detector", "My own detector"),
    ],
)
def test_a_channel_has_one_spelling(seen: str, canonical: str) -> None:
    assert canonical_channel(seen) == canonical


@given(st.sampled_from(CHANNEL_ORDER), st.sampled_from([" ", ".", "_", "-", "", "  "]), st.booleans())
def test_separators_and_case_do_not_matter(name: str, separator: str, upper: bool) -> None:
    spelled = name.replace(" ", separator)
    assert canonical_channel(spelled.upper() if upper else spelled.lower()) == name


@given(st.sampled_from(CHANNEL_ORDER))
def test_a_canonical_name_is_its_own_canonical_name(name: str) -> None:
    assert canonical_channel(name) == name


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("Sidewards Scatter SWS covariance", ("SWS", "SWS covariance")),
        ("FL.Red.Center.of.gravity", ("FL Red", "Center of gravity")),
        ("Fl Red Length(50%)", ("FL Red", "Length(50%)")),
        ("Arrival Time", (None, "Time of Arrival")),
        ("Sample Length", (None, "Sample Length")),
        ("SWS.Sample.Length", ("SWS", "Sample Length")),
        ("microscopy length", (None, "microscopy length")),
    ],
)
def test_a_listmode_column_splits_into_channel_and_parameter(column: str, expected: tuple[str | None, str]) -> None:
    assert split_parameter(column) == expected


def test_triggers_and_dummies_carry_no_light() -> None:
    assert [name for name in ("Trigger1", "DSP", "Dummy", "X", "FL Red") if is_signal(name)] == ["FL Red"]


def test_old_spellings_of_a_parameter_are_known() -> None:
    assert canonical_parameter("asmmetry") == "Asymmetry"
    assert canonical_parameter("centreOfGravity") == "Center of gravity"


def test_every_listmode_column_of_a_real_export_is_understood(real_data: Path) -> None:
    [path] = (real_data / "cytosense" / "cefas_pond").glob("*_Listmode.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    channels = {split_parameter(column)[0] for column in header[3:]}
    assert channels == {"FWS", "SWS", "FL Yellow", "FL Orange", "FL Red"}
