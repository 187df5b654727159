"""Real exports of CytoClus, held against what their READMEs state."""

from __future__ import annotations

import csv
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from export_making import notes_of, particles_of, records_of, sample_of, skipped_of

from seston.instruments import Record

POND = "Pond_NA 2023-05-24 09h23"
ULCO = "R4_photos_flr16_2uls_10min 2022-09-14 12h28"


@pytest.fixture(scope="module")
def pond(real_data: Path) -> list[Record]:
    return records_of(real_data / "cytosense" / "cefas_pond")


@pytest.fixture(scope="module")
def ulco(real_data: Path) -> list[Record]:
    return records_of(real_data / "cytosense" / "ulco_r4")


def slow_profiles(path: Path, separator: str) -> dict[int, list[list[float]]]:
    """Read profiles by a second, plain implementation: rows of zeros with id 0 end the one that is open."""
    profiles: dict[int, list[list[float]]] = {}
    open_rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for place, fields in enumerate(csv.reader(file, delimiter=separator)):
            if place:
                number, *values = (float(field.replace(",", ".")) for field in fields)
                if number == 0 and not any(values):
                    if open_rows:
                        profiles[int(open_rows[0][0])] = [row[1:] for row in open_rows]
                    open_rows = []
                else:
                    open_rows.append([number, *values])
    return profiles


@pytest.mark.parametrize(
    ("folder", "name", "separator"), [("cefas_pond", f"{POND}_All Imaged Particles", ","), ("ulco_r4", ULCO, ";")]
)
def test_profiles_equal_those_of_a_second_plain_reader(real_data: Path, folder: str, name: str, separator: str) -> None:
    expected = slow_profiles(real_data / "cytosense" / folder / f"{name}_Pulses.csv", separator)
    particles = particles_of(records_of(real_data / "cytosense" / folder))
    assert {int(number) for number in particles} == set(expected)
    for number, rows in expected.items():
        profile = particles[str(number)].profile
        assert profile is not None
        assert profile.dtype == np.float32
        np.testing.assert_array_equal(profile, np.array(rows, dtype=np.float32).T)


def test_pond_is_read_with_the_counts_of_its_readme(pond: list[Record]) -> None:
    particles = particles_of(pond)
    assert len(particles) == 817
    assert all(particle.profile is not None and particle.listmode for particle in particles.values())
    lengths = [particle.profile.shape[1] for particle in particles.values() if particle.profile is not None]
    assert (sum(lengths), min(lengths), float(np.median(lengths)), max(lengths)) == (61_470, 12, 67, 516)
    assert particles["63"].profile_channels == ("FWS", "SWS", "FL Yellow", "FL Orange", "FL Red", "Curvature")
    assert particles["63"].profile_spacing_um == pytest.approx(0.55)
    assert sorted(number for number, particle in particles.items() if particle.image) == ["118", "151", "63", "88"]
    assert len(particles["63"].listmode) == 72
    assert particles["63"].listmode["SWS Center of gravity"] == 8.36
    assert particles["118"].listmode["Time of Arrival"] == 0.1873
    assert not skipped_of(pond)


def test_pond_takes_the_cropped_pictures(real_data: Path) -> None:
    folder = real_data / "cytosense" / "cefas_pond"
    particles = particles_of(records_of(folder))
    cropped = next(folder.glob("*_Images/*_Cropped_88.jpg")).read_bytes()
    assert particles["88"].image == cropped
    assert particles["88"].image_format == "jpeg"


def test_pond_s_sample_holds_what_info_says(pond: list[Record]) -> None:
    sample = sample_of(pond)
    assert sample.id == POND
    assert sample.instrument == "Cefas III"
    assert sample.set_name == "All Imaged Particles"
    assert sample.start == datetime(2023, 5, 24, 9, 26, 1, tzinfo=UTC)
    assert sample.end == datetime(2023, 5, 24, 9, 29, 1, tzinfo=UTC)
    assert sample.volume_analysed_ml == pytest.approx(0.902452406)
    assert sample.volume_sampled_ml == pytest.approx(5.06 * 180 / 1000)
    assert sample.n_recorded == 20_818
    assert sample.trigger == "SWS > 30 mV"
    assert sample.settings["smart trigger"] == "Fl Red Maximum > 10"
    assert sample.detector_levels == {"SWS": 60, "FL Yellow": 95, "FL Orange": 85, "FL Red": 85}
    assert (sample.core_speed_m_s, sample.beam_width_um, sample.pixel_size_um) == (2.2, 5.5, None)
    assert sample.provenance["volume_analysed_ml"].endswith("Info.txt: Volume (μL)")


