"""What file names say."""

from __future__ import annotations

from datetime import datetime

import pytest

from seston.instruments.export_names import export_name, measurement_key, measurement_minute, picture_name


@pytest.mark.parametrize(
    ("stem", "measurement", "set_name", "kind"),
    [
        (
            "Pond_NA 2023-05-24 09h23_All Imaged Particles_Listmode",
            "Pond_NA 2023-05-24 09h23",
            "All Imaged Particles",
            "listmode",
        ),
        ("Pond_NA 2023-05-24 09h23_Info", "Pond_NA 2023-05-24 09h23", None, "info"),
        ("beads 2013-04-08 14u56_Default (all)_Pulses", "beads 2013-04-08 14u56", "Default (all)", "pulses"),
        ("a 2013-04-08 14h56_2_pulses", "a 2013-04-08 14h56_2", None, "pulses"),
        ("a 2013-04-08 14h56_2_> 20µm [x]_Pulses", "a 2013-04-08 14h56_2", "> 20µm [x]", "pulses"),
        ("Pond-2023-05-24-09h23_All-Imaged_Images", "Pond-2023-05-24-09h23", "All-Imaged", "images"),
        ("mine_Listmode", "mine", None, "listmode"),
        ("Images", "", None, "images"),
        ("sample_example_features", "sample_example", None, "features"),
    ],
)
def test_names_part_into_measurement_set_and_kind(stem: str, measurement: str, set_name: str | None, kind: str) -> None:
    name = export_name(stem)
    assert name is not None
    assert (name.measurement, name.set_name, name.kind) == (measurement, set_name, kind)


@pytest.mark.parametrize("stem", ["Listmodes", "README", "a_pulsesx", "imaging", "reinfo"])
def test_other_names_say_nothing(stem: str) -> None:
    assert export_name(stem) is None


@pytest.mark.parametrize(
    ("stem", "measurement", "number", "cropped"),
    [
        ("Pond_NA 2023-05-24 09h23_Cropped_118", "Pond_NA 2023-05-24 09h23", 118, True),
        ("Pond_NA 2023-05-24 09h23_Uncropped_118", "Pond_NA 2023-05-24 09h23", 118, False),
        ("118", None, 118, True),
        ("Cropped_7", None, 7, True),
        ("a 2023-05-24 09h23_44", "a 2023-05-24 09h23", 44, True),
    ],
)
def test_picture_names_say_the_particle(stem: str, measurement: str | None, number: int, cropped: bool) -> None:
    name = picture_name(stem)
    assert name is not None
    assert (name.measurement, name.number, name.cropped) == (measurement, number, cropped)


@pytest.mark.parametrize("stem", ["overview", "Pond_Cropped_", "Pulse_29x", "a_12"])
def test_pictures_of_no_particle_are_told(stem: str) -> None:
    assert picture_name(stem) is None


def test_spellings_of_one_measurement_have_one_key() -> None:
    assert measurement_key("Pond_NA 2023-05-24 09h23") == measurement_key("pond-NA-2023-05-24-09h23")


def test_the_minute_stands_in_the_name() -> None:
    assert measurement_minute("beads 2013-04-08 14u56") == datetime(2013, 4, 8, 14, 56)
    assert measurement_minute("beads 2013-14-08 14u56") is None
    assert measurement_minute("beads") is None