@pytest.mark.parametrize(
    "words",
    [
        "1,634 rows of zeros",
        "813 of 817 particles have no picture",
        "4 uncropped pictures are left aside",
        "Sample Length is the number of samples",
        "byte-order mark",
        "Length(50%) equals Length",
        "Info is of the whole measurement",
        "Info counts 20,818 particles, 817 are here",
        "particle ids go up to 202,802",
        "name says 2023-05-24 09h23, Info says 2023-05-24 09:26:01",
        "share their time of arrival",
        "pixel size",
    ],
)
def test_pond_s_oddities_are_noted(pond: list[Record], words: str) -> None:
    assert words in notes_of(pond)


def test_ulco_is_read_with_the_counts_of_its_readme(ulco: list[Record]) -> None:
    particles = particles_of(ulco)
    assert list(particles) == ["0", "1", "2", "3", "10104", "4206", "3543", "3269", "29"]
    assert sum(particle.profile.shape[1] for particle in particles.values() if particle.profile is not None) == 376
    assert [number for number, particle in particles.items() if particle.image] == [
        "10104",
        "4206",
        "3543",
        "3269",
        "29",
    ]
    assert all(len(particle.listmode) == 80 for particle in particles.values())
    assert not skipped_of(ulco)
    sample = sample_of(ulco)
    assert sample.volume_analysed_ml == pytest.approx(1.15923791231256)
    assert sample.trigger == "FL Red > 15.94 mV"


def test_both_rows_of_ulco_s_spliced_line_are_recovered(ulco: list[Record]) -> None:
    particles = particles_of(ulco)
    assert particles["4206"].listmode["FWS Total"] == 7.94e4
    assert particles["4206"].listmode["FWS Maximum"] == 1502
    assert particles["4206"].listmode["Curvature SWS covariance"] == -0.01192
    assert particles["10104"].listmode["Sample Length"] == 72
    assert particles["10104"].listmode["Curvature SWS covariance"] == -2148
    for number in ("4206", "10104"):
        profile = particles[number].profile
        assert profile is not None
        assert particles[number].listmode["FWS Total"] == pytest.approx(profile[0].sum(), rel=1e-3)
    assert "lines 9 and 10 are the row of particle 4206 with the row of particle 10104 spliced" in notes_of(ulco)


def test_the_later_hand_made_repair_of_ulco_s_line_is_not_believed(real_data: Path, tmp_path: Path) -> None:
    shutil.copytree(real_data / "cytosense" / "ulco_r4", tmp_path / "ulco")
    listmode = tmp_path / "ulco" / f"{ULCO}_Listmode.csv"
    listmode.chmod(0o644)
    listmode.write_bytes(listmode.read_bytes().replace(b"\r\n+04;1502", b"\r\n10104;1502"))
    records = records_of(tmp_path / "ulco")
    assert [record.item for record in skipped_of(records)] == ["line 9 (particle 4206)", "line 10 (particle 10104)"]
    particles = particles_of(records)
    assert len(particles) == 9
    assert not particles["4206"].listmode
    assert not particles["10104"].listmode


@pytest.mark.parametrize(
    "words",
    [
        "18 rows of zeros",
        "there is a particle 0",
        "particles are not sorted by id",
        "semicolons between fields, decimal commas, lines end in CR LF",
        "macOS leaves behind",
        "the least value is 0.5 mV",
        "a multiple of 4 in 9 of 9",
        "Info counts 11,003 particles, 9 are here",
        "numbers have decimal commas",
        "4 of 9 particles have no picture (0, 1, 2, 3)",
    ],
)
def test_ulco_s_oddities_are_noted(ulco: list[Record], words: str) -> None:
    assert words in notes_of(ulco)


def test_pictures_in_a_zip_are_the_members_bytes(real_data: Path) -> None:
    folder = real_data / "cytosense" / "ulco_r4"
    particles = particles_of(records_of(folder))
    with zipfile.ZipFile(folder / f"{ULCO}_Images.zip") as archive:
        member = f"{ULCO}_Images/{ULCO}_Cropped_3269.jpg"
        assert particles["3269"].image == archive.read(member)


def test_one_file_brings_the_rest_of_its_measurement(real_data: Path) -> None:
    folder = real_data / "cytosense" / "cefas_pond"
    whole = records_of(folder)
    alone = records_of(folder / f"{POND}_All Imaged Particles_Listmode.csv")
    assert particles_of(alone).keys() == particles_of(whole).keys()
    assert sum(particle.image is not None for particle in particles_of(alone).values()) == 4
